"""ESC-10 and ESC-50: environmental sounds in five published folds.

Two layouts are read: a folder with ``meta.csv`` and the clips in ``audio/`` (columns filename, fold, category,
source_clip, take), and ESC-50 as published (``meta/esc50.csv``, ``audio/``). All clips of a source recording are in one
fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import DatasetError
from ..dataset import Clip, Dataset
from .csv_table import Row, read_table
from .folds import fold_dataset

_CITATION = (
    'K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015, '
    "DOI 10.1145/2733373.2806390"
)
ESC10_LICENCE = (
    f"ESC-10 ({_CITATION}), licence CC BY 3.0; the recordings come from Freesound and are credited one by one in the "
    "data set."
)
ESC50_LICENCE = f"ESC-50 ({_CITATION}), licence CC BY-NC 3.0: no commercial use."

ESC10_TABLE = Path("meta.csv")
ESC50_TABLE = Path("meta/esc50.csv")

# ESC-10 is a subset of ESC-50 under other names: name in ESC-50 -> name in ESC-10.
_ESC10_OF_ESC50 = {
    "crying_baby": "baby_cry",
    "chainsaw": "chainsaw",
    "clock_tick": "clock_tick",
    "dog": "dog_bark",
    "crackling_fire": "fire_crackling",
    "helicopter": "helicopter",
    "sneezing": "person_sneeze",
    "rain": "rain",
    "rooster": "rooster",
    "sea_waves": "sea_waves",
}
ESC10_LABELS = tuple(_ESC10_OF_ESC50.values())

# In the order of the published target numbers.
_ESC50_NAMES = """
dog rooster pig cow frog cat hen insects sheep crow
rain sea_waves crackling_fire crickets chirping_birds water_drops wind pouring_water toilet_flush thunderstorm
crying_baby sneezing clapping breathing coughing footsteps laughing brushing_teeth snoring drinking_sipping
door_wood_knock mouse_click keyboard_typing door_wood_creaks can_opening washing_machine vacuum_cleaner clock_alarm
clock_tick glass_breaking
helicopter chainsaw siren car_horn engine train church_bells airplane fireworks hand_saw
"""
ESC50_LABELS = tuple(_ESC50_NAMES.split())
_FOLDS = ("1", "2", "3", "4", "5")


def detect_esc10(root: Path) -> bool:
    """Whether a folder has the layout of ESC-10. TAU has a table of the same name and is looked for before."""
    return (root / ESC10_TABLE).is_file()


def detect_esc50(root: Path) -> bool:
    """Whether a folder has the layout of ESC-50 as published."""
    return (root / ESC50_TABLE).is_file()


def read_esc10(root: Path, _subset: str | None = None) -> Dataset:
    """Read the folder layout of ESC-10: ``meta.csv`` and ``audio/``."""
    rows = read_table(root / ESC10_TABLE, ("filename", "fold", "category", "source_clip"))
    clips = [_clip(root, row, row.choice("category", ESC10_LABELS), row["source_clip"]) for row in rows]
    return _dataset("esc10", root, ESC10_LABELS, clips)


def read_esc50(root: Path, subset: str | None = None) -> Dataset:
    """Read ESC-50 as published; with the subset "esc10" only those ten classes, under ESC-10's own names."""
    rows = read_table(root / ESC50_TABLE, ("filename", "fold", "category", "esc10", "src_file"))
    if subset != "esc10":
        clips = [_clip(root, row, row.choice("category", ESC50_LABELS), row["src_file"]) for row in rows]
        return _dataset("esc50", root, ESC50_LABELS, clips)
    chosen = [row for row in rows if row.choice("esc10", ("True", "False")) == "True"]
    known = tuple(_ESC10_OF_ESC50)
    clips = [_clip(root, row, _ESC10_OF_ESC50[row.choice("category", known)], row["src_file"]) for row in chosen]
    return _dataset("esc10", root, ESC10_LABELS, clips)


def _clip(root: Path, row: Row, label: str, source: str) -> Clip:
    path = row.file(root / "audio")
    return Clip(path, label, recording=source, fold=int(row.choice("fold", _FOLDS)))


def _dataset(name: str, root: Path, labels: tuple[str, ...], clips: Sequence[Clip]) -> Dataset:
    if not clips:
        raise DatasetError(root, f"no clips of {name}", "check the CSV file")
    return fold_dataset(name, root, labels, clips, map(int, _FOLDS))
