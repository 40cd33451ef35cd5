"""Planar DEPTHWISE_CONV_2D (scn_depthwise_planar_rows): when it applies, its constants, memory and cost.

Four channels at a time are widened into planes in which a word holds two neighbours, so that one multiplication takes
two taps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..program import Step, Struct, Table
from .gemm import stripes_up_to
from .requantize import channel_constants

_CHANNELS = 4
_MOST_WORDS = 32
# Instructions: 3x3 with stride 1: four outputs, two, a column of pairs; other windows: a product of a word, an output
# pair, a channel; for all, widening a word of a plane.
_FOUR, _TWO, _COLUMN, _PRODUCT, _PAIR, _CHANNEL, _WORD = 59, 36, 20, 5.5, 42, 110, 6.5


@dataclass(frozen=True)
class Planes:
    """One way to run a layer: output rows at a time, and along which axis a word holds neighbours."""

    stripe: int
    down: bool
    pairs: int
    rows: int
    instructions: int

    @property
    def scratch_bytes(self) -> int:
        """SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES."""
        return 16 * self.pairs * self.rows


def ways(step: Step) -> tuple[Planes, ...]:
    """List the ways to run a DEPTHWISE_CONV_2D by planes, thetter axis for each number of rows; none where it cannot.

    Parameters
    ----------
    step
        As lowered for scn_depthwise_conv2d_s8.
    """
    fields = _fields(step)
    window, target = fields["window"], fields["output"]
    if fields["depth_multiplier"] != 1 or target["channels"] % _CHANNELS or target["batches"] != 1:
        return ()
    if window["dilation_h"] * window["dilation_w"] != 1:
        return ()
    if channel_constants(step, window["height"] * window["width"]) is None:
        return ()
    found = []
    for stripe in stripes_up_to(target["height"]):
        axes = [way for down in (False, True) if (way := _way(fields, stripe, down))]
        if axes:
            found.append(min(axes, key=lambda way: way.instructions))
    return tuple(found)


def _way(fields: Mapping[str, Any], stripe: int, down: bool) -> Planes | None:
    window, target = fields["window"], fields["output"]
    y = stripe, window["height"], window["stride_h"]
    x = target["width"], window["width"], window["stride_w"]
    (outputs, taps, stride), (other_outputs, other_taps, other_stride) = (y, x) if down else (x, y)
    if stride not in (1, 2) or tap_words(taps, stride) * other_taps > _MOST_WORDS:
        return None
    pairs = -(-outputs // (2 if stride == 1 else 1)) - 1 + tap_words(taps, stride)
    rows = (other_outputs - 1) * other_stride + other_taps
    columns = -(-outputs // (2 if stride == 1 else 1))
    if (taps, other_taps, stride, other_stride) == (3, 3, 1, 1):
        channel = columns * (_COLUMN + other_outputs // 2 * _FOUR + other_outputs % 2 * _TWO)
    else:
        channel = columns * other_outputs * (_PAIR + tap_words(taps, stride) * other_taps * _PRODUCT)
    stripes = -(-target["height"] // stripe)
    return Planes(
        stripe, down, pairs, rows, int(stripes * target["channels"] * (channel + _CHANNEL + pairs * rows * _WORD))
    )


def tap_words(taps: int, stride: int) -> int:
    """SCN_DEPTHWISE_PLANAR_TAP_WORDS."""
    return taps // 2 + 1 if stride == 1 else (taps + 1) // 2


def claims(step: Step, way: Planes) -> tuple[str, ...]:
    """What the engine's macros must say of a way's sizes."""
    fields = _fields(step)
    window = fields["window"]
    outputs = way.stripe if way.down else fields["output"]["width"]
    taps, stride = (window["height"], window["stride_h"]) if way.down else (window["width"], window["stride_w"])
    pairs = f"SCN_DEPTHWISE_PLANAR_PAIRS({outputs}, {taps}, {stride})"
    return (f"SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES({pairs}, {way.rows}) == {way.scratch_bytes}",)


def constants(step: Step, kind: str) -> Table:
    """Make the constants of every channel; their name starts with ``kind``."""
    window = _fields(step)["window"]
    requantize = channel_constants(step, window["height"] * window["width"])
    assert requantize is not None, "ways() lists none then"
    return Table(f"{kind}_requantize", "scn_requantize_channel_t", requantize)


def _fields(step: Step) -> Mapping[str, Any]:
    assert isinstance(step.params, Struct)
    return step.params.fields
