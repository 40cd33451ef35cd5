"""DEPTHWISE_CONV_2D by fours of channels (scn_depthwise_quads_rows): when it applies, its constants, memory and cost.

The inputs of four channels are widened with their padding, position by position as they lie. Then a tap of any window
takes two loads and four multiplications, and with stride 1 two outputs share their inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..program import Records, Step, Table
from .cost import terms
from .requantize import channel_constants, quads
from .variant import Layer, Parameters, Striped, Variant, Work, stripes_up_to

_CHANNELS = 4
_THREE = 3
_MOST_PAIRED = 2
"""Stride up to which two outputs are made together."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthwiseQuads(Striped):
    """Four channels at a time.

    Attributes
    ----------
    down
        Whether the inner loop runs over taps below one another, else side by side.
    rows, columns
        Input that a stripe sees, padding included.
    taps
        Of the window.
    """

    down: bool
    rows: int
    columns: int
    taps: int

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "quads"

    @property
    def scratch_bytes(self) -> int:
        """SCN_DEPTHWISE_QUADS_SCRATCH_BYTES."""
        return 8 * self.rows * self.columns + 8 * self.taps + 80

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        window, width = self.step.fields["window"], self.step.fields["output"]["width"]
        rows, columns = (
            f"SCN_DEPTHWISE_QUADS_EXTENT({outputs}, {taps}, {stride}, {dilation})"
            for outputs, taps, stride, dilation in (
                (self.stripe, window["height"], window["stride_h"], window["dilation_h"]),
                (width, window["width"], window["stride_w"], window["dilation_w"]),
            )
        )
        return (f"SCN_DEPTHWISE_QUADS_SCRATCH_BYTES({rows}, {columns}, {self.taps}) == {self.scratch_bytes}",)

    @property
    def in_place(self) -> bool:
        """See :class:`Variant`: all inputs of four channels are widened before their outputs are written."""
        channels = self.step.fields["output"]["channels"]
        return bool(self.step.fields["depth_multiplier"] == 1 and channels % _CHANNELS == 0)

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        constants = channel_constants(self.step, quads(self.step))
        assert constants is not None, "ways() lists none then"
        requantize = Table(f"{layer.name}_requantize", "scn_requantize_channel_t", constants.rows.astype(np.int32))
        members = {
            "conv": {**layer.fields, "bias": None, "scale": None},
            "down": self.down,
            "requantize": requantize.kind,
        }
        record = Records(layer.name, "scn_depthwise_quads_t", (members,))
        return Parameters("scn_depthwise_quads_rows", record, (layer.tables["weights"], requantize))


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a DEPTHWISE_CONV_2D; none with fewer than four channels, or for several images."""
    target = work.step.fields["output"]
    if target["channels"] < _CHANNELS or target["batches"] != 1:
        return
    constants = channel_constants(work.step, quads(work.step))
    if constants is None:
        return
    in_four, states = float(1 - constants.in_two.mean()), work.wait_states
    for_all = tuple(
        min((_way(work.step, stripe, down, in_four) for down in (False, True)), key=lambda way: way.cost.at(states))
        for stripe in stripes_up_to(target["height"])
    )
    yield from DepthwiseQuads.with_alone(for_all, states)


def _way(step: Step, stripe: int, down: bool, in_four: float) -> DepthwiseQuads:
    window, target = step.fields["window"], step.fields["output"]
    y = stripe, window["height"], window["stride_h"], window["dilation_h"]
    x = target["width"], window["width"], window["stride_w"], window["dilation_w"]
    rows, columns = (extent(*axis) for axis in (y, x))
    (outputs, taps, stride, dilation), (lines, tap_rows, _, _) = (y, x) if down else (x, y)
    pairs = outputs // 2 if stride <= _MOST_PAIRED and dilation == 1 else 0
    ones = outputs - 2 * pairs
    calls = -(-target["height"] // stripe)
    quads_run = calls * -(-target["channels"] // _CHANNELS)
    counted = {
        "quad": (1, 215.0),
        "weight": (taps * tap_rows, 9.0),
        "line": (columns if down else rows, 45.0),
        "position": (rows * columns, 4.6),
        "pairs": (lines * bool(pairs), 50.0),
        "ones": (lines * bool(ones), 45.0),
        "pair": (lines * pairs, 42.0),
        "pair_row": (lines * pairs * tap_rows, 6.0),
        "pair_tap": (lines * pairs * tap_rows * taps, 10.0),
        "one": (lines * ones, 30.0),
        "one_row": (lines * ones * tap_rows, 3.0),
        "one_tap": (lines * ones * tap_rows * taps, 6.0),
        "in_four": (lines * outputs * in_four, 8.0),
        # Of another number of taps than three, or apart.
        "other_row": (lines * (pairs + ones) * tap_rows * (taps != _THREE or dilation > 1), 10.0),
    }
    made = terms("quads", **{name: (quads_run * amount, guess) for name, (amount, guess) in counted.items()})
    return DepthwiseQuads(
        step=step,
        stripe=stripe,
        terms=(*made, *terms("quads", cleared=(calls * rows * columns, 3.0))),
        why=f"four channels widened with their padding; taps {'down' if down else 'across'}",
        down=down,
        rows=rows,
        columns=columns,
        taps=window["height"] * window["width"],
    )


def extent(outputs: int, taps: int, stride: int, dilation: int) -> int:
    """SCN_DEPTHWISE_QUADS_EXTENT."""
    return (outputs - 1) * stride + (taps - 1) * dilation + 1
