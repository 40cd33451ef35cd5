"""Constants with which kernels rescale sums in two or four instructions: see scn_requantize.h.

Four instructions repeat TFLite's arithmetic. Two give another function of the sum, and both functions are steps: they
rise at certain sums. Where all steps that a channel's sums can reach are the same, so are the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numerics.fixed_point import INT8_MAX, INT8_MIN
from ..numerics.ranges import sum_range
from ..program import Step

MOST_SHIFT = 20
"""Right shift up to which nothing overflows in four instructions."""
SUM_SHIFT = 8
"""SCN_SUM_SHIFT: sums are multiplied by its power of two for two instructions."""
_SHIFT = 12
"""SCN_REQUANTIZE_SHIFT."""
_LIMIT = 1 << 30
"""Sums stay under this, so that they can be doubled."""
_LARGE_LIMIT = 1 << 31 - SUM_SHIFT
"""Sums stay under this, so that they can be shifted by :data:`SUM_SHIFT`."""
_LARGEST_PRODUCT = 255 * 128
_HIGH = 32
_NEIGHBOURS = (2, 64)
"""Multipliers to try on either side of the factor's own bits: few, then many."""
_STEPS = np.arange(INT8_MIN + 1, INT8_MAX + 1, dtype=np.int64)
"""Outputs whose least sum is a step."""


@dataclass(frozen=True, eq=False)
class Requantize:
    """Constants of every output channel.

    Attributes
    ----------
    rows
        (output channels, 4): bias, multiplier, added, right, int32; right is 0 for two instructions.
    large
        Whether all sums may be shifted left by :data:`SUM_SHIFT`. Then two instructions are used where they are exact,
        and their biases are shifted. Other biases are doubled.
    """

    rows: NDArray[np.int64]
    large: bool

    @property
    def in_two(self) -> NDArray[np.bool_]:
        """Which channels take two instructions."""
        return np.asarray(self.rows[:, 3] == 0)


def channel_constants(step: Step, groups: NDArray[np.int64] | None = None) -> Requantize | None:
    """Make the constants of every output channel.

    Parameters
    ----------
    step
        CONV_2D or DEPTHWISE_CONV_2D as lowered.
    groups
        (groups, n): channels that must all take two instructions, or all four. The result lists the channels in this
        order. None: each by itself.

    Returns
    -------
    Requantize or None
        None where a channel's sums or factor, or the activation, are such that not even the four instructions give
        TFLite's bits.
    """
    found = _constants(step)
    if found is None:
        return None
    listed = np.arange(len(found.two))[:, np.newaxis] if groups is None else groups
    two = np.repeat(found.two[listed].all(axis=1), listed.shape[1])[:, np.newaxis]
    order = listed.ravel()
    return Requantize(np.where(two, found.in_two[order], found.in_four[order]), found.large)


def pairs(step: Step) -> NDArray[np.int64]:
    """Groups of two neighbouring output channels; their number must be even."""
    return np.arange(step.fields["output"]["channels"]).reshape(-1, 2)


def quads(step: Step) -> NDArray[np.int64]:
    """Groups of four neighbouring output channels, at least four; the last four where less remain."""
    channels = int(step.fields["output"]["channels"])
    first = np.minimum(np.arange(0, channels, 4), channels - 4)
    return first[:, np.newaxis] + np.arange(4)


@dataclass(frozen=True, eq=False)
class _Both:
    """The constants of both forms, and where two instructions are exact."""

    in_two: NDArray[np.int64]
    in_four: NDArray[np.int64]
    two: NDArray[np.bool_]
    large: bool


@lru_cache(maxsize=1024)
def _constants(step: Step) -> _Both | None:
    fields = step.fields
    tables = {table.kind: table.values for table in step.tables}
    multipliers, shifts = tables["scale"].astype(np.int64).T
    weights = _rows(step, tables["weights"], len(multipliers))
    bias = np.broadcast_to(tables.get("bias", np.zeros(1)), multipliers.shape).astype(np.int64)
    whole = fields["activation_min"] == INT8_MIN and fields["activation_max"] == INT8_MAX
    small = bool((np.abs(bias) < _LIMIT - weights.shape[1] * _LARGEST_PRODUCT).all())
    if not whole or not small or (shifts >= 0).any() or (shifts < -MOST_SHIFT).any():
        return None
    right, zero_point = -shifts, int(fields["output_zero_point"])
    added = (1 << (right - 1)) + zero_point * (1 << right)
    in_four = np.stack([2 * bias, multipliers, added, right], axis=1)
    low, high = sum_range(weights, bias, int(fields["input_zero_point"]))
    large = bool(max(high.max(), -low.min()) < _LARGE_LIMIT)
    in_two = np.zeros_like(in_four)
    two = np.zeros(len(bias), np.bool_)
    for channel in range(len(bias)) if large else ():
        scale = int(multipliers[channel]), int(right[channel])
        found = two_instructions(scale, zero_point, int(low[channel]), int(high[channel]))
        if found:
            two[channel] = True
            more, multiplier, start = found
            in_two[channel] = (int(bias[channel]) << SUM_SHIFT) + more, multiplier, start, 0
    return _Both(in_two, in_four, two, large)


