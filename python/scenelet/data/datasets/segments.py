"""Labelled parts of recordings: Audacity's label files beside the recordings, or one table of start, end and label.

An Audacity label file holds a line per label: start, end and label, separated by tabs, in seconds. It lies beside its
recording and is called like it: ``monday.wav`` has ``monday.txt``, ``monday.wav.txt`` or ``monday_labels.txt``. Lines
that begin with a backslash hold a label's frequency range and are skipped. Recordings may lie in folders below.

A table is a CSV file at the top of the folder, with commas, semicolons or tabs, whose header names a file, a start, an
end or a duration, and a label, by any usual spelling (``_COLUMNS``). Files are looked for beside it and in ``audio/``.

Every part is a clip, and every file a recording: parts of one file are never on both sides of a split. What lies
between the parts is used for nothing.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import soundfile

from ...core.names import one_form
from ...errors import DatasetError
from ..audio import SUFFIXES
from ..dataset import Clip, Dataset
from . import class_folders
from .csv_table import Row, read_lines

LICENCE = class_folders.LICENCE

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("filename", "file", "filepath", "path", "audio", "audiofile", "audiofilename", "recording", "wav",
             "wavfile", "fname", "beginfile", "soundfile", "clip"),
    "start": ("start", "starttime", "startseconds", "starts", "startsec", "begin", "begintime", "begintimes", "onset",
              "onsets", "tmin", "from", "tstart"),
    "end": ("end", "endtime", "endseconds", "ends", "endsec", "endtimes", "stop", "stoptime", "finish", "offset",
            "offsets", "tmax", "to", "tend"),
    "duration": ("duration", "durations", "durationseconds", "durationsec", "length", "dur"),
    "label": ("label", "labels", "class", "classname", "category", "event", "eventlabel", "tag", "annotation",
              "scene", "scenelabel", "species", "sound"),
}  # fmt: skip
_TABLES = (".csv", ".tsv")
_DELIMITERS = "\t;,"
_BESIDE = re.compile(r"[-_. ]?labels?", re.IGNORECASE)
_LATE_SECONDS = 0.05
"""An end this much after the file's is the file's: programs round times, and some count in video frames."""
_FORM = "write seconds, such as 12.5"


@dataclass(frozen=True)
class _Table:
    """Where a table of segments has its columns."""

    path: Path
    delimiter: str
    columns: dict[str, str]


def detect_table(root: Path) -> bool:
    """Whether a folder holds a table whose header has all columns of segments."""
    return bool(_tables(root))


def detect_audacity(root: Path) -> bool:
    """Whether a recording has a label file beside it."""
    return any(_begins_with_a_label(labels) for labels in _label_files(root).values())


def read_table_of_segments(root: Path, _subset: str | None = None) -> Dataset:
    """Read the table."""
    tables = _tables(root)
    if len(tables) > 1:
        listed = " and ".join(table.path.name for table in tables)
        raise DatasetError(root, f"holds several tables of segments, {listed}", "keep one, or join them")
    table = tables[0]
    columns = table.columns
    rows = read_lines(table.path, tuple(columns.values()), delimiter=table.delimiter)
    return _dataset(root, [_clip_of(root, row, columns, table.delimiter) for row in rows], [])


def read_audacity(root: Path, _subset: str | None = None) -> Dataset:
    """Read every recording that has a label file beside it; the others are noted."""
    found = _label_files(root)
    segments = [segment for path, labels in found.items() for segment in _labels_of(path, labels)]
    unlabelled = [path for path in _recordings(root) if path not in found]
    notes = []
    if unlabelled:
        first = unlabelled[0].relative_to(root)
        notes.append(f"ignored {len(unlabelled)} recordings without a label file, the first one {first}")
    return _dataset(root, segments, notes)


@dataclass(frozen=True)
class _Segment:
    """A part of a file, and the line that says so."""

    row: Row
    path: Path
    start: float
    end: float
    label: str


def _tables(root: Path) -> list[_Table]:
    paths = (path for path in class_folders.entries(root) if path.suffix.lower() in _TABLES and path.is_file())
    return [table for table in map(_table, paths) if table]


def _table(path: Path) -> _Table | None:
    """Columns of a table of segments; None for any other table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(1 << 16)
    except (OSError, UnicodeDecodeError):
        return None
    for delimiter in _DELIMITERS:
        names = next(csv.reader([header], delimiter=delimiter), [])
        columns = _columns([name.strip() for name in names])
        if {"file", "start", "label"} <= set(columns) and {"end", "duration"} & set(columns):
            columns.pop("duration" if "end" in columns else "end", None)
            return _Table(path, delimiter, columns)
    return None


