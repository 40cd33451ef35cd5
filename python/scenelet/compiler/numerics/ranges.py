"""What shapes and sums an operator can reach: arithmetic that checks and lowering share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...graph import Tensor
from .fixed_point import INT8_MAX, INT8_MIN, INT16_MAX, INT16_MIN, zero_point_of


def output_extent(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Positions of a sliding window along one axis.

    Parameters
    ----------
    size
        Input positions.
    kernel, stride, dilation
        Taps, step and distance between taps, each at least 1.
    padding
        "SAME" or "VALID".
    """
    if padding == "SAME":
        return -(-size // stride)
    return (size - reach(kernel, dilation)) // stride + 1


def reach(kernel: int, dilation: int) -> int:
    """Input positions that a dilated kernel spans."""
    return (kernel - 1) * dilation + 1


def padding_before(size: int, kernel: int, stride: int, dilation: int, output: int) -> int:
    """Positions of padding before the first input; the odd one of "SAME" goes after the last."""
    return max(0, (output - 1) * stride + reach(kernel, dilation) - size) // 2


def accumulator_bound(source: Tensor, weights: Tensor, bias: Tensor | None, axis: int) -> int:
    """Largest magnitude of any partial sum of an output, over all inputs.

    Parameters
    ----------
    source
        Input; its zero point says how far from zero a value can be.
    weights
        INT8 with values; ``axis`` counts the outputs.
    bias
        int32 with values, one an output, or None.

    Returns
    -------
    int
        In units of input scale times weight scale. Any order of summation stays within it.
    """
    if weights.data is None:
        raise ValueError(f"tensor {weights.index} has no values")
    zero_point = zero_point_of(source)
    least, most = (INT16_MIN, INT16_MAX) if source.dtype == "int16" else (INT8_MIN, INT8_MAX)
    farthest = max(most - zero_point, zero_point - least)
    rows = np.abs(np.moveaxis(weights.data.astype(np.int64), axis, 0).reshape(weights.shape[axis], -1))
    sums = rows.sum(axis=1) * farthest
    if bias is not None and bias.data is not None:
        sums = sums + np.abs(bias.data.astype(np.int64).ravel())
    return int(sums.max())


def sum_range(weights: NDArray[np.integer], bias: NDArray[np.int64], zero_point: int) -> NDArray[np.int64]:
    """Least and largest sum of every output, (2, outputs).

    Parameters
    ----------
    weights
        (outputs, inputs).
    bias
        (outputs,).
    zero_point
        Of the input; padding counts as such.
    """
    wide = weights.astype(np.int64)
    ends = np.stack([wide * (INT8_MIN - zero_point), wide * (INT8_MAX - zero_point)])
    return np.stack([ends.min(axis=0).sum(axis=1) + bias, ends.max(axis=0).sum(axis=1) + bias])
