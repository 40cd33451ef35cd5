"""FULLY_CONNECTED in fours of outputs (scn_dense_s8): when it is exact, and its constants; see scn_fully_connected.h.

TFLite's reference multiplies a sum with a float64 factor and rounds once, halves away from zero. The kernel multiplies
with 31 bits and rounds down. Both are steps that rise at certain sums; where these are the same for all 256 outputs, so
are the functions, for every sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..numerics.fixed_point import INT8_MAX, INT8_MIN
from ..program import Step, Struct, Table

LANES, STEP = 4, 8
SUM_LIMIT = 2**23 - 1
"""Magnitude that sums and biases stay under, so that 256 times one and another fit int32."""

_HIGH = 32
_MOST_SHIFT = 22
_NEIGHBOURS = (1, 0, 2, -1, 3, -2)
"""Multipliers to try, beside the factor's own bits. One more first: a half then goes away from zero on both sides."""


@dataclass(frozen=True)
class Rescale:
    """One output's constants: floor((floor(sum * multiplier / 2^32) + added) / 2^right)."""

    multiplier: int
    added: int
    right: int


def rescale(factor: float, zero_point: int, low: int, high: int) -> Rescale | None:
    """Find constants that round like the reference.

    Parameters
    ----------
    factor
        Input scale * weight scale / output scale.
    zero_point
        Of the output.
    low, high
        Least and largest sum.

    Returns
    -------
    Rescale or None
        None where no constants of this form give the reference's result for every sum.
    """
    if not 0 < factor < 0.5:
        return None
    _, exponent = math.frexp(factor)
    right = -exponent - 1
    if not 1 <= right <= _MOST_SHIFT:
        return None
    half = 1 << (right - 1)
    outputs = range(INT8_MIN - zero_point + 1, INT8_MAX - zero_point + 1)
    above, below = factor.as_integer_ratio()
    # The least sum that gives each output, (output - 1/2) / factor; halves go away from zero.
    ends = [((2 * output - 1) * below, 2 * above) for output in outputs]
    wanted = [-(-end // unit) if end > 0 else end // unit + 1 for end, unit in ends]
    for neighbour in _NEIGHBOURS:
        multiplier = (above << (_HIGH + right)) // below + neighbour
        made = [-(-((output << right) - half << _HIGH) // multiplier) for output in outputs]
        if multiplier < 2**31 and all(
            one == other or not (low < one <= high or low < other <= high)
            for one, other in zip(wanted, made, strict=True)
        ):
            return Rescale(multiplier, half + zero_point * (1 << right), right)
    return None


def pair_weights(weights: NDArray[np.int8]) -> NDArray[np.int16] | None:
    """Put two outputs' weights into one int16, 256 times the first plus the second.

    Parameters
    ----------
    weights
        As in the .tflite: (outputs, inputs).

    Returns
    -------
    NDArray[np.int16] or None
        (fours of outputs, pairs of inputs, pairs of outputs, 2 inputs); None where a value does not fit.
    """
    lanes = in_lanes(weights).astype(np.int32)
    both = 256 * lanes[:, :, 0::2] + lanes[:, :, 1::2]
    if both.min() < -(2**15) or both.max() >= 2**15:
        return None
    return both.astype(np.int16)


def expanded(step: Step) -> Step:
    """Expand a layer to an int16 per weight: twice the flash, less to unpack."""
    assert isinstance(step.params, Struct)
    paired, requantize = step.tables
    both = paired.values.astype(np.int32).reshape(len(requantize.values), -1, LANES // 2, 2)
    second = (both + 128) % 256 - 128
    weights = np.stack([(both - second) // 256, second], axis=3).astype(np.int16)
    rows = requantize.values.copy()
    rows[:, 0:LANES:2] = (rows[:, 0:LANES:2] - rows[:, 1:LANES:2]) // 256
    fields = {**step.params.fields, "paired": None, "expanded": "expanded"}
    tables = (Table("expanded", "int16_t", weights.ravel()), replace(requantize, values=rows))
    return replace(step, params=replace(step.params, fields=fields), tables=tables)


def paired_starts(bias: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the sums of paired weights start: 256 times the first bias of each two plus the second, then the second."""
    starts = bias.copy()
    starts[0::2] = 256 * bias[0::2] + bias[1::2]
    return starts


def in_lanes(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Group weights as scn_dense_t's are.

    Parameters
    ----------
    weights
        As in the .tflite: (outputs, inputs).

    Returns
    -------
    NDArray[np.int8]
        (fours of outputs, pairs of inputs, 4 outputs, 2 inputs), padded with zeros.
    """
    outputs, inputs = weights.shape
    padded = np.zeros((-(-outputs // LANES) * LANES, -(-inputs // STEP) * STEP), np.int8)
    padded[:outputs, :inputs] = weights
    # Of every four inputs: (first, third), then (second, fourth).
    pairs = padded.reshape(-1, LANES, padded.shape[1] // 4, 2, 2).swapaxes(-1, -2)
    return np.ascontiguousarray(pairs.reshape(-1, LANES, padded.shape[1] // 2, 2).swapaxes(1, 2))


def requantize_table(bias: NDArray[np.int64], rescales: Sequence[Rescale]) -> Table:
    """scn_dense_requantize_t of every four outputs with paired weights."""
    count = -(-len(bias) // LANES) * LANES
    starts = np.zeros(count, np.int64)
    starts[: len(bias)] = bias
    starts = paired_starts(starts)
    scales = np.zeros((count, 3), np.int64)
    scales[: len(bias)] = [(one.multiplier, one.added, one.right) for one in rescales]
    rows = np.concatenate([starts.reshape(-1, LANES), scales.reshape(-1, 3 * LANES)], axis=1)
    return Table("requantize", "scn_dense_requantize_t", rows.astype(np.int32))