def _columns(names: Sequence[str]) -> dict[str, str]:
    """Which column holds what: the first spelling of the list that the header has."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in reversed(names)}
    found = {role: next((plain[one] for one in spellings if one in plain), "") for role, spellings in _COLUMNS.items()}
    return {role: name for role, name in found.items() if name}


def _recordings(root: Path) -> Iterator[Path]:
    return (path for path in class_folders.files(root) if path.suffix.lower() in SUFFIXES and path.is_file())


def _label_files(root: Path) -> dict[Path, Path]:
    """Label file of every recording that has one."""
    found: dict[Path, Path] = {}
    texts: defaultdict[Path, list[Path]] = defaultdict(list)
    recordings: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in class_folders.files(root):
        if path.suffix.lower() == ".txt":
            texts[path.parent].append(path)
        elif path.suffix.lower() in SUFFIXES and path.is_file():
            recordings[path.parent].append(path)
    for folder, paths in recordings.items():
        names = {_plain(text): text for text in reversed(texts[folder])}
        for path in paths:
            labels = names.get(one_form(path.name)) or names.get(one_form(path.stem))
            if len(paths) == len(texts[folder]) == 1:  # one of each belong together, as Audacity's "Label Track.txt"
                labels = labels or next(filter(_begins_with_a_label, texts[folder]), None)
            if labels:
                found[path] = labels
    return found


def _plain(labels: Path) -> str:
    """Name of a label file without what says that it holds labels."""
    stem = one_form(labels.stem)
    end = re.search(_BESIDE.pattern + "$", stem, re.IGNORECASE)
    return stem[: end.start()] if end and end.start() else stem


def _begins_with_a_label(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = next((line for line in file if line.strip()), "")
    except (OSError, UnicodeDecodeError):
        return False
    cells = line.split("\t")
    return len(cells) >= 2 and all(_number(cell, ",") is not None for cell in cells[:2])


def _labels_of(path: Path, labels: Path) -> Iterator[_Segment]:
    for number, line in enumerate(_text(labels).splitlines(), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        cells = line.split("\t")
        row = Row(labels, number, {"start": cells[0], "end": (*cells, "")[1], "label": (*cells, "", "")[2].strip()})
        if len(cells) != 3:
            raise row.error(f"has {len(cells)} columns", "write start, end and label, with tabs between them")
        yield _segment(row, path, {name: name for name in row.cells}, ",")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(path, f"not UTF-8 text at byte {error.start}", "save it as UTF-8") from None


def _clip_of(root: Path, row: Row, columns: Mapping[str, str], delimiter: str) -> _Segment:
    column = columns["file"]
    beside = (root / row[column]).is_file() or not (root / "audio" / row[column]).is_file()
    path = row.file(root if beside else root / "audio", column)
    # Where commas separate cells, none can stand for a point.
    return _segment(row, path, columns, "" if delimiter == "," else ",")


def _segment(row: Row, path: Path, columns: Mapping[str, str], comma: str) -> _Segment:
    start = _seconds(row, columns["start"], comma)
    last = _seconds(row, columns.get("end") or columns["duration"], comma)
    end = last if "end" in columns else start + last
    label = one_form(row[columns["label"]])
    if not label:
        raise row.error("has no label", "write one, or remove the line")
    if end <= start:
        problem = f"ends at {end:g} s, not after its start at {start:g} s"
        raise row.error(problem, "give it a length, or remove the line")
    return _Segment(row, path, start, end, label)


def _number(text: str, comma: str) -> float | None:
    """Number of a cell; None where it is none."""
    try:
        value = float(text.strip().replace(comma, ".") if comma else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _seconds(row: Row, column: str, comma: str) -> float:
    value = _number(row[column], comma)
    if value is None:
        raise row.error(f"{column} '{row[column]}' is no number of seconds", _FORM)
    if value < 0:
        raise row.error(f"{column} is {value:g} s, before the recording's start", _FORM)
    return value


def _dataset(root: Path, segments: Sequence[_Segment], notes: list[str]) -> Dataset:
    """Data set of segments, split by recording."""
    _require_inside(segments)
    _require_once(segments)
    notes += _overlaps(root, segments)
    clips = tuple(
        Clip(one.path, one.label, one.path.relative_to(root).as_posix(), span=(one.start, one.end)) for one in segments
    )
    labels = tuple(sorted({clip.label for clip in clips}))
    if len(labels) < 2:
        listed = f", '{labels[0]}'" if labels else ""
        raise DatasetError(root, f"its segments have {len(labels)} class{listed}; at least 2 are needed", "add labels")
    dataset = class_folders.divided(root, labels, clips, notes)
    return replace(dataset, notes=(*dataset.notes, *_absent(dataset)))


def _absent(dataset: Dataset) -> Iterator[str]:
    """Remarks on classes that a split lacks: whole recordings hold several classes, and are divided by most of them."""
    for name, clips in dataset.splits.items():
        lacking = sorted({*dataset.labels} - {clip.label for clip in clips})
        if lacking:
            yield f"the split {name} holds none of {', '.join(lacking)}: give more recordings with them"


def _require_inside(segments: Iterable[_Segment]) -> None:
    """Refuse segments that go on after their recording's end; a damaged file is named when it is read."""
    lengths: dict[Path, float] = {}
    for one in segments:
        if one.path not in lengths:
            lengths[one.path] = _length(one.path)
        if one.end > lengths[one.path] + _LATE_SECONDS:
            problem = f"ends at {one.end:g} s; {one.path.name} has {lengths[one.path]:g} s"
            raise one.row.error(problem, "correct the times or the file")


def _length(path: Path) -> float:
    """Seconds of a recording, as its header states them; infinite where it states none."""
    try:
        with path.open("rb") as file:
            return float(soundfile.info(file).duration) or math.inf
    except soundfile.SoundFileError:
        return math.inf


def _require_once(segments: Iterable[_Segment]) -> None:
    first: dict[tuple[Path, float, float, str], Row] = {}
    for one in segments:
        row = first.setdefault((one.path, one.start, one.end, one.label), one.row)
        if row is not one.row:
            raise one.row.error(f"stands on line {row.line} already", "remove one of the two")


def _overlaps(root: Path, segments: Sequence[_Segment]) -> Iterator[str]:
    """Remarks on segments that overlap one of another class: a window in both has two answers."""
    by_file: defaultdict[Path, list[_Segment]] = defaultdict(list)
    for one in segments:
        by_file[one.path].append(one)
    counts: Counter[Path] = Counter()
    for path, found in by_file.items():
        for one, other in pairwise(sorted(found, key=lambda one: one.start)):
            counts[path] += one.end > other.start and one.label != other.label
    total = sum(counts.values())
    if total:
        first = next(path for path in counts if counts[path]).relative_to(root)
        yield f"{total} segments overlap the one after them, of another class; the first ones in {first}"
