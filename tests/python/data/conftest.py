"""Small data sets in every layout, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.data.datasets.tau import SCENES
from scenelet.data.synthetic.city import City, write_city

RATE = 8000

Table = Callable[..., Path]


@pytest.fixture
def clip() -> Callable[[Path], Path]:
    """Write a short audio file whose suffix says its format."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.linspace(-0.5, 0.5, 100), RATE)
        return path

    return write


def write_table(path: Path, rows: Iterable[Iterable[str]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def table() -> Table:
    return write_table


@pytest.fixture
def esc10(tmp_path: Path, clip: Callable[[Path], Path]) -> Path:
    """ESC-10's folds 1 to 3: two classes, four recordings a fold and class, the first of them with two takes."""
    rows = [("filename", "fold", "category", "source_clip", "take")]
    for fold in ("1", "2", "3"):
        for offset, label in enumerate(("rain", "dog_bark")):
            for source in range(4):
                number = f"{fold}{offset}{source}"
                for take in ("A", "B") if source == 0 else ("A",):
                    rows.append((f"{fold}-{number}-{take}.ogg", fold, label, number, take))
                    clip(tmp_path / "esc10" / "audio" / rows[-1][0])
    write_table(tmp_path / "esc10" / "meta.csv", rows)
    return tmp_path / "esc10"


@pytest.fixture
def tau(tmp_path: Path, clip: Callable[[Path], Path]) -> Path:
    """Ten scenes; per scene four training locations (device a, and b in parallel) and one in the test (a, s4)."""
    root = tmp_path / "tau"
    meta = [("filename", "scene_label", "identifier", "source_label")]
    train, evaluate = [("filename", "scene_label")], [("filename", "scene_label")]
    for number, scene in enumerate(SCENES):
        for location in range(5):
            identifier = f"lyon-{10 * number + location}"
            for device in ("a", "b") if location < 4 else ("a", "s4"):
                name = f"audio/{scene}-{identifier}-77-0-{device}.wav"
                clip(root / name)
                meta.append((name, scene, identifier, device))
                (train if location < 4 else evaluate).append((name, scene))
    write_table(root / "meta.csv", meta, "\t")
    write_table(root / "evaluation_setup/fold1_train.csv", train, "\t")
    write_table(root / "evaluation_setup/fold1_evaluate.csv", evaluate, "\t")
    write_table(root / "evaluation_setup/fold1_test.csv", [row[:1] for row in evaluate], "\t")
    return root


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """Two training locations a scene of two seconds, one in the test."""
    folder = tmp_path_factory.mktemp("synth") / "city"
    return write_city(folder, train_locations=2, test_locations=1, train_seconds=2)
