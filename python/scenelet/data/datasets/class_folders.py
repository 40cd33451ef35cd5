"""A folder with one folder of audio files per class.

No table says which files belong together, so file names do. Files belong to one recording if

- they lie in one folder inside the class folder (``street/monday/*.wav`` is the recording "monday"), or
- their names differ in a take suffix only: ``-``, ``_`` or a space, then perhaps "take", "part" or "segment", then up
  to three digits or one letter (``corner-1.wav``, ``corner_take2.wav``, ``corner-B.wav`` are the recording "corner").

Where the second rule would make one recording of a whole class (``rain_001.wav`` .. ``rain_100.wav``), the suffix is
taken as a plain number and every file is a recording of its own; the data set's notes report it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...errors import DatasetError
from ..audio import SUFFIXES
from ..dataset import Clip, Dataset
from ..splits import hold_out

LICENCE = "Recordings of the data set `{name}`; whoever passes the model on, states their licence."

TEST_FRACTION = 0.2
_TEST_SEED = 0  # fixed: the test must not change with an experiment's seed
_NEEDED = 3  # recordings per class: one each for training, validation and test
_TAKE = re.compile(r"[-_ ](?:(?:take|part|segment)[-_ ]?)?(?:\d{1,3}|[A-Za-z])$")
_LAYOUT = "give each class a folder of .wav, .ogg or .flac files"


def detect(_root: Path) -> bool:
    """Accept every folder: this is the layout of last resort."""
    return True


def read_folder(root: Path, _subset: str | None = None) -> Dataset:
    """Read a folder of class folders: classes in alphabetical order, a fifth of the recordings as the test.

    Where a class has fewer than three recordings, no split but "all" exists, and ``absent`` says why.
    """
    folders = [entry for entry in _entries(root) if entry.is_dir() and not entry.name.startswith(".")]
    labels = tuple(folder.name for folder in folders)
    for folder in folders:
        if root.resolve().is_relative_to(folder.resolve()):
            raise DatasetError(folder, "is a link to a folder that it lies in", "remove it")
    if {"train", "test"} <= set(labels):
        raise DatasetError(root, "folders 'train' and 'test' instead of classes", "give class folders; splits are made")
    if len(labels) < 2:
        raise DatasetError(root, f"{len(labels)} class folders, at least 2 are needed", _LAYOUT)
    notes: list[str] = []
    clips = tuple(clip for folder in folders for clip in _read_class(folder, notes))
    short = _too_few_recordings(clips)
    if short:
        absent = dict.fromkeys(("train", "validation", "test"), short)
        return Dataset(_slug(root), root, labels, clips, {}, "recording", absent, tuple(notes))
    train, test = hold_out(clips, TEST_FRACTION, _TEST_SEED, "recording")
    splits = {"train": tuple(train), "test": tuple(test)}
    return Dataset(_slug(root), root, labels, clips, splits, "recording", {}, tuple(notes))


def _read_class(folder: Path, notes: list[str]) -> list[Clip]:
    files = [path for path in _files(folder) if not path.name.startswith(".")]
    audio = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not audio:
        raise DatasetError(folder, "a class folder without audio", f"remove it or {_LAYOUT}")
    others = Counter(path.suffix.lower() or path.name for path in files if path.suffix.lower() not in SUFFIXES)
    if others:
        notes.append(f"{folder.name}: ignored {', '.join(f'{count} {kind}' for kind, count in sorted(others.items()))}")
    names = [_recording(folder, path) for path in audio]
    if len(audio) > 1 and len(set(names)) == 1 and all(path.parent == folder for path in audio):
        notes.append(f"{folder.name}: the {len(audio)} numbered files of '{names[0]}' count as recordings of their own")
        names = [path.stem for path in audio]
    return [Clip(path, folder.name, f"{folder.name}/{name}") for path, name in zip(audio, names, strict=True)]


def _entries(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(folder, f"cannot be read: {error.strerror}", "check its permissions") from None
    for entry in entries:
        if not entry.name.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in entry.name):
            raise DatasetError(entry, "has a name that is not UTF-8, so it cannot be recorded", "rename it")
    return entries


def _files(folder: Path) -> Iterator[Path]:
    """Files below a folder, in order; symbolic links to folders are not followed."""
    waiting = _entries(folder)[::-1]  # a list, since folders may lie in each other deeper than Python calls
    while waiting:
        entry = waiting.pop()
        if entry.is_file():
            yield entry
        elif entry.is_dir() and not entry.is_symlink():
            waiting += _entries(entry)[::-1]


def _recording(folder: Path, path: Path) -> str:
    inside = path.relative_to(folder)
    return inside.parts[0] if len(inside.parts) > 1 else _TAKE.sub("", path.stem) or path.stem


def _too_few_recordings(clips: tuple[Clip, ...]) -> str:
    """Name the class that has too few recordings to be split; "" where none has."""
    counts = Counter(label for label, _ in {(clip.label, clip.recording) for clip in clips})
    label = min(counts, key=lambda name: (counts[name], name))
    if counts[label] >= _NEEDED:
        return ""
    return f"class '{label}' has {counts[label]} recordings where a split needs {_NEEDED} (see docs/DATA.md on names)"


def _slug(root: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "_", root.resolve().name.lower()).strip("_") or "folder"
