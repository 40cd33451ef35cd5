"""The commands that the campaigns interrupt, small: a tiny recipe, three classes of tones, a city of few recordings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from fixtures_datasets import write_table
from fixtures_training import write_recordings

from scenelet.cli import main
from scenelet.cli.output import progress
from scenelet.config import recipe
from scenelet.core import toolchain

RATE = 8000
RECIPE = """name = "tiny"

[frontend]
n_fft = 1024
hop_length = 1024
n_mels = 16

[model]
kind = "cnn"
classes = 3
blocks = [
  { filters = 4, kernel = [3, 3], order = "conv_bn_relu", dropout = 0.1 },
  { filters = 4, kernel = [3, 1], pool = [2, 2] },
]

[model.head]
pooling = "flatten"
units = 8

[training]
epochs = 4
batch_size = 8
learning_rate = 0.02
validation_fraction = 0.34

[quantize]
calibration_windows = 12
"""


@dataclass(frozen=True)
class Operation:
    """A command to interrupt.

    Attributes
    ----------
    run
        Runs it: (shared inputs, working folder) -> exit status. Results go to the folder's ``out``.
    begin
        Copies what the command continues from into ``out``; (shared inputs, ``out``).
    """

    run: Callable[[Path, Path], int]
    begin: Callable[[Path, Path], None] = lambda _shared, _out: None


def prepare(shared: Path) -> None:
    """Write the inputs of all commands."""
    (shared / "tiny.toml").write_text(RECIPE, "utf-8")
    write_recordings(shared / "recordings")
    chance, rows = np.random.default_rng(0), [("filename", "fold", "category", "source_clip", "take")]
    time = np.arange(RATE) / RATE
    (shared / "esc10" / "audio").mkdir(parents=True)
    for fold in (1, 2, 3):
        for number, label in enumerate(("rain", "dog_bark", "rooster")):
            for source in range(3):
                sound = 0.1 * np.sin(2 * np.pi * (200 + 700 * number) * time) + chance.normal(0, 0.05, RATE)
                rows.append((f"{fold}-{fold}{number}{source}-A.wav", str(fold), label, f"{fold}{number}{source}", "A"))
                soundfile.write(shared / "esc10" / "audio" / rows[-1][0], sound, RATE)
    write_table(shared / "esc10" / "meta.csv", rows)


def finish(shared: Path) -> None:
    """Make what later commands continue from: a trained run, which is a teacher too, and its model."""
    for name in ("run", "quantized"):
        if _train(shared, shared, shared / name):
            raise RuntimeError("the tiny recipe does not train")
    if main(["quantize", str(shared / "quantized")]):
        raise RuntimeError("the tiny network is not quantized")


def _train(shared: Path, _work: Path, out: Path) -> int:
    return main(["train", str(shared / "tiny.toml"), "--data", str(shared / "recordings"), "--out", str(out)])


def _distill(shared: Path, work: Path) -> int:
    words = ["distill", str(shared / "tiny.toml"), "--teacher", str(shared / "run"), "--method", "rrs"]
    return main([*words, "--data", str(shared / "recordings"), "--out", str(work / "out")])


def _crossval(shared: Path, work: Path) -> int:
    words = ["crossval", str(shared / "tiny.toml"), "--data", str(shared / "esc10"), "--out", str(work / "out")]
    return main([*words, "--folds", "1,2"])


def _demo(shared: Path, work: Path) -> int:
    from scenelet.publish import demo

    demo.PARITY_CASES = 1  # the comparisons leave no file
    demo.run_demo(
        work / "out", shared / "recordings", lambda _stage: None, progress, recipe_=recipe.load(shared / "tiny.toml")
    )
    return 0


def _synthesize(_shared: Path, work: Path) -> int:
    from scenelet.data.synthetic.city import write_city

    write_city(work / "out" / "city", train_locations=2, test_locations=1, train_seconds=2)
    return 0


def _export(_shared: Path, work: Path) -> int:
    model = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
    return main(["export", str(model), "--out", str(work / "out")])


OPERATIONS = {
    "train": Operation(lambda shared, work: _train(shared, work, work / "out")),
    "distill": Operation(_distill),
    "quantize": Operation(
        lambda _, work: main(["quantize", str(work / "out")]),
        lambda shared, out: shutil.copytree(shared / "run", out, dirs_exist_ok=True),
    ),
    "qat": Operation(
        lambda shared, work: main(["quantize", "--qat", "--data", str(shared / "recordings"), str(work / "out")]),
        lambda shared, out: shutil.copytree(shared / "quantized", out, dirs_exist_ok=True),
    ),
    "crossval": Operation(_crossval),
    "demo": Operation(_demo),
    "synth": Operation(_synthesize),
    "export": Operation(_export),
}
