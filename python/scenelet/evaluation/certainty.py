"""How certain a cross-validation's accuracy of clips is, and which clips none of its networks recognises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .clip_answers import ClipAnswer
from .intervals import Interval, accuracy_interval


@dataclass(frozen=True)
class Missed:
    """A clip that no network recognises; ``answers`` are what they take it for, each once."""

    file: str
    recording: str
    truth: str
    answers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {**asdict(self), "answers": list(self.answers)}


Answers = Sequence[tuple[int, Sequence[ClipAnswer]]]
"""Of every network: the fold that it is tested on, and its answers to the fold's clips."""


def _by_clip(networks: Answers) -> list[list[ClipAnswer]]:
    """Answers of all networks to each clip, in the order of the folds."""
    found: defaultdict[tuple[int, str, str, str], list[ClipAnswer]] = defaultdict(list)
    for fold, answers in networks:
        for one in answers:
            found[fold, one.truth, one.recording, one.file].append(one)
    return list(found.values())


def clips_interval(networks: Answers) -> Interval | None:
    """95 % interval of the accuracy of clips; None where a network's answers are not known.

    A clip counts by the share of the networks that recognise it: seeds are no further clips.
    """
    if not networks or not all(answers for _, answers in networks):
        return None
    clips = _by_clip(networks)
    _, truth = np.unique([answers[0].truth for answers in clips], return_inverse=True)
    shares = np.array([np.mean([one.right for one in answers]) for answers in clips])
    return accuracy_interval(shares, truth, [answers[0].recording for answers in clips])


def missed_by_all(networks: Answers) -> list[Missed]:
    """Clips that none of the networks recognises which were tested on them, by class and name."""
    missed = [answers for answers in _by_clip(networks) if not any(one.right for one in answers)]
    return sorted(
        (
            Missed(clip.file, clip.recording, clip.truth, tuple(sorted({one.answer for one in answers})))
            for answers in missed
            for clip in answers[:1]
        ),
        key=lambda one: (one.truth, one.file),
    )
