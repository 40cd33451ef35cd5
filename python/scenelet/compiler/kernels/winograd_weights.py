"""Weights of Winograd's F(4, 3) and F(2, 3) in the order in which the engine reads them: see scn_winograd_conv2d.h.

The transform is Lavin and Gray's (2015, "Fast Algorithms for Convolutional Neural Networks", section 4.1), each row
multiplied by the factor that makes it integer; the kernel divides by these factors after the sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST_TAPS = {4: 8192, 2: 32_768}
"""By the outputs of a tile: kernel height * kernel width * input channels up to which any sum without bias is under
2^28, or 2^30: eight times it, or twice, fit int32."""

_TRANSFORM = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 1]])
_ROWS = {4: [0, 1, 2, 3, 4, 5], 2: [0, 1, 2, 5]}


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
        (output channel pairs, input channel pairs, slide taps, 3, 2, 2): tap along the axis, input channel of the pair
        (see :func:`channel_pairs`), output channel of the pair. Absent channels are 0.

    Raises
    ------
    ValueError
        The axis does not have three taps.
    """
    return np.ascontiguousarray(_parts(weights, across=across).transpose(0, 4, 2, 3, 5, 1))


def expand_winograd(weights: NDArray[np.int8], *, across: bool, outputs: int = 4) -> NDArray[np.int16]:
    """Transform a convolution's weights; errors like :func:`pack_winograd`.

    Parameters
    ----------
    weights, across
        Like those of :func:`pack_winograd`.
    outputs
        Of a tile: 4, or 2.

    Returns
    -------
    NDArray[np.int16]
        (output channel pairs, input channel pairs, slide taps, outputs + 2, 2, 2): transformed value, output channel of
        the pair, input channel of the pair. Magnitudes are at most 7 * 128, or 3 * 128.
    """
    parts = np.moveaxis(_parts(weights, across=across).astype(np.int16), 3, -1)
    # Now (output pair, output channel, slide, input pair, input channel, transformed).
    made = parts @ _TRANSFORM[_ROWS[outputs]].T.astype(np.int16)
    return np.ascontiguousarray(made.transpose(0, 3, 2, 5, 1, 4))


def channel_pairs(depth: int) -> list[int]:
    """Input channels in the order in which the kernel widens them, two per step; -1 for an absent one.

    Of four channels in a word, SXTB16 takes the first and third, then the second and fourth; of a rest of one or two
    the kernel makes one pair.
    """
    order = [four + n for four in range(0, depth - 2, 4) for n in (0, 2, 1, 3)]
    if depth % 4 in (1, 2):
        order += [depth // 4 * 4, depth // 4 * 4 + 1]
    return [channel if channel < depth else -1 for channel in order]


def _parts(weights: NDArray[np.int8], *, across: bool) -> NDArray[np.int8]:
    """(output pair, output channel, slide, tap, input pair, input channel)."""
    taps = weights if across else weights.transpose(0, 2, 1, 3)
    channels, slide, along, depth = taps.shape
    if along != 3:
        raise ValueError(f"{along} taps along the axis, F(4, 3) needs 3")
    padded = np.zeros((-(-channels // 2) * 2, slide, 3, depth + 1), np.int8)
    padded[:channels, ..., :depth] = taps
    # The channel after the last one is all 0, and so is number -1.
    return padded[..., channel_pairs(depth)].reshape(-1, 2, slide, 3, -(-depth // 2), 2)
