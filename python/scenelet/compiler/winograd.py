"""Weights of Winograd's F(4, 3) in the order in which scn_winograd_rows_s8 reads them; scn_engine.h states it.

The transform is Lavin and Gray's (2015, "Fast Algorithms for Convolutional Neural Networks", section 4.1), each row
multiplied by what makes it whole; the kernel makes up for that behind the sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST_TAPS = 8192
"""kernel height * kernel width * input channels up to which any sum without bias is under 2^28."""

_TRANSFORM = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 1]])


def pack_winograd(weights: NDArray[np.int8], *, across: bool) -> NDArray[np.int8]:
    """Order a convolution's weights for transformation on the device.

    Parameters
    ----------
    weights
        As in the .tflite: (output channels, kernel height, kernel width, input channels).
    across
        Whether the axis of three taps is the width, else the height.

    Returns
    -------
    NDArray[np.int8]
        (output channel pairs, slide taps, fours of input channels, 2, 3, 2, 2): even or odd channels of the four, tap
        along the axis, channel of those two, output channel of the pair. Absent channels are 0.

    Raises
    ------
    ValueError
        The axis does not have three taps.
    """
    return np.ascontiguousarray(_parts(weights, across=across).transpose(0, 2, 4, 6, 3, 5, 1))


def expand_winograd(weights: NDArray[np.int8], *, across: bool) -> NDArray[np.int16]:
    """Transform a convolution's weights; parameters and errors like :func:`pack_winograd`.

    Returns
    -------
    NDArray[np.int16]
        (output channel pairs, 6, slide taps, fours of input channels, 2, 2, 2): even or odd channels of the four,
        output channel of the pair, channel of those two. Magnitudes are at most 7 * 128.
    """
    parts = np.moveaxis(_parts(weights, across=across).astype(np.int16), 3, -1)
    # Now (pair, output channel, slide, four, channel, even or odd, transformed).
    made = parts @ _TRANSFORM.T.astype(np.int16)
    return np.ascontiguousarray(made.transpose(0, 6, 2, 3, 5, 1, 4))


def _parts(weights: NDArray[np.int8], *, across: bool) -> NDArray[np.int8]:
    """(pair, output channel, slide, tap, four, channel, even or odd)."""
    taps = weights if across else weights.transpose(0, 2, 1, 3)
    channels, slide, along, depth = taps.shape
    if along != 3:
        raise ValueError(f"{along} taps along the axis, F(4, 3) wants 3")
    fours = -(-depth // 4)
    padded = np.zeros((-(-channels // 2) * 2, slide, 3, fours * 4), np.int8)
    padded[:channels, ..., :depth] = taps
    return padded.reshape(-1, 2, slide, 3, fours, 2, 2)
