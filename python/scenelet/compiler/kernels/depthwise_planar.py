"""Planar DEPTHWISE_CONV_2D with 3x3 taps (scn_depthwise_planar_rows): when it applies, its constants, memory and cost.

Four channels at a time are widened into planes in which a word holds two neighbours, so that one multiplication takes
two taps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..program import Records, Step, Table
from .cost import terms
from .requantize import channel_constants
from .variant import Layer, Parameters, Striped, Variant, Work, is_plain, stripes_up_to

_CHANNELS, _TAPS = 4, 3


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthwisePlanar(Striped):
    """Four planes at a time.

    Attributes
    ----------
    down
        Whether a word holds neighbours down, else across.
    pairs, rows
        Words along that axis, and rows of the other one, that a stripe sees.
    """

    down: bool
    pairs: int
    rows: int

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "planar"

    @property
    def scratch_bytes(self) -> int:
        """SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES."""
        return 16 * self.pairs * self.rows

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        width = self.step.fields["output"]["width"]
        along, across = (self.stripe, width) if self.down else (width, self.stripe)
        sizes = f"SCN_DEPTHWISE_PLANAR_PAIRS({along}), SCN_DEPTHWISE_PLANAR_ROWS({across})"
        return (f"SCN_DEPTHWISE_PLANAR_SCRATCH_BYTES({sizes}) == {self.scratch_bytes}",)

    @property
    def in_place(self) -> bool:
        """See :class:`Variant`: all inputs of four channels are widened before their outputs are written."""
        return True

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        constants = channel_constants(self.step)
        assert constants is not None, "ways() lists none then"
        requantize = Table(f"{layer.name}_requantize", "scn_requantize_channel_t", constants.rows.astype(np.int32))
        members = {
            "conv": {**layer.fields, "bias": None, "scale": None},
            "down": self.down,
            "requantize": requantize.kind,
        }
        record = Records(layer.name, "scn_depthwise_planar_t", (members,))
        return Parameters("scn_depthwise_planar_rows", record, (layer.tables["weights"], requantize))


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a DEPTHWISE_CONV_2D of 3x3 taps with stride 1, for each stripe the better axis."""
    fields = work.step.fields
    window, target = fields["window"], fields["output"]
    if fields["depth_multiplier"] != 1 or target["channels"] % _CHANNELS or target["batches"] != 1:
        return
    if not is_plain(window) or (window["height"], window["width"]) != (_TAPS, _TAPS):
        return
    constants, states = channel_constants(work.step), work.wait_states
    if constants is None:
        return
    in_four = float(1 - constants.in_two.mean())
    found = [
        min((_way(work.step, stripe, down, in_four) for down in (False, True)), key=lambda way: way.cost.at(states))
        for stripe in stripes_up_to(target["height"])
    ]
    yield from DepthwisePlanar.with_alone(tuple(found), states)


def _way(step: Step, stripe: int, down: bool, in_four: float) -> DepthwisePlanar:
    target = step.fields["output"]
    along, across = (stripe, target["width"]) if down else (target["width"], stripe)
    columns = -(-along // 2)
    pairs, rows = columns + 1, across + _TAPS - 1
    calls = -(-target["height"] // stripe) * target["channels"]
    counted = terms(
        "planar",
        channel=(calls, 182.0),
        word=(calls * pairs * rows, 3.8),
        column=(calls * columns, 20.0),
        four=(calls * columns * (across // 2), 52.0),
        two=(calls * columns * (across % 2), 28.0),
        in_four=(calls * columns * across * in_four, 4.5),
    )
    return DepthwisePlanar(
        step=step,
        stripe=stripe,
        terms=counted,
        why=f"planes of four channels; a word holds two neighbours {'down' if down else 'across'}",
        down=down,
        pairs=pairs,
        rows=rows,
    )
