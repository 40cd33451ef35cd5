"""TAU Urban Acoustic Scenes 2022 Mobile, development set: ten scenes, ten cities, nine devices, clips of 1 s.

``meta.csv`` and ``evaluation_setup/fold1_*.csv`` are separated by tabs. The name of a clip,
``audio/<scene>-<city>-<location>-<segment>-<second>-<device>.wav``, without its last two fields, names its recording:
clips that several devices recorded at the same time belong to one recording.

DCASE 2024 task 1 adds training splits of 5, 10, 25, 50 and 100 %: ``split5.csv`` .. ``split100.csv``, tables like the
others. They are read from ``split_setup/``, ``evaluation_setup/`` or the data set's folder, and are optional.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..dataset import Clip, Dataset
from .csv_table import Row, read_table

LICENCE = (
    "TAU Urban Acoustic Scenes 2022 Mobile, development set (T. Heittola, A. Mesaros, T. Virtanen, Tampere "
    "University; Zenodo), for non-commercial use; see the data set's own licence."
)
FOLDER = "TAU-urban-acoustic-scenes-2022-mobile-development"
META = Path("meta.csv")
SETUP = Path("evaluation_setup")

SCENES = (
    "airport",
    "bus",
    "metro",
    "metro_station",
    "park",
    "public_square",
    "shopping_mall",
    "street_pedestrian",
    "street_traffic",
    "tram",
)
DEVICES = ("a", "b", "c", "s1", "s2", "s3", "s4", "s5", "s6")
PERCENTS = (5, 10, 25, 50, 100)
PERCENT_REMEDY = (
    "copy split{percent}.csv of github.com/CPJKU/dcase2024_task1_baseline/releases/tag/files into {root}/split_setup"
)
_PERCENT_FOLDERS = ("split_setup", "evaluation_setup", ".")

_NAME = re.compile(r"audio/([^/-]+-[^/-]+-[^/-]+-[^/-]+)-[^/-]+-[^/-]+\.wav")


def find_root(root: Path) -> Path | None:
    """Folder with TAU's layout: ``root``, or TAU's own folder inside it; None where neither has it."""
    return next((folder for folder in (root, root / FOLDER) if _has_layout(folder)), None)


def detect(root: Path) -> bool:
    """Whether a folder has this layout, complete or not."""
    return find_root(root) is not None


def _has_layout(root: Path) -> bool:
    if (root / SETUP).is_dir():
        return True
    if not (root / META).is_file():
        return False
    with (root / META).open("rb") as file:
        return b"\t" in file.readline(1000)


def read_tau(root: Path, _subset: str | None = None) -> Dataset:
    """Read the development set: "train" is fold1_train, "test" is fold1_evaluate.

    A validation split keeps whole locations together. "split5" .. "split100" are the parts of "train" for which there
    are tables.
    """
    root = find_root(root) or root
    clips = _clips(root)
    train = _fold(root / SETUP / "fold1_train.csv", clips)
    test = _fold(root / SETUP / "fold1_evaluate.csv", clips)
    for name, row in test.items():
        if name in train:
            raise row.error(f"'{name}' is in fold1_train.csv too", "restore both files")
    splits = {
        "train": tuple(clip for name, clip in clips.items() if name in train),
        "test": tuple(clip for name, clip in clips.items() if name in test),
        **{f"split{percent}": part for percent, part in _parts(root, clips, train)},
    }
    return Dataset("tau2022", root, SCENES, tuple(clips.values()), splits, "location")


def _parts(root: Path, clips: dict[str, Clip], train: dict[str, Row]) -> Iterator[tuple[int, tuple[Clip, ...]]]:
    """Parts of the training split that have a table, with their per cent."""
    for percent in PERCENTS:
        places = [root / folder / f"split{percent}.csv" for folder in _PERCENT_FOLDERS]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            continue
        names = {row["filename"]: row for row in read_table(path, ("filename",), delimiter="\t")}
        for name, row in names.items():
            if name not in train:
                raise row.error(f"'{name}' is not in fold1_train.csv", "restore both files")
        yield percent, tuple(clip for name, clip in clips.items() if name in names)


def _clips(root: Path) -> dict[str, Clip]:
    """Clips by file name. The rows of the table are several times as large and are freed on return."""
    rows = read_table(root / META, ("filename", "scene_label", "identifier", "source_label"), delimiter="\t")
    return {row["filename"]: _clip(root, row) for row in rows}


def _clip(root: Path, row: Row) -> Clip:
    name = _NAME.fullmatch(row["filename"])
    if not name:
        form = "audio/<scene>-<city>-<location>-<segment>-<second>-<device>.wav"
        raise row.error(f"filename '{row['filename']}' is not of the form {form}", "correct it")
    label, device = row.choice("scene_label", SCENES), row.choice("source_label", DEVICES)
    # Thousands of clips share each of these strings; the table holds one copy per row.
    label, recording, location, device = map(sys.intern, (label, name[1], row["identifier"], device))
    return Clip(row.file(root), label, recording, location, device)


def _fold(path: Path, clips: dict[str, Clip]) -> dict[str, Row]:
    """Rows of a split's file by file name; each must agree with meta.csv."""
    rows = read_table(path, ("filename", "scene_label"), delimiter="\t")
    for row in rows:
        label = row.choice("scene_label", SCENES)
        if row["filename"] not in clips:
            raise row.error(f"'{row['filename']}' is not in {META}", "restore both files")
        known = clips[row["filename"]].label
        if label != known:
            raise row.error(f"scene_label '{label}' is '{known}' in {META}", "restore both files")
    return {row["filename"]: row for row in rows}
