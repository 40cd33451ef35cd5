"""Maps from INT8 to INT8 as arithmetic instead of tables, where that is exact.

An unfolded BatchNorm rounds twice, in MUL and in ADD, and so is no straight line. Each of the two alone nearly always
equals ``sat8((v * multiplier + added) >> 16)`` for every value. Two such steps need 16 bytes per channel, not 256.
Whether a pair of integers exists that gives the same bits is decided for all 256 values at once, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..program import Table

FRACTION = 16
"""Fractional bits of a step; scn_saturate_q16 in firmware/lib/engine."""

_VALUES = np.arange(-128, 128, dtype=np.int64)
_INT32 = 2**31 - 1
_STEEPEST = _INT32 // 256

Compose = Callable[[Sequence[NDArray[np.int8]]], NDArray[np.int8]]


def affine_pair(maps: Sequence[NDArray[np.int8]], compose: Compose) -> NDArray[np.int32] | None:
    """Write a chain of maps as two affine steps.

    Parameters
    ----------
    maps
        In the order in which they apply; each (channels, 256) or (1, 256).
    compose
        Joins maps into one: :func:`scenelet.compiler.passes.fuse_maps.compose`.

    Returns
    -------
    NDArray[np.int32] or None
        (channels, 4): scn_affine_map_t of every channel. None where some channel has no such steps.
    """
    for split in range(1, len(maps) + 1):
        first, second = (_steps(compose(part)) for part in (maps[:split], maps[split:]))
        if first is not None and second is not None:
            rows = max(len(first), len(second))
            return np.hstack([np.broadcast_to(steps, (rows, 2)) for steps in (first, second)]).astype(np.int32)
    return None


def int8_map(table: Table) -> NDArray[np.int8]:
    """Give a map's values, (channels * 256,), be it a table of them or affine steps."""
    if table.type == "int8_t":
        return np.asarray(table.values, np.int8)
    multiplier, added, multiplier2, added2 = table.values.astype(np.int64).T[..., np.newaxis]
    middle = np.clip(_VALUES * multiplier + added >> FRACTION, -128, 127)
    return np.asarray(np.clip(middle * multiplier2 + added2 >> FRACTION, -128, 127), np.int8).ravel()


def _steps(table: NDArray[np.int8]) -> list[tuple[int, int]] | None:
    found = [affine_step(row) for row in table]
    return None if None in found else [step for step in found if step is not None]


def affine_step(row: NDArray[np.int8]) -> tuple[int, int] | None:
    """Find an affine step that equals one channel's map.

    Parameters
    ----------
    row
        256 values: what -128 .. 127 become.

    Returns
    -------
    tuple of int or None
        Multiplier and added constant, of all that are exact those in the middle; None where none is.
    """
    wanted = row.astype(np.int64)
    # The least and the largest sum that still gives the wanted value; beyond the ends of INT8 it saturates.
    least = np.where(wanted == -128, -_INT32, wanted << FRACTION)
    most = np.where(wanted == 127, _INT32, ((wanted + 1) << FRACTION) - 1)

    def room(multiplier: int) -> int:
        products = _VALUES * multiplier
        return int((most - products).min() - (least - products).max())

    multiplier = peak(room, -_STEEPEST, _STEEPEST)
    slack = room(multiplier)
    if slack < 0:
        return None
    return multiplier, int((least - _VALUES * multiplier).max()) + slack // 2


def peak(function: Callable[[int], int], low: int, high: int) -> int:
    """Find where a concave function of integers from low to high is largest; ours has no plateau below its peak."""
    while low < high:
        middle = (low + high) // 2
        if function(middle) < function(middle + 1):
            low = middle + 1
        else:
            high = middle
    return low
