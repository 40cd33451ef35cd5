"""All that a training run needs to go on after a kill as if nothing had happened.

Shuffling and dropout draw from generators seeded by (seed, epoch), so they have no state to keep.
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
    """A training run between two epochs."""

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
        told = {
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "history": [asdict(row) for row in self.history],
        }
        content = io.BytesIO()
        np.savez(content, told=np.array(json.dumps(told)), **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> State | None:
        """Read what :meth:`to_bytes` gave; None for anything else (it is trained again, never trusted)."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                told = json.loads(str(file["told"]))
                lists = {
                    name: [file[key] for key in sorted(file.files) if key.startswith(f"{name}/")] for name in _LISTS
                }
            history = [Epoch(**row) for row in told["history"]]
            return cls(**lists, best_loss=told["best_loss"], best_epoch=told["best_epoch"], history=history)
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
            return None

    def save(self, path: Path) -> None:
        """Write the state whole or not at all."""
        write_bytes(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> State | None:
        """Read a state; None where there is none, or a file that is not one."""
        try:
            return cls.from_bytes(path.read_bytes())
        except OSError:
            return None


_LISTS = ("weights", "optimizer", "best_weights")
