"""The worst mistakes: windows whose wrong answer was surest, with their sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...core.metrics import probabilities
from ...evaluation.evaluate import Evaluation
from ..page.frame import Part
from ..page.image import wav
from ..page.rendering import rendered, word
from .subject import Subject

_ANSWERS = 3


@dataclass(frozen=True)
class Mistake:
    """A window with a wrong answer; ``answers`` are the likeliest classes with their probabilities."""

    clip: int
    file: str
    window: int
    truth: str
    answers: tuple[tuple[str, float], ...]
    truth_probability: float


def worst(result: Evaluation, most: int) -> list[Mistake]:
    """At most one window of a clip, by the probability of the wrong answer, largest first; silent windows have none."""
    found: list[Mistake] = []
    for one in sorted(_mistakes(result), key=lambda mistake: -mistake.answers[0][1]):
        if len(found) < most and one.clip not in {other.clip for other in found}:
            found.append(one)
    return found


def _mistakes(result: Evaluation) -> Iterator[Mistake]:
    clip = -1
    for (file, window, truth, scores), silent in zip(result.rows, result.silent, strict=True):
        clip += window == 0
        shares = probabilities(np.array([scores], np.int8))[0]
        best = [int(place) for place in np.argsort(-shares, kind="stable")[:_ANSWERS]]
        if not silent and result.labels[best[0]] != truth:
            answers = tuple((result.labels[place], float(shares[place])) for place in best)
            yield Mistake(clip, file, window, truth, answers, float(shares[result.labels.index(truth)]))


def part(subject: Subject) -> Part:
    """The part of the page."""
    name, title = "mistakes", "Worst mistakes"
    if not subject.evaluations:
        return Part(name, title, missing=subject.no_data)
    result = subject.evaluations["litert"]
    wrong = sum(one.clip >= 0 for one in _mistakes(result))
    found = worst(result, subject.request.mistakes)
    if not found:
        text = "" if wrong else "No window has a wrong answer."
        return Part(name, title, missing=text or "Give --mistakes N to hear the worst.")
    config = subject.known.frontend
    heard = [
        (one, wav(subject.windows(subject.clips[0][one.clip])[one.window], config.sample_rate, config.sample_bits))
        for one in found
    ]
    source = f"scenelet evaluate {word(subject.model)} --data DIR --split {word(result.split)} --predictions FILE.csv"
    values = {"heard": heard, "wrong": wrong, "windows": result.windows, "split": result.split}
    return Part(name, title, rendered(__package__, "mistakes", values), source=source)
