"""Constants with which Winograd's kernel along both axes rescales its sums: scn_winograd_2d_channel_t.

What comes out of the transforms is 9 * 2^k times a sum, k = 2 .. 6. TFLite rounds a sum's product twice. Where no
output below the zero point can be told from it, as behind a ReLU, that is a function which rises at certain positive
sums, evenly but for one rounding; so does one product that is rounded down. Where both rise at the same sums, the
product takes the factor 576 in. Elsewhere the sum is recovered first, and rounded as TFLite does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...numerics.elementwise import scaled
from ...numerics.fixed_point import INT8_MAX, INT8_MIN
from ...program import Step

LARGEST_SUM = 2**25
"""Magnitude that all sums stay under: 64 times it fits int32."""

_SCALE = 576
_LARGEST_QUICK = 2**31 // _SCALE
_MORE_BITS = 8
"""The product has so many bits below TFLite's: the most with which its multiplier stays under 2^31."""
_HIGH = 32
_MOST_SHIFT, _MOST_QUICK_SHIFT = 20, 15
_NEIGHBOURS = np.array(sorted(range(-24, 25), key=lambda d: (abs(d), -d)))
"""Multipliers to try beside the exact factor."""


@dataclass(frozen=True, eq=False)
class Rescale:
    """How a layer's sums are rescaled.

    Attributes
    ----------
    channels
        (output channels, 4): start, multiplier, added, right.
    quick
        Whether one product does for every channel, so that sums can be compared as they come out.
    share
        Share of the channels for which it does.
    least
        Least weight: -128 cannot be negated.
    """

    channels: NDArray[np.int64]
    quick: bool
    share: float
    least: int


@lru_cache(maxsize=256)
def rescale(step: Step) -> Rescale | None:
    """Find a layer's constants.

    Parameters
    ----------
    step
        A lowered CONV_2D.

    Returns
    -------
    Rescale or None
        None where a sum may be too large for the transforms, or where factor or activation do not fit.
    """
    fields = step.fields
    tables = {table.kind: table.values for table in step.tables}
    multipliers, shifts = tables["scale"].astype(np.int64).T
    bias = np.broadcast_to(tables.get("bias", np.zeros(1)), multipliers.shape).astype(np.int64)
    if (shifts >= 0).any() or (shifts < -_MOST_SHIFT).any():
        return None
    packed = tables["weights"].astype(np.int64).reshape(-(-len(bias) // 2), -1, 2)
    weights = packed.transpose(0, 2, 1).reshape(-1, packed.shape[1])[: len(bias)]
    zero, target = fields["input_zero_point"], fields["output_zero_point"]
    ends = np.stack([weights * (INT8_MIN - zero), weights * (INT8_MAX - zero)])
    low, high = ends.min(axis=0).sum(axis=1) + bias, ends.max(axis=0).sum(axis=1) + bias
    if max(-low.min(), high.max()) >= LARGEST_SUM:
        return None
    start = 36 * (bias - (zero + 128) * weights.sum(axis=1))
    right = -shifts
    channels = np.stack([start, multipliers, (1 << (right - 1)) + target * (1 << right), -right], axis=1)
    found = 0
    # What the activation clamps cannot be told apart.
    told = np.arange(fields["activation_min"] + 1, fields["activation_max"] + 1, dtype=np.int64)
    for channel, (multiplier, shift) in enumerate(zip(multipliers, shifts, strict=True)):
        quick = _quick(int(multiplier), int(shift), told - target, target, int(low[channel]), int(high[channel]))
        if quick:
            channels[channel, 1:] = quick
            found += 1
    return Rescale(channels, found == len(bias), found / len(bias), int(weights.min(initial=0)))


def negated(channels: NDArray[np.int64], falling: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Constants for channels whose sums come out negated: the largest is then the smallest."""
    signs = np.where(falling, -1, 1)
    return np.stack([channels[:, 0] * signs, channels[:, 1] * signs, channels[:, 2], channels[:, 3]], axis=1)


def wrapped(channels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Reduce to int32: starts wrap, as the kernel's sums do."""
    return ((channels + 2**31) % 2**32 - 2**31).astype(np.int32)


def _quick(
    multiplier: int, shift: int, steps: NDArray[np.int64], zero_point: int, low: int, high: int
) -> tuple[int, int, int] | None:
    """Multiplier, added and right that give TFLite's outputs for all sums low .. high by one product.

    ``steps`` are the outputs less the zero point that are to be told from the ones below them.
    """
    right = -shift + _MORE_BITS
    if -shift > _MOST_QUICK_SHIFT or max(-low, high) >= _LARGEST_QUICK or not len(steps):
        return None
    rises = _rises(multiplier, shift, steps, low, high)
    near = (multiplier << (1 + _MORE_BITS)) // _SCALE + _NEIGHBOURS[:, np.newaxis]
    places = steps + zero_point << right
    # Reached from the sum where the output rises on, not yet one sum before it; beyond low .. high anything goes.
    least = np.where(rises <= high, places - (_SCALE * np.maximum(rises, low) * near >> _HIGH), -(2**62))
    most = np.where(rises > low, places - (_SCALE * np.minimum(rises - 1, high) * near >> _HIGH) - 1, 2**62)
    added_least, added_most = least.max(axis=1), most.min(axis=1)
    good = np.flatnonzero((added_least <= added_most) & (near[:, 0] > 0))
    if not len(good):
        return None
    first = good[0]
    ends = [int(np.clip(end[first], -(2**29), 2**29)) for end in (added_least, added_most)]
    return int(near[first, 0]), sum(ends) // 2, right


def _rises(multiplier: int, shift: int, outputs: NDArray[np.int64], low: int, high: int) -> NDArray[np.int64]:
    """Least sums, low .. high + 1, that give so many above the zero point."""
    factor = {"multiplier": multiplier, "shift": shift}
    first, last = np.full(len(outputs), low), np.full(len(outputs), high + 1)
    while (first < last).any():
        middle = (first + last) // 2
        there = scaled(middle, factor) >= outputs
        first, last = np.where(there, first, middle + 1), np.where(there, middle, last)
        first = np.minimum(first, last)
    return first
