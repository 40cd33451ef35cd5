"""What a data set is: clips with labels, and named splits of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DatasetError
from .splits import hold_out


@dataclass(frozen=True, slots=True)
class Clip:
    """One audio file.

    Attributes
    ----------
    path
        Of the file.
    label
        One of the data set's labels.
    recording
        Clips that were cut from, or recorded in parallel with, one recording share it: never split them.
    location
        Where it was recorded, or "".
    device
        What it was recorded with, or "".
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
        Short, for file names and reports.
    root
        Folder it was opened from.
    labels
        Every class, in the order of a network's outputs.
    clips
        All of them, in a fixed order.
    splits
        Clips by split name, in the order of ``clips``.
    group
        What the validation split keeps whole: clips of one "recording" or of one "location".
    absent
        Why a split that one may expect is not there, by name.
    notes
        What the user should know about how the folder was understood.
    """

    name: str
    root: Path
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    splits: Mapping[str, tuple[Clip, ...]]
    group: Literal["recording", "location"] = "recording"
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def split_names(self) -> tuple[str, ...]:
        """Names that :meth:`split` knows."""
        return tuple(self.splits)

    def split(self, name: str) -> list[Clip]:
        """Clips of a split.

        Raises
        ------
        DatasetError
            For a name that the data set does not have, saying which it has.
        """
        if name not in self.splits:
            problem = self.absent.get(name, "not a split of this data set")
            raise DatasetError(f"{self.root}: split '{name}'", problem, f"use one of: {', '.join(self.splits)}")
        return list(self.splits[name])

    def untested(self) -> Self:
        """Make all clips the training: for the last network, whose recipe was tested before."""
        return replace(self, splits={"train": self.clips})

    def targets(self, clips: Sequence[Clip]) -> NDArray[np.int64]:
        """Index into ``labels`` of every clip: int64[n]."""
        index = {label: number for number, label in enumerate(self.labels)}
        return np.array([index[clip.label] for clip in clips], np.int64)

    def with_validation(self, fraction: float, seed: int) -> Self:
        """Split ``train`` and ``validation`` anew.

        Parameters
        ----------
        fraction
            Part of their clips that goes to ``validation``, 0 < fraction < 1, as near as whole groups allow.
        seed
            Another seed holds other groups out.

        Returns
        -------
        Dataset
            The same one where it has no ``train`` split.
        """
        if "train" not in self.splits:
            return self
        chosen = {*self.splits["train"], *self.splits.get("validation", ())}
        train, held = hold_out([clip for clip in self.clips if clip in chosen], fraction, seed, self.group)
        others = {name: clips for name, clips in self.splits.items() if name not in ("train", "validation")}
        return replace(self, splits={"train": tuple(train), "validation": tuple(held), **others})

    @property
    def sha256(self) -> str:
        """Hash of the labels, of every file's name and label, and of the splits; not of the samples."""
        digest = hashlib.sha256("\0".join(self.labels).encode())
        for name in sorted(self.splits):
            digest.update(f"\n{name}".encode())
            for clip in self.splits[name]:
                digest.update(f"\n{clip.path.relative_to(self.root).as_posix()}\0{clip.label}".encode())
        return digest.hexdigest()
