"""From INT8 softmax scores to probabilities, accuracy and log loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .json_files import Checked


def probabilities(scores: NDArray[np.int8]) -> NDArray[np.float64]:
    """Probabilities of INT8 softmax outputs (scale 1/256, zero point -128), (n, classes), each row summing to 1.

    A score of -128 means "below 1/256", not "impossible". It counts as half a step, so the log loss stays finite.
    """
    steps = np.maximum(scores.astype(np.float64) + 128, 0.5)
    return np.asarray(steps / steps.sum(axis=-1, keepdims=True))


class Scores(Checked):
    """Scores of a split as JSON files hold them: numbers of windows and clips, and measures over classes.

    ``silent_windows`` are not among ``windows``; None where the recipe calls no window silent.
    """

    windows: int
    clips: int
    accuracy: float
    log_loss: float
    clip_accuracy: float
    silent_windows: int | None = None


@dataclass(frozen=True)
class Measures:
    """Measures of one group of windows or clips.

    Attributes
    ----------
    count
        Number of windows or clips.
    accuracy
        Share classified correctly, 0 to 1.
    log_loss
        Mean negative log probability of the true class, in nats.
    """

    count: int
    accuracy: float
    log_loss: float


def measure(probability: NDArray[np.float64], truth: NDArray[np.int64]) -> Measures:
    """Accuracy and log loss of (n, classes) probabilities against (n,) class indices.

    A row of zeros, that of a clip of silence, is no answer, and counts as missed.
    """
    if not truth.size:
        return Measures(0, 0.0, 0.0)
    correct = (probability.argmax(axis=1) == truth) & probability.any(axis=1)
    chosen = np.clip(probability[np.arange(truth.size), truth], 1e-15, 1.0)
    return Measures(int(truth.size), float(correct.mean()), float(-np.log(chosen).mean()))


def by_group(
    probability: NDArray[np.float64], truth: NDArray[np.int64], groups: Sequence[str], names: Iterable[str]
) -> dict[str, Measures]:
    """Measures of each group in ``names`` that has members; ``groups`` gives the group of each row."""
    member = np.asarray(groups)
    return {name: measure(probability[member == name], truth[member == name]) for name in names if name in set(groups)}


def merge_groups(parts: Sequence[dict[str, Measures]]) -> dict[str, Measures]:
    """Pool the measures of several evaluations by group, weighted by their counts."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _weighted_mean([part[name] for part in parts if name in part]) for name in names}


def _weighted_mean(measures: Sequence[Measures]) -> Measures:
    weights = [one.count for one in measures]
    accuracy, log_loss = (
        float(np.average([getattr(one, name) for one in measures], weights=weights))
        for name in ("accuracy", "log_loss")
    )
    return Measures(sum(weights), accuracy, log_loss)


def roc_auc(scores: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Area under the ROC curve, one class against the rest, mean over the classes that have both.

    The area is the probability that a member of the class has a higher score than a non-member, ties by half
    (Mann and Whitney).

    Parameters
    ----------
    scores
        (n, classes).
    truth
        Class indices, (n,).
    """
    areas = []
    for index in range(scores.shape[1]):
        member = truth == index
        inside, outside = int(member.sum()), int((~member).sum())
        if inside and outside:
            _, place, counts = np.unique(scores[:, index], return_inverse=True, return_counts=True)
            ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
            areas.append((ranks[member].sum() - inside * (inside + 1) / 2) / (inside * outside))
    return float(np.mean(areas)) if areas else float("nan")


def macro(groups: dict[str, Measures]) -> tuple[float, float]:
    """Mean over groups of accuracy and log loss: the challenge's measure, in which all classes weigh the same."""
    values = list(groups.values())
    return float(np.mean([v.accuracy for v in values])), float(np.mean([v.log_loss for v in values]))


def last(scores: NDArray[np.int8], clip_index: NDArray[np.int64], clips: int) -> NDArray[np.float64]:
    """Probabilities of each clip's last row of INT8 scores: (windows, classes) -> (clips, classes); 0 without one."""
    found = np.zeros((clips, scores.shape[1]))
    found[clip_index] = probabilities(scores)  # of several rows of a clip, the last one stays
    return found


def merge(probability: NDArray[np.float64], clip_index: NDArray[np.int64], clips: int) -> NDArray[np.float64]:
    """Mean probability over the windows of each clip: (windows, classes) -> (clips, classes); 0 without a window."""
    total = np.zeros((clips, probability.shape[1]))
    np.add.at(total, clip_index, probability)
    counts = np.maximum(np.bincount(clip_index, minlength=clips), 1)
    return np.asarray(total / counts[:, None])
