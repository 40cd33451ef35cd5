"""Calibration of scores: accuracy of windows over their confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.templating import render
from ..errors import InputError
from .decision import Decider, Rule

_BINS = 10
_FULL = 256 * 256  # a level of 256 would be full confidence; the highest is 255


@dataclass(frozen=True)
class Bin:
    """Windows whose confidence lies in ``low`` .. ``high`` (0 to 1).

    Attributes
    ----------
    confidence, accuracy
        Means over these windows; 0 where there are none.
    """

    low: float
    high: float
    windows: int
    confidence: float
    accuracy: float


def confidence_bins(clips: list[tuple[int, NDArray[np.int8]]], rule: Rule) -> tuple[Bin, ...]:
    """Sort windows into bins by the level of the class that the rule decides for, without its threshold.

    Parameters
    ----------
    clips
        Of validation data: the true class, and the INT8 scores (windows, classes) of one clip.
    rule
        Gives ``share`` and ``margin``.

    Returns
    -------
    tuple of Bin
        Ten bins of equal width, from confidence 0 to 1.

    Raises
    ------
    InputError
        Where there is no window.
    """
    confidence, right = [], []
    for truth, scores in clips:
        decider = Decider(Rule(rule.share, rule.margin))
        for window in scores:
            held = decider.push(window)
            confidence.append(decider.level(held) / _FULL if held is not None else 0.0)
            right.append(held == truth)
    if not confidence:
        raise InputError("calibration", "there are no windows", "choose another split")
    place = (np.array(confidence) * _BINS).astype(int)
    return tuple(_bin(number, np.array(confidence)[place == number], np.array(right)[place == number])
                 for number in range(_BINS))  # fmt: skip


def _bin(number: int, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    means = (float(confidence.mean()), float(right.mean())) if confidence.size else (0.0, 0.0)
    return Bin(number / _BINS, (number + 1) / _BINS, confidence.size, *means)


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error (Naeini et al. 2015): distance of confidence and accuracy, mean over windows."""
    total = sum(one.windows for one in bins)
    return sum(one.windows * abs(one.confidence - one.accuracy) for one in bins) / total


def diagram(bins: tuple[Bin, ...], rule: Rule, title: str) -> str:
    """Draw a reliability diagram as SVG: accuracy over confidence; calibrated scores lie on the diagonal.

    The rule's threshold is a line. The width of a bar is its number of windows relative to the fullest bar.
    """
    most = max(one.windows for one in bins)
    values = {
        "title": title,
        "bins": [one for one in bins if one.windows],
        "most": most,
        "threshold": rule.threshold / 256,
        "error": calibration_error(bins),
    }
    return render(__package__, "reliability.svg", values)
