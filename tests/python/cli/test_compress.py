"""``distill``, ``prune`` and ``sqnr`` from the command line: a chain of runs, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.train

Run = Callable[..., Any]

RECIPE = """
name = "small"
[frontend]
n_fft = 1024
hop_length = 1024
n_mels = 16
[model]
kind = "cnn"
[[model.blocks]]
filters = 4
kernel = [3, 3]
order = "conv_bn_relu"
[[model.blocks]]
filters = 4
kernel = [3, 1]
pool = [2, 2]
[model.head]
units = 8
[training]
epochs = 2
validation_fraction = 0.34
[quantize]
calibration_windows = 8
"""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for label, frequency in (("low", 300), ("high", 2500)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for take in range(6):
            sound = 0.1 * np.sin(2 * np.pi * frequency * np.arange(8000) / 8000) + generator.normal(0, 0.03, 8000)
            soundfile.write(tmp_path / "data" / label / f"{label}{take}x.wav", sound, 8000)
    return tmp_path / "data"


def test_a_student_is_taught_cut_and_looked_into(
    scenelet: Run, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path / "build"))
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    data = ("--data", recordings, "--jobs", 1, "--json")
    wide, taught, narrow = (tmp_path / name for name in ("wide", "taught", "narrow"))
    assert scenelet("train", recipe, "--out", wide, *data).status == 0
    done = scenelet("distill", recipe, "--teacher", wide, "--method", "response", "--out", taught, *data)
    assert json.loads(done.out)["recipe"] == "small"
    assert len(list((tmp_path / "build" / "teachers").iterdir())) == 2  # embeddings and logits
    done = scenelet("prune", taught, "--filters", "3,2", "--teacher", wide, "--out", narrow, *data)
    assert json.loads(done.out)["recipe"] == "small_pruned"
    found = json.loads(scenelet("sqnr", narrow, "-n", 4, "--json").out)
    assert found["windows"] == 4
    assert found["worst"] in [layer["name"] for layer in found["layers"]]
    assert "most noise is added by" in scenelet("sqnr", narrow).out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--filters", "2,2", "--budget", "1000"], "--filters and --budget"),
        (["--method", "rrs"], "--method: needs a teacher"),
        (["--filters", "two"], "'two' is not a list of numbers"),
        ([], "give the folder of a training run"),
    ],
)
def test_what_prune_cannot_do_is_said(
    scenelet: Run, recordings: Path, tmp_path: Path, more: list[str], said: str
) -> None:
    done = scenelet("prune", tmp_path / "nowhere", "--data", recordings, "--out", tmp_path / "out", *more)
    assert done.status == 2
    assert said in done.complaint
    assert not (tmp_path / "out").exists()
