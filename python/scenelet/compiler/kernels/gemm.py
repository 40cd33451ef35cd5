"""CONV_2D as im2col and GEMM (scn_conv2d_gemm_rows): when it applies, its constants, memory and cost.

Windows are gathered and widened once for all output channels, strides cost nothing extra, and sums are rescaled where
they are made. That is the kernel for pointwise and strided layers, and for first layers with few input channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import Records, Step, Table
from .cost import lines, terms
from .requantize import SUM_SHIFT, Requantize, channel_constants, paired, pairs
from .variant import POSITIONS, Layer, Parameters, Rows, Striped, Variant, Work, stripes_up_to

_COLUMN_BYTES = (512, 1024, 1536, 2560, 4096, 6144, 12288)
"""Scratch that the gathered columns may take; one block of positions may take more."""

_MOST_GROUP = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Gemm(Striped):
    """Windows as columns of a matrix, a group of blocks of four at a time.

    Attributes
    ----------
    group
        Blocks of four positions gathered at a time.
    words
        Pairs of taps of a window.
    channels
        Output channels.
    padded_bytes
        Padded input that one call sees; 0 for pointwise layers.
    """

    group: int
    words: int
    channels: int
    padded_bytes: int

    needs_table = True

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "gemm"

    @property
    def weight_bytes(self) -> int:
        """See :class:`Variant`."""
        return self.channels * self.words * (4 if self.expanded else 2)

    @property
    def scratch_bytes(self) -> int:
        """SCN_CONV2D_GEMM_SCRATCH_BYTES."""
        return self.words * (self.group * 16 + (0 if self.expanded else 8)) + self.padded_bytes

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        fields = self.step.fields
        window, depth = fields["window"], fields["input"]["channels"]
        words = f"SCN_CONV2D_GEMM_WORDS({window['height']}, {window['width'] * depth})"
        padded = "0"
        if self.padded_bytes:
            rows, columns = padded_size(window, fields["output"]["width"], self.stripe)
            padded = f"SCN_CONV2D_GEMM_PADDED_BYTES({rows}, {columns}, {depth})"
        sizes = f"{words}, {self.group}, {int(not self.expanded)}, {padded}"
        return (f"SCN_CONV2D_GEMM_SCRATCH_BYTES({sizes}) == {self.scratch_bytes}",)

    def leads(self, rows: Rows, first: Callable[[int], int], height: int) -> Iterator[int]:
        """See :class:`Variant`."""
        if self.padded_bytes:
            # All input of a call is copied before the first output is written.
            if rows.end < height:
                yield rows.end * rows.target_bytes - first(rows.end) * rows.source_bytes
            return
        # A group's positions are read before its outputs are written. A last block goes back to positions before it.
        width, most = self.step.fields["output"]["width"], self.group * POSITIONS
        source, target = rows.source_bytes // width, rows.target_bytes // width
        for end in range(rows.start * width + most, rows.end * width, most):
            yield end * target - (end - POSITIONS + 1) * source
        if rows.end < height:
            yield rows.end * rows.target_bytes - rows.end * rows.source_bytes

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        constants = channel_constants(self.step, pairs(self.step))
        assert constants is not None, "ways() lists none then"
        form, dtype = ("expanded", "int16_t") if self.expanded else ("packed", "int8_t")
        made = expand_columns(layer.weights, constants.in_two[::2]) if self.expanded else pack_columns(layer.weights)
        weights = Table(f"{layer.name}_{form}", dtype, made.ravel())
        requantize = Table(f"{layer.name}_requantize", "scn_requantize_pair_t", self._requantize(constants))
        members = {
            "conv": {**layer.fields, "weights": None, "bias": None, "scale": None},
            "post": layer.post["table"] if layer.post else None,
            "group": self.group,
            "packed": None,
            "doubled": not constants.large,
            "expanded": None,
            form: weights.kind,
            "requantize": requantize.kind,
        }
        record = Records(layer.name, "scn_conv2d_gemm_t", (members,))
        return Parameters("scn_conv2d_gemm_rows", record, (weights, requantize))

    def _requantize(self, constants: Requantize) -> NDArray[np.int32]:
        """Constants of all pairs; biases as large as the sums."""
        rows = constants.rows
        if constants.large and not self.expanded:
            rows = np.where(constants.in_two[:, np.newaxis], rows, rows * [1 << SUM_SHIFT - 1, 1, 1, 1])
        return paired(rows)


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a CONV_2D; none with a pool, an odd number of output channels, or a dilation."""
    fields = work.step.fields
    window, target = fields["window"], fields["output"]
    if work.pool or target["channels"] % 2 or window["dilation_h"] * window["dilation_w"] != 1:
        return
    if channel_constants(work.step, pairs(work.step)) is None:
        return
    for expanded in work.weight_forms:
        for column_bytes in _COLUMN_BYTES:
            listed = [_way(work.step, stripe, expanded, column_bytes) for stripe in stripes_up_to(target["height"])]
            yield from Gemm.with_alone(tuple(listed), work.wait_states)


