"""Checkpoints: all that a training run needs to be resumed to the same result.

Shuffling and dropout draw from generators seeded by (seed, epoch), so they have no state to save.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import is_there, read_bytes, write_bytes
from ..core.json_files import Checked, checked, parse_object
from ..core.sealed import pack, unpack

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Epoch:
    """One epoch: mean training loss, and log loss and accuracy of the validation windows."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass
class State:
    """A training run between two epochs.

    Attributes
    ----------
    weights, optimizer
        Values of the network's and the optimizer's variables.
    best_weights, best_loss, best_epoch
        Of the epoch with the lowest validation loss, nats; epoch 0 is the network before training.
    history
        All epochs so far.
    """

    weights: Arrays
    optimizer: Arrays
    best_weights: Arrays
    best_loss: float = math.inf
    best_epoch: int = 0
    history: list[Epoch] = field(default_factory=list)

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.history) - self.best_epoch

    def to_bytes(self) -> bytes:
        """Content of a checkpoint file."""
        arrays = {f"{name}/{number:04}": value for name in _LISTS for number, value in enumerate(getattr(self, name))}
        summary = {
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "history": [asdict(row) for row in self.history],
        }
        return pack({"told": np.array(json.dumps(summary)), **arrays})  # "told" is part of the file format

    @classmethod
    def from_bytes(cls, content: bytes, subject: object = "checkpoint") -> State:
        """Read the result of :meth:`to_bytes`, or a checkpoint of version 0.1, which has no hash.

        Raises
        ------
        DamagedFileError
            The content is damaged; ``subject`` names it.
        """
        arrays = unpack(content, subject, _REMEDY)
        summary = checked(_Summary, parse_object(str(arrays.pop("told", "")), subject, _REMEDY), subject, _REMEDY)
        weights, optimizer, best = (
            [arrays[key] for key in sorted(arrays) if key.startswith(f"{name}/")] for name in _LISTS
        )
        return cls(weights, optimizer, best, summary.best_loss, summary.best_epoch, summary.history)

    def save(self, path: Path) -> None:
        """Write the state whole or not at all."""
        write_bytes(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> State | None:
        """Read a state; None where there is no file.

        Raises
        ------
        DamagedFileError
            The file is damaged: it is not silently trained again, since that may take days.
        InputError
            The system does not let it be read.
        """
        if not is_there(path):
            return None
        return cls.from_bytes(read_bytes(path), path)


_LISTS = ("weights", "optimizer", "best_weights")
_REMEDY = "delete it and give the same command again, which trains from the first epoch"


class _Summary(Checked):
    """What a checkpoint says of its epochs."""

    best_loss: float
    best_epoch: int
    history: list[Epoch]
