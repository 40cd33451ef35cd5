"""CONV_2D without transforms (scn_conv2d_rows): four positions at a time, two output channels each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..program import Records
from . import cost_model
from .variant import POSITIONS, Layer, Parameters, Variant, Work

_MOST_ROWS_DOWN = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Direct(Variant):
    """Positions below one another where a stripe has as many rows as the map has columns, else side by side."""

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "direct"

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        return fused_parameters(layer, "scn_conv2d_rows")


def fused_parameters(layer: Layer, run: str) -> Parameters:
    """scn_fused_conv2d_t, whose tables are those of the step."""
    members = {"conv": layer.fields, "post": layer.post or {"table": None, "affine": None}}
    return Parameters(run, Records(layer.name, "scn_fused_conv2d_t", (members,)), tuple(layer.tables.values()))


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a CONV_2D: stripes that fill blocks of four positions; none with a pool."""
    if work.pool:
        return
    fields = work.step.fields
    width, height = int(fields["output"]["width"]), int(fields["output"]["height"])
    down = -(-max(width, 1) // POSITIONS) * POSITIONS
    stripes = sorted({stripe for stripe in (down, 4, 2, 1) if stripe <= max(down, 4)}, reverse=True)
    for stripe in stripes if down <= _MOST_ROWS_DOWN else (1,):
        below = "below one another: taps beside the map are skipped"
        where = below if stripe >= width else "side by side: fewer rows kept"
        why = f"no transform; four positions {where}"
        terms = cost_model.convolution(work.step, min(stripe, height))
        yield Direct(step=work.step, stripe=stripe, terms=terms, why=why)


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