def _way(step: Step, stripe: int, expanded: bool, column_bytes: int) -> Gemm:
    fields = step.fields
    window, target = fields["window"], fields["output"]
    run = window["width"] * fields["input"]["channels"]
    words = words_of(window["height"], run)
    blocks = -(-stripe * target["width"] // POSITIONS)
    group = max(1, min(_MOST_GROUP, blocks, column_bytes // (words * 16)))
    # Groups of one size: a last one that is nearly empty would pay for a whole call.
    group = -(-blocks // -(-blocks // group))
    padded = _padded(fields, stripe)
    pairs = target["channels"] // 2
    groups = -(-blocks // group)
    stripes = -(-target["height"] // stripe)
    # A step is two taps of two channels at four positions.
    counted = terms(
        "gemm",
        step=stripes * blocks * pairs * words,
        block=stripes * blocks * pairs,
        call=stripes * groups * pairs,
        gathered=stripes * blocks * window["height"] * -(-run // 4),
        row=stripes * blocks * window["height"],
        padded=stripes * padded,
        padded_row=(stripes * padded_size(window, target["width"], stripe)[0] * bool(padded), 70.0),
        widened=0 if expanded else stripes * groups * pairs * words,
    )
    read = blocks * words * 8 if expanded else groups * words * 4
    form = "widened in flash" if expanded else "widened for each group of windows"
    return Gemm(
        step=step,
        stripe=stripe,
        terms=(*counted, lines(stripes * pairs * read)),
        why=f"{4 * group} windows gathered for all channels; weights {form}",
        group=group,
        expanded=expanded,
        words=words,
        channels=target["channels"],
        padded_bytes=padded,
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


def expand_columns(weights: NDArray[np.int8], in_two: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Widen weights and make them larger.

    Parameters
    ----------
    weights
        Like :func:`pack_columns`.
    in_two
        (output channels / 2,): pairs whose weights are shifted by :data:`SUM_SHIFT`. Others are doubled.

    Returns
    -------
    NDArray[np.int16]
        (output channels / 2, pairs of taps, 2 channels, 2 taps).
    """
    larger = np.where(in_two, 1 << SUM_SHIFT, 2)[:, np.newaxis, np.newaxis, np.newaxis]
    return np.ascontiguousarray((_pairs(weights).transpose(0, 2, 1, 3) * larger).astype(np.int16))


def _pairs(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """(output channels / 2, 2 channels, pairs of taps, 2 taps)."""
    channels, height, width, depth = weights.shape
    run = width * depth
    quads = np.zeros((channels, height, -(-run // 4) * 4), np.int8)
    quads[..., :run] = weights.reshape(channels, height, run)
    # Of each four: (first, third), then (second, fourth).
    rows = quads.reshape(channels, height, -1, 2, 2).swapaxes(-1, -2).reshape(channels, height, -1, 2)
    return rows[:, :, : words_of(1, run)].reshape(channels // 2, 2, -1, 2)
