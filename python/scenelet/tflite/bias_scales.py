"""Scales of biases made right for a reference interpreter that refuses a file for them.

A bias counts in steps of input scale times weight scale, whatever the file says of it. TensorFlow Lite Micro, and this
engine, do not read its quantization; LiteRT refuses a quantized axis that the bias does not have, another number of
scales than values, and in a FULLY_CONNECTED a scale that is not the product.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from ..graph import Graph, Operator, Quantization, Tensor
from .object_model import pack, unpack

_TOLERANCE = 1e-5
"""Of the product: converters compute it in float32 or float64."""

_INPUTS = {
    "CONV_2D": (0, 1, 2),
    "DEPTHWISE_CONV_2D": (0, 1, 2),
    "FULLY_CONNECTED": (0, 1, 2),
    "TRANSPOSE_CONV": (2, 1, 3),
}
"""Operators with a bias: which of their inputs are the feature map, the weights, and the bias."""

_INTEGERS = ("int32", "int64")


def _bias(graph: Graph, operator: Operator) -> Tensor | None:
    """Return an operator's bias where it has a stored one."""
    position = _INPUTS[operator.op][2] if operator.op in _INPUTS else len(operator.inputs)
    index = operator.inputs[position] if position < len(operator.inputs) else -1
    bias = graph.tensors.get(index)
    return bias if bias is not None and bias.data is not None and bias.dtype in _INTEGERS else None


def repaired(model: bytes, graph: Graph, source: object = "model") -> bytes:
    """Give every bias whose scales are not the products the scales that it counts in.

    Parameters
    ----------
    model
        Content of a .tflite file with one subgraph.
    graph
        The same file, as read.
    source
        Names the model in errors.

    Returns
    -------
    bytes
        The model itself where all biases say what they count in.

    Raises
    ------
    ModelError
        The content is not a .tflite file.
    """
    wanted = _wanted(graph)
    if not wanted:
        return model
    tree = unpack(model, source)
    for index, (scales, axis) in wanted.items():
        made = schema.QuantizationParametersT()
        made.scale, made.zeroPoint, made.quantizedDimension = scales.tolist(), [0] * scales.size, axis
        tree.subgraphs[0].tensors[index].quantization = made
    return pack(tree)


def _wanted(graph: Graph) -> Mapping[int, tuple[NDArray[np.float32], int]]:
    """Biases that say something else than what they count in, and what that is: scales, and their axis."""
    found = {}
    for operator in graph.operators:
        bias = _bias(graph, operator)
        scales = None if bias is None else _products(graph, operator)
        if bias is None or scales is None:
            continue
        axis = bias.shape.index(scales.size) if scales.size in bias.shape else 0
        if not _says(bias.quantization, scales, axis):
            found[bias.index] = scales, axis
    return found


def _products(graph: Graph, operator: Operator) -> NDArray[np.float32] | None:
    places = [operator.inputs[position] for position in _INPUTS[operator.op][:2]]
    source, weights = (graph.tensors[index].quantization if index >= 0 else None for index in places)
    if source is None or weights is None or source.per_channel:
        return None
    return np.asarray(source.scale[0] * weights.scale, np.float32)


def _says(stated: Quantization | None, scales: NDArray[np.float32], axis: int) -> bool:
    return (
        stated is not None
        and stated.scale.size == scales.size
        and (stated.axis == axis or not stated.per_channel)
        and bool(np.allclose(stated.scale, scales, rtol=_TOLERANCE, atol=0))
    )
