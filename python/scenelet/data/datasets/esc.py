"""ESC-10 and ESC-50: environmental sounds in five published folds.

Two layouts are read: a folder with ``meta.csv`` and the clips in ``audio/`` (columns filename, fold, category,
source_clip, take), and ESC-50 as published (``meta/esc50.csv``, ``audio/``). Folds are by source recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import DatasetError
from ..dataset import Clip, Dataset
from .csv_table import Row, read_table

ESC10_TABLE = Path("meta.csv")
ESC50_TABLE = Path("meta/esc50.csv")

# By their names in ESC-50, where ESC-10 is a subset under other names.
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


def read_esc10(root: Path) -> Dataset:
    """Read the folder layout of ESC-10: ``meta.csv`` and ``audio/``."""
    rows = read_table(root / ESC10_TABLE, ("filename", "fold", "category", "source_clip"))
    clips = [_clip(root, row, row.choice("category", ESC10_LABELS), row["source_clip"]) for row in rows]
    return _dataset("esc10", root, ESC10_LABELS, clips)


def read_esc50(root: Path, *, esc10: bool) -> Dataset:
    """Read ESC-50 as published; with ``esc10`` only that subset, under ESC-10's own names."""
    rows = read_table(root / ESC50_TABLE, ("filename", "fold", "category", "esc10", "src_file"))
    if not esc10:
        clips = [_clip(root, row, row.choice("category", ESC50_LABELS), row["src_file"]) for row in rows]
        return _dataset("esc50", root, ESC50_LABELS, clips)
    subset = [row for row in rows if row.choice("esc10", ("True", "False")) == "True"]
    known = tuple(_ESC10_OF_ESC50)
    clips = [_clip(root, row, _ESC10_OF_ESC50[row.choice("category", known)], row["src_file"]) for row in subset]
    return _dataset("esc10", root, ESC10_LABELS, clips)


def _clip(root: Path, row: Row, label: str, source: str) -> Clip:
    path = row.file(root / "audio" / row["filename"])
    return Clip(path, label, recording=source, fold=int(row.choice("fold", _FOLDS)))


def _dataset(name: str, root: Path, labels: tuple[str, ...], clips: Sequence[Clip]) -> Dataset:
    """Give every fold its split; the highest one is the test, the others train."""
    if not clips:
        raise DatasetError(root, f"no clips of {name}", "check the CSV file")
    present = sorted({clip.fold for clip in clips})
    told = ", ".join(map(str, present))
    splits = {"train": tuple(clip for clip in clips if clip.fold != present[-1])}
    splits["test"] = tuple(clip for clip in clips if clip.fold == present[-1])
    absent = {f"fold{fold}": f"fold {fold} is not in this copy (folds here: {told})" for fold in range(1, 6)}
    for fold in present:
        splits[f"fold{fold}"] = tuple(clip for clip in clips if clip.fold == fold)
        del absent[f"fold{fold}"]
    if not splits["train"]:
        del splits["train"]
        absent["train"] = absent["validation"] = f"fold {told} alone is here, and it is the test"
    return Dataset(name, root, labels, tuple(clips), splits, "recording", absent)
