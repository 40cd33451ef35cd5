"""CONV_2D by Winograd's algorithms along both axes: when it applies, its tiles, constants, memory and cost.

Sizes follow the macros of the engine's scn_winograd_2d.h, which the generated code asserts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from ...program import Records, Table
from ..cost import Terms, lines, terms
from ..variant import Layer, Parameters, Variant, Work, is_plain
from .rescale import Rescale, negated, rescale, wrapped
from .weights import MOST_TAPS, expand, pack, padded_taps, parts_of

_LEAST_CHANNELS = 8
"""Input and output channels from which a transform is repaid."""

_LEAST_TAPS, _LEAST_IN_PARTS = 3, 5
_MOST_BLOCKS = 16
_UNIT_SUMS, _PLANES = 8, 36
_PLANE_BYTES = 4 * _PLANES
_SUM_BYTES = _PLANE_BYTES * _UNIT_SUMS
_PLACE_BYTES = 32


class Shape(NamedTuple):
    """How the tiles of a block lie: name in the engine, outputs of a tile, parts, tiles, input tiles, channels."""

    name: str
    outputs: tuple[int, int]
    parts: tuple[int, int]
    tiles: tuple[int, int]
    inputs: tuple[int, int]
    channels: int

    @property
    def slots(self) -> int:
        """Input tiles of a block."""
        return self.inputs[0] * self.inputs[1]

    @property
    def slides(self) -> bool:
        """Whether tiles share input tiles."""
        return self.inputs != self.tiles


SINGLE = Shape("", (4, 4), (1, 1), (1, 4), (1, 4), 2)
FEW = Shape("few_", (4, 4), (1, 1), (1, 2), (1, 2), 4)
SLIDE = Shape("slide_", (3, 4), (2, 1), (2, 2), (3, 2), 2)
BOTH = Shape("both_", (3, 3), (2, 2), (2, 2), (3, 3), 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Winograd2D(Variant):
    """Winograd's algorithms along both axes, with the pool of its sums where there is one.

    Attributes
    ----------
    shape
        Of its blocks.
    turned
        Whether the first axis is the width.
    blocks
        Transformed at a time.
    pool_size
        Rows and columns that become one.
    constants
        What rescales.
    """

    shape: Shape
    turned: bool
    blocks: int
    pool_size: tuple[int, int]
    constants: Rescale

    @property
    def name(self) -> str:
        """See :class:`Variant`."""
        return "winograd2d"

    @property
    def _depth(self) -> int:
        return int(self.step.fields["input"]["channels"])

    @property
    def _channels(self) -> int:
        return int(self.step.fields["output"]["channels"])

    @property
    def _pairs(self) -> int:
        return -(-self._depth // 2)

    @property
    def _parts(self) -> int:
        return self.shape.parts[0] * self.shape.parts[1]

    @property
    def _taps(self) -> int:
        window = self.step.fields["window"]
        return padded_taps(window["height"]) * padded_taps(window["width"])

    @property
    def _group_bytes(self) -> int:
        """Transformed weights of a channel group."""
        return self.shape.channels * self._parts * self._pairs * _PLANE_BYTES

    @property
    def scratch_bytes(self) -> int:
        """Working memory: transformed inputs, sums, places, transformed weights."""
        tiles = self.blocks * self.shape.slots * self._pairs * _PLANE_BYTES
        weights = 0 if self.expanded else self._group_bytes
        return tiles + _SUM_BYTES + self.blocks * _PLACE_BYTES + weights

    @property
    def weight_bytes(self) -> int:
        """Flash of the weights."""
        if self.expanded:
            return -(-self._channels // self.shape.channels) * self._group_bytes
        return -(-self._channels // 2) * self._pairs * self._taps * 4

    @property
    def static_asserts(self) -> tuple[str, ...]:
        """See :class:`Variant`."""
        shape, depth, channels = self.shape, self._depth, self._channels
        slots = f"SCN_WINOGRAD_2D_{shape.name.upper()}SLOTS"
        scratch = f"SCN_WINOGRAD_2D_TILE_BYTES({self.blocks}, {slots}, {depth}) + SCN_WINOGRAD_2D_SUM_BYTES"
        scratch += f" + SCN_WINOGRAD_2D_PLACE_BYTES({self.blocks})"
        if not self.expanded:
            scratch += f" + SCN_WINOGRAD_2D_WEIGHT_SCRATCH_BYTES({shape.channels}, {self._parts}, {depth})"
        weights = (
            f"SCN_WINOGRAD_2D_EXPANDED_BYTES({shape.channels}, {self._parts}, {depth}, {channels})"
            if self.expanded
            else f"SCN_WINOGRAD_2D_PACKED_BYTES({self._taps}, {depth}, {channels})"
        )
        return f"{scratch} == {self.scratch_bytes}", f"{weights} == {self.weight_bytes}"

    def whole(self, height: int) -> Self:
        """See :class:`Variant`."""
        made = replace(self, stripe=height)
        return replace(made, terms=made.counted())

    def parameters(self, layer: Layer) -> Parameters:
        """See :class:`Variant`."""
        weights, channels = layer.weights, self.constants.channels
        if self.pool_size != (1, 1) and layer.falling.any():
            signs = np.where(layer.falling, -1, 1).astype(np.int16)
            weights = weights.astype(np.int16) * signs[:, np.newaxis, np.newaxis, np.newaxis]
            channels = negated(channels, layer.falling)
        form, type_ = ("expanded", "int16_t") if self.expanded else ("packed", "int8_t")
        made = (
            expand(weights, turned=self.turned, group=self.shape.channels)
            if self.expanded
            else pack(weights.astype(np.int8), turned=self.turned)
        )
        table = Table(f"{layer.name}_{form}", type_, made.ravel())
        finish = Table(f"{layer.name}_channels", "scn_winograd_2d_channel_t", wrapped(channels))
        members = {
            "conv": {**layer.fields, "weights": None, "bias": None, "scale": None},
            "post": layer.post or {"table": None, "affine": None},
            "turned": self.turned,
            "pool_height": self.pool_size[0],
            "pool_width": self.pool_size[1],
            "blocks": self.blocks,
            "packed": None,
            "expanded": None,
            form: table.kind,
            "channels": finish.kind,
        }
        run = f"scn_winograd_2d_{'' if self.expanded else 'packed_'}{self.shape.name}rows"
        return Parameters(run, Records(layer.name, "scn_winograd_2d_t", (members,)), (table, finish))

    def counted(self) -> Terms:
        """List the work for the whole map, ``stripe`` rows at a time."""
        target = self.step.fields["output"]
        full, rest = divmod(target["height"] // self.pool_size[0], self.stripe)
        amounts: dict[str, float] = defaultdict(float)
        for calls, rows in ((full, self.stripe), (1 if rest else 0, rest)):
            if calls:
                for name, amount in self._call(rows).items():
                    amounts[name] += calls * amount
        # Tiles that overhang along the first axis: a line of them on either side of the map.
        calls = full + (rest > 0) if self.turned else 1
        other = self.stripe * self.pool_size[0] if self.turned else target["width"]
        amounts["edge"] += calls * 2 * -(-other // self.shape.outputs[1]) * -(-self._depth // 4)
        read = amounts.pop("read")
        made = {name: (amount, _GUESSES[name.partition("_of_")[0]]) for name, amount in amounts.items()}
        return (*terms("winograd2d", **made), lines(read))

    def _call(self, rows: int) -> dict[str, float]:
        """Count the work of a call for so many pooled rows."""
        shape = self.shape
        size = rows * self.pool_size[0], int(self.step.fields["output"]["width"])
        ordered = size[:: -1 if self.turned else 1]
        tiles = [-(-outputs // side) for outputs, side in zip(ordered, shape.outputs, strict=True)]
        blocks, inputs, passed = _gathered(shape, tiles)
        runs, groups = -(-blocks // self.blocks), -(-self._channels // shape.channels)
        kind = shape.name.strip("_") if shape.slides else "plain"
        outputs = tiles[0] * tiles[1] * self._channels
        share = self.constants.share
        across = self.pool_size[0 if self.turned else 1] > 1
        pooled = self.pool_size != (1, 1)
        quick = f"pooled_of_{kind}" if across else "folded" if pooled else f"quick_of_{kind}"
        made = {
            "call": 1,
            "input_tile": inputs,
            "quad": inputs * -(-self._depth // 4),
            "passed": passed * _PLANES * self._pairs,
            "group": runs * groups,
            "block": blocks * groups,
            f"step_of_{kind}": blocks * groups * _PLANES * self._pairs,
            "channel": outputs,
            quick: outputs * share,
            "read": (blocks if self.expanded else runs) * self.weight_bytes,
        }
        slow = "folded" if pooled else f"exact_of_{kind}"
        made[slow] = made.get(slow, 0) + outputs * (1 - share)
        if not self.expanded:
            made[f"weights_of_{kind}"] = runs * -(-self._channels // 2) * self._pairs
        return made


_GUESSES = {
    "call": 300, "input_tile": 340, "quad": 945, "edge": 290, "passed": 3.2, "group": 60, "block": 564, "step": 11.4,
    "channel": 75, "quick": 330, "exact": 389, "pooled": 294, "folded": 770, "weights": 516,
}  # fmt: skip
"""Instructions of one of each, until they are measured."""


def _gathered(shape: Shape, tiles: list[int]) -> tuple[int, int, int]:
    """Blocks of a call, input tiles that are transformed for them, and those that are passed on."""
    if not shape.slides:
        count = tiles[0] * tiles[1]
        return -(-count // shape.tiles[1]), count, 0
    counts = [-(-count // 2) for count in tiles]
    along = shape.parts[1] - 1
    count, width = counts[1 - along], counts[along]
    passed = count * (width - 1) * shape.inputs[1 - along]
    return count * width, count * width * shape.slots - passed, passed


def ways(work: Work) -> Iterator[Variant]:
    """List the ways to run a CONV_2D, and the pool of its sums with it; none where the kernel does not take it."""
    fields = work.step.fields
    window, source, target = fields["window"], fields["input"], fields["output"]
    shape = _shape(window)
    if not is_plain(window) or shape is None or min(source["channels"], target["channels"]) < _LEAST_CHANNELS:
        return
    constants = rescale(work.step)
    if constants is None or not _pools(work, window):
        return
    turned = parts_of(window["height"]) < parts_of(window["width"])
    shapes = (SINGLE, FEW) if shape is SINGLE else (shape,)
    for expanded in work.weight_forms:
        if work.pool and not expanded and constants.least == -128:
            continue
        listed = (
            _way(work, constants, one, turned, expanded, stripe, blocks)
            for one in shapes
            for stripe in _stripes(work, one, turned)
            for blocks in _blocks(work, one, turned, expanded, stripe)
        )
        yield from _least(listed, work.wait_states)


def _shape(window: Mapping[str, int]) -> Shape | None:
    taps = window["height"], window["width"]
    if any(size != _LEAST_TAPS and not _LEAST_IN_PARTS <= size <= MOST_TAPS for size in taps):
        return None
    return (SINGLE, SLIDE, BOTH)[sum(parts_of(size) - 1 for size in taps)]


def _pools(work: Work, window: Mapping[str, int]) -> bool:
    """Whether both of two sums that are pooled always lie in one tile."""
    if work.pool is None:
        return True
    sizes = zip((window["height"], window["width"]), work.pool_size, strict=True)
    return all(side == 1 or parts_of(taps) == 1 for taps, side in sizes)


def _stripes(work: Work, shape: Shape, turned: bool) -> tuple[int, ...]:
    """Output rows at a time to consider, whole blocks of tiles, and the whole map."""
    axis = 1 if turned else 0
    rows = shape.outputs[axis] * (shape.tiles[axis] if shape.slides else 1)
    pooled = work.pool_size[0]
    height = work.step.fields["output"]["height"] // pooled
    some = (count * rows // pooled for count in (1, 2, 3, 4))
    return (*(stripe for stripe in some if stripe < height), height)


def _blocks(work: Work, shape: Shape, turned: bool, expanded: bool, stripe: int) -> tuple[int, ...]:
    """Numbers of blocks to transform at a time: a call's, a half of them, a third, and so on; of expanded weights 1."""
    if expanded:
        return (1,)
    size = [stripe * work.pool_size[0], work.step.fields["output"]["width"]]
    tiles = [-(-one // side) for one, side in zip(size[:: -1 if turned else 1], shape.outputs, strict=True)]
    count = -(-tiles[0] // 2) * -(-tiles[1] // 2) if shape.slides else -(-tiles[0] * tiles[1] // shape.tiles[1])
    return tuple({-(-count // turns): None for turns in range(1, count + 1) if -(-count // turns) <= _MOST_BLOCKS})


def _way(
    work: Work, constants: Rescale, shape: Shape, turned: bool, expanded: bool, stripe: int, blocks: int
) -> Winograd2D:
    window, depth = work.step.fields["window"], work.step.fields["input"]["channels"]
    outputs = shape.outputs[0] * shape.outputs[1]
    where = "transformed in flash" if expanded else f"transformed for {blocks * shape.tiles[0] * shape.tiles[1]} tiles"
    products = _PLANES * shape.parts[0] * shape.parts[1]
    taps = window["height"] * window["width"] * depth
    made = Winograd2D(
        step=work.step,
        stripe=stripe,
        terms=(),
        why=f"both axes: {products} products for {outputs} outputs; weights {where}; {taps} taps: sums under 2^25",
        expanded=expanded,
        shape=shape,
        turned=turned,
        blocks=blocks,
        pool_size=work.pool_size,
        constants=constants,
    )
    return replace(made, terms=made.counted())


def _least(listed: Iterator[Winograd2D], wait_states: int) -> Iterator[Winograd2D]:
    """Of ways with as many rows at a time, those that need less memory than all quicker ones."""
    kept: dict[int, int] = {}
    for way in sorted(listed, key=lambda one: (one.cost.at(wait_states), one.scratch_bytes)):
        if way.scratch_bytes < kept.get(way.stripe, way.scratch_bytes + 1):
            kept[way.stripe] = way.scratch_bytes
            yield way
