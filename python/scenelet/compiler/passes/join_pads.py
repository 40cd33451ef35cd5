"""Joins PAD to the operators that read it, where these can pad by themselves: explicit padding costs no copy.

CONV_2D and DEPTHWISE_CONV_2D leave out taps beside their input, which is what the zero point, PAD's value, would
contribute. MAX_POOL_2D leaves them out too: the same where the zero point is -128. AVERAGE_POOL_2D would divide by
another count, and stays behind its PAD.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...graph import Graph, Operator
from ..numerics.fixed_point import INT8_MIN, zero_point_of
from ..numerics.ranges import reach

JOINED = "joined_pad"
"""Attribute of an operator that pads by itself: rows before and after, columns before and after."""

_SLIDING = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")
_RANK = 4


def join_pads(graph: Graph) -> Graph:
    """Remove every PAD whose readers can all pad by themselves.

    Parameters
    ----------
    graph
        Held to the engine's rules.

    Returns
    -------
    Graph
        Its readers take PAD's input and have the attribute :data:`JOINED`; tensors are left alone.
    """
    joined = {pad.outputs[0]: pad for pad in graph.operators if _joins(graph, pad)}
    kept = (operator for operator in graph.operators if operator.outputs[0] not in joined)
    return replace(graph, operators=tuple(_padding(graph, operator, joined) for operator in kept))


def _padding(graph: Graph, operator: Operator, joined: dict[int, Operator]) -> Operator:
    pad = joined.get(operator.inputs[0])
    if pad is None:
        return operator
    (_, _), rows, columns, (_, _) = _amounts(graph, pad)
    attributes = {**operator.attributes, JOINED: (*rows, *columns)}
    return replace(operator, inputs=(pad.inputs[0], *operator.inputs[1:]), attributes=attributes)


def _amounts(graph: Graph, pad: Operator) -> list[tuple[int, int]]:
    return [(int(before), int(after)) for before, after in np.asarray(graph.tensors[pad.inputs[1]].data)]


def _joins(graph: Graph, pad: Operator) -> bool:
    if pad.op != "PAD" or len(graph.tensors[pad.outputs[0]].shape) != _RANK or pad.outputs[0] in graph.outputs:
        return False
    batches, rows, columns, channels = _amounts(graph, pad)
    readers = [operator for operator in graph.operators if pad.outputs[0] in operator.inputs]
    if any((*batches, *channels)) or not readers:
        return False
    return all(_pads_itself(graph, reader, pad.outputs[0], rows, columns) for reader in readers)


def _pads_itself(graph: Graph, reader: Operator, tensor: int, rows: tuple[int, int], columns: tuple[int, int]) -> bool:
    """Whether an operator can, and each of its windows still sees the input."""
    if reader.op not in _SLIDING or reader.inputs[0] != tensor or tensor in reader.inputs[1:]:
        return False
    attributes = reader.attributes
    if reader.op == "MAX_POOL_2D":
        size = int(attributes["filter_height"]), int(attributes["filter_width"])
        if zero_point_of(graph.tensors[tensor]) != INT8_MIN:
            return False
    else:
        _, height, width, _ = graph.tensors[reader.inputs[1]].shape
        size = height, width
    dilations = int(attributes.get("dilation_h_factor", 1)), int(attributes.get("dilation_w_factor", 1))
    strides = int(attributes["stride_h"]), int(attributes["stride_w"])
    source, target = graph.tensors[tensor].shape, graph.tensors[reader.outputs[0]].shape
    for axis, amounts in enumerate((rows, columns)):
        seen = reach(size[axis], dilations[axis])
        padded = source[1 + axis]
        # SAME pads what PAD has padded once more.
        whole = max(0, (target[1 + axis] - 1) * strides[axis] + seen - padded)
        same = attributes["padding"] == "SAME"
        before = amounts[0] + (whole // 2 if same else 0)
        after = amounts[1] + (whole - whole // 2 if same else 0)
        if before >= seen or after >= seen:
            return False
    return True
