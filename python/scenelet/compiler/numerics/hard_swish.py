"""HARD_SWISH of every INT8 value, in the interpreter's 16-bit fixed point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph import Tensor
from .fixed_point import INT8_MAX, INT8_MIN, quantize_multiplier, scale_of, zero_point_of

Integers = NDArray[np.int64]

_INT16_MAX = 2**15 - 1
_HIRES_BITS = 7
"""Bits by which an input is widened: a difference to a zero point has 9."""


def output_factor(source: Tensor, target: Tensor) -> float:
    """Compute widened input scale / output scale, in float32 like the interpreter; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return float(_hires_scale(source) / scale_of(target))


def table(source: Tensor, target: Tensor) -> NDArray[np.int8]:
    """What -128 .. 127 become, (256,).

    Parameters
    ----------
    source, target
        Input and output; :func:`output_factor` must be below 1, as the interpreter demands.
    """
    values = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
    hires = _int16((values - zero_point_of(source)) << _HIRES_BITS)
    multiplier, shift = _multiplier(output_factor(source, target))
    preshift = _rounded_high(hires, multiplier)
    product = _high(_relu_like(hires, source), preshift)
    moved = _int16(_rounded_shift(product, -shift) + zero_point_of(target))
    return np.clip(moved, INT8_MIN, INT8_MAX).astype(np.int8)


def _relu_like(hires: Integers, source: Tensor) -> Integers:
    """Input from -3 to 3 as 0 to 1 in Q15, clamped."""
    with np.errstate(over="ignore"):
        multiplier, shift = _multiplier(float(_hires_scale(source) / np.float32(3.0 / 32768.0)))
    value = hires
    if shift > 0:
        value = _saturated(value << min(shift - 1, 31))
    value = _rounded_high(value, multiplier)
    if shift > 0:
        value = _saturated(value << 1)
    if shift < 0:
        value = _rounded_shift(value, -shift)
    return _int16((value + (1 << 15)) >> 1)


def _hires_scale(source: Tensor) -> np.float32:
    return np.float32(1 / (1 << _HIRES_BITS)) * scale_of(source)


def _multiplier(factor: float) -> tuple[int, int]:
    """Q15 multiplier, which saturates, and shift."""
    multiplier, shift = quantize_multiplier(factor)
    return min((multiplier + (1 << 15)) >> 16, _INT16_MAX), shift


def _rounded_high(values: Integers, multiplier: int) -> Integers:
    """Product of Q15 numbers, halves rounded up."""
    return (values * multiplier + (1 << 14)) >> 15


def _high(one: Integers, other: Integers) -> Integers:
    """Product of Q15 numbers, rounded towards zero; the first is never negative."""
    product = one * other
    return np.asarray(np.sign(product) * (np.abs(product) >> 15), np.int64)


def _rounded_shift(values: Integers, right: int) -> Integers:
    """Divide int16 values by a power of two, halves away from zero; past 15 bits as masks of int16 do."""
    mask = int(_int16(np.array([(1 << right) - 1]))[0])
    threshold = (mask >> 1) + (values < 0)
    return (values >> min(right, 31)) + ((values & mask) > threshold)


def _int16(values: Integers) -> Integers:
    return values.astype(np.int16).astype(np.int64)


def _saturated(values: Integers) -> Integers:
    return np.asarray(np.clip(values, -(2**15), _INT16_MAX))
