"""What a stage of a segment becomes in the generated C: its tables and the records of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph
from ..kernels import depthwise_planar, gemm
from ..kernels.fused_add import Exact, added_to
from ..kernels.winograd_weights import expand_winograd, pack_winograd
from ..numerics.affine_map import int8_map
from ..operators.layer import values
from ..program import Name, Records, Step, Struct, Table
from .stage import POSITIONS, RUNNERS, Stage


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
    mapped = stage.map and replace(stage.map.tables[0], kind=f"{kind}_map")
    post = _renamed(kind, _fields(stage.map))["post"] if stage.map and stage.maps_itself else None
    if mapped and post and (stage.variant.columns or not _whole_range(fields)):
        mapped = replace(mapped, type="int8_t", values=_clamped(int8_map(mapped), fields))
        post = {"table": mapped.kind, "affine": None}
        fields |= {"activation_min": -128, "activation_max": 127}
    if stage.variant.planes:
        requantize = depthwise_planar.constants(stage.step, kind)
        renamed = {"weights": renamed["weights"], "requantize": requantize}
        members = {"conv": fields | {"bias": None, "scale": None}, "down": stage.variant.planes.down}
        run, layer = (
            "scn_depthwise_planar_rows",
            Records(kind, "scn_depthwise_planar_t", (members | {"requantize": requantize.kind},)),
        )
    elif stage.is_convolution:
        run, layer = _convolution(stage, kind, graph, fields, renamed, post)
    else:
        run = RUNNERS[stage.step.kernel]
        if stage.step.kernel == "scn_lut_s8":
            fields["pixels"] = _row_pixels(stage.step, graph)
        if stage.step.kernel == "scn_add_lut_s8":
            _, _, width, depth = graph.tensors[stage.step.writes[0]].shape
            fields |= {"elements": width * depth, "table": f"{kind}_table"}
        layer = Records(kind, _type(stage.step), (fields,))
    if stage.added:
        multiplier, table = _added(stage)
        renamed["added"] = Table(f"{kind}_added", "int32_t", table)
        sums = {"table": f"{kind}_added", "multiplier": multiplier, "skip": None}
        layer = replace(layer, rows=({**layer.rows[0], "added": sums},))
    if stage.map and not post:
        applied = f"{kind}map"
        row = _renamed(kind, _fields(stage.map)) | {"pixels": _row_pixels(stage.map, graph)}
        records.append(Records(applied, "scn_lut_t", (row,)))
    tables = (*renamed.values(), *((mapped,) if mapped else ()))
    return tables, (layer, *records), {"run": Name(run), "layer": kind, "map": applied}


def _added(stage: Stage) -> Exact:
    assert stage.added is not None
    found = added_to(stage.added, (stage.map or stage.step).writes[0])
    assert found is not None, "adds() has looked"
    return found


def _whole_range(fields: Mapping[str, Any]) -> bool:
    return (fields["activation_min"], fields["activation_max"]) == (-128, 127)


def _clamped(table: NDArray[np.int8], fields: Mapping[str, Any]) -> NDArray[np.int8]:
    """Put an activation into the table behind it, so that the kernel needs only saturate."""
    inside = np.clip(np.arange(-128, 128), fields["activation_min"], fields["activation_max"])
    return np.ascontiguousarray(table.reshape(-1, 256)[:, inside + 128]).ravel()


def _fields(step: Step) -> Mapping[str, Any]:
    assert isinstance(step.params, Struct)
    return step.params.fields


def _type(step: Step) -> str:
    assert isinstance(step.params, Struct)
    return step.params.type


def _renamed(kind: str, fields: Mapping[str, object]) -> dict[str, Any]:
    """Put a stage's name before the names of its tables."""
    return {
        name: f"{kind}_{value}"
        if isinstance(value, str)
        else _renamed(kind, value)
        if isinstance(value, Mapping)
        else value
        for name, value in fields.items()
    }


def _row_pixels(step: Step, graph: Graph) -> int:
    """Pixels of one row, as the engine's row-wise map counts them."""
    _, _, width, depth = graph.tensors[step.writes[0]].shape
    return int(width * depth // _fields(step)["channels"])


def _convolution(
    stage: Stage,
    kind: str,
    graph: Graph,
    fields: dict[str, object],
    tables: dict[str, Table],
    post: Mapping[str, object] | None,
) -> tuple[str, Records]:
    """Engine function and parameters; changes ``tables`` to those that the kernel reads."""
    layer: dict[str, object] = {"conv": fields, "post": post or {"table": None, "affine": None}}
    if stage.variant.kernel in ("direct", "narrow"):
        run = "scn_conv2d_rows" if stage.variant.kernel == "direct" else "scn_conv2d_narrow_rows"
        return run, Records(kind, "scn_fused_conv2d_t", (layer,))
    operator = next(op for op in graph.operators if op.index == stage.step.operators[0])
    weights = values(graph.tensors[operator.inputs[1]])
    if stage.variant.columns:
        constants, members = gemm.constants(stage.step, stage.variant.columns, kind, weights)
        tables.clear()
        tables |= constants
        without = fields | {"weights": None, "bias": None, "scale": None}
        columned = {"conv": without, "post": post["table"] if post else None} | members
        return "scn_conv2d_gemm_rows", Records(kind, "scn_conv2d_gemm_t", (columned,))
    way = stage.variant.transform
    assert way is not None, "all that is left is Winograd's"
    form, dtype = ("expanded", "int16_t") if way.expanded else ("packed", "int8_t")
    if way.expanded:
        made: NDArray[Any] = expand_winograd(weights, across=way.across, outputs=way.outputs)
    else:
        made = pack_winograd(weights, across=way.across)
    tables["weights"] = Table(f"{kind}_{form}", dtype, made.ravel())
    fields["weights"] = None
    layer |= {
        "across": way.across,
        "pool_height": stage.pool_size[0],
        "pool_width": stage.pool_size[1],
        "rows": way.rows,
        "part": way.part,
        "packed": None,
        "expanded": None,
        form: f"{kind}_{form}",
    }
    run = "scn_winograd_f4x3_rows" if way.outputs == POSITIONS else "scn_winograd_f2x3_rows"
    return run, Records(kind, "scn_winograd_t", (layer,))
