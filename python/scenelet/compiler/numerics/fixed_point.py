"""Real factors as TFLite's integers: a Q31 multiplier and a power of two, and activation bounds.

Every rounding here is the interpreter's, down to which intermediate is a float32: one unit in the multiplier's last
place can move an INT8 value.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...graph import Quantization, Tensor

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1

ADD_LEFT_SHIFT = 20
"""Bits by which ADD widens its inputs before it scales them."""

WIDE_ADD_LEFT_SHIFT = 15
"""The same of ADD with int16 activations."""

SQUARE_LEFT_SHIFT = 7
"""The same of SQUARED_DIFFERENCE, whose squares have twice as many."""

SOFTMAX_INTEGER_BITS = 5
"""Integer bits of SOFTMAX's scaled differences; the rest of the 31 are fraction."""


def quantize_multiplier(factor: float) -> tuple[int, int]:
    """Split a factor into ``multiplier * 2^-31 * 2^shift``.

    Parameters
    ----------
    factor
        Real and not negative.

    Returns
    -------
    tuple of int
        The multiplier, 0 or 2^30..2^31-1, and the shift, left where positive. A factor below 2^-32 becomes (0, 0).
    """
    if factor == 0.0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def quantize_multipliers(factors: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """:func:`quantize_multiplier` of every factor: multipliers and shifts."""
    pairs = [quantize_multiplier(float(factor)) for factor in factors]
    return np.array([m for m, _ in pairs], np.int32), np.array([s for _, s in pairs], np.int32)


def fine_multiplier(factor: float) -> tuple[int, int, int]:
    """Split a factor into ``(multiplier + fraction * 2^-31) * 2^(shift - 31)``, exactly.

    Parameters
    ----------
    factor
        Real and not negative.

    Returns
    -------
    tuple of int
        Multiplier and fraction, 0..2^31-1, and the shift. A factor below 2^-32 becomes (0, 0, 0): no int32 times it
        rounds to anything but 0.
    """
    part, shift = math.frexp(factor)
    if factor == 0.0 or shift < -31:
        return 0, 0, 0
    # 62 bits hold every float64 between 1/2 and 1.
    both = int(part * 2.0**62)
    return both >> 31, both & ((1 << 31) - 1), shift


def scale_of(tensor: Tensor) -> np.float32:
    """Scale of a tensor that has one for all its values."""
    return np.float32(_quantization(tensor).scale[0])


def zero_point_of(tensor: Tensor) -> int:
    """Zero point of a tensor that has one for all its values."""
    return int(_quantization(tensor).zero_point[0])


def _quantization(tensor: Tensor) -> Quantization:
    if tensor.quantization is None:
        raise ValueError(f"tensor {tensor.index} has no quantization")
    return tensor.quantization


def activation_bounds(activation: str, tensor: Tensor) -> tuple[int, int]:
    """Lowest and highest value of a tensor's type, INT8 or int16, that a fused activation leaves in it.

    Parameters
    ----------
    activation
        "NONE", "RELU", "RELU6", "RELU_0_TO_1" or "RELU_N1_TO_1".
    tensor
        The operator's output; its scale and zero point place the real bounds.

    Returns
    -------
    tuple of int
        Both of the tensor's type, low <= high.
    """

    def quantized(real: float) -> int:
        ratio = float(np.float32(real) / scale_of(tensor))
        rounded = math.floor(abs(ratio) + 0.5)
        return zero_point_of(tensor) + (rounded if ratio >= 0 else -rounded)

    real_low, real_high = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_0_TO_1": (0.0, 1.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }[activation]
    least, most = (INT16_MIN, INT16_MAX) if tensor.dtype == "int16" else (INT8_MIN, INT8_MAX)
    low = least if real_low is None else max(least, quantized(real_low))
    high = most if real_high is None else min(most, quantized(real_high))
    return low, high


def channel_factors(source: Tensor, weights: Tensor, target: Tensor) -> NDArray[np.float64]:
    """Compute input scale * weight scale / output scale of every output channel, in float64 like the interpreter."""
    product = np.float64(scale_of(source)) * _quantization(weights).scale.astype(np.float64)
    return np.asarray(product / np.float64(scale_of(target)))


def add_factors(one: Tensor, other: Tensor, target: Tensor) -> tuple[float, float, float]:
    """Compute ADD's factors: each input to twice the larger scale, and the widened sum to the output."""
    # float32 for the maximum, float64 from there, like the interpreter.
    twice = np.float64(2 * max(scale_of(one), scale_of(other)))
    widened = WIDE_ADD_LEFT_SHIFT if target.dtype == "int16" else ADD_LEFT_SHIFT
    output = twice / (np.float64(1 << widened) * np.float64(scale_of(target)))
    return float(np.float64(scale_of(one)) / twice), float(np.float64(scale_of(other)) / twice), float(output)


def squared_factors(one: Tensor, other: Tensor, target: Tensor) -> tuple[float, float, float]:
    """Compute SQUARED_DIFFERENCE's factors: each input to twice the larger scale, the widened square to the output."""
    twice = np.float64(2 * max(scale_of(one), scale_of(other)))
    output = twice * twice / (np.float64(1 << 2 * SQUARE_LEFT_SHIFT) * np.float64(scale_of(target)))
    return float(np.float64(scale_of(one)) / twice), float(np.float64(scale_of(other)) / twice), float(output)


def divide_factor(one: Tensor, other: Tensor, target: Tensor) -> float:
    """Compute DIV's factor, in float32 like the interpreter; infinite where that overflows."""
    with np.errstate(over="ignore", divide="ignore"):
        return float(scale_of(one) / (scale_of(other) * scale_of(target)))


def multiply_factor(one: Tensor, other: Tensor, target: Tensor) -> float:
    """Compute MUL's factor, in float32 like the interpreter; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return float(scale_of(one) * scale_of(other) / scale_of(target))


def matmul_factor(one: Tensor, other: Tensor, target: Tensor) -> float:
    """Compute BATCH_MATMUL's factor: the product in float32, the quotient in float64, like the interpreter."""
    with np.errstate(over="ignore"):
        product = scale_of(one) * scale_of(other)
    return float(np.float64(product) / np.float64(scale_of(target)))


def rescale_factor(source: Tensor, target: Tensor) -> float:
    """Compute input scale / output scale, in float64."""
    return float(np.float64(scale_of(source)) / np.float64(scale_of(target)))


def single_factor(source: Tensor, target: Tensor, slope: float = 1.0) -> float:
    """Compute input scale * slope / output scale in float32, for the activations; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return float(scale_of(source) * np.float32(slope) / scale_of(target))


def softmax_factor(beta: float, source: Tensor) -> float:
    """Compute beta * input scale in units of 2^-26, limited to int32."""
    return min(beta * float(scale_of(source)) * 2.0 ** (31 - SOFTMAX_INTEGER_BITS), 2.0**31 - 1)
