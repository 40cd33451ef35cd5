"""A tiny recipe, and tiny recordings that it can learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from scenelet.config import recipe
from scenelet.config.recipe import Recipe
from scenelet.data.datasets.registry import Dataset, open_dataset

RATE = 8000
TONES = {"low": 250, "middle": 900, "high": 2600}


def tiny(*, epochs: int = 3, model: dict[str, Any] | None = None, **training: Any) -> Recipe:
    """16 bands x 8 frames, two blocks."""
    cnn = {
        "kind": "cnn",
        "classes": 3,
        "blocks": [
            {"filters": 4, "kernel": [3, 3], "order": "conv_bn_relu", "dropout": 0.1},
            {"filters": 4, "kernel": [3, 1], "pool": [2, 2]},
        ],
        "head": {"pooling": "flatten", "units": 8, "dropout": 0.2},
    }
    values = {
        "name": "tiny",
        "frontend": {"n_fft": 1024, "hop_length": 1024, "n_mels": 16},
        "model": model or cnn,
        "training": {"epochs": epochs, "batch_size": 8, "learning_rate": 0.02, "validation_fraction": 0.34, **training},
        "quantize": {"calibration_windows": 12},
    }
    return recipe.parse(values, "tiny")


def write_recordings(root: Path, seconds: int = 3, takes: int = 6) -> Path:
    """A folder of class folders: a tone of the class in noise, ``takes`` recordings a class."""
    generator = np.random.default_rng(0)
    time = np.arange(seconds * RATE) / RATE
    for label, frequency in TONES.items():
        (root / label).mkdir(parents=True)
        for take in range(takes):
            tone = np.sin(2 * np.pi * frequency * (1 + 0.02 * take) * time)
            sound = 0.1 * tone + generator.normal(0, 0.05, time.size)
            soundfile.write(root / label / f"{label}{take}x.wav", sound, RATE, subtype="PCM_24")
    return root


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recordings(tmp_path_factory.mktemp("recordings") / "data")


@pytest.fixture(scope="session")
def dataset(recordings: Path) -> Dataset:
    return open_dataset(recordings)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features, and what teachers said, of a module's tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def tiny_recipe() -> Any:
    return tiny
