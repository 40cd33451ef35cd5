"""Weights of Winograd's algorithms along both axes in the order in which the engine reads them: scn_winograd_2d.h.

An axis of three taps is one part. One of five to seven is two: the first three taps, and the others as four. The
transforms are those of :mod:`scenelet.compiler.kernels.winograd_weights`; four taps have the same points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..winograd_weights import channel_pairs

PLANES = 36
MOST_TAPS = 7

_THREE = np.array([[3, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 3]])
_FOUR = np.array([[3, 0, 0, 0], [1, 1, 1, 1], [1, -1, 1, -1], [1, 2, 4, 8], [1, -2, 4, -8], [0, 0, 0, 3]])


def parts_of(taps: int) -> int:
    """Parts of an axis."""
    return 1 if taps == len(_THREE[0]) else 2


def padded_taps(taps: int) -> int:
    """Taps of an axis as they are packed: absent ones of the second part are zeros."""
    return taps if parts_of(taps) == 1 else MOST_TAPS


def pack(weights: NDArray[np.int8], *, turned: bool) -> NDArray[np.int8]:
    """Order a convolution's weights for transformation on the device.

    Parameters
    ----------
    weights
        As in the .tflite: (output channels, kernel height, kernel width, input channels).
    turned
        Whether the first axis is the width, else the height.

    Returns
    -------
    NDArray[np.int8]
        (output channel pairs, input channel pairs, taps of both axes, 2, 2): input channel of the pair, output channel
        of the pair. Of axes in parts, those of the first part come before the others.
    """
    made = _ordered(weights, turned=turned)
    first, second = (_slices(size) for size in made.shape[1:3])
    flat = [made[:, y, x].reshape(len(made), -1, *made.shape[3:]) for y in first for x in second]
    taps = np.concatenate(flat, axis=1)
    pairs = taps.reshape(-1, 2, *taps.shape[1:])
    return np.ascontiguousarray(pairs.transpose(0, 3, 2, 4, 1))


def expand(weights: NDArray[np.int8], *, turned: bool, group: int) -> NDArray[np.int16]:
    """Transform a convolution's weights.

    Parameters
    ----------
    weights, turned
        Like those of :func:`pack`.
    group
        Output channels that are multiplied together: 2, or 4.

    Returns
    -------
    NDArray[np.int16]
        (channel groups, 36 planes, input channel pairs, parts of the second axis, parts of the first, group, 2). The
        last axis is the input channel of a pair. Magnitudes are at most 15 * 15 * 128.
    """
    made = _ordered(weights, turned=turned).astype(np.int32)
    absent = -len(made) % group
    made = np.concatenate([made, np.zeros((absent, *made.shape[1:]), np.int32)])
    first, second = (_transforms(size) for size in made.shape[1:3])
    planes = np.einsum("pia,qkb,oabsc->oikqpsc", first, second, made)
    count, _, _, right, down, steps, two = planes.shape
    groups = planes.reshape(count // group, group, PLANES, right, down, steps, two)
    return np.ascontiguousarray(groups.transpose(0, 2, 5, 3, 4, 1, 6).astype(np.int16))


def _slices(taps: int) -> list[slice]:
    return [slice(0, 3)] if parts_of(taps) == 1 else [slice(0, 3), slice(3, taps)]


def _transforms(taps: int) -> NDArray[np.int32]:
    """(parts, 6 planes, taps)."""
    if parts_of(taps) == 1:
        return _THREE[np.newaxis].astype(np.int32)
    made = np.zeros((2, len(_FOUR), taps), np.int32)
    made[0, :, :3] = _FOUR[:, :3]
    made[1, :, 3:] = _FOUR
    return made


def _ordered(weights: NDArray[np.int8], *, turned: bool) -> NDArray[np.int8]:
    """(output channels, first axis, second axis, input channel pairs, 2); output channels even, taps padded."""
    taps = weights.transpose(0, 2, 1, 3) if turned else weights
    channels, height, width, depth = taps.shape
    padded = np.zeros((-(-channels // 2) * 2, padded_taps(height), padded_taps(width), depth + 1), np.int8)
    padded[:channels, :height, :width, :depth] = taps
    # The channel after the last one is all 0, and so is number -1.
    return padded[..., channel_pairs(depth)].reshape(*padded.shape[:3], -1, 2)
