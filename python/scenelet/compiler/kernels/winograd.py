"""CONV_2D by Winograd's F(4, 3) and F(2, 3): when it applies, its tiles, constants, memory and cost.

Sizes follow the macros of the engine's scn_winograd_conv2d.h, which the generated code asserts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..program import Records, Step, Table
from .cost import Terms, cost_of, lines, terms
from .variant import POSITIONS, Layer, Parameters, Variant, Work, is_plain
from .winograd_weights import LARGEST_TAPS, expand_winograd, pack_winograd

_Fields = Mapping[str, Any]

_LEAST_CHANNELS = 8
"""Input and output channels from which a transform is repaid."""

_MOST_TAPS = 7
_MOST_SHARED = 4
"""Columns of a map up to which all positions may see all input tiles."""

_ROWS_ACROSS, _ROWS_NARROW = (2, 4, 6, 8, 12, 16), (4, 8, 12, 16)
_ROWS_DOWN = {4: (8, 16, 24), 2: (4, 8, 16, 24)}


_PROVED = {4: "2^28", 2: "2^30"}


@dataclass(frozen=True)
class Tiling:
    """Parameters of one way, and what follows from them.

    Attributes
    ----------
    outputs
        Of a tile along the axis: 4 of F(4, 3), or 2 of F(2, 3).
    across
        Whether the axis of three taps is the width, else the height.
    rows
        Output rows that share transformed weights.
    part
        Pairs of input channels whose weights are transformed at a time.
    expanded
        Whether the weights lie transformed in flash.
    input_tiles, pairs, units
        Of a block: transformed input tiles along the other axis, pairs of tiles, units of two tiles at two positions.
    taps, depth, channels
        Taps of the other axis, input and output channels.
    shared
        Whether all positions see all input tiles.
    """

    outputs: int
    across: bool
    rows: int
    part: int
    expanded: bool
    input_tiles: int
    pairs: int
    units: int
    taps: int
    depth: int
    channels: int
    shared: bool
    pad_left: int
    width: int
    out_width: int

    @property
    def steps(self) -> int:
        """Pairs of input channels."""
        return -(-self.depth // 2)

    @property
    def planes(self) -> int:
        """Products of a tile, one per plane."""
        return self.outputs + 2

    @property
    def whole(self) -> bool:
        """Whether all input channels' weights are ready at once."""
        return self.part >= self.steps

    @property
    def scratch_bytes(self) -> int:
        """Working memory: tiles, a pixel, weights, sums."""
        plane_bytes = 8 * self.planes
        tiles = self.pairs * self.input_tiles * self.steps * plane_bytes + -(-self.depth // 4) * 4
        weights = 0 if self.expanded else self.part * self.taps * plane_bytes
        return tiles + weights + (1 if self.whole else self.units) * 4 * plane_bytes

    @property
    def weight_bytes(self) -> int:
        """Flash of the weights."""
        return -(-self.channels // 2) * self.steps * self.taps * (8 * self.planes if self.expanded else 12)

    @property
    def static_asserts(self) -> tuple[str, str]:
        """C expressions over the engine's macros that must hold for these sizes."""
        if self.across:
            tiles = f"SCN_WINOGRAD_INPUT_TILES_ACROSS({self.outputs}, {self.out_width}, {self.rows}, {self.taps})"
        else:
            tiles = f"SCN_WINOGRAD_INPUT_TILES_DOWN({self.width}, {self.out_width}, {self.taps}, {self.pad_left})"
        scratch = f"SCN_WINOGRAD_TILE_BYTES({self.outputs}, {self.pairs}, {tiles}, {self.depth})"
        if not self.expanded:
            scratch += f" + SCN_WINOGRAD_WEIGHT_SCRATCH_BYTES({self.outputs}, {self.part}, {self.taps})"
        scratch += f" + SCN_WINOGRAD_SUM_BYTES({self.outputs}, {1 if self.whole else self.units})"
        kind = f"EXPANDED_BYTES({self.outputs}, " if self.expanded else "PACKED_BYTES("
        weights = f"SCN_WINOGRAD_{kind}{self.taps}, {self.depth}, {self.channels})"
        return f"{scratch} == {self.scratch_bytes}", f"{weights} == {self.weight_bytes}"

    def terms(self, height: int, pool: tuple[int, int] = (1, 1)) -> Terms:
        """List the work for a map of so many output rows, pooled by so many rows and columns, one block per call."""
        tile = self.outputs
        blocks = height / self.rows * (-(-self.out_width // (2 * tile)) if self.across else 1)
        inputs = blocks * self.pairs * 2 * self.input_tiles
        parts, pairs = -(-self.steps // self.part), -(-self.channels // 2)
        units = blocks * pairs * self.units
        taps = self.input_tiles if self.shared else self.taps
        tiles = height * -(-self.out_width // tile) if self.across else self.out_width * -(-height // tile)
        outputs = self.channels * height * self.out_width
        counted = terms(
            f"winograd{tile}",
            input_tile=inputs,
            input_tile_four=inputs * -(-self.depth // 4),
            weights=0 if self.expanded else blocks * pairs * self.steps * self.taps,
            part=0 if self.expanded else blocks * pairs * parts,
            plane_tap=units * self.planes * self.steps * taps,
            plane_step=units * self.planes * self.steps,
            unit=units,
            unit_part=units * parts,
            tile=self.channels * tiles,
            output=outputs / (pool[0] * pool[1]),
            pooled=outputs if pool[0 if self.across else 1] > 1 else 0,
        )
        # Expanded weights of a plane lie far apart, so that each pair of words is a line of its own.
        read = units * self.planes * self.steps * taps * 16 if self.expanded else blocks * self.weight_bytes
        return (*counted, lines(read))

    def instructions(self, height: int, pool: tuple[int, int] = (1, 1)) -> int:
        """Estimate instructions; parameters like :meth:`terms`."""
        return int(cost_of(self.terms(height, pool)).instructions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Winograd(Variant):
    """F(4, 3) or F(2, 3) along one axis, with the pool of its sums where there is one."""

    tiling: Tiling

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "winograd" if self.tiling.outputs == POSITIONS else "winograd2"

    @property
    def scratch_bytes(self) -> int:
        """See :class:`Variant`."""
        return self.tiling.scratch_bytes

    @property
    def weight_bytes(self) -> int:
        """See :class:`Variant`."""
        return self.tiling.weight_bytes

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        return self.tiling.static_asserts

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        weights = _weights(self.tiling, layer)
        members = {
            "conv": {**layer.fields, "weights": None},
            "post": layer.post or {"table": None, "affine": None},
            "across": self.tiling.across,
            "pool_height": layer.pool_size[0],
            "pool_width": layer.pool_size[1],
            "rows": self.tiling.rows,
            "part": self.tiling.part,
            "packed": None,
            "expanded": None,
            "expanded" if self.tiling.expanded else "packed": weights.kind,
        }
        run = "scn_winograd_f4x3_rows" if self.tiling.outputs == POSITIONS else "scn_winograd_f2x3_rows"
        tables = {**layer.tables, "weights": weights}
        return Parameters(run, Records(layer.name, "scn_winograd_t", (members,)), tuple(tables.values()))


def _weights(tiling: Tiling, layer: Layer) -> Table:
    if tiling.expanded:
        made = expand_winograd(layer.weights, across=tiling.across, outputs=tiling.outputs)
        return Table(f"{layer.name}_expanded", "int16_t", made.ravel())
    packed = pack_winograd(layer.weights, across=tiling.across)
    return Table(f"{layer.name}_packed", "int8_t", packed.ravel())


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a CONV_2D, and the pool of its sums with it; none where the kernels do not take it."""
    window, height = work.step.fields["window"], int(work.step.fields["output"]["height"])
    taps = window["height"] * window["width"] * work.step.fields["input"]["channels"]
    for expanded in work.weight_forms:
        for tiling in tilings(work.step, expanded=expanded):
            where = "transformed in flash" if expanded else f"transformed for {tiling.rows} rows at a time"
            axis = "width" if tiling.across else "height"
            products = f"{tiling.planes} products for {tiling.outputs} outputs"
            proved = f"{taps} taps: sums under {_PROVED[tiling.outputs]}"
            yield Winograd(
                step=work.step,
                stripe=tiling.rows // work.pool_size[0],
                terms=tiling.terms(height, work.pool_size),
                why=f"3 taps along the {axis}: {products}; weights {where}; {proved}",
                expanded=expanded,
                tiling=tiling,
            )


def tilings(step: Step, *, expanded: bool) -> Iterator[Tiling]:
    """List the ways to run a CONV_2D; none where the kernels do not take it.

    Tiles of two are listed where the larger ones' range is not proved, or where they should be quicker than tiles of
    four along the same axis with as many rows and parts, or where those cannot make so few rows.

    Parameters
    ----------
    step
        A lowered CONV_2D.
    expanded
        Whether the weights lie transformed in flash, or INT8.
    """
    fields = step.fields
    window, source, target = fields["window"], fields["input"], fields["output"]
    taps = window["height"] * window["width"] * source["channels"]
    if not is_plain(window) or min(source["channels"], target["channels"]) < _LEAST_CHANNELS:
        return
    for across, along, other in ((True, "width", "height"), (False, "height", "width")):
        if window[along] != 3 or window[other] > _MOST_TAPS or target[other] < 2:
            continue
        large: dict[tuple[int, int], int] = {}
        for outputs in (4, 2):
            if target[along] < outputs or taps > LARGEST_TAPS[outputs]:
                continue
            for rows in _rows(outputs, across, target):
                for way in _parts(outputs, across, rows, expanded, fields):
                    cost = way.instructions(target["height"])
                    if outputs == 4:
                        large[rows, way.part] = cost
                    if cost <= large.get((rows, way.part), cost):
                        yield way


def _rows(outputs: int, across: bool, target: Mapping[str, int]) -> tuple[int, ...]:
    choices = _ROWS_DOWN[outputs] if not across else _ROWS_NARROW if target["width"] <= outputs else _ROWS_ACROSS
    return tuple(rows for rows in choices if rows <= max(target["height"], choices[0]))


def _parts(outputs: int, across: bool, rows: int, expanded: bool, fields: _Fields) -> Iterator[Tiling]:
    window, source, target = fields["window"], fields["input"], fields["output"]
    taps = window["height" if across else "width"]
    width, pad = source["width"], window["pad_left"]
    shared = not across and width <= _MOST_SHARED and pad >= -(-width // 2) * 2 - 1 and taps >= width + pad
    if across:
        positions = -(-rows // 4) * 2 if target["width"] <= outputs else rows
        input_tiles, pairs, units = positions + taps - 1, 1, -(-positions // 2)
    else:
        positions = -(-target["width"] // 2)
        pairs = rows // (2 * outputs)
        input_tiles, units = width if shared else positions * 2 + taps - 1, positions * pairs
    steps = -(-source["channels"] // 2)
    parts = {steps} if expanded else {steps, -(-steps // 2), -(-steps // 3), -(-steps // 5)}
    for part in sorted(parts, reverse=True):
        yield Tiling(
            outputs, across, rows, part, expanded, input_tiles, pairs, units, taps,
            source["channels"], target["channels"], shared, pad, width, target["width"],
        )  # fmt: skip
