"""Energy by the real codecarbon: added up over laps and interruptions, and told where it was asked for."""

from __future__ import annotations

import json
import sys
import time

import pytest

from scenelet.cli import main
from scenelet.core import energy
from scenelet.errors import ToolError


def _work(seconds=0.05):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))


def test_laps_add_up_across_meters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = energy.Meter(tmp_path)
    assert energy.read_energy(tmp_path) is None
    _work()
    first.lap()
    once = energy.read_energy(tmp_path)
    assert once is not None
    assert once.kwh > 0
    assert once.seconds >= 0.05
    assert once.kwh == pytest.approx(once.cpu_kwh + once.gpu_kwh + once.ram_kwh)
    # A kill here loses what came after the lap; the next meter goes on from the file.
    second = energy.Meter(tmp_path)
    _work()
    second.stop()
    both = energy.read_energy(tmp_path)
    assert both == second.total
    assert both.kwh > once.kwh
    assert both.seconds >= once.seconds + 0.05
    assert [path.name for path in tmp_path.iterdir()] == [energy.ENERGY]  # codecarbon leaves nothing behind


def test_without_the_package_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    with pytest.raises(ToolError, match=r"codecarbon: is not installed; pip install"):
        energy.Meter(tmp_path)


def _run(capfd, *arguments):
    capfd.readouterr()
    assert main([str(argument) for argument in (*arguments, "--json")]) == 0
    told = capfd.readouterr()
    return json.loads(told.out), told.err


@pytest.mark.train
def test_commands_tell_energy_where_it_was_asked_for(recordings, tiny_recipe, tmp_path, monkeypatch, capfd):
    from scenelet.training.search.space import to_toml

    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path / "build"))
    (tmp_path / "tiny.toml").write_text(to_toml(tiny_recipe(epochs=2)))
    run = tmp_path / "run"
    command = ("train", tmp_path / "tiny.toml", "--data", recordings, "--out", run)
    told, noted = _run(capfd, *command, "--energy")
    assert told["energy"]["kwh"] > 0
    assert "codecarbon" not in noted
    assert "energy" not in json.loads((run / "metrics.json").read_text())  # the same bits, measured or not
    again, _ = _run(capfd, *command, "--energy")
    assert again == told  # nothing was trained, so nothing is added
    _run(capfd, "quantize", run)

    evaluate = ("evaluate", run / "model.tflite", "--data", recordings, "--split", "train")
    assert _run(capfd, *evaluate, "--energy")[0]["energy"]["kwh"] > 0
    assert "energy" not in _run(capfd, *evaluate)[0]
    assert main([str(a) for a in ("card", *evaluate[1:], "--out", tmp_path / "card.md")]) == 0
    assert "| energy of training |" in (tmp_path / "card.md").read_text()
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    told, noted = _run(capfd, *evaluate, "--energy")
    assert "energy" not in told
    assert noted.startswith("note: energy is not measured: codecarbon: is not installed; pip install")


@pytest.mark.train
@pytest.mark.parametrize("rank", [0, 1])
def test_of_several_workers_the_one_that_keeps_the_folder_measures(
    rank, recordings, tiny_recipe, tmp_path, monkeypatch, capfd
):
    """The team is made up; what each of its processes does with its own folder is the command's."""
    from scenelet.training import tf_config
    from scenelet.training.checkpoint import Epoch
    from scenelet.training.distributed import worker_group
    from scenelet.training.search.space import to_toml
    from scenelet.training.train import RunResult

    place = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": rank}}
    monkeypatch.setenv(tf_config.VARIABLE, json.dumps(place))
    monkeypatch.setattr(worker_group, "WorkerGroup", lambda: None)

    def trained(_recipe, _dataset, out, _team, *, jobs, watch):
        assert jobs == -1
        watch(Epoch(1, 1.0, 1.0, 0.5), 1)
        return RunResult(out, {"recipe": "tiny", "dataset": "data"})

    monkeypatch.setattr(worker_group, "train_distributed", trained)
    (tmp_path / "tiny.toml").write_text(to_toml(tiny_recipe(epochs=1)))
    run = tmp_path / "run"
    told, noted = _run(capfd, "train", tmp_path / "tiny.toml", "--data", recordings, "--out", run, "--energy")
    assert run.exists() == ("energy" in told) == (rank == 0)
    assert "note:" not in noted
