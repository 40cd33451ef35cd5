"""How scn_winograd_rows_s8 can run a convolution: axis, rows that share transformed weights, memory and cost of each.

Sizes follow the macros of scn_engine.h, which the generated code asserts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .program import Step, Struct
from .winograd import LARGEST_TAPS

_Fields = Mapping[str, Any]

_LEAST_CHANNELS = 8
"""Input and output channels from which a transform is repaid."""

_MOST_TAPS = 7
_NARROW = 4
_PAIR = 8
"""Outputs along the axis that a pair of tiles has."""

_ROWS_ACROSS, _ROWS_NARROW, _ROWS_DOWN = (2, 4, 6, 8, 12, 16), (4, 8, 12, 16), (8, 16, 24)

_PLANES = 6
# Instructions, measured: a multiply-accumulate of a plane is done 16 at a time, in 10.
_SLOT, _SLOT_FOUR, _TAP, _PART, _STEP, _UNIT, _UNIT_PART = 90, 110, 37, 95, 6, 220, 170
_TILE, _OUTPUT, _POOLED_POSITION = 75, 9.5, 4.6


@dataclass(frozen=True)
class Transform:
    """Parameters of one way, and what follows from them.

    Attributes
    ----------
    across
        Whether the axis of three taps is the width, else the height.
    rows
        Output rows that share transformed weights.
    part
        Pairs of input channels whose weights are transformed at a time.
    expanded
        Whether the weights lie transformed in flash.
    slots, pairs, units
        Of a block: what a tile sees along the other axis, pairs of tiles, units of two tiles at two positions.
    taps, depth, channels
        Taps of the other axis, input and output channels.
    led
        Whether all positions see all slots.
    """

    across: bool
    rows: int
    part: int
    expanded: bool
    slots: int
    pairs: int
    units: int
    taps: int
    depth: int
    channels: int
    led: bool
    pad_left: int
    width: int
    out_width: int

    @property
    def steps(self) -> int:
        """Pairs of input channels."""
        return -(-self.depth // 2)

    @property
    def whole(self) -> bool:
        """Whether all input channels' weights are ready at once."""
        return self.part >= self.steps

    @property
    def scratch_bytes(self) -> int:
        """Working memory: tiles, a pixel, weights, sums."""
        tiles = self.pairs * self.slots * self.steps * 48 + -(-self.depth // 4) * 4
        weights = 0 if self.expanded else self.part * self.taps * 48
        return tiles + weights + (1 if self.whole else self.units) * 192

    @property
    def weight_bytes(self) -> int:
        """Flash of the weights."""
        return -(-self.channels // 2) * self.steps * self.taps * 12 * (4 if self.expanded else 1)

    @property
    def claims(self) -> tuple[str, str]:
        """What the engine's macros must say of these sizes."""
        if self.across:
            slots = f"SCN_WINOGRAD_SLOTS_ACROSS({self.out_width}, {self.rows}, {self.taps})"
        else:
            slots = f"SCN_WINOGRAD_SLOTS_DOWN({self.width}, {self.out_width}, {self.taps}, {self.pad_left})"
        scratch = f"SCN_WINOGRAD_TILE_BYTES({self.pairs}, {slots}, {self.depth})"
        if not self.expanded:
            scratch += f" + SCN_WINOGRAD_WEIGHT_SCRATCH_BYTES({self.part}, {self.taps})"
        scratch += f" + SCN_WINOGRAD_SUM_BYTES({1 if self.whole else self.units})"
        kind = "EXPANDED" if self.expanded else "PACKED"
        weights = f"SCN_WINOGRAD_{kind}_BYTES({self.taps}, {self.depth}, {self.channels})"
        return f"{scratch} == {self.scratch_bytes}", f"{weights} == {self.weight_bytes}"

    def instructions(self, height: int, pool: tuple[int, int] = (1, 1)) -> int:
        """Estimate for a map of so many output rows, pooled by so many rows and columns, a block a call."""
        blocks = height / self.rows * (-(-self.out_width // _PAIR) if self.across else 1)
        gathered = self.pairs * 2 * self.slots * (_SLOT + _SLOT_FOUR * -(-self.depth // 4))
        parts = -(-self.steps // self.part)
        weights = 0 if self.expanded else self.steps * self.taps * _TAP + parts * _PART
        step = 10 * (self.slots if self.led else self.taps) + _STEP
        unit = _PLANES * self.steps * step + _UNIT + parts * _UNIT_PART
        pairs = -(-self.channels // 2)
        tiles = height * -(-self.out_width // 4) if self.across else self.out_width * -(-height // 4)
        output = _OUTPUT / (pool[0] * pool[1]) + (_POOLED_POSITION if pool[0 if self.across else 1] > 1 else 0)
        stored = self.channels * (tiles * _TILE + height * self.out_width * output)
        return int(blocks * (gathered + pairs * (weights + self.units * unit)) + stored)


def transforms(step: Step, *, expanded: bool) -> Iterator[Transform]:
    """List the ways to run a CONV_2D; none where the kernel does not take it.

    Parameters
    ----------
    step
        A lowered CONV_2D.
    expanded
        Whether the weights lie transformed in flash, or INT8.
    """
    assert isinstance(step.params, Struct)
    fields: _Fields = step.params.fields
    window, source, target = fields["window"], fields["input"], fields["output"]
    plain = all(window[key] == 1 for key in ("stride_h", "stride_w", "dilation_h", "dilation_w"))
    taps = window["height"] * window["width"] * source["channels"]
    if not plain or min(source["channels"], target["channels"]) < _LEAST_CHANNELS or taps > LARGEST_TAPS:
        return
    for across, along, other in ((True, "width", "height"), (False, "height", "width")):
        if window[along] != 3 or window[other] > _MOST_TAPS or target[along] < 4 or target[other] < 2:
            continue
        for rows in _rows(across, target):
            yield from _parts(across, rows, expanded, fields)


def _rows(across: bool, target: Mapping[str, int]) -> tuple[int, ...]:
    choices = _ROWS_DOWN if not across else _ROWS_NARROW if target["width"] <= _NARROW else _ROWS_ACROSS
    return tuple(rows for rows in choices if rows <= max(target["height"], choices[0]))


def _parts(across: bool, rows: int, expanded: bool, fields: _Fields) -> Iterator[Transform]:
    window, source, target = fields["window"], fields["input"], fields["output"]
    taps = window["height" if across else "width"]
    width, pad = source["width"], window["pad_left"]
    led = not across and width <= _NARROW and pad >= -(-width // 2) * 2 - 1 and taps >= width + pad
    if across:
        positions = -(-rows // 4) * 2 if target["width"] <= _NARROW else rows
        slots, pairs, units = positions + taps - 1, 1, -(-positions // 2)
    else:
        positions = -(-target["width"] // 2)
        pairs = rows // _PAIR
        slots, units = width if led else positions * 2 + taps - 1, positions * pairs
    steps = -(-source["channels"] // 2)
    for part in (steps,) if expanded else sorted({steps, -(-steps // 2), -(-steps // 3), -(-steps // 5)}, reverse=True):
        yield Transform(
            across, rows, part, expanded, slots, pairs, units, taps, source["channels"], target["channels"], led, pad,
            width, target["width"],
        )  # fmt: skip
