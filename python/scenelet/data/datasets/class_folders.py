"""A folder with one folder of audio files per class.

No table says which files belong together, so file names do. Files belong to one recording if

- they lie in one folder inside the class folder (``street/monday/*.wav`` is the recording "monday"), or
- their names differ in a take suffix only: ``-``, ``_`` or a space, then perhaps "take", "part" or "segment", then a
  number or one letter (``corner-1.wav``, ``corner_take2.wav``, ``corner-B.wav`` are the recording "corner").

Numbers of up to three digits count takes. Longer ones do where the class has shorter ones of the same name too
(``corner-999.wav``, ``corner-1000.wav``), or where they begin with zeros as counters do (``corner-0001.wav``); other
long ones are dates, times or numbers of an archive and belong to the name.

Where the second rule would make one recording of a whole class (``rain_001.wav`` .. ``rain_100.wav``), the suffix is
taken as a plain number and every file is a recording of its own; the data set's notes report it.

Symbolic links to files and to class folders are followed, wherever they lead: large data sets lie in stores. A link to
the data set's folder, to a folder above it or to another class is refused: its clips would have two classes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ...core.names import one_form
from ...errors import DatasetError
from ..audio import SUFFIXES
from ..dataset import Clip, Dataset
from ..splits import hold_out

LICENCE = "Recordings of the data set `{name}`; whoever passes the model on, states their licence."

TEST_FRACTION = 0.2
_TEST_SEED = 0  # fixed: the test must not change with an experiment's seed
_NEEDED = 3  # recordings per class: one each for training, validation and test
_TAKE = re.compile(r"(.+?)[-_ ](?:(?:take|part|segment)[-_ ]?)?([0-9]+|[A-Za-z])")
_SHORT, _MIDDLE = 3, 5  # digits: of a counter; of one that began with fewer
_DATE_OR_TIME = (6, 8)  # digits
_LAYOUT = "give each class a folder of .wav, .ogg or .flac files"


def detect(_root: Path) -> bool:
    """Accept every folder: this is the layout of last resort."""
    return True


def read_folder(root: Path, _subset: str | None = None) -> Dataset:
    """Read a folder of class folders: classes in alphabetical order, a fifth of the recordings as the test.

    Where a class has fewer than three recordings, no split but "all" exists, and ``absent`` says why.
    """
    found = folders(root)
    labels = tuple(one_form(folder.name) for folder in found)
    if len(labels) < 2:
        raise DatasetError(root, f"{len(labels)} class folders, at least 2 are needed", _LAYOUT)
    _require_apart(root, found)
    notes = [f"{link.name}: a link to nothing, ignored" for link in entries(root) if is_dangling(link)]
    clips = tuple(clip for folder in found for clip in read_class(folder, notes))
    return divided(root, labels, clips, notes)


def divided(root: Path, labels: tuple[str, ...], clips: tuple[Clip, ...], notes: Sequence[str]) -> Dataset:
    """Make a data set of clips without published splits: a fifth of the recordings are the test."""
    short = _too_few_recordings(clips)
    if short:
        absent = dict.fromkeys(("train", "validation", "test"), short)
        return Dataset(slug(root), root, labels, clips, {}, "recording", absent, tuple(notes))
    try:
        train, test = hold_out(clips, TEST_FRACTION, _TEST_SEED, "recording")
    except DatasetError as error:  # recordings of several classes, each of which is the main one of one
        absent = dict.fromkeys(("train", "validation", "test"), error.problem)
        return Dataset(slug(root), root, labels, clips, {}, "recording", absent, tuple(notes))
    splits = {"train": tuple(train), "test": tuple(test)}
    return Dataset(slug(root), root, labels, clips, splits, "recording", {}, tuple(notes))


def folders(root: Path) -> list[Path]:
    """Folders in a folder, but hidden ones, by name."""
    found = [entry for entry in entries(root) if entry.is_dir() and not entry.name.startswith(".")]
    return sorted(found, key=lambda folder: one_form(folder.name))


def is_dangling(path: Path) -> bool:
    """Whether a path is a symbolic link to nothing."""
    return path.is_symlink() and not path.exists()


def read_class(folder: Path, notes: list[str]) -> list[Clip]:
    """Read a class's folder: its name is the label; remarks are added to ``notes``.

    Raises
    ------
    DatasetError
        It holds no audio.
    """
    present = [path for path in files(folder) if not path.name.startswith(".")]
    audio = [path for path in present if path.suffix.lower() in SUFFIXES and not is_dangling(path)]
    if not audio:
        raise DatasetError(folder, "a class folder without audio", f"remove it or {_LAYOUT}")
    others = Counter(path.suffix.lower() or path.name for path in present if path.suffix.lower() not in SUFFIXES)
    dangling = sorted(path.name for path in present if is_dangling(path))
    if others:
        notes.append(f"{folder.name}: ignored {', '.join(f'{count} {kind}' for kind, count in sorted(others.items()))}")
    if dangling:
        notes.append(f"{folder.name}: ignored {len(dangling)} links to nothing, the first one {dangling[0]}")
    names = _recordings(folder, audio)
    if len(audio) > 1 and len(set(names)) == 1 and all(path.parent == folder for path in audio):
        notes.append(f"{folder.name}: the {len(audio)} numbered files of '{names[0]}' count as recordings of their own")
        names = [one_form(path.stem) for path in audio]
    label = one_form(folder.name)
    return [Clip(path, label, f"{label}/{name}") for path, name in zip(audio, names, strict=True)]


def _require_apart(root: Path, folders: Sequence[Path]) -> None:
    """Refuse class folders that, by symbolic links, are each other's, or hold the whole data set."""
    whole = root.resolve()
    places = sorted((folder.resolve(), folder) for folder in folders)
    for place, folder in places:
        if whole.is_relative_to(place):
            raise DatasetError(folder, f"is a link to {place}, which holds the whole data set", "remove it")
    for (place, folder), (other, inner) in pairwise(places):
        if other.is_relative_to(place):
            problem = f"lies in the folder of another class, {folder.name}, by a symbolic link"
            raise DatasetError(inner, problem, "keep one of the two")


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DatasetError(folder, f"cannot be read: {error.strerror}", "check its permissions") from None


