"""Data sets: clips with labels, and named splits of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DatasetError

GroupKey = Literal["recording", "location"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file.

    Attributes
    ----------
    path
        Path of the file.
    label
        One of the data set's labels.
    recording
        Name of the recording that the clip was cut from, or recorded in parallel with. Clips of one recording must stay
        on one side of every split.
    location
        Place of the recording, or "".
    device
        Recording device, or "".
    fold
        Number of the published fold, or 0.
    """

    path: Path
    label: str
    recording: str
    location: str = ""
    device: str = ""
    fold: int = 0


@dataclass(frozen=True)
class Dataset:
    """Clips with labels, and named splits of them.

    Attributes
    ----------
    name
        Short name, for file names and reports.
    root
        Folder it was opened from.
    labels
        All classes, in the order of a network's outputs.
    clips
        All clips, in a fixed order.
    splits
        Clips by split name, in the order of ``clips``.
    group
        Clips that share this stay on one side of the validation split: "recording" or "location".
    absent
        Why an expected split is missing, by name of the split.
    notes
        Remarks to the user on how the folder was read.
    validation_given
        Whether the split "validation" is the data set's own, and not divided anew.
    """

    name: str
    root: Path
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    splits: Mapping[str, tuple[Clip, ...]]
    group: GroupKey = "recording"
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    validation_given: bool = False

    @property
    def split_names(self) -> tuple[str, ...]:
        """Names that :meth:`split` accepts."""
        return tuple(self.splits)

    def split(self, name: str) -> list[Clip]:
        """Return the clips of a split.

        Raises
        ------
        DatasetError
            Where the data set has no split of that name; lists those that it has.
        """
        if name not in self.splits:
            problem = self.absent.get(name, "not a split of this data set")
            raise DatasetError(f"{self.root}: split '{name}'", problem, f"use one of: {', '.join(self.splits)}")
        return list(self.splits[name])

    def untested(self) -> Self:
        """Use all clips for training and keep no test: for the final network of a recipe that was tested before."""
        return replace(self, splits={"train": self.clips})

    def targets(self, clips: Sequence[Clip]) -> NDArray[np.int64]:
        """Class of every clip: int64[n], indices into ``labels``."""
        index = {label: number for number, label in enumerate(self.labels)}
        return np.array([index[clip.label] for clip in clips], np.int64)

    @property
    def sha256(self) -> str:
        """SHA-256 of the labels, of every file's name and label, and of the splits; the samples are not part of it."""
        digest = hashlib.sha256("\0".join(self.labels).encode())
        for name in sorted(self.splits):
            digest.update(f"\n{name}".encode())
            for clip in self.splits[name]:
                line = f"\n{clip.path.relative_to(self.root).as_posix()}\0{clip.label}"
                digest.update(line.encode(errors="surrogateescape"))  # a file's name may hold bytes that are not UTF-8
        return digest.hexdigest()
