"""What a challenge asks for, and what an entry to it is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...data.dataset import Dataset
from ...errors import InputError
from ...evaluation.evaluate import Evaluation
from ...graph.limits import Limits
from ...targets.base import Target
from .details import Details
from .parts import Part


@dataclass(frozen=True)
class Challenge:
    """One row of the registry.

    Attributes
    ----------
    name
        Name on the command line.
    title
        Name of challenge and task.
    rules
        Where its rules, and its scripts where there are any, were read.
    label, pattern
        Form of a submission label, for the reader and as a regular expression.
    write
        Writes an entry's files into a folder.
    place
        Folder of an entry below the folder of all, with "{label}".
    parts
        What the models of one entry have to be, for the reader.
    percents
        Training splits in per cent, one model for each, or one split for all models; None for any.
    several
        Whether one entry holds several models.
    classes
        The challenge's classes in the order of their columns; empty for any.
    devices
        Recording devices whose scores it asks for.
    held
        Limits on each model.
    audio
        Whether clips are classified (``--audio``): "needed", "optional" or "none".
    clips
        Number of clips in its evaluation set, named 0.wav, 1.wav ...; None where that is not checked.
    zipped
        Name of the archive that holds all entries of a "{team}"; "" for none.
    packed
        Folder of an entry that the archive holds, without the entry's own folder; "" for all of it.
    """

    name: str
    title: str
    rules: tuple[str, ...]
    label: str
    pattern: re.Pattern[str]
    write: Callable[[Job, Sequence[Evaluation], Path], Written]
    place: str = "{label}"
    parts: str = "one model"
    percents: tuple[int, ...] | None = None
    several: bool = False
    classes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    held: Limits = field(default_factory=Limits)
    audio: str = "needed"
    clips: int | None = None
    zipped: str = ""
    packed: str = ""

    def require_label(self, label: str) -> None:
        """Check the form of a label.

        Raises
        ------
        InputError
            Where it is another one.
        """
        if not self.pattern.fullmatch(label):
            raise InputError(f"label '{label}'", f"is not a submission label of {self.name}", f"use {self.label}")


@dataclass(frozen=True)
class Job:
    """An entry that is to be written.

    Attributes
    ----------
    parts
        Its models.
    dataset, split
        Development set, and the split whose scores are told.
    audio
        Folder of the clips to classify, if any; for DCASE 2025 the evaluation set, with its table.
    open_target
        Opens the target that runs a model.
    target
        Its name.
    progress
        Called with (done, all) while clips are classified.
    """

    challenge: Challenge
    label: str
    parts: tuple[Part, ...]
    dataset: Dataset
    split: str
    details: Details
    audio: Path | None
    open_target: Callable[[Path], AbstractContextManager[Target]]
    target: str = "litert"
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True)
class Written:
    """What was written beyond the files themselves.

    Attributes
    ----------
    clips
        Clips that were classified.
    rows
        Further figures, one (name, value) each.
    notes
        What is left to do, or is not as the challenge wants it.
    """

    clips: int = 0
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A written entry."""

    folder: Path
    challenge: str
    written: Written
    evaluations: tuple[Evaluation, ...]
    parts: tuple[Part, ...]

    @property
    def files(self) -> list[str]:
        """Paths inside the entry's folder, sorted."""
        return sorted(p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file())

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        models = [
            {
                "model": str(part.model),
                "split_percent": part.percent,
                "devices": list(part.devices),
                "accuracy": scored.accuracy,
                "log_loss": scored.log_loss,
                "params_bytes": part.cost.params_bytes,
                "macs": part.cost.macs,
                "macs_nessi": part.cost.macs_nessi,
            }
            for part, scored in zip(self.parts, self.evaluations, strict=True)
        ]
        return {
            "challenge": self.challenge,
            "folder": str(self.folder),
            "clips": self.written.clips,
            "files": self.files,
            "models": models,
            "figures": dict(self.written.rows),
            "notes": list(self.written.notes),
        }
