"""Operators that pick values by constant indices, such as GATHER and RESIZE_NEAREST_NEIGHBOR: rules, and lowering."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator
from ..numerics.fixed_point import zero_point_of
from ..numerics.positions import POSITIONS, Positions, RowsAndColumns, rows_and_columns, strides_along
from ..program import Step, Struct, Table
from .checker import Checker
from .layer import Layer
from .slicing import DIMS

_MOST_VALUES = 1 << 24
"""Whose positions fit this computer's memory; a microcontroller holds far fewer."""

_ANY_SCALES = ("REVERSE_V2",)
"""Which move INT8 values as they are, whatever the scales, as TFLite does; converters of bidirectional LSTMs use it."""


def check_picking(check: Checker) -> None:
    """Constant indices that fit the input; one scale, as a rule."""
    check.require(len(check.operator.outputs) == 1, f"has {len(check.operator.outputs)} outputs")
    check.require(-1 not in check.operator.inputs, "lacks an input")
    check.flow()
    if check.operator.op not in _ANY_SCALES:
        check.same_scale()
    for number, index in enumerate(check.operator.inputs[1:], 1):
        tensor = check.graph.tensors[index]
        known = tensor.data is not None and tensor.dtype in ("int32", "int64")
        check.require(known, f"input {number} is no constant list of integers", "make it a constant")
    largest = max(check.source.elements, check.target.elements)
    check.require(largest <= _MOST_VALUES, f"moves {largest:,} values", "use a smaller map")
    try:
        found = _positions(check.graph, check.operator)
    except (ValueError, IndexError, ZeroDivisionError, TypeError) as error:
        problem = f"its indices do not fit an input of shape {check.source.shape} ({error})"
        check.refuse(problem, "convert the model again")
    check.shape(found.shape)


def picking(layer: Layer) -> Step:
    """A copy by strides where the values lie so, else rows of runs from tables."""
    found = _positions(layer.graph, layer.operator)
    strided = strides_along(found, DIMS)
    if strided is not None:
        return copy_by_strides(layer, *strided)
    tables = _tables(found.tobytes(), found.size)
    fields = {
        "rows": len(tables.rows),
        "columns": tables.count,
        "run": tables.run,
        "row": "row",
        "column": "column",
        "fill": zero_point_of(layer.target),
    }
    return layer.step(
        "scn_pick_s8",
        Struct("scn_pick_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(Table("row", "scn_pick_row_t", tables.rows), Table("column", "int32_t", tables.columns)),
    )


@lru_cache(maxsize=16)
def _tables(positions: bytes, count: int) -> RowsAndColumns:
    """Search once for each of the ways in which a model is compiled."""
    return rows_and_columns(np.frombuffer(positions, np.int64, count))


def copy_by_strides(layer: Layer, start: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> Step:
    """Describe scn_copy_s8 of a layer's input to its output."""
    missing = DIMS - len(sizes)
    fields = {"start": start, "size": (1,) * missing + sizes, "stride": (0,) * missing + strides}
    return layer.step("scn_copy_s8", Struct("scn_copy_t", fields), (layer.held(layer.source), layer.target.index))


def _positions(graph: Graph, operator: Operator) -> Positions:
    source = graph.tensors[operator.inputs[0]]
    whole: NDArray[np.int64] = np.arange(source.elements, dtype=np.int64).reshape(source.shape)
    constants = [data for index in operator.inputs[1:] if (data := graph.tensors[index].data) is not None]
    return np.ascontiguousarray(POSITIONS[operator.op](whole, constants, operator.attributes))