def _rows(step: Step, weights: NDArray[np.int8], channels: int) -> NDArray[np.int64]:
    """Weights of every output channel, (channels, taps), from the step's table."""
    if step.kernel == "scn_depthwise_conv2d_s8":
        return weights.reshape(-1, channels).T.astype(np.int64)
    pairs = -(-channels // 2)
    return weights.reshape(pairs, -1, 2).swapaxes(1, 2).reshape(2 * pairs, -1)[:channels].astype(np.int64)


def two_instructions(scale: tuple[int, int], zero_point: int, low: int, high: int) -> tuple[int, int, int] | None:
    """Search constants that give TFLite's result for every sum of a channel.

    Parameters
    ----------
    scale
        Multiplier, and right shift of 1 .. 20.
    zero_point
        Of the output.
    low, high
        Least and largest sum; magnitudes under 2^23.

    Returns
    -------
    tuple or None
        (more, multiplier, added), so that for every sum
        ``sat8((added + ((sum * 2^8 + more) * multiplier >> 32)) >> 12)`` is TFLite's result and no part of it leaves
        int32. None where the search finds none.
    """
    steps = _step_sums(scale, zero_point)
    below, above = int((steps <= low).sum()), int((steps <= high).sum())
    if below == above:  # all sums give one output
        return 0, 0, (INT8_MIN + below << _SHIFT) + (1 << (_SHIFT - 1))
    room = (1 << 31) - (1 << SUM_SHIFT)
    if max(high, -low) << SUM_SHIFT >= room:
        return None
    for most in _NEIGHBOURS:
        for more, multiplier, added in _search(scale, (low, high), steps, most):
            ends = [added + (((end << SUM_SHIFT) + more) * multiplier >> _HIGH) for end in (low, high)]
            if max(map(abs, (added, *ends))) < 1 << 31:
                return more, multiplier, added
    return None


def _step_sums(scale: tuple[int, int], zero_point: int) -> NDArray[np.int64]:
    """The least sum that gives at least each of :data:`_STEPS`, by TFLite's arithmetic."""
    multiplier, right = scale
    products = ((_STEPS - zero_point) << right) - (1 << (right - 1))
    # Halves go away from zero: a negative product must be larger by 1.
    products += products < 0
    return np.asarray(-((-(products << 31) + (1 << 30)) // multiplier))


def _search(
    scale: tuple[int, int], ends: tuple[int, int], steps: NDArray[np.int64], most: int
) -> Iterator[tuple[int, int, int]]:
    """List constants that keep all steps between the least and the largest sum, the factor's nearest first."""
    multiplier, right = scale
    left = 1 + _SHIFT - SUM_SHIFT - right
    middle = multiplier << left if left >= 0 else multiplier >> -left
    tried = middle + np.arange(-most, most + 1, dtype=np.int64)
    tried = tried[(tried > 0) & (tried < 1 << 31)]
    factors = tried[:, np.newaxis] << SUM_SHIFT
    # With B = added * 2^32 + more * multiplier, each output gives bounds of B: from the sum that must reach it, and
    # from the largest one that must not.
    low, high = ends
    wanted = _STEPS << (_SHIFT + _HIGH)
    least = (wanted - np.maximum(steps, low) * factors)[:, steps <= high].max(axis=1)
    largest = (wanted - np.minimum(steps - 1, high) * factors)[:, steps > low].min(axis=1) - 1
    added = least >> _HIGH
    more = -(-(least - (added << _HIGH)) // tried)
    over = more >= 1 << SUM_SHIFT
    added, more = added + over, np.where(over, 0, more)
    good = (added << _HIGH) + more * tried <= largest
    for number in sorted(np.flatnonzero(good), key=lambda number: abs(int(tried[number]) - middle)):
        yield int(more[number]), int(tried[number]), int(added[number])


def paired(rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """scn_requantize_pair_t of every two channels: biases first, then multiplier, added, right of either."""
    pairs = rows.reshape(-1, 2, 4)
    return np.concatenate([pairs[:, :, 0], pairs[:, :, 1:].reshape(-1, 6)], axis=1).astype(np.int32)
