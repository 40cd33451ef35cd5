"""A teacher from outside: any network's outputs for the clips of a data set, in a file.

The file is a table with a row per clip:

======= ========================================================================================
clip    name of the clip's file, or its path below the data set's folder
heard   1 where the network was trained on this clip, else 0
teacher name of the network, with the data that it was trained on; the same in every row
*class* one column per class of the data set: the logit, or the logarithm of the probability
======= ========================================================================================

As ``.csv`` with these columns, or as ``.npz`` with arrays ``clip`` (n,), ``heard`` (n,), ``teacher`` (), ``labels``
(classes,) and ``logits`` (n, classes). Where the outputs come from several networks, each trained on a part of the
folds, a clip is heard if one of them was trained on it whose outputs for any training clip are in the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.files import read_bytes
from ...core.sealed import unpack
from ...data.dataset import Clip, Dataset
from ...data.datasets.csv_table import read_table
from ...errors import InputError

SUFFIXES = (".csv", ".npz")
_FORMAT = "see docs/TRAINING.md for the file's format"
_ARRAYS = ("clip", "heard", "teacher", "labels", "logits")


@dataclass(frozen=True)
class OutsideTeacher:
    """Outputs of a network from elsewhere for the clips of a data set.

    Attributes
    ----------
    path
        Of the file.
    name
        Of the network, for metadata and card.
    sha256
        Of the file's content.
    rows
        Row of each clip that the file names.
    heard
        Whether the network was trained on the clip of each row.
    logits
        float32 (rows, classes), in the order of the data set's classes.
    """

    path: Path
    name: str
    sha256: str
    rows: dict[Clip, int]
    heard: NDArray[np.bool_]
    logits: NDArray[np.float32]

    def of(self, clips: Sequence[Clip]) -> NDArray[np.float32]:
        """Outputs for clips or altered copies of them, (clips, classes).

        Raises
        ------
        InputError
            Naming a clip that the file lacks.
        """
        by_path = {clip.path: row for clip, row in self.rows.items()}
        for clip in clips:
            if clip.path not in by_path:
                raise InputError(self.path, f"has no row for training clip {clip.path.name}", "add one per clip")
        return self.logits[[by_path[clip.path] for clip in clips]]

    def require_deaf_to(self, test: Sequence[Clip]) -> None:
        """Check that the network was trained on none of the test's clips.

        Raises
        ------
        InputError
            Where it was, or where the file does not say so of each of them.
        """
        unknown = next((clip for clip in test if clip not in self.rows), None)
        if unknown:
            problem = f"does not say whether its network was trained on test clip {unknown.path.name}"
            raise InputError(self.path, problem, "add a row with 'heard' for every clip of the test")
        heard = [clip for clip in test if self.heard[self.rows[clip]]]
        if heard:
            problem = f"was made by a network that was trained on {len(heard):,} of the test's {len(test):,} clips"
            raise InputError(self.path, f"{problem}, such as {heard[0].path.name}", "give one per fold, held out of it")


def _read_npz(path: Path, labels: Sequence[str]) -> tuple[list[str], list[str], set[str], NDArray[Any]]:
    arrays = unpack(read_bytes(path), path, _FORMAT)
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise InputError(path, f"holds no array '{missing[0]}'", _FORMAT)
    files, heard, logits = (arrays[name] for name in ("clip", "heard", "logits"))
    found = [str(label) for label in arrays["labels"].reshape(-1)]
    if sorted(found) != sorted(labels):
        raise InputError(path, f"is of classes {', '.join(found)}", f"give outputs for {', '.join(labels)}")
    if files.ndim != 1 or heard.shape != files.shape or logits.shape != (len(files), len(found)):
        shapes = f"clip {files.shape}, heard {heard.shape}, logits {logits.shape} for {len(found)} classes"
        raise InputError(path, f"holds arrays that do not belong together: {shapes}", _FORMAT)
    order = [found.index(label) for label in labels]
    names = {str(name) for name in arrays["teacher"].reshape(-1)}
    return files.astype(str).tolist(), [str(int(one)) for one in heard], names, logits[:, order]


def _read_csv(path: Path, labels: Sequence[str]) -> tuple[list[str], list[str], set[str], NDArray[Any]]:
    rows = read_table(path, ["clip", "heard", "teacher", *labels], unique="clip")
    logits = np.empty((len(rows), len(labels)))
    for number, row in enumerate(rows):
        for place, label in enumerate(labels):
            try:
                logits[number, place] = float(row[label])
            except ValueError:
                raise row.error(f"'{row[label]}' in column '{label}' is no number", "write a logit") from None
    return [row["clip"] for row in rows], [row["heard"] for row in rows], {row["teacher"] for row in rows}, logits


def read_outside_teacher(path: str | Path, dataset: Dataset) -> OutsideTeacher:
    """Read a file of outputs; rows of clips that the data set lacks are not looked at.

    Raises
    ------
    InputError
        Where the file cannot be read, lacks a column or a class, holds a value that is no finite number, names a clip
        twice, or no clip of the data set.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(path, "is neither .csv nor .npz", _FORMAT)
    content = read_bytes(path)
    files, heard, names, logits = (_read_npz if path.suffix == ".npz" else _read_csv)(path, dataset.labels)
    if len(names) != 1 or not next(iter(names)).strip():
        raise InputError(path, f"names {len(names)} teachers", "name one network, with its data, in 'teacher'")
    if wrong := sorted(set(heard) - {"0", "1"}):
        raise InputError(
            path, f"has '{wrong[0]}' for 'heard'", "write 1 for clips that the network learned from, else 0"
        )
    if not np.issubdtype(logits.dtype, np.number) or not np.isfinite(logits).all():
        raise InputError(path, "holds logits that are no finite numbers", "write finite logits")
    rows = _rows(path, files, dataset)
    digest = hashlib.sha256(content).hexdigest()
    return OutsideTeacher(
        path, names.pop().strip(), digest, rows, np.array([one == "1" for one in heard]), logits.astype(np.float32)
    )


def _rows(path: Path, files: Sequence[str], dataset: Dataset) -> dict[Clip, int]:
    """Row of every clip: by its path below the data set's folder, or by its file's name where that is the only one."""
    places = {name: row for row, name in enumerate(files)}
    if len(places) < len(files):
        twice = next(name for name, count in Counter(files).items() if count > 1)
        raise InputError(path, f"names clip {twice} twice", "keep one row per clip")
    alike = Counter(clip.path.name for clip in dataset.clips)
    rows: dict[Clip, int] = {}
    for clip in dataset.clips:
        row = places.get(clip.path.relative_to(dataset.root).as_posix())
        row = places.get(clip.path.name) if row is None and alike[clip.path.name] == 1 else row
        if row is not None:
            rows[clip] = row
    if not rows:
        raise InputError(path, f"names no clip of {dataset.root}", "name clips by their files, in 'clip'")
    return rows


class LogitsTeacher:
    """Looks up the outputs of the clip that a window is cut from; there is no embedding.

    Parameters
    ----------
    logits
        Of every training clip, (clips, classes).
    clips
        Index of the clip of every training window, (n,).
    """

    online = False

    def __init__(self, logits: NDArray[np.float32], clips: NDArray[np.int64]) -> None:
        self._logits, self._clips = logits, clips
        self.widths: tuple[int, ...] = (1, logits.shape[1])

    def __call__(self, index: NDArray[np.int64], _inputs: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """See :class:`scenelet.training.loop.Teacher`."""
        return np.zeros((len(index), 1), np.float32), self._logits[self._clips[index]]
