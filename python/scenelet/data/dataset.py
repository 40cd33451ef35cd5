"""Data sets: clips with labels, and named splits of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DatasetError

GroupKey = Literal["recording", "location"]

_PART = re.compile(r"split([0-9]+)")
WHOLE = 100
"""Per cent: all of the published training split."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file, or a part of one.

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
    span
        Start and end of the part in seconds from the file's start; None for the whole file.
    """

    path: Path
    label: str
    recording: str
    location: str = ""
    device: str = ""
    fold: int = 0
    span: tuple[float, float] | None = None

    def named(self, path: str) -> str:
        """Name of the clip by a path of its file: of a part, with its seconds."""
        return path if self.span is None else f"{path} {self.span[0]:.6f}-{self.span[1]:.6f} s"


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
    percent
        Part of the published training split that is used, per cent; None for all of it.
    devices
        Recording devices that :meth:`split` is restricted to; empty for all of them. ``splits`` is not restricted, so
        that validation splits do not depend on the devices.
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
    percent: int | None = None
    devices: tuple[str, ...] = ()

    @property
    def split_names(self) -> tuple[str, ...]:
        """Names that :meth:`split` accepts."""
        return tuple(self.splits)

    def split(self, name: str) -> list[Clip]:
        """Return the clips of a split: those of ``devices`` where these are restricted.

        Raises
        ------
        DatasetError
            Where the data set has no split of that name; lists those that it has.
        """
        if name not in self.splits:
            problem = self.absent.get(name, "not a split of this data set")
            raise DatasetError(f"{self.root}: split '{name}'", problem, f"use one of: {', '.join(self.splits)}")
        return [clip for clip in self.splits[name] if not self.devices or clip.device in self.devices]

    @property
    def percents(self) -> list[int]:
        """Per cent of the published training splits, in ascending order."""
        found = (_PART.fullmatch(name) for name in self.splits)
        return sorted(int(match[1]) for match in found if match)

    def published(self, percent: int) -> tuple[Clip, ...]:
        """Clips of the published training split of so many per cent; none where there is no such split.

        100 % are all training and validation clips, unless a split of that name is published.
        """
        name = f"split{percent}"
        if name in self.splits or percent != WHOLE:
            return self.splits.get(name, ())
        used = {*self.splits.get("train", ()), *self.splits.get("validation", ())}
        return tuple(clip for clip in self.clips if clip in used)

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
                line = f"\n{clip.named(clip.path.relative_to(self.root).as_posix())}\0{clip.label}"
                digest.update(line.encode(errors="surrogateescape"))  # a file's name may hold bytes that are not UTF-8
        digest.update("".join(f"\0{device}" for device in self.devices).encode())
        return digest.hexdigest()
