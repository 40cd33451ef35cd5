"""ADD of two whole maps as one multiplication and one table, where that is exact.

TFLite brings both operands to a common scale and rounds three times. Of two INT8 values v and s that nearly always
equals ``sat8((v * multiplier + table[s]) >> 16)``: whether it does is decided here for all 65,536 pairs. Then ADD is
two instructions after any kernel that has v in a register.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..numerics.affine_map import FRACTION, peak
from ..program import Step

VALUES = np.arange(-128, 128, dtype=np.int64)
_INT32 = 2**31 - 1
_STEEPEST = _INT32 // 256

Exact = tuple[int, NDArray[np.int32]]
"""A multiplier and the (256,) table for -128 .. 127."""


def exact(wanted: NDArray[np.int8]) -> Exact | None:
    """Find a multiplier and a table that equal an ADD for every pair of values.

    Parameters
    ----------
    wanted
        (256, 256): what v = -128 .. 127 (rows) and s (columns) become.

    Returns
    -------
    tuple or None
        Sums of the pair never leave int32. None where no pair is exact.
    """
    whole = wanted.astype(np.int64)
    # The least and the largest sum that still gives the wanted value; beyond the ends of INT8 it saturates.
    least = np.where(whole == -128, -_INT32, whole << FRACTION)
    most = np.where(whole == 127, _INT32, ((whole + 1) << FRACTION) - 1)

    def bounds(multiplier: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        products = (VALUES * multiplier)[:, np.newaxis]
        return (least - products).max(axis=0), (most - products).min(axis=0)

    def room(multiplier: int) -> int:
        low, high = bounds(multiplier)
        return int((high - low).min())

    multiplier = peak(room, 0, _STEEPEST)
    low, high = bounds(multiplier)
    if (high < low).any():
        return None
    return multiplier, (low + (high - low) // 2).astype(np.int32)


def sums(multiplier: int, table: NDArray[np.int32]) -> NDArray[np.int8]:
    """Evaluate what :func:`exact` found: (256, 256), v by s."""
    totals = VALUES[:, np.newaxis] * multiplier + table.astype(np.int64)
    return np.asarray(np.clip(totals >> FRACTION, -128, 127), np.int8)


def added_to(step: Step, tensor: int) -> Exact | None:
    """Constants with which a step of scn_add_lut_s8 adds its other operand to one that is just being made.

    Parameters
    ----------
    step
        Of two different tensors.
    tensor
        The operand that is multiplied.
    """
    (table,) = step.tables
    multiplier = step.fields["multiplier"]
    assert isinstance(multiplier, int)
    if step.reads[0] == tensor:
        return multiplier, table.values
    return _swapped(multiplier, table.values.tobytes())


@lru_cache(maxsize=256)
def _swapped(multiplier: int, table: bytes) -> Exact | None:
    return exact(sums(multiplier, np.frombuffer(table, np.int32)).T)
