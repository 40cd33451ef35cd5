"""A folder with one folder per split, and in each of them one folder of audio files per class.

Splits have any usual name in any case: ``train``, ``training``; ``val``, ``valid``, ``validation``, ``dev``; ``test``,
``testing``, ``eval``, ``evaluation``; or ``fold1``, ``fold_2``, ``Fold 3``. The splits are used as they are: training
clips become "validation" only where no folder holds that split. A split's folder may hold audio files instead of class
folders, named as Edge Impulse exports them: ``label.name.wav``, where ``.s1``, ``.s2`` after the name number the pieces
of one recording.

A folder is of this layout where every folder in it that holds audio is a split, and one of them is the training or
there are two folds: class folders may be called "train", but hardly all of them are called like splits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.names import one_form
from ...errors import DatasetError
from ..audio import SUFFIXES
from ..dataset import Clip, Dataset
from . import class_folders
from .folds import fold_dataset

LICENCE = class_folders.LICENCE

_ROLES = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words}
_FOLD = re.compile(r"fold[-_ ]?([1-9][0-9]?)")
_PIECE = re.compile(r"\.s[0-9]+")


@dataclass(frozen=True, slots=True)
class _Split:
    folder: Path
    role: str  # "train", "validation", "test", or "" for a fold
    fold: int = 0


def _split_of(folder: Path) -> _Split | None:
    name = folder.name.strip().lower()
    fold = _FOLD.fullmatch(name)
    if fold:
        return _Split(folder, "", int(fold[1]))
    return _Split(folder, _ROLE_OF[name]) if name in _ROLE_OF else None


def _splits(root: Path) -> list[_Split]:
    """Splits of a folder of this layout; none where it has another one."""
    folders = [path for path in class_folders.folders(root) if _holds_audio(path)]
    found = [split for split in map(_split_of, folders) if split]
    if len(found) < max(len(folders), 2) or ({split.fold for split in found} & {0} and any(s.fold for s in found)):
        return []
    return found if found[0].fold or any(split.role == "train" for split in found) else []


def _holds_audio(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in class_folders.files(folder))


def detect(root: Path) -> bool:
    """Whether a folder holds splits, and they hold the classes."""
    return bool(_splits(root))


def read_split_folders(root: Path, _subset: str | None = None) -> Dataset:
    """Read splits as they are; classes are those of all splits together, in alphabetical order."""
    notes: list[str] = []
    splits = _splits(root)
    _require_one_each(splits)
    clips = [clip for split in splits for clip in _read_split(split, notes)]
    labels = tuple(sorted({clip.label for clip in clips}))
    if len(labels) < 2:
        raise DatasetError(root, f"its splits hold {len(labels)} class, at least 2 are needed", "add class folders")
    name = class_folders.slug(root)
    if splits[0].fold:
        return fold_dataset(name, root, labels, clips, notes=tuple(notes))
    sides = {split.role: split.folder for split in splits}
    parts = {role: tuple(c for c in clips if c.path.is_relative_to(folder)) for role, folder in sides.items()}
    notes += _shared_recordings(parts)
    absent = {} if "test" in parts else {"test": f"{root.name} has no folder 'test'"}
    given = "validation" in parts
    return Dataset(name, root, labels, tuple(clips), parts, "recording", absent, tuple(notes), validation_given=given)


def _require_one_each(splits: list[_Split]) -> None:
    """Refuse two folders for one split, such as "val" and "validation"."""
    first: dict[tuple[str, int], Path] = {}
    for split in splits:
        other = first.setdefault((split.role, split.fold), split.folder)
        if other != split.folder:
            problem = f"is the same split as '{other.name}'"
            raise DatasetError(split.folder, problem, "put their files into one folder")


def _read_split(split: _Split, notes: list[str]) -> Iterator[Clip]:
    classes = class_folders.folders(split.folder)
    loose = [path for path in class_folders.entries(split.folder) if path.suffix.lower() in SUFFIXES and path.is_file()]
    if loose and not classes:
        yield from (_named(path, split) for path in loose)
        return
    if loose:
        raise DatasetError(loose[0], "lies beside class folders", "put it into the folder of its class")
    for folder in classes:
        for clip in class_folders.read_class(folder, notes):
            yield Clip(clip.path, clip.label, f"{split.folder.name}/{clip.recording}", fold=split.fold)


def _named(path: Path, split: _Split) -> Clip:
    """Clip of a file that carries its label in its name."""
    label, dot, rest = one_form(path.stem).partition(".")
    if not dot or not rest:
        remedy = "give class folders, or names of the form label.name.wav"
        raise DatasetError(path, "its name holds no label", remedy)
    return Clip(path, label, f"{split.folder.name}/{label}/{_PIECE.sub('', rest)}", fold=split.fold)


def _shared_recordings(parts: Mapping[str, tuple[Clip, ...]]) -> Iterator[str]:
    """Remarks on recordings of several takes whose name stands in two splits: they may be one recording."""
    sides: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for role, clips in parts.items():
        for clip in clips:
            name = clip.recording.split("/", 2)[-1]
            if name != one_form(clip.path.stem):
                sides[clip.label, name].add(role)
    for (label, name), roles in sorted(sides.items()):
        if len(roles) > 1:
            yield f"{label}: takes of '{name}' are in {' and '.join(sorted(roles))}; of one recording, they are no test"
