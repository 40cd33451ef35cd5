"""Confidence intervals of accuracies, by bootstrap over recordings.

Clips that were cut from one recording are heard alike, so they are no independent trials: recordings are drawn again,
with all their clips or windows, not clips (cluster bootstrap; Efron and Tibshirani 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
SHARE = 0.95
_SEED = 0
_BLOCK = 100

Interval = tuple[float, float]
"""Lowest and highest accuracy, 0 to 1."""


def shown(interval: Interval) -> str:
    """Write an interval in per cent: "87.1 to 94.0 %"."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def accuracy_interval(
    correct: NDArray[Any], truth: NDArray[np.int64], recordings: Sequence[str], draws: int = DRAWS
) -> Interval:
    """The middle 95 % of the mean over classes of accuracy, over drawn sets of recordings.

    As many recordings are drawn as there are, with repetition, class by class of their first item, so that no class is
    lost. The same arguments give the same interval.

    Parameters
    ----------
    correct
        Whether each clip or window is recognised, (n,): bool, or the share of several networks that do, 0 to 1.
    truth
        Index of its class, (n,).
    recordings
        Name of its recording.
    draws
        Number of drawn sets.
    """
    _, first, group = np.unique(np.asarray(recordings), return_index=True, return_inverse=True)
    classes = np.unique(truth)
    place = np.searchsorted(classes, truth)
    hits, totals = np.zeros((2, len(first), len(classes)))
    np.add.at(hits, (group, place), correct)
    np.add.at(totals, (group, place), 1.0)
    generator = np.random.default_rng(_SEED)
    means = []
    for start in range(0, draws, _BLOCK):
        weights = _drawn(generator, place[first], min(_BLOCK, draws - start))
        means.append(np.nanmean(_shares(weights @ hits, weights @ totals), axis=1))
    low, high = np.quantile(np.concatenate(means), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def _shares(hits: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Accuracy by class; NaN for a class of which nothing was drawn, as where recordings hold several classes."""
    return np.divide(hits, totals, out=np.full_like(hits, np.nan), where=totals > 0)


def _drawn(generator: np.random.Generator, strata: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """How often each recording is drawn, (count, recordings)."""
    weights = np.zeros((count, len(strata)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        weights[:, members] = generator.multinomial(len(members), np.full(len(members), 1 / len(members)), count)
    return weights
