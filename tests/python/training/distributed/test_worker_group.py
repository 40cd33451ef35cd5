"""One network, two processes: the gradient of the whole batch, the same weights everywhere, resumable."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import InputError
from scenelet.training import run_folder, tf_config, train
from scenelet.training.checkpoint import State

pytestmark = pytest.mark.train

EPOCHS, TIMEOUT = 3, 240

PROGRAM = """
import json, sys
from pathlib import Path
from scenelet.training.distributed.worker_group import DistributedTrainer, WorkerGroup, train_distributed
group = WorkerGroup()
import numpy as np
from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.models.backend import keras
from scenelet.models.keras_model import build
from scenelet.training.loop import cross_entropy
from scenelet.training.windows import Windows

values, data, out = json.loads(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
loaded = recipe.parse(values, "tiny")
chance = np.random.default_rng(3)
some = Windows(chance.integers(-128, 128, (13, 16, 8), np.int8), chance.integers(0, 3, 13), np.arange(13))
keras.utils.set_random_seed(0)
trainer = DistributedTrainer(build(loaded), some, some, loaded.training, cross_entropy(0.1), group=group)
inputs, classes, part = some.batch(np.arange(13)), np.eye(3, dtype=np.float32)[some.classes], group.shard(13)
gradients, loss = group.run(trainer._gradients, inputs[part], classes[part])
moving = [variable.numpy() for variable in trainer.model.non_trainable_variables]
arrays = {f"gradient{k}": value.numpy() for k, value in enumerate(gradients)}
arrays |= {f"moving{k}": value for k, value in enumerate(moving)}
np.savez(out / f"step{group.rank}.npz", loss=loss.numpy(), predicted=trainer.predict(some), **arrays)

def stop(epoch, _):
    if epoch.epoch == 2:
        raise KeyboardInterrupt

mine = out / f"rank{group.rank}"
settings = {"cache": mine / "cache"}
dataset = open_dataset(data)
whole = train_distributed(loaded, dataset, mine / "whole", group, **settings)
try:
    train_distributed(loaded, dataset, mine / "parts", group, watch=stop, **settings)
except KeyboardInterrupt:
    pass
parts = train_distributed(loaded, dataset, mine / "parts", group, **settings)
(out / f"metrics{group.rank}.json").write_text(json.dumps([whole.metrics, parts.metrics]))
"""


def _ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


@pytest.fixture(scope="module")
def smooth(tiny_recipe: Any) -> Any:
    """Without dropout, whose draws are a worker's own."""
    values = tiny_recipe(epochs=EPOCHS).model_dump(mode="json", exclude_none=True)
    for block in (*values["model"]["blocks"], values["model"]["head"]):
        block["dropout"] = 0.0
    return values


@pytest.fixture(scope="module")
def group_runs(smooth: Any, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("group")
    hosts = [f"127.0.0.1:{port}" for port in _ports(2)]
    workers = []
    for rank in range(2):
        config = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": rank}}
        command = [sys.executable, "-c", PROGRAM, json.dumps(smooth), str(recordings), str(out)]
        environment = {**os.environ, tf_config.VARIABLE: json.dumps(config)}
        workers.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for worker in workers:
        try:
            _, stderr = worker.communicate(timeout=TIMEOUT)
        finally:
            worker.kill()
        assert worker.returncode == 0, stderr
    return out


def test_two_workers_give_the_gradient_of_the_whole_batch(group_runs: Path, smooth: Any) -> None:
    from scenelet.config import recipe
    from scenelet.models.backend import keras, tf
    from scenelet.models.keras_model import build
    from scenelet.training.loop import Predictor, cross_entropy
    from scenelet.training.windows import Windows

    loaded = recipe.parse(smooth, "tiny")
    chance = np.random.default_rng(3)
    some = Windows(chance.integers(-128, 128, (13, 16, 8), np.int8), chance.integers(0, 3, 13), np.arange(13))
    keras.utils.set_random_seed(0)
    model = build(loaded)
    with tf.GradientTape() as tape:
        classes = np.eye(3, dtype=np.float32)[some.classes]
        loss = cross_entropy(0.1)(model, some.batch(np.arange(13)), classes, ())
    whole = [value.numpy() for value in tape.gradient(loss, model.trainable_variables)]
    moving = [variable.numpy() for variable in model.non_trainable_variables]
    size = max(np.abs(value).max() for value in whole)
    for rank in range(2):
        with np.load(group_runs / f"step{rank}.npz") as seen:
            assert float(seen["loss"]) == pytest.approx(float(loss), rel=1e-5)
            for number, wanted in enumerate(whole):
                np.testing.assert_allclose(seen[f"gradient{number}"], wanted, rtol=0, atol=1e-5 * size)
            for number, wanted in enumerate(moving):
                np.testing.assert_allclose(seen[f"moving{number}"], wanted, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(seen["predicted"], Predictor(model)(some), rtol=0, atol=2e-2)


def test_workers_agree_to_the_bit(group_runs: Path) -> None:
    with np.load(group_runs / "step0.npz") as first, np.load(group_runs / "step1.npz") as second:
        assert all(np.array_equal(first[name], second[name]) for name in first.files)
    assert (group_runs / "metrics0.json").read_bytes() == (group_runs / "metrics1.json").read_bytes()


def test_interrupted_and_resumed_ends_like_undisturbed(group_runs: Path) -> None:
    whole, parts = json.loads((group_runs / "metrics0.json").read_text())
    assert whole == parts
    assert whole["epochs"] == EPOCHS
    first, second = (run_folder.load_model(group_runs / "rank0" / name).get_weights() for name in ("whole", "parts"))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert sorted(path.name for path in (group_runs / "rank1").iterdir()) == ["cache"]  # the chief alone keeps folders


def test_a_group_learns_what_one_process_does(group_runs: Path, smooth: Any, recordings: Path, tmp_path: Path) -> None:
    from scenelet.config import recipe

    alone = train.train(
        recipe.parse(smooth, "tiny"), open_dataset(recordings), tmp_path / "run", cache=tmp_path / "cache"
    )
    runs = (alone.folder, group_runs / "rank0" / "whole")
    one, two = (np.loadtxt(run / run_folder.HISTORY, delimiter=",", skiprows=1) for run in runs)
    # The loss of training alone: a bias before a normalisation gets rounding noise for a gradient, and Adam makes steps
    # of it, which batch statistics take out and running statistics do not.
    assert one[0, 1] == pytest.approx(two[0, 1], rel=1e-4)
    np.testing.assert_allclose(one[:, 1], two[:, 1], rtol=0.05)
    assert run_folder.request_of(runs[0]) == run_folder.request_of(runs[1])


def test_a_state_goes_through_bytes() -> None:
    state = State([np.arange(3.0)], [np.ones((2, 2))], [np.zeros(1)], 1.5, 2)
    again = State.from_bytes(state.to_bytes())
    assert again is not None
    assert again.to_bytes() == state.to_bytes()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", None),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}', None),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}', (1, 2)),
    ],
)
def test_tf_config(text: str, place: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tf_config.VARIABLE, text)
    assert tf_config.workers() == place


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_tf_config_that_names_no_group(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tf_config.VARIABLE, text)
    with pytest.raises(InputError, match="TF_CONFIG: names no worker"):
        tf_config.workers()


def test_other_stages_refuse_to_do_the_same_thing_twice(
    tiny_recipe: Any, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}'
    monkeypatch.setenv(tf_config.VARIABLE, two)
    with pytest.raises(InputError, match="which only `scenelet train` can share"):
        train.train(tiny_recipe(), open_dataset(recordings), tmp_path / "out")
    assert not (tmp_path / "out").exists()
