"""Constants with which kernels rescale doubled sums in four instructions: see scn_conv2d_gemm.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numerics.fixed_point import INT8_MAX, INT8_MIN
from ..program import Step

MOST_SHIFT = 20
"""Right shift up to which nothing overflows."""
_LIMIT = 1 << 30
"""Sums stay under this, so that they can be doubled."""


def channel_constants(step: Step, taps: int) -> NDArray[np.int32] | None:
    """Make the constants of every output channel.

    Parameters
    ----------
    step
        CONV_2D or DEPTHWISE_CONV_2D as lowered.
    taps
        Products of an output.

    Returns
    -------
    NDArray[np.int32] or None
        (output channels, 4): doubled bias, multiplier, added, right. None where a channel's sums or factor, or the
        activation, are such that the four instructions do not give TFLite's bits.
    """
    fields = step.fields
    tables = {table.kind: table.values for table in step.tables}
    multipliers, shifts = tables["scale"].astype(np.int64).T
    bias = np.broadcast_to(tables.get("bias", np.zeros(1)), multipliers.shape).astype(np.int64)
    whole = fields["activation_min"] == INT8_MIN and fields["activation_max"] == INT8_MAX
    small = bool((np.abs(bias) < _LIMIT - taps * 255 * 128).all())
    if not whole or not small or (shifts >= 0).any() or (shifts < -MOST_SHIFT).any():
        return None
    right = -shifts
    added = (1 << (right - 1)) + fields["output_zero_point"] * (1 << right)
    return np.stack([2 * bias, multipliers, added, right], axis=1).astype(np.int32)


def paired(requantize: NDArray[np.int32]) -> NDArray[np.int32]:
    """scn_requantize_pair_t of every two channels: biases first, then multiplier, added, right of either."""
    pairs = requantize.reshape(-1, 2, 4)
    return np.concatenate([pairs[:, :, 0], pairs[:, :, 1:].reshape(-1, 6)], axis=1)
