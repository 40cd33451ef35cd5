"""How a step can work as a stage of a segment: its kernels, the rows that it makes at a time, memory and cost of each.

A stage has variants, the quickest first; a planner short of RAM takes a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..graph import Graph
from . import columns, estimates, planes
from .columns import Columns
from .lowering.layer import values
from .planes import Planes
from .program import Name, Records, Step, Struct, Table
from .schedule import Slide
from .winograd import LARGEST_TAPS, expand_winograd, pack_winograd

_RUNNERS = {
    "scn_conv2d_s8": "scn_conv2d_rows",
    "scn_depthwise_conv2d_s8": "scn_depthwise_conv2d_rows",
    "scn_max_pool_s8": "scn_max_pool_rows",
    "scn_average_pool_s8": "scn_average_pool_rows",
    "scn_add_s8": "scn_add_rows",
    "scn_sum_s8": "scn_sum_rows",
    "scn_map_s8": "scn_map_rows",
}
KERNELS = frozenset(_RUNNERS)
"""Kernels of steps that can be stages."""

_LEAST_CHANNELS = 8
"""Input and output channels from which a Winograd transform is repaid."""

_POSITIONS = 4
_MOST_ROWS_DOWN = 8
_NARROW_WEIGHTS = 1024
_MOST_TURN = 16
_ALONE_BYTES = 8192
"""Scratch from which more rows at a time save next to nothing."""


@dataclass(frozen=True)
class Variant:
    """One way to run a stage.

    Attributes
    ----------
    kernel
        "direct", "narrow", "winograd", "columns", "planes", or "rows" for all that has one kernel.
    turn
        Output rows at a time.
    across
        Winograd: whether the axis of three taps is the width.
    ahead
        Winograd across: further groups of rows that use the same transformed weights.
    expanded
        Winograd, columns: whether the weights lie transformed in flash.
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
    turn: int
    across: bool = False
    ahead: int = 0
    expanded: bool = False
    instructions: int = 0
    why: str = ""
    columns: Columns | None = None
    planes: Planes | None = None
    alone: Variant | None = None


@dataclass(frozen=True)
class Stage:
    """A step of a segment, the map that follows it value by value, and how it runs."""

    step: Step
    variant: Variant
    map: Step | None = None

    @property
    def write(self) -> int:
        """The tensor that it makes."""
        return (self.map or self.step).writes[0]

    @property
    def is_convolution(self) -> bool:
        """Whether it is a CONV_2D."""
        return self.step.kernel == "scn_conv2d_s8"

    @property
    def maps_itself(self) -> bool:
        """Whether the kernel applies the map as it stores: a convolution's, with a table for every channel."""
        if self.map is None or not self.is_convolution:
            return False
        return bool(_fields(self.map)["channels"] == _fields(self.step)["output"]["channels"])

    @property
    def instructions(self) -> int:
        """Estimate for the whole map."""
        apart = estimates.simple(self.map) if self.map and not self.maps_itself else 0
        return self.variant.instructions + apart


def slide(step: Step) -> Slide:
    """How a step's window moves over rows."""
    window: Any = _fields(step).get("window")
    if window is None:
        return Slide()
    reach = (window["height"] - 1) * window.get("dilation_h", 1) + 1
    return Slide(reach, window["stride_h"], window["pad_top"])


def variants(step: Step, expanded: bool) -> tuple[Variant, ...]:
    """List the ways to run a step, quickest first.

    Parameters
    ----------
    step
        One of :data:`KERNELS`.
    expanded
        Whether Winograd weights may also lie transformed in flash.
    """
    if step.kernel != "scn_conv2d_s8":
        simple = Variant("rows", 1, instructions=estimates.simple(step), why="one row at a time needs the least memory")
        found = (*(_planes(step) if step.kernel == "scn_depthwise_conv2d_s8" else ()), simple)
        return tuple(sorted(found, key=lambda way: way.instructions))
    transformed = (*_winograd(step, expanded=True), *_columns(step, expanded=True)) if expanded else ()
    plain = (*_winograd(step, expanded=False), *_columns(step, expanded=False), *_narrow(step), *_direct(step))
    ways = (*transformed, *plain)
    return tuple(sorted(ways, key=lambda way: way.instructions))


