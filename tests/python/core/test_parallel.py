"""Tasks give the same results wherever they run; real clusters of two workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cluster_tasks
import joblib
import local_cluster
import numpy as np
import pytest
import soundfile
import worker_state

from scenelet.config.recipe import FrontendConfig, Recipe, parse
from scenelet.core.parallel import cluster, on_cluster, spread, uses_processes, workers
from scenelet.data.dataset import Clip
from scenelet.errors import AudioError, InputError, ToolError
from scenelet.frontend.cache import cached_features

if TYPE_CHECKING:
    from scenelet.models.backend import keras

SEARCHED = os.pathsep.join([str(Path(cluster_tasks.__file__).parent), os.environ.get("PYTHONPATH", "")])


@pytest.fixture(scope="module", params=["dask", "ray"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a key into the home folder
        command = [sys.executable, local_cluster.__file__, request.param]
        environment = {**os.environ, "PYTHONPATH": SEARCHED}
        with subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            found = next((line.strip() for line in process.stdout if "://" in line.split(" ")[0]), "")
            assert found, process.stderr.read()
            yield found
            process.communicate(timeout=60)


@pytest.mark.cluster
def test_a_cluster_deals_out_tasks_and_never_splits_them(address: str) -> None:
    assert not on_cluster()
    before = signal.getsignal(signal.SIGTERM)
    with cluster(address):
        assert signal.getsignal(signal.SIGTERM) == before, "a command that is told to end still cleans up"
        assert on_cluster()
        assert uses_processes(1)
        assert workers(1) == 2
        seen = list(spread(cluster_tasks.where, [(number,) for number in range(4)], 1))
    assert [number for number, _, _ in seen] == [0, 1, 2, 3]
    # A fresh process each: a worker's own threads draw from Python's random numbers, too.
    assert len({process for _, process, _ in seen} | {os.getpid()}) == 5
    assert not any(again for _, _, again in seen)
    assert not on_cluster()


@pytest.mark.parametrize("address", ["dask"], indirect=True)
@pytest.mark.cluster
def test_tasks_of_tasks_and_errors_come_back(address: str) -> None:
    with cluster(address):
        assert list(spread(cluster_tasks.nested, [(0,), (5,)], 1)) == [[0, 1], [5, 6]]
        with pytest.raises(AudioError, match=r"one\.wav: is no sound"):
            list(spread(cluster_tasks.fails, [(0,), (1,)], 1))


@pytest.mark.parametrize("address", ["dask"], indirect=True)
@pytest.mark.cluster
def test_a_worker_hands_tasks_on_without_importing_their_modules(address: str) -> None:
    with cluster(address):
        assert [number for number, _, _ in spread(cluster_tasks.where, [(0,), (1,)], 1)] == [0, 1]
        told = spread(worker_state.imported, [("cluster_tasks",), ("scenelet.core.parallel",)] * 4, 1, threads=True)
        assert list(told) == [False, True] * 4


@pytest.mark.cluster
def test_features_of_a_cluster_are_those_of_this_process(address: str, tmp_path: Path) -> None:
    clips = []
    for number in range(70):  # two shards
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, np.random.default_rng(number).uniform(-0.5, 0.5, 8000), 8000, subtype="PCM_24")
        clips.append(Clip(path, "a", str(number)))
    config = FrontendConfig(n_fft=256, hop_length=128, n_mels=16)
    here, owners = cached_features(clips, config, tmp_path / "here")
    with cluster(address):
        there, others = cached_features(clips, config, tmp_path / "there")
    assert np.array_equal(here, there)
    assert np.array_equal(owners, others)


def _teacher() -> Recipe:
    member = {"kind": "cnn", "classes": 2, "blocks": [{"filters": 2, "kernel": [3, 3]}], "head": {"units": 4}}
    values = {
        "name": "tiny",
        "frontend": {"n_fft": 1024, "hop_length": 1024, "n_mels": 16},
        "model": {"kind": "one_against_all", "classes": 2, "member": member},
        "training": {"epochs": 2, "batch_size": 8},
    }
    return parse(values, "tiny")


def _trained(out: Path) -> tuple[keras.Model, list[int]]:
    """A teacher whose two members learnt 16 windows of noise, beside each other; the epochs that were told."""
    from scenelet.models.backend import keras
    from scenelet.models.keras_model import build
    from scenelet.training.one_vs_all import train_members
    from scenelet.training.windows import Windows

    generator, recipe = np.random.default_rng(0), _teacher()
    keras.utils.set_random_seed(0)
    model = build(recipe)
    features = generator.integers(-128, 128, (16, *model.input_shape[1:3])).astype(np.int8)
    windows = Windows(features, np.arange(16) % 2, np.arange(16))
    told: list[int] = []
    train_members(recipe, model, windows, windows, out, 2, lambda epoch, _most: told.append(epoch.epoch))
    return model, told


@pytest.fixture(scope="module")
def trained_here(tmp_path_factory: pytest.TempPathFactory) -> keras.Model:
    return _trained(tmp_path_factory.mktemp("members"))[0]


@pytest.mark.train
@pytest.mark.cluster
def test_a_teachers_members_finish_on_a_cluster_with_the_bits_of_two_processes_here(
    address: str, trained_here: keras.Model, tmp_path: Path
) -> None:
    from scenelet.models.backend import keras
    from scenelet.models.keras_model import build

    with cluster(address):
        model, told = _trained(tmp_path)
    assert told == [2, 2]
    assert len(list(tmp_path.glob("member*_checkpoint.npz"))) == 2
    pairs = list(zip(model.get_weights(), trained_here.get_weights(), strict=True))
    assert all(np.array_equal(there, here) for there, here in pairs)
    keras.utils.set_random_seed(0)
    fresh = build(_teacher()).get_weights()
    assert any(not np.array_equal(weights, first) for (weights, _), first in zip(pairs, fresh, strict=True))


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("threads", [False, True])
def test_here_results_come_in_order(jobs: int, threads: bool) -> None:
    seen = list(spread(cluster_tasks.where, [(number,) for number in range(4)], jobs, threads=threads))
    assert [number for number, _, _ in seen] == [0, 1, 2, 3]
    assert (os.getpid() in {process for _, process, _ in seen}) == (jobs == 1 or threads)
    assert workers(jobs) == jobs
    assert workers(-1) == (os.cpu_count() or 1)


def test_joblibs_own_settings_around_the_call_hold() -> None:
    with joblib.parallel_config("threading"):
        seen = list(spread(cluster_tasks.where, [(number,) for number in range(4)], 2))
    assert {process for _, process, _ in seen} == {os.getpid()}


def test_a_worker_that_is_killed_is_one_line_and_the_next_tasks_get_another() -> None:
    with pytest.raises(ToolError, match=r"cluster_tasks\.dies: lost a worker process.*; run it again"):
        list(spread(cluster_tasks.dies, [(0,), (1,), (2,)], 2))
    assert list(spread(cluster_tasks.dies, [(2,), (3,)], 2)) == [2, 3]


LASTS = """
import sys
from cluster_tasks import lasts
from scenelet.core.parallel import spread
list(spread(lasts, [(path,) for path in sys.argv[1:]], 2))
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    environment = {**os.environ, "PYTHONPATH": SEARCHED}
    with subprocess.Popen([sys.executable, "-c", LASTS, *map(str, paths)], env=environment) as parent:
        _wait(lambda: all(path.is_file() and path.read_text() for path in paths))
        parent.kill()
    children = [int(path.read_text()) for path in paths]
    _wait(lambda: not any(_lives(child) for child in children))


def _wait(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("text", ["here", "slurm://host:1", "dask://"])
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(InputError, match="is not an address; write dask"), cluster(text):
        pass


def test_a_cluster_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenelet.core.parallel._CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(ToolError, match=r"cluster dask://127\.0\.0\.1:9: cannot be reached"),
        cluster("dask://127.0.0.1:9"),
    ):
        pass


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ToolError, match=r"dask: is not installed; pip install"),
        cluster("dask://a:1"),
    ):
        pass
