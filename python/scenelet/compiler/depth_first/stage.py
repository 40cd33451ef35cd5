"""How a step can work as a stage of a segment: its kernels, the rows that it makes at a time, memory and cost of each.

A stage has variants, the quickest first; a planner short of RAM takes a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..kernels import cost_model, depthwise_planar, gemm
from ..kernels.depthwise_planar import Planes
from ..kernels.fused_add import added_to
from ..kernels.gemm import Columns
from ..kernels.winograd import Transform, transforms
from ..program import Step, Struct
from .row_schedule import Slide

RUNNERS = {
    "scn_conv2d_s8": "scn_conv2d_rows",
    "scn_depthwise_conv2d_s8": "scn_depthwise_conv2d_rows",
    "scn_max_pool_s8": "scn_max_pool_rows",
    "scn_average_pool_s8": "scn_average_pool_rows",
    "scn_add_s8": "scn_add_rows",
    "scn_add_lut_s8": "scn_add_lut_rows",
    "scn_lut_s8": "scn_lut_rows",
    "scn_mean_s8": "scn_mean_rows",
}
"""The engine's row-wise functions by the kernels that they stand for."""

KERNELS = frozenset(RUNNERS)
"""Kernels of steps that can be stages."""

_OPERANDS = 2
POSITIONS = 4
_ROWS_SUMMED = 4
_PROVED = {4: "2^28", 2: "2^30"}
_MOST_ROWS_DOWN = 8
_NARROW_WEIGHTS = 1024
_MOST_STRIPE = 16
_ALONE_BYTES = 8192
"""Scratch from which more rows at a time save next to nothing."""


@dataclass(frozen=True)
class Variant:
    """One way to run a stage.

    Attributes
    ----------
    kernel
        "direct", "narrow", "winograd", "winograd2" for F(2, 3), "columns", "planes", or "rows" for all that has one
        kernel.
    stripe
        Output rows at a time.
    transform
        Winograd's parameters.
    instructions
        Estimate for the whole map.
    why
        For people: what decided.
    columns, planes
        Columns, planes: sizes.
    alone
        What to run instead where no rows are kept in lines.
    """

    kernel: str
    stripe: int
    transform: Transform | None = None
    instructions: int = 0
    why: str = ""
    columns: Columns | None = None
    planes: Planes | None = None
    alone: Variant | None = None

    @property
    def expanded(self) -> bool:
        """Whether its weights lie transformed, or widened, in flash."""
        way = self.transform or self.columns
        return way is not None and way.expanded

    @property
    def weight_bytes(self) -> int:
        """Flash of weights that have a form of their own."""
        way = self.transform or self.columns
        return way.weight_bytes if way else 0


UNKNOWN = Variant("unknown", 1)
"""Of a stage whose variants are yet to be listed."""


@dataclass(frozen=True)
class Stage:
    """A step of a segment, what follows it value by value - a map, then a pool or an ADD -, and how it runs."""

    step: Step
    variant: Variant
    map: Step | None = None
    pool: Step | None = None
    added: Step | None = None

    @property
    def followers(self) -> tuple[Step, ...]:
        """Steps that it does along with its own."""
        return tuple(step for step in (self.map, self.pool, self.added) if step)

    @property
    def reads(self) -> tuple[int, ...]:
        """Tensors that it reads, what its ADD adds last."""
        if self.added is None:
            return self.step.reads
        made = (self.map or self.step).writes[0]
        return (*self.step.reads, *(tensor for tensor in self.added.reads if tensor != made))

    @property
    def write(self) -> int:
        """The tensor that it makes."""
        return (self.step, *self.followers)[-1].writes[0]

    @property
    def pool_size(self) -> tuple[int, int]:
        """Rows and columns that become one."""
        window = _fields(self.pool)["window"] if self.pool else {"height": 1, "width": 1}
        return int(window["height"]), int(window["width"])

    @property
    def slide(self) -> Slide:
        """How its window moves over rows."""
        own, rows = slide(self.step), self.pool_size[0]
        return Slide(own.reach + (rows - 1) * own.stride, own.stride * rows, own.pad_top)

    @property
    def is_convolution(self) -> bool:
        """Whether it is a CONV_2D."""
        return self.step.kernel == "scn_conv2d_s8"

    @property
    def is_mean(self) -> bool:
        """Whether it makes one pixel of all rows, and so ends a segment."""
        return self.step.kernel == "scn_mean_s8"

    @property
    def maps_itself(self) -> bool:
        """Whether the kernel applies the map as it stores: a convolution's, with a table for every channel."""
        if self.map is None or not self.is_convolution:
            return False
        return bool(_fields(self.map)["channels"] == _fields(self.step)["output"]["channels"])

    @property
    def instructions(self) -> int:
        """Estimate for the whole map."""
        apart = cost_model.simple(self.map) if self.map and not self.maps_itself else 0
        added = cost_model.added(self.added) if self.added else 0
        return self.variant.instructions + apart + added


