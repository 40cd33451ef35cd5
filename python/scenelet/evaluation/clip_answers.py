"""What is said of whole clips: the class of the mean of the windows' probabilities, or silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Clip

SILENCE = "silence"
"""Answer to a silent window, and to a clip that has no other ones; no class."""


@dataclass(frozen=True)
class ClipAnswer:
    """Answer to one clip; ``answer`` is a class or :data:`SILENCE`."""

    file: str
    recording: str
    truth: str
    answer: str
    silent: bool = False

    @property
    def right(self) -> bool:
        """Whether the clip is recognised."""
        return not self.silent and self.answer == self.truth


def clip_answers(
    clips: Sequence[Clip], probability: NDArray[np.float64], labels: Sequence[str]
) -> tuple[ClipAnswer, ...]:
    """Answers to clips, of their mean probabilities (n, classes), which are 0 for a clip of silence."""
    silent = np.asarray(probability.max(axis=1, initial=0) == 0)
    best = probability.argmax(axis=1)
    return tuple(
        ClipAnswer(clip.path.name, clip.recording, clip.label, SILENCE if quiet else labels[place], bool(quiet))
        for clip, quiet, place in zip(clips, silent, best, strict=True)
    )
