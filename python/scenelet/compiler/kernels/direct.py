"""Weights in the order in which the engine's kernels read them.

The formats are stated in firmware/lib/engine/scn_engine.h; this is the one place that makes them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pack_conv2d(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Interleave a convolution's output channels in pairs.

    Parameters
    ----------
    weights
        As in the .tflite: (output channels, kernel height, kernel width, input channels).

    Returns
    -------
    NDArray[np.int8]
        (ceil(output channels / 2), kernel height, row, 2): the last axis is the two channels of a pair, ``row`` is
        kernel width * input channels, plus a zero where that is odd. An odd last channel is paired with zeros.
    """
    channels, height, width, depth = weights.shape
    row = width * depth
    padded = np.zeros((-(-channels // 2) * 2, height, -(-row // 2) * 2), np.int8)
    padded[:channels, :, :row] = weights.reshape(channels, height, row)
    pairs = padded.reshape(-1, 2, height, padded.shape[2])
    return np.ascontiguousarray(pairs.transpose(0, 2, 3, 1))
