from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.core import toolchain

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
CLASSES = ("rain", "rooster")


@pytest.fixture(scope="session")
def model() -> Path:
    return MODEL


@pytest.fixture
def esc10(tmp_path: Path) -> Path:
    """Six short recordings of two classes in ESC-10's layout, two of them in fold 2."""
    root = tmp_path / "esc10"
    (root / "audio").mkdir(parents=True)
    rows = ["filename,fold,category,source_clip,take"]
    chance = np.random.default_rng(0)
    for number in range(6):
        label, fold = CLASSES[number % 2], 1 if number < 4 else 2
        name = f"{fold}-{100 + number}-A.wav"
        soundfile.write(root / "audio" / name, chance.uniform(-0.2, 0.2, 16_000 + 8_000 * (number % 2)), 8000)
        rows.append(f"{name},{fold},{label},{100 + number},A")
    (root / "meta.csv").write_text("\n".join(rows) + "\n")
    return root
