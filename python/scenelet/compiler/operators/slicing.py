"""TRANSPOSE, SLICE, STRIDED_SLICE, SPLIT, SPLIT_V and UNPACK: one copy by strides for each output."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ...graph import Graph, Operator, Tensor
from ..numerics.views import VIEWS, moved_input, placeholder, strides_of
from ..program import Step, Struct
from .checker import Checker
from .layer import Layer, item_bytes

DIMS = 6
"""SCN_COPY_DIMS of the engine."""

_MOST_ELEMENTS = 2**31 - 1
"""The engine counts elements in int32."""


def check_slicing(check: Checker) -> None:
    """Constant indices that fit the input, one scale for input and outputs."""
    position = moved_input(check.operator.op)
    source = check.input(position)
    if source is None:
        check.refuse("lacks its input", "convert the model again")
    check.require(not source.constant, "its input is a constant", "fold constants when converting")
    check.activation(source, "input")
    for number, index in enumerate(check.operator.inputs):
        known = number == position or (index >= 0 and check.graph.tensors[index].data is not None)
        check.require(known, f"input {number} is computed, not stored", "make it a constant")
    check.require(source.elements <= _MOST_ELEMENTS, f"input has {source.elements:,} values", "use a smaller map")
    whole = placeholder(source.shape)
    try:
        views = _views(check.graph, check.operator, whole)
    except (ValueError, IndexError) as error:
        check.refuse(f"cannot take {error} from an input of shape {source.shape}", "convert the model again")
    for index, view in zip(check.operator.outputs, views, strict=True):
        target = check.graph.tensors[index]
        check.activation(target, "output")
        check.alike(source, target)
        problem = f"output shape {target.shape} where {view.shape} follows from its inputs"
        check.require(target.shape == view.shape, problem)
        dims = len(strides_of(whole, view)[1])
        most = DIMS - check.wide
        check.require(dims <= most, f"moves values along {dims} dimensions", f"use at most {most}")


def slicing(layer: Layer) -> tuple[Step, ...]:
    """One copy for each output that is read."""
    source = layer.input(moved_input(layer.operator.op))
    whole = placeholder(source.shape)
    views = _views(layer.graph, layer.operator, whole)
    read = {*layer.graph.outputs, *(index for operator in layer.graph.operators for index in operator.inputs)}
    return tuple(
        _copy(layer, source, layer.graph.tensors[index], whole, view)
        for index, view in zip(layer.operator.outputs, views, strict=True)
        if index in read
    )


def _copy(layer: Layer, source: Tensor, target: Tensor, whole: NDArray[Any], view: NDArray[Any]) -> Step:
    start, sizes, strides = strides_of(whole, view)
    start, sizes, strides = _in_bytes(start, sizes, strides, item_bytes(source))
    missing = DIMS - len(sizes)
    fields = {"start": start, "size": (1,) * missing + sizes, "stride": (0,) * missing + strides}
    arguments = layer.held(source), target.index
    return layer.step("scn_copy_s8", Struct("scn_copy_t", fields), arguments, writes=(target.index,))


def _in_bytes(
    start: int, sizes: tuple[int, ...], strides: tuple[int, ...], width: int
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """What moves values of so many bytes: their bytes are one more dimension, or part of the innermost run."""
    moved = tuple(stride * width for stride in strides)
    if width == 1 or not strides:
        return start * width, sizes or (width,), moved or (1,)
    if strides[-1] == 1:
        return start * width, (*sizes[:-1], sizes[-1] * width), (*moved[:-1], 1)
    return start * width, (*sizes, width), (*moved, 1)


def _views(graph: Graph, operator: Operator, whole: NDArray[Any]) -> list[NDArray[Any]]:
    constants = [graph.tensors[index].data if index >= 0 else None for index in operator.inputs]
    return VIEWS[operator.op](whole, constants, operator.attributes, len(operator.outputs))