def slide(step: Step) -> Slide:
    """How a step's window moves over rows."""
    window: Any = _fields(step).get("window")
    if window is None:
        return Slide()
    reach = (window["height"] - 1) * window.get("dilation_h", 1) + 1
    return Slide(reach, window["stride_h"], window["pad_top"])


def variants(stage: Stage, expanded: bool) -> tuple[Variant, ...]:
    """List the ways to run a stage, quickest first.

    Parameters
    ----------
    stage
        Its step is one of :data:`KERNELS`; its variant does not matter.
    expanded
        Whether Winograd weights may also lie transformed in flash.
    """
    step = stage.step
    if stage.is_mean:
        why = "sums so far instead of the whole map"
        return (Variant("rows", _ROWS_SUMMED, instructions=cost_model.summed(step), why=why),)
    if not stage.is_convolution:
        simple = Variant(
            "rows", 1, instructions=cost_model.simple(step), why="one row at a time needs the least memory"
        )
        found = (*(_planes(step) if step.kernel == "scn_depthwise_conv2d_s8" else ()), simple)
        return tuple(sorted(found, key=lambda way: way.instructions))
    ways = (*(_winograd(stage, expanded=True) if expanded else ()), *_winograd(stage, expanded=False))
    if not stage.pool:
        ways += _columns(step, expanded=True) if expanded else ()
        ways += (*_columns(step, expanded=False), *_narrow(step), *_direct(step))
    return tuple(sorted(ways, key=lambda way: way.instructions))


def whole(variant: Variant, height: int) -> Variant:
    """Run a stage's whole map at once, where nothing is kept in lines and scratch does not grow with it."""
    return variant.alone or (variant if variant.columns or variant.planes else replace(variant, stripe=height))


def _fields(step: Step) -> Mapping[str, Any]:
    assert isinstance(step.params, Struct)
    return step.params.fields


