"""A training process that is killed without warning goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from scenelet.training import run_folder

pytestmark = pytest.mark.train

EPOCHS = 40
TIMEOUT = 120

PROGRAM = """
import json, sys
from pathlib import Path
from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.training.train import train
values, data, out, cache = sys.argv[1:]
loaded = recipe.parse(json.loads(values), "tiny")
train(loaded, open_dataset(data), out, cache=Path(cache), watch=lambda epoch, _: print(epoch.epoch, flush=True))
"""


def _start(values, recordings, out, cache):
    command = [sys.executable, "-c", PROGRAM, json.dumps(values), str(recordings), str(out), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _epochs(process):
    told, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    return [int(line) for line in told.split()]


def test_kill_and_run_again_gives_the_same_run(recordings, tiny_recipe, tmp_path):
    values = tiny_recipe(epochs=EPOCHS, patience=EPOCHS).model_dump(mode="json", exclude_none=True)
    whole = _start(values, recordings, tmp_path / "whole", tmp_path / "cache")
    assert _epochs(whole) == list(range(1, EPOCHS + 1))

    killed = _start(values, recordings, tmp_path / "killed", tmp_path / "cache")
    for _ in range(3):
        assert killed.stdout.readline()
    time.sleep(0.02)  # somewhere inside the next epoch, or while its state is written
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=TIMEOUT)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / run_folder.METRICS).exists()

    again = _epochs(_start(values, recordings, tmp_path / "killed", tmp_path / "cache"))
    assert again[0] >= 4  # what was done is not done again
    assert again[-1] == EPOCHS
    for name in (run_folder.METRICS, run_folder.HISTORY, run_folder.CALIBRATION):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    first, second = (run_folder.load_model(tmp_path / name).get_weights() for name in ("whole", "killed"))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
