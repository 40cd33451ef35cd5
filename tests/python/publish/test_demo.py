"""The whole line on a handful of recordings: training, INT8, C, PlatformIO, the emulated board."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.config import recipe as recipes
from scenelet.config.recipe import Recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.evaluation.evaluate import Progress
from scenelet.publish import demo


@contextlib.contextmanager
def no_bar(_: str) -> Iterator[Progress]:
    def ignore(_done: int, _total: int) -> None:
        pass

    yield ignore


def recordings(root: Path) -> Path:
    """Three classes of noise that differ in colour, eight recordings each."""
    chance = np.random.default_rng(3)
    for label, smooth in (("bright", 1), ("middle", 4), ("dark", 30)):
        (root / label).mkdir(parents=True)
        for number in range(8):
            noise = np.convolve(chance.normal(size=16_000), np.ones(smooth) / smooth, "same")
            soundfile.write(root / label / f"{label}{number}x.wav", 0.3 * noise / np.abs(noise).max(), 8000)
    return root


@pytest.mark.train
@pytest.mark.qemu
def test_from_recordings_to_scores_on_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "EPOCHS", 2)
    stages: list[str] = []
    result = demo.run_demo(tmp_path / "demo", recordings(tmp_path / "data"), stages.append, no_bar)
    assert result["accuracy_qemu"] == result["accuracy_int8"]
    assert result["parity_mismatches"] == 0
    assert result["windows"] >= 6
    assert result["budget"]["ok"]
    assert result["instructions"] > 1_000_000
    assert 0 <= result["accuracy_float"] <= 1
    assert json.loads((tmp_path / "demo" / "report.json").read_text()) == json.loads(json.dumps(result))
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "agree in every cell" in page  # LiteRT and the emulated board
    assert "counted in QEMU" in page
    assert "signal-to-quantization-noise ratio" in page
    assert "pio run -e qemu" in stages


def small(kind: str) -> Recipe:
    """A network of one block; "one_against_all" makes one a class of it."""
    cnn = {"kind": "cnn", "blocks": [{"filters": 4, "kernel": [3, 3]}], "head": {"pooling": "average", "units": 8}}
    values = {
        "name": kind,
        "frontend": {"n_fft": 1024, "hop_length": 1024, "n_mels": 16},
        "model": {**cnn, "classes": 3}
        if kind == "cnn"
        else {"kind": kind, "classes": 3, "member": cnn | {"classes": 2}},
        "training": {"epochs": 2, "batch_size": 8, "validation_fraction": 0.3},
        "quantize": {"calibration_windows": 6},
    }
    return recipes.parse(values, kind)


@pytest.mark.train
def test_a_teacher_is_trained_first_and_every_stage_is_timed(tmp_path: Path) -> None:
    dataset = open_dataset(recordings(tmp_path / "data"), validation_fraction=0.3, seed=0)
    stages: list[str] = []
    work = demo.Demo(tmp_path / "demo", small("cnn"), dataset, stages.append, no_bar, small("one_against_all"))
    metrics = demo._train(work)
    assert stages == ["train one_against_all", "distil cnn", "quantise to INT8"] == list(work.seconds)
    assert list(work.stage_seconds) == ["relational", "response"]
    assert 0 <= metrics["test"]["accuracy"] <= 1
    assert (work.run_folder / "model.tflite").is_file()
    assert json.loads((work.teacher_folder / "metrics.json").read_text())["recipe"] == "one_against_all"
    assert work.run_folder != demo.Demo(tmp_path / "demo", small("cnn"), dataset, stages.append, no_bar).run_folder
