"""From scores of windows to a device's decision, equal to the firmware's ``scn_decision.c``, and its calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .evaluate import Evaluation


@dataclass(frozen=True)
class Rule:
    """Decision rule: exponential smoothing, hysteresis and a threshold. Scores count from 0 (INT8 -128) to 255.

    Attributes
    ----------
    share
        Weight of the newest window in a class's level, 1 to 256, in 1/256; 256 is no smoothing.
    margin
        Hysteresis: the decided class stays until the level of another is more than this above its own, 0 to 255.
    threshold
        Level that a class needs to be decided for, 0 to 255. The decided class is dropped ``margin`` below it.
    """

    share: int = 256
    margin: int = 0
    threshold: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (("share", 1, 256), ("margin", 0, 255), ("threshold", 0, 255)):
            if not least <= getattr(self, name) <= most:
                raise InputError(f"{name} {getattr(self, name)}", "is out of range", f"give {least} to {most}")

    @property
    def command(self) -> str:
        """Command line that sets the rule on a device."""
        return f"decide {self.share} {self.margin} {self.threshold}"

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read "SHARE MARGIN THRESHOLD".

        Raises
        ------
        InputError
            Where it is not three whole numbers in their ranges.
        """
        words = text.split()
        if len(words) != 3 or not all(word.isdecimal() for word in words):
            raise InputError(f"rule '{text}'", "is not three whole numbers", 'write "SHARE MARGIN THRESHOLD"')
        return cls(*map(int, words))


SILENT = -2
"""Decision while there was nothing but silence; equal to the firmware's ``SCN_DECISION_SILENT``."""


class Decider:
    """Applies a rule to consecutive windows."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._level: list[int] = []
        self._held: int | None = None

    def level(self, label: int) -> int:
        """Level of a class in 1/256 of a score; valid after the first window."""
        return self._level[label]

    def push(self, scores: NDArray[np.int8]) -> int | None:
        """Add a window's INT8 scores, (classes,); returns the decided class, or None where there is none."""
        newest = [(int(score) + 128) * 256 for score in scores]
        if self._level:
            # int() truncates towards zero, as C's division does.
            newest = [
                level + int((value - level) * self.rule.share / 256)
                for level, value in zip(self._level, newest, strict=True)
            ]
        self._level = newest
        best = newest.index(max(newest))
        if self._held is not None:
            defended = newest[self._held] + self.rule.margin * 256
            if defended >= newest[best] and defended >= self.rule.threshold * 256:
                return self._held
        self._held = best if newest[best] >= self.rule.threshold * 256 else None
        return self._held

    def hear_silence(self) -> int | None:
        """Take a silent window: the levels stay. Returns :data:`SILENT` while there was no other window yet."""
        return self._held if self._level else SILENT


def loudness(samples: NDArray[np.int32]) -> int:
    """Mean absolute value, rounded down, of the samples since the last window; a device's gate compares it.

    0 where there are no samples. Equal to the firmware's ``scn_classifier_loudness``.
    """
    return int(np.abs(samples.astype(np.int64)).sum()) // samples.size if samples.size else 0


def calibrate(clips: list[tuple[int, NDArray[np.int8]]], rule: Rule, accuracy: float) -> tuple[Rule, float]:
    """Find the lowest threshold at which the decisions reach an accuracy.

    Parameters
    ----------
    clips
        Of validation data: the true class, and the INT8 scores (windows, classes) of one clip.
    rule
        Gives ``share`` and ``margin``; its threshold is ignored.
    accuracy
        Share of the decided windows that must be right, 0 to 1.

    Returns
    -------
    rule
        With the threshold.
    coverage
        Share of the windows that are decided with it, 0 to 1.

    Raises
    ------
    InputError
        Where there is no window, or no threshold reaches the accuracy.
    """
    if not sum(len(scores) for _, scores in clips):
        raise InputError("calibration", "there are no windows", "choose another split")
    for threshold in range(256):
        tried = Rule(rule.share, rule.margin, threshold)
        decisions = [(truth, label) for truth, scores in clips for label in _decide(tried, scores)]
        right = [truth == label for truth, label in decisions if label is not None]
        if right and sum(right) >= accuracy * len(right):
            return tried, len(right) / len(decisions)
    raise InputError("calibration", f"no threshold makes {accuracy:.0%} of the answers right", "ask for less")


def clips_of(result: Evaluation) -> list[tuple[int, NDArray[np.int8]]]:
    """Group an evaluation's rows by clip, in order: true class and INT8 scores (windows, classes) of each clip.

    The scores are those that a device's rule takes: of the model's clip head, where it has one.
    Silent windows, in which nothing is decided, are left out, and so are clips of nothing else.
    """
    clips: list[tuple[int, list[tuple[int, ...]]]] = []
    streamed = result.streamed or tuple(scores for _, _, _, scores in result.rows)
    for (_, window, truth, _), scores, silent in zip(result.rows, streamed, result.silent, strict=True):
        if window == 0:
            clips.append((result.labels.index(truth), []))
        if not silent:
            clips[-1][1].append(scores)
    return [(truth, np.array(scores, np.int8)) for truth, scores in clips if scores]


def _decide(rule: Rule, scores: NDArray[np.int8]) -> list[int | None]:
    decider = Decider(rule)
    return [decider.push(window) for window in scores]