def whole(variant: Variant, height: int) -> Variant:
    """Run a stage's whole map at once, where nothing is kept in lines and scratch does not grow with it."""
    return variant.alone or (variant if variant.columns or variant.planes else replace(variant, turn=height))


def _fields(step: Step) -> Mapping[str, Any]:
    assert isinstance(step.params, Struct)
    return step.params.fields


def _direct(step: Step) -> tuple[Variant, ...]:
    fields = _fields(step)
    width, height = int(fields["output"]["width"]), int(fields["output"]["height"])
    down = -(-max(width, 1) // _POSITIONS) * _POSITIONS
    turns = sorted({turn for turn in (down, 4, 2, 1) if turn <= max(down, 4)}, reverse=True)
    made = []
    for turn in turns if down <= _MOST_ROWS_DOWN else (1,):
        ways = (
            "below one another: taps beside the map are skipped" if turn >= width else "side by side: fewer rows kept"
        )
        cost = estimates.convolution(step, min(turn, height))
        made.append(Variant("direct", turn, instructions=cost, why=f"no transform; four positions {ways}"))
    return tuple(made)


def _winograd(step: Step, *, expanded: bool) -> tuple[Variant, ...]:
    fields = _fields(step)
    window, source, target = fields["window"], fields["input"], fields["output"]
    taps = window["height"] * window["width"] * source["channels"]
    enough = min(source["channels"], target["channels"]) >= _LEAST_CHANNELS
    if not _plain(step) or not enough or taps > LARGEST_TAPS or 3 not in (window["height"], window["width"]):
        return ()
    made = []
    where = "transformed in flash" if expanded else "transformed on the fly"
    for across, axis in ((True, "width"), (False, "height")):
        rows = _winograd_rows(across, target["width"])
        if window[axis] == 3 and target["width" if across else "height"] >= (4 if across else rows):
            why = f"3 taps along the {axis}: 6 products for 4 outputs; weights {where}; {taps} taps: sums under 2^28"
            for ahead in (3, 1, 0) if across and not expanded else (0,):
                cost = estimates.winograd(step, across=across, expanded=expanded, ahead=ahead)
                made.append(Variant("winograd", rows * (ahead + 1), across, ahead, expanded, cost, why))
    return tuple(made)


def _narrow(step: Step) -> tuple[Variant, ...]:
    """Ways to run a layer with so few weights that all of them can be widened at every turn."""
    overlap = _fields(step)["window"]["height"] > 1  # else there are no rows to share
    if not _plain(step) or not overlap or step.tables[0].nbytes > _NARROW_WEIGHTS:
        return ()
    why = "few weights: all widened at once, input rows widened once for all windows"
    return tuple(Variant("narrow", turn, instructions=estimates.narrow(step, turn), why=why) for turn in (16, 8, 4))


def _columns(step: Step, *, expanded: bool) -> tuple[Variant, ...]:
    """Ways to run a layer by columns."""
    weights = "widened in flash" if expanded else "widened for each group of windows"
    return _with_alone(
        Variant(
            "columns",
            way.turn,
            expanded=expanded,
            instructions=way.instructions,
            why=f"{4 * way.group} windows gathered for all channels; weights {weights}",
            columns=way,
        )
        for way in columns.ways(step, expanded=expanded)
    )


def _with_alone(ways: Iterable[Variant]) -> tuple[Variant, ...]:
    """Ways in order of their turns: lines are kept for up to 16 rows; alone, more are made where that takes little."""
    listed = tuple(ways)
    if not listed:
        return ()
    sizes = listed[-1].columns or listed[-1].planes
    small = sizes is not None and sizes.scratch_bytes <= _ALONE_BYTES
    few = sorted((way for way in listed if way.turn <= _MOST_TURN), key=lambda way: way.instructions)
    return (replace(few[0], alone=listed[-1] if small else None), *few[1:])


def _planes(step: Step) -> tuple[Variant, ...]:
    """Ways to run a depthwise layer by planes."""
    return _with_alone(
        Variant(
            "planes",
            way.turn,
            instructions=way.instructions,
            why=f"planes of four channels; a word holds two neighbours {'down' if way.down else 'across'}",
            planes=way,
        )
        for way in planes.ways(step)
    )


def _plain(step: Step) -> bool:
    """Whether strides and dilations are 1."""
    window = _fields(step)["window"]
    return all(window[key] == 1 for key in ("stride_h", "stride_w", "dilation_h", "dilation_w"))


def _winograd_rows(across: bool, width: int) -> int:
    """SCN_WINOGRAD_ROWS of scn_engine.h."""
    if not across:
        return 16
    return 1 if width > 8 else 2 if width > 4 else 4


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
    if stage.variant.kernel != "winograd":
        return stage.step.scratch_bytes
    slots, slide_taps, depth, _ = _winograd_sizes(stage)
    fours = -(-depth // 4)
    weights = 0 if stage.variant.expanded else slide_taps * fours * 96
    return slots * fours * 192 + fours * 4 + weights


def _winograd_sizes(stage: Stage) -> tuple[int, int, int, int]:
    """Slots, taps of the other axis, input and output channels."""
    fields = _fields(stage.step)
    across = stage.variant.across
    slide_taps = fields["window"]["height" if across else "width"]
    further = stage.variant.ahead * _winograd_rows(across, fields["output"]["width"])
    slots = slide_taps + further if across else fields["input"]["width"]
    return slots, slide_taps, fields["input"]["channels"], fields["output"]["channels"]


def claims(stage: Stage) -> tuple[str, ...]:
    """What the engine's macros must say of a stage's sizes."""
    if stage.variant.columns:
        return columns.claims(stage.step, stage.variant.columns)
    if stage.variant.planes:
        return planes.claims(stage.step, stage.variant.planes)
    if stage.variant.kernel == "narrow":
        window, source, target = (_fields(stage.step)[name] for name in ("window", "input", "output"))
        sizes = f"{window['height']}, {window['width']}, {source['channels']}, {target['channels']}"
        return (f"SCN_CONV2D_NARROW_SCRATCH_BYTES({sizes}) == {scratch_bytes(stage)}", *stage.step.claims[1:])
    if stage.variant.kernel != "winograd":
        return stage.step.claims
    slots, slide_taps, depth, channels = _winograd_sizes(stage)
    scratch = f"SCN_WINOGRAD_SCRATCH_BYTES({slots}, {depth})"
    if not stage.variant.expanded:
        scratch += f" + SCN_WINOGRAD_WEIGHT_SCRATCH_BYTES({slide_taps}, {depth})"
    kind = "EXPANDED" if stage.variant.expanded else "PACKED"
    return (
        f"{scratch} == {scratch_bytes(stage)}",
        f"SCN_WINOGRAD_{kind}_BYTES({slide_taps}, {depth}, {channels}) == {weight_bytes(stage)}",
    )


def weight_bytes(stage: Stage) -> int:
    """Flash of the weights of a stage that has its own form of them."""
    if stage.variant.columns:
        channels = _fields(stage.step)["output"]["channels"]
        return int(channels * stage.variant.columns.words * (4 if stage.variant.expanded else 2))
    _, slide_taps, depth, channels = _winograd_sizes(stage)
    return -(-channels // 2) * slide_taps * -(-depth // 4) * 24 * (4 if stage.variant.expanded else 1)


def emitted(
    stage: Stage, kind: str, graph: Graph
) -> tuple[tuple[Table, ...], tuple[Records, ...], Mapping[str, object]]:
    """Make a stage's constants.

    Parameters
    ----------
    stage
        To be written.
    kind
        Its name within its segment, such as "s3"; every constant's name starts with it.
    graph
        Holds the weights.

    Returns
    -------
    tuple
        Tables, records, and the members "run", "layer" and "map" of its scn_stage_t.
    """
    renamed = {table.kind: replace(table, kind=f"{kind}_{table.kind}") for table in stage.step.tables}
    fields = _renamed(kind, _fields(stage.step))
    applied = None
    records: list[Records] = []
    table = Table(f"{kind}_map", "int8_t", stage.map.tables[0].values) if stage.map else None
    post = table if stage.maps_itself else None
    if stage.variant.planes:
        finish = planes.constants(stage.step, kind)
        renamed = {"weights": renamed["weights"], "finish": finish}
        members = {"conv": fields | {"bias": None, "scale": None}, "down": stage.variant.planes.down}
        run, layer = "scn_planes_rows", Records(kind, "scn_planes_t", (members | {"finish": finish.kind},))
    elif stage.is_convolution:
        run, layer = _convolution(stage, kind, graph, fields, renamed, post)
    else:
        run = _RUNNERS[stage.step.kernel]
        if stage.step.kernel == "scn_map_s8":
            fields |= {"pixels": _row_pixels(stage.step, graph), "table": f"{kind}_map"}
        if stage.step.kernel == "scn_sum_s8":
            _, _, width, depth = graph.tensors[stage.step.writes[0]].shape
            fields |= {"elements": width * depth, "table": f"{kind}_table"}
        layer = Records(kind, _type(stage.step), (fields,))
    if stage.map and not post:
        applied = f"{kind}map"
        row = _renamed(kind, _fields(stage.map)) | {"pixels": _row_pixels(stage.map, graph)}
        records.append(Records(applied, "scn_map_t", (row,)))
    tables = (*renamed.values(), *((table,) if table else ()))
    return tables, (layer, *records), {"run": Name(run), "layer": kind, "map": applied}


def _type(step: Step) -> str:
    assert isinstance(step.params, Struct)
    return step.params.type


def _renamed(kind: str, fields: Mapping[str, object]) -> dict[str, object]:
    return {name: f"{kind}_{v}" if isinstance(v, str) else v for name, v in fields.items()}


def _row_pixels(step: Step, graph: Graph) -> int:
    """Pixels of one row, as the engine's row-wise map counts them."""
    _, _, width, depth = graph.tensors[step.writes[0]].shape
    return int(width * depth // _fields(step)["channels"])


def _convolution(
    stage: Stage, kind: str, graph: Graph, fields: dict[str, object], tables: dict[str, Table], post: Table | None
) -> tuple[str, Records]:
    """Engine function and parameters; changes ``tables`` to those that the kernel reads."""
    layer: dict[str, object] = {"conv": fields, "post": post.kind if post else None}
    if stage.variant.kernel in ("direct", "narrow"):
        run = "scn_conv2d_rows" if stage.variant.kernel == "direct" else "scn_conv2d_narrow_rows"
        return run, Records(kind, "scn_fused_conv2d_t", (layer,))
    operator = next(op for op in graph.operators if op.index == stage.step.operators[0])
    weights = values(graph.tensors[operator.inputs[1]])
    if stage.variant.columns:
        constants, members = columns.constants(stage.step, stage.variant.columns, kind, weights)
        tables.clear()
        tables |= constants
        without = fields | {"weights": None, "bias": None, "scale": None}
        return "scn_columns_rows", Records(kind, "scn_columns_t", (layer | {"conv": without} | members,))
    form, dtype = ("expanded", "int16_t") if stage.variant.expanded else ("packed", "int8_t")
    made = (expand_winograd if stage.variant.expanded else pack_winograd)(weights, across=stage.variant.across)
    tables["weights"] = Table(f"{kind}_{form}", dtype, made.ravel())
    fields["weights"] = None
    layer |= {
        "across": stage.variant.across,
        "ahead": stage.variant.ahead,
        "packed": None,
        "expanded": None,
        form: f"{kind}_{form}",
    }
    return "scn_winograd_rows", Records(kind, "scn_winograd_t", (layer,))
