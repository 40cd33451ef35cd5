"""What ``run`` prints of audio: the three likeliest classes of every window, and of the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from ..core import metrics
from ..core.shown import bar
from ..evaluation.clip_answers import SILENCE
from ..evaluation.predict import Prediction
from .output import table

_BAR_CELLS, _SHOWN = 10, 3


def _row(name: str, probability: NDArray[np.float64], labels: Sequence[str]) -> tuple[str, ...]:
    first, *others = np.argsort(-probability, kind="stable")[:_SHOWN]
    rest = ", ".join(f"{labels[place]} {probability[place]:.0%}" for place in others)
    return name, labels[first], f"{probability[first]:.0%}", bar(float(probability[first]), _BAR_CELLS), rest


def _silence(name: str) -> tuple[str, ...]:
    return name, SILENCE, "", "", ""


def _of_clip(windows: Sequence[Prediction], heard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of a clip: what the model's clip head says after the last window, or the mean of the windows'."""
    last = windows[-1].clip
    return np.asarray(heard.mean(axis=0) if last is None else metrics.probabilities(np.array(last, np.int8)))


def answers(results: Sequence[Prediction], labels: Sequence[str], seconds: float) -> Iterator[Table]:
    """One table per file: its windows, and the clip's answer, the mean of their probabilities or the clip head's.

    Silent windows have no part in it, and a clip of nothing else is silence.

    Parameters
    ----------
    results
        Of audio files, file by file.
    labels
        Of the classes, in the order of the scores.
    seconds
        From the start of a window to the start of the next.
    """
    for file, group in groupby(results, key=lambda one: one.file):
        windows = list(group)
        probability = metrics.probabilities(np.array([one.scores for one in windows], np.int8))
        heard = [number for number, one in enumerate(windows) if not one.silent]
        rows = [
            _row(f"{number * seconds:.1f} s", row, labels) if number in heard else _silence(f"{number * seconds:.1f} s")
            for number, row in enumerate(probability)
        ]
        if len(rows) > 1:
            rows.append(_row("clip", _of_clip(windows, probability[heard]), labels) if heard else _silence("clip"))
        yield table(file, ["from", "heard", ">", "", "then"], rows)
