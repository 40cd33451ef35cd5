"""What a stage of a segment becomes in the generated C: its tables and the records of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph
from ..kernels.fused_add import added_to
from ..kernels.fused_pool import falling
from ..kernels.variant import NO_WEIGHTS, Layer
from ..numerics.affine_map import int8_map
from ..operators.layer import convolution_weights
from ..program import Name, Records, Step, Table
from .stage import Stage


@dataclass(frozen=True)
class StageConstants:
    """Tables, records, and the members "run", "layer" and "map" of a stage's scn_stage_t."""

    tables: tuple[Table, ...]
    records: tuple[Records, ...]
    members: Mapping[str, object]


def stage_constants(stage: Stage, name: str, graph: Graph) -> StageConstants:
    """Make a stage's constants.

    Parameters
    ----------
    stage
        To be written.
    name
        Of the stage within its segment, such as "s3"; every constant's name starts with it.
    graph
        Holds the weights.
    """
    layer, applied = _layer(stage, name, graph)
    made = stage.variant.parameters(layer)
    tables, record = list(made.tables), made.record
    if stage.added:
        found = added_to(stage.added, (stage.map or stage.step).writes[0])
        assert found is not None, "Fused.can_add has looked"
        multiplier, values_added = found
        tables.append(Table(f"{name}_added", "int32_t", values_added))
        sums = {"table": f"{name}_added", "multiplier": multiplier, "skip": None}
        record = replace(record, rows=({**record.rows[0], "added": sums},))
    tables += [applied] if applied else []
    if stage.map is None or layer.post:
        return StageConstants(tuple(tables), (record,), {"run": Name(made.run), "layer": name, "map": None})
    row = _prefixed(name, stage.map.fields) | {
        "pixels": _row_elements(stage.map, graph) // stage.map.fields["channels"]
    }
    after = Records(f"{name}map", "scn_lut_t", (row,))
    members = {"run": Name(made.run), "layer": name, "map": after.kind}
    return StageConstants(tuple(tables), (record, after), members)


def _layer(stage: Stage, name: str, graph: Graph) -> tuple[Layer, Table | None]:
    """A stage as its kernel needs it, and the constants of its map, be it applied by the kernel or after it."""
    fields = _prefixed(name, stage.step.fields)
    applied = replace(stage.map.tables[0], kind=f"{name}_map") if stage.map else None
    post = _prefixed(name, stage.map.fields)["post"] if stage.map and stage.maps_itself else None
    if applied and post and (stage.variant.needs_table or not _whole_range(fields)):
        applied = replace(applied, type="int8_t", values=clamped(int8_map(applied), fields))
        post = {"table": applied.kind, "affine": None}
        fields |= {"activation_min": -128, "activation_max": 127}
    tables = {table.kind: replace(table, kind=f"{name}_{table.kind}") for table in stage.step.tables}
    weights = _weights(stage.step, graph) if stage.is_convolution else NO_WEIGHTS
    elements = _row_elements(stage.step, graph)
    falls = falling(stage.map) if stage.map and post else np.zeros(0, np.bool_)
    return Layer(name, fields, tables, post, stage.pool_size, elements, weights, falls), applied


def _weights(step: Step, graph: Graph) -> NDArray[Any]:
    operator = next(op for op in graph.operators if op.index == step.operators[0])
    return convolution_weights(graph, operator)


def _whole_range(fields: Mapping[str, Any]) -> bool:
    return (fields["activation_min"], fields["activation_max"]) == (-128, 127)


def clamped(table: NDArray[np.int8], fields: Mapping[str, Any]) -> NDArray[np.int8]:
    """Put an activation into the table after it, so that the kernel needs only saturate.

    Parameters
    ----------
    table
        (channels * 256,): what -128 .. 127 become.
    fields
        "activation_min" and "activation_max", INT8.
    """
    inside = np.clip(np.arange(-128, 128), fields["activation_min"], fields["activation_max"])
    return np.ascontiguousarray(table.reshape(-1, 256)[:, inside + 128]).ravel()


def _prefixed(name: str, fields: Mapping[str, object]) -> dict[str, Any]:
    """Put a stage's name before the names of its tables."""
    return {
        key: f"{name}_{value}"
        if isinstance(value, str)
        else _prefixed(name, value)
        if isinstance(value, Mapping)
        else value
        for key, value in fields.items()
    }


def _row_elements(step: Step, graph: Graph) -> int:
    """Values of one row of a step's output; all of them for an output that is no feature map."""
    shape = graph.tensors[step.writes[0]].shape
    return int(np.prod(shape[-2:]))
