"""Training curves of a run: loss and accuracy by epoch."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

from ...core.files import is_there, read_bytes
from ...errors import DamagedFileError
from ...training import run_folder
from ..page.chart import Chart, Series, draw
from ..page.frame import Part
from ..page.rendering import rendered
from .subject import Subject

_AGAIN = "remove that file, or train the run again"


@dataclass(frozen=True)
class Curve:
    """Epochs of one history: (epoch, training loss, validation loss, validation accuracy)."""

    name: str
    epochs: tuple[tuple[int, float, float, float], ...]

    @property
    def best(self) -> tuple[int, float, float, float]:
        """The epoch whose weights were kept: that of the least validation loss."""
        return min(self.epochs, key=lambda epoch: epoch[2])


def read_curve(path: Path) -> Curve:
    """Read a run's history.

    Raises
    ------
    DamagedFileError
        It is not what training writes.
    """
    name = path.name.removesuffix(run_folder.HISTORY).rstrip("_")
    try:
        rows = list(csv.DictReader(io.StringIO(read_bytes(path).decode("utf-8"), newline="")))
        epochs = tuple(
            (int(row["epoch"]), *(float(row[key]) for key in ("loss", "validation_loss", "validation_accuracy")))
            for row in rows
        )
    except (KeyError, TypeError, ValueError, csv.Error):
        raise DamagedFileError(path, "is damaged: not a history of epochs", _AGAIN) from None
    if not epochs or not all(math.isfinite(value) for epoch in epochs for value in epoch):
        raise DamagedFileError(path, "is damaged: not a history of epochs", _AGAIN)
    return Curve(_named(name), epochs)  # type: ignore[arg-type]  # three floats


def _named(prefix: str) -> str:
    """What a history is of: training, quantization-aware training, or a stage or member by its name."""
    return {"": "training", "aware": "quantization-aware training"}.get(prefix, prefix.replace("_", " "))


def part(subject: Subject) -> Part:
    """The part of the page."""
    name, title = "training", "Training"
    if subject.info is None:
        return Part(name, title, missing="The model was trained elsewhere.")
    if subject.run is None:
        return Part(name, title, missing="Give the run folder of the model instead of its .tflite file.")
    curves = [read_curve(path) for path in sorted(subject.run.glob(f"*{run_folder.HISTORY}"))]
    if not curves:
        return Part(name, title, missing=f"{subject.run} holds no {run_folder.HISTORY}: train the run here.")
    metrics = run_folder.metrics_of(subject.run) if is_there(subject.run / run_folder.METRICS) else None
    splits = {key: value for key, value in (metrics or {}).items() if isinstance(value, dict)}
    values = {"curves": [(curve, *_drawn(curve)) for curve in curves], "splits": splits}
    return Part(name, title, rendered(__package__, "training", values))


def _drawn(curve: Curve) -> tuple[str, str]:
    """Charts of loss and of accuracy."""
    best = curve.best[0]
    places = [tuple((epoch[0], epoch[column]) for epoch in curve.epochs) for column in (1, 2, 3)]
    kept = ((float(best), "kept"),)
    first, last = float(curve.epochs[0][0]), float(curve.epochs[-1][0])
    ends = (first, last) if last > first else (first - 1, last + 1)
    what = f"{curve.name}, epochs {first:.0f} to {last:.0f}"
    losses = Chart(
        f"Loss by epoch, {what}; validation loss {curve.best[2]:.3f} at epoch {best}, which was kept", "epoch", "loss",
        (Series("training", places[0]), Series("validation", places[1])), uprights=kept, x_range=ends,
    )  # fmt: skip
    accuracies = Chart(
        f"Accuracy of validation windows by epoch, {what}; {curve.best[3]:.1%} at epoch {best}, which was kept",
        "epoch", "validation windows right", (Series("validation", places[2]),), uprights=kept, x_range=ends,
        y_range=(0, 1), per_cent=True,
    )  # fmt: skip
    return draw(losses), draw(accuracies)