def _direct(step: Step) -> tuple[Variant, ...]:
    fields = _fields(step)
    width, height = int(fields["output"]["width"]), int(fields["output"]["height"])
    down = -(-max(width, 1) // POSITIONS) * POSITIONS
    stripes = sorted({stripe for stripe in (down, 4, 2, 1) if stripe <= max(down, 4)}, reverse=True)
    made = []
    for stripe in stripes if down <= _MOST_ROWS_DOWN else (1,):
        ways = (
            "below one another: taps beside the map are skipped" if stripe >= width else "side by side: fewer rows kept"
        )
        cost = cost_model.convolution(step, min(stripe, height))
        made.append(Variant("direct", stripe, instructions=cost, why=f"no transform; four positions {ways}"))
    return tuple(made)


def _winograd(stage: Stage, *, expanded: bool) -> tuple[Variant, ...]:
    window, height = _fields(stage.step)["window"], int(_fields(stage.step)["output"]["height"])
    taps = window["height"] * window["width"] * _fields(stage.step)["input"]["channels"]
    made = []
    for way in transforms(stage.step, expanded=expanded):
        where = "transformed in flash" if expanded else f"transformed for {way.rows} rows at a time"
        axis = "width" if way.across else "height"
        products = f"{way.planes} products for {way.outputs} outputs"
        why = f"3 taps along the {axis}: {products}; weights {where}; {taps} taps: sums under {_PROVED[way.outputs]}"
        cost = way.instructions(height, stage.pool_size)
        kernel = "winograd" if way.outputs == POSITIONS else "winograd2"
        made.append(Variant(kernel, way.rows // stage.pool_size[0], way, cost, why))
    return tuple(made)


def _narrow(step: Step) -> tuple[Variant, ...]:
    """Ways to run a layer with so few weights that all of them can be widened at every stripe."""
    overlap = _fields(step)["window"]["height"] > 1  # else there are no rows to share
    if not _plain(step) or not overlap or step.tables[0].nbytes > _NARROW_WEIGHTS:
        return ()
    why = "few weights: all widened at once, input rows widened once for all windows"
    return tuple(
        Variant("narrow", stripe, instructions=cost_model.narrow(step, stripe), why=why) for stripe in (16, 8, 4)
    )


def _columns(step: Step, *, expanded: bool) -> tuple[Variant, ...]:
    """Ways to run a layer by columns."""
    weights = "widened in flash" if expanded else "widened for each group of windows"
    return _with_alone(
        Variant(
            "columns",
            way.stripe,
            instructions=way.instructions,
            why=f"{4 * way.group} windows gathered for all channels; weights {weights}",
            columns=way,
        )
        for way in gemm.ways(step, expanded=expanded)
    )


def _with_alone(ways: Iterable[Variant]) -> tuple[Variant, ...]:
    """Ways in order of their stripes: lines are kept for up to 16 rows; alone, more where that takes little."""
    listed = tuple(ways)
    if not listed:
        return ()
    sizes = listed[-1].columns or listed[-1].planes
    small = sizes is not None and sizes.scratch_bytes <= _ALONE_BYTES
    few = sorted((way for way in listed if way.stripe <= _MOST_STRIPE), key=lambda way: way.instructions)
    return (replace(few[0], alone=listed[-1] if small else None), *few[1:])


def _planes(step: Step) -> tuple[Variant, ...]:
    """Ways to run a depthwise layer by planes."""
    return _with_alone(
        Variant(
            "planes",
            way.stripe,
            instructions=way.instructions,
            why=f"planes of four channels; a word holds two neighbours {'down' if way.down else 'across'}",
            planes=way,
        )
        for way in depthwise_planar.ways(step)
    )


def _plain(step: Step) -> bool:
    """Whether strides and dilations are 1."""
    window = _fields(step)["window"]
    return all(window[key] == 1 for key in ("stride_h", "stride_w", "dilation_h", "dilation_w"))


def scratch_bytes(stage: Stage) -> int:
    """Working memory of a stage's kernel."""
    if stage.variant.columns:
        return stage.variant.columns.scratch_bytes
    if stage.variant.planes:
        return stage.variant.planes.scratch_bytes
    if stage.variant.kernel == "narrow":
        fields = _fields(stage.step)
        taps = -(-int(fields["window"]["width"] * fields["input"]["channels"]) // 2)
        return 2 * stage.step.tables[0].nbytes + taps * (15 + int(fields["window"]["height"])) * 4
    way = stage.variant.transform
    return way.scratch_bytes if way else stage.step.scratch_bytes


def claims(stage: Stage) -> tuple[str, ...]:
    """What the engine's macros must say of a stage's sizes."""
    if stage.variant.columns:
        return gemm.claims(stage.step, stage.variant.columns)
    if stage.variant.planes:
        return depthwise_planar.claims(stage.step, stage.variant.planes)
    if stage.variant.kernel == "narrow":
        window, source, target = (_fields(stage.step)[name] for name in ("window", "input", "output"))
        sizes = f"{window['height']}, {window['width']}, {source['channels']}, {target['channels']}"
        return (f"SCN_CONV2D_NARROW_SCRATCH_BYTES({sizes}) == {scratch_bytes(stage)}", *stage.step.claims[1:])
    way = stage.variant.transform
    return way.claims if way else stage.step.claims


def adds(stage: Stage, step: Step) -> bool:
    """Whether a stage can be a convolution that ends with an ADD: of another map to what it makes, exactly."""
    if not stage.is_convolution or stage.pool or stage.added or (stage.map and not stage.maps_itself):
        return False
    if step.kernel != "scn_add_lut_s8" or stage.write not in step.reads or len(step.reads) != _OPERANDS:
        return False
    return added_to(step, stage.write) is not None
