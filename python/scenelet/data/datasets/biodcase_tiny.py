"""BioDCASE-Tiny 2026 (task 3), development set: ten birds and background, clips of 3 s at 24 kHz.

``Train/<class>/*.wav`` and ``Validation/<class>/*.wav``. The challenge's test set is hidden, and its baseline is scored
on ``Validation``: here that is the test, and a part of ``Train`` stops the training. File names say which clips belong
to one recording, as in :mod:`.class_folders`.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import DatasetError
from ..dataset import Dataset
from . import class_folders
from .synthetic_city import MARK

LICENCE = (
    "BioDCASE 2026 Task 3, Bioacoustics for Tiny Hardware, development set (S. Kahl, R. Martin; Zenodo, DOI "
    "10.5281/zenodo.19453065); see the data set's own licence."
)
SYNTHETIC_LICENCE = (
    "The synthetic birds, computed by scenelet. Scores on them say that the pipeline works, nothing about real birds."
)
TRAIN, VALIDATION = "Train", "Validation"
CLASSES = (
    "Background",
    "Common Chaffinch",
    "Common Chiffchaff",
    "Eurasian Blackbird",
    "Eurasian Blackcap",
    "Eurasian Blue Tit",
    "Great Spotted Woodpecker",
    "Great Tit",
    "Mallard",
    "Song Thrush",
    "Tawny Owl",
)


def detect(root: Path) -> bool:
    """Whether a folder has this layout: both splits, with these classes and no other, complete or not."""
    if not ((root / TRAIN).is_dir() and (root / VALIDATION).is_dir()):
        return False
    names = {path.name for split in (TRAIN, VALIDATION) for path in class_folders.folders(root / split)}
    return len(names & {*CLASSES}) > 1 and names <= {*CLASSES}


def detect_synthetic(root: Path) -> bool:
    """Whether a folder has this layout and the mark of synthetic data."""
    return (root / MARK).is_file() and detect(root)


def read_biodcase_tiny(root: Path, _subset: str | None = None) -> Dataset:
    """Read the development set: "train" is Train, "test" is Validation."""
    notes: list[str] = []
    parts = {}
    for split, name in (("train", TRAIN), ("test", VALIDATION)):
        for label in CLASSES:
            if not (root / name / label).is_dir():
                raise DatasetError(root / name, f"has no folder '{label}'", "unpack the whole development set")
        read = (class_folders.read_class(root / name / label, notes) for label in CLASSES)
        parts[split] = tuple(clip for clips in read for clip in clips)
    clips = (*parts["train"], *parts["test"])
    return Dataset(_name(root), root, CLASSES, clips, parts, "recording", notes=tuple(notes))


def _name(root: Path) -> str:
    return "synthetic_birds" if detect_synthetic(root) else "biodcase_tiny"
