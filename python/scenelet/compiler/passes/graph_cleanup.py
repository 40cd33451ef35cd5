"""Small rewrites before code is made: each takes a graph and says what need not be computed.

A pass may only drop work whose result is known bit for bit: tensors keep the indices of the .tflite file, so every
target can still be compared tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator, Quantization, Tensor


def drop_unread(graph: Graph) -> Graph:
    """Drop operators whose outputs nobody needs.

    Parameters
    ----------
    graph
        Operators in execution order.

    Returns
    -------
    Graph
        With the operators that the graph's outputs depend on; tensors are left alone.
    """
    needed = set(graph.outputs)
    kept: list[Operator] = []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return replace(graph, operators=tuple(reversed(kept)))


def aliases(graph: Graph) -> Mapping[int, int]:
    """Tensors that are another tensor's bytes under a new shape or name.

    RESHAPE always; QUANTIZE to the scale and zero point that its input already has; PAD by nothing. The network's
    output is never an alias of its input: the one may be filled anew while the other is still read.

    Returns
    -------
    Mapping
        Tensor -> the tensor that holds its bytes, which is never itself a key.
    """
    found: dict[int, int] = {}
    for operator in graph.operators:
        source, target = operator.inputs[0], operator.outputs[0]
        holder = found.get(source, source)
        if _copies(graph, operator) and not (holder in graph.inputs and target in graph.outputs):
            found[target] = holder
    return found


def _copies(graph: Graph, operator: Operator) -> bool:
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    if operator.op == "RESHAPE":
        return True
    if operator.op == "QUANTIZE":
        return source.dtype == target.dtype and _same(source.quantization, target.quantization)
    if operator.op == "PAD":
        return not np.any(_values(graph.tensors[operator.inputs[1]]))
    return False


def _same(one: Quantization | None, other: Quantization | None) -> bool:
    if one is None or other is None:
        return False
    return np.array_equal(one.scale, other.scale) and np.array_equal(one.zero_point, other.zero_point)


def _values(tensor: Tensor) -> NDArray[Any]:
    return np.ones(1) if tensor.data is None else tensor.data
