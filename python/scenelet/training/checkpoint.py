"""Checkpoints: all that a training run needs to be resumed to the same result.

Shuffling and dropout draw from generators seeded by (seed, epoch), so they have no state to save.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import write_bytes

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
        content = io.BytesIO()
        np.savez(content, told=np.array(json.dumps(summary)), **arrays)  # "told" is part of the file format
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> State | None:
        """Read the result of :meth:`to_bytes`; None for anything else, so that damaged files are trained again."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                summary = json.loads(str(file["told"]))
                lists = {
                    name: [file[key] for key in sorted(file.files) if key.startswith(f"{name}/")] for name in _LISTS
                }
            history = [Epoch(**row) for row in summary["history"]]
            return cls(**lists, best_loss=summary["best_loss"], best_epoch=summary["best_epoch"], history=history)
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
            return None

    def save(self, path: Path) -> None:
        """Write the state whole or not at all."""
        write_bytes(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> State | None:
        """Read a state; None where the file is missing or damaged."""
        try:
            return cls.from_bytes(path.read_bytes())
        except OSError:
            return None


_LISTS = ("weights", "optimizer", "best_weights")
