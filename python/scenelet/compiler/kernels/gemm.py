"""CONV_2D as im2col and GEMM (scn_conv2d_gemm_rows): when it applies, its constants, memory and cost.

Windows are widened once for all output channels, strides cost nothing extra, and sums are rescaled where they are made.
That is the kernel for pointwise and strided layers, and for first layers with few input channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import Step, Struct, Table
from .requantize import channel_constants, paired

_POSITIONS = 4
_COLUMN_BYTES = 4096
"""Scratch that the gathered columns may take; one block of positions may take more."""

_MOST_GROUP = 8
# Instructions: a step of two taps of two channels at four positions, what surrounds the steps of a block, a call for a
# pair of channels, and gathering four bytes of four windows.
_STEP, _BLOCK, _CALL, _GATHER, _ROW = 11.4, 74, 50, 24, 30
_WIDEN = 7.0
_PAD = 1.5


@dataclass(frozen=True)
class Columns:
    """One way to run a layer: output rows at a time, blocks gathered at a time, and whether weights lie widened."""

    stripe: int
    group: int
    expanded: bool
    words: int
    channels: int
    padded_bytes: int
    instructions: int

    @property
    def weight_bytes(self) -> int:
        """Flash of the weights."""
        return self.channels * self.words * (4 if self.expanded else 2)

    @property
    def scratch_bytes(self) -> int:
        """SCN_CONV2D_GEMM_SCRATCH_BYTES."""
        return self.words * (self.group * 16 + (0 if self.expanded else 8)) + self.padded_bytes


def ways(step: Step, *, expanded: bool) -> tuple[Columns, ...]:
    """List the ways to run a CONV_2D by columns; none where it cannot be.

    Parameters
    ----------
    step
        As lowered for scn_conv2d_s8.
    expanded
        Whether weights lie widened in flash.
    """
    fields = _fields(step)
    window, target = fields["window"], fields["output"]
    if target["channels"] % 2 or window["dilation_h"] * window["dilation_w"] != 1:
        return ()
    if channel_constants(step, window["height"] * window["width"] * fields["input"]["channels"]) is None:
        return ()
    return tuple(_way(fields, stripe, expanded) for stripe in stripes_up_to(target["height"]))


def stripes_up_to(height: int) -> tuple[int, ...]:
    """Rows at a time to consider: few for line buffers, and the whole map."""
    return (*(stripe for stripe in (1, 2, 4, 8, 16) if stripe < height), height)


def _way(fields: Mapping[str, Any], stripe: int, expanded: bool) -> Columns:
    window, target = fields["window"], fields["output"]
    run = window["width"] * fields["input"]["channels"]
    words = words_of(window["height"], run)
    blocks = -(-stripe * target["width"] // _POSITIONS)
    group = max(1, min(_MOST_GROUP, blocks, _COLUMN_BYTES // (words * 16)))
    # Groups of one size: a last one that is nearly empty would pay for a whole call.
    group = -(-blocks // -(-blocks // group))
    padded = _padded(fields, stripe)
    pairs = target["channels"] // 2
    groups = -(-blocks // group)
    multiply = blocks * pairs * (words * _STEP + _BLOCK) + groups * pairs * _CALL
    weights = 0 if expanded else groups * pairs * words * _WIDEN
    gather = blocks * window["height"] * (-(-run // 4) * _GATHER + _ROW) + padded * _PAD
    stripes = -(-target["height"] // stripe)
    return Columns(
        stripe, group, expanded, words, target["channels"], padded, int(stripes * (multiply + weights + gather))
    )


def words_of(kernel_height: int, run: int) -> int:
    """SCN_CONV2D_GEMM_WORDS: pairs of taps of a window with rows of ``run`` bytes."""
    return kernel_height * (run // 4 * 2 + min(run % 4, 2))


def _padded(fields: Mapping[str, Any], stripe: int) -> int:
    window, source, target = fields["window"], fields["input"], fields["output"]
    if window["height"] * window["width"] == 1 and source["channels"] % 4 == 0:
        return 0
    rows, columns = padded_size(window, target["width"], stripe)
    return (rows * columns * int(source["channels"]) + 7) // 4 * 4


def padded_size(window: Mapping[str, int], width: int, stripe: int) -> tuple[int, int]:
    """Rows and columns of input, padding included, that a stripe sees."""
    rows = (stripe - 1) * window["stride_h"] + window["height"]
    return rows, (width - 1) * window["stride_w"] + window["width"]


def claims(step: Step, way: Columns) -> tuple[str, ...]:
    """What the engine's macros must say of a way's sizes."""
    fields = _fields(step)
    window, depth = fields["window"], fields["input"]["channels"]
    words = f"SCN_CONV2D_GEMM_WORDS({window['height']}, {window['width'] * depth})"
    padded = "0"
    if way.padded_bytes:
        rows, columns = padded_size(window, fields["output"]["width"], way.stripe)
        padded = f"SCN_CONV2D_GEMM_PADDED_BYTES({rows}, {columns}, {depth})"
    sizes = f"{words}, {way.group}, {int(not way.expanded)}, {padded}"
    return (f"SCN_CONV2D_GEMM_SCRATCH_BYTES({sizes}) == {way.scratch_bytes}",)


def constants(
    step: Step, way: Columns, kind: str, weights: NDArray[np.int8]
) -> tuple[dict[str, Table], dict[str, object]]:
    """Make a layer's tables, whose names start with ``kind``, and the members of scn_conv2d_gemm_t that name them."""
    requantize = channel_constants(step, int(weights[0].size))
    assert requantize is not None, "ways() lists none then"
    form, dtype = ("expanded", "int16_t") if way.expanded else ("packed", "int8_t")
    made = (expand_columns if way.expanded else pack_columns)(weights)
    tables = {
        "weights": Table(f"{kind}_{form}", dtype, made.ravel()),
        "requantize": Table(f"{kind}_requantize", "scn_requantize_pair_t", paired(requantize)),
    }
    members: dict[str, object] = {"group": way.group, "packed": None, "expanded": None}
    return tables, members | {form: f"{kind}_{form}", "requantize": f"{kind}_requantize"}


def pack_columns(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Order weights for widening on the device.

    Parameters
    ----------
    weights
        As in the .tflite: (output channels, kernel height, kernel width, input channels); output channels are even.

    Returns
    -------
    NDArray[np.int8]
        (output channels / 2, pairs of taps, 2 taps, 2 channels).
    """
    return np.ascontiguousarray(_pairs(weights).transpose(0, 2, 3, 1))


def expand_columns(weights: NDArray[np.int8]) -> NDArray[np.int16]:
    """Widen and double weights; parameters like :func:`pack_columns`.

    Returns
    -------
    NDArray[np.int16]
        (output channels / 2, pairs of taps, 2 channels, 2 taps).
    """
    return np.ascontiguousarray(_pairs(weights).transpose(0, 2, 1, 3).astype(np.int16) * 2)


def _pairs(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """(output channels / 2, 2 channels, pairs of taps, 2 taps)."""
    channels, height, width, depth = weights.shape
    run = width * depth
    quads = np.zeros((channels, height, -(-run // 4) * 4), np.int8)
    quads[..., :run] = weights.reshape(channels, height, run)
    # Of each four: (first, third), then (second, fourth).
    rows = quads.reshape(channels, height, -1, 2, 2).swapaxes(-1, -2).reshape(channels, height, -1, 2)
    return rows[:, :, : words_of(1, run)].reshape(channels // 2, 2, -1, 2)


def _fields(step: Step) -> Mapping[str, Any]:
    assert isinstance(step.params, Struct)
    return step.params.fields