def files(folder: Path) -> Iterator[Path]:
    """Files below a folder, and links to nothing, in order; symbolic links to folders are not followed."""
    left = entries(folder)[::-1]  # a list and no recursion: folders may be nested deeply
    while left:
        entry = left.pop()
        if entry.is_file() or is_dangling(entry):
            yield entry
        elif entry.is_dir() and not entry.is_symlink():
            left += entries(entry)[::-1]


def _recordings(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Recording of every file of a class."""
    inside = [path.relative_to(folder) for path in paths]
    stems = [one_form(path.stem) for path in inside]
    numbers: defaultdict[str, list[str]] = defaultdict(list)
    for path, stem in zip(inside, stems, strict=True):
        take = _TAKE.fullmatch(stem)
        if take and take[2].isdigit() and len(path.parts) == 1:
            numbers[take[1]].append(take[2])
    counters = {name: _Counter(found) for name, found in numbers.items()}
    names = []
    for path, stem in zip(inside, stems, strict=True):
        take = _TAKE.fullmatch(stem)
        if len(path.parts) > 1:
            names.append(one_form(path.parts[0]))
        else:
            names.append(take[1] if take and (take[2].isalpha() or counters[take[1]].counts(take[2])) else stem)
    return names


class _Counter:
    """Which of the numbers after one name count its takes."""

    def __init__(self, numbers: Sequence[str]) -> None:
        self._begins_short = any(len(number) <= _SHORT for number in numbers)
        self._padded = {len(number) for number in numbers if _is_padded(number)}
        self._most = 2 * len(numbers)

    def counts(self, number: str) -> bool:
        """Whether a number counts takes."""
        goes_on = self._begins_short and (len(number) <= _MIDDLE or int(number[:18]) <= self._most)
        return len(number) <= _SHORT or goes_on or len(number) in self._padded


def _is_padded(number: str) -> bool:
    return number.startswith("000" if len(number) in _DATE_OR_TIME else "0")


def _too_few_recordings(clips: tuple[Clip, ...]) -> str:
    """Name the class that has too few recordings to be split; "" where none has."""
    counts = Counter(label for label, _ in {(clip.label, clip.recording) for clip in clips})
    label = min(counts, key=lambda name: (counts[name], name))
    if counts[label] >= _NEEDED:
        return ""
    return f"class '{label}' has {counts[label]} recordings where a split needs {_NEEDED} (see docs/DATA.md on names)"


def slug(root: Path) -> str:
    """Name of a data set, made of its folder's."""
    return re.sub(r"[^a-z0-9]+", "_", root.resolve().name.lower()).strip("_") or "folder"
