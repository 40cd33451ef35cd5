"""An INT8 network as plain arrays and integers, for entries that bring their inference code.

``models/int8_ops.py`` of the entry computes with them what TFLite's reference kernels compute. The SOFTMAX at the end
is left out: the entry's outputs are logits.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.numerics.fixed_point import (
    add_factors,
    channel_factors,
    fine_multiplier,
    multiply_factor,
    quantize_multiplier,
    quantize_multipliers,
    scale_of,
    zero_point_of,
)
from ...compiler.operators.layer import Layer, window
from ...compiler.operators.pooling import mean as lower_mean
from ...compiler.program import Struct
from ...errors import UnsupportedError
from ...graph import Graph

Arrays = dict[str, NDArray[Any]]
Described = tuple[dict[str, Any], Arrays]


def describe(graph: Graph, subject: object) -> tuple[dict[str, Any], Arrays]:
    """Describe a network.

    Returns
    -------
    tuple
        The description, of JSON's types: "layers" in order, with kind, name, tensors and integers; "input", "output"
        (the logits' tensor), "scale" and "zero_point" of the logits. And the arrays, by layer's number and role.

    Raises
    ------
    UnsupportedError
        Where it has an operator that no recipe's network has, or does not end in SOFTMAX.
    """
    layers: list[dict[str, Any]] = []
    arrays: Arrays = {}
    *operators, last = graph.operators
    if last.op != "SOFTMAX":
        raise UnsupportedError(subject, f"ends in {last.op}, not in SOFTMAX", "give a network of a recipe")
    for number, operator in enumerate(operators):
        if operator.op not in _KINDS:
            known = ", ".join(_KINDS)
            problem = f"operator {operator.op} of layer {graph.layer_name(operator)} is not in the entry's code"
            raise UnsupportedError(subject, problem, f"use a network of {known}")
        kind, function = _KINDS[operator.op]
        fields, constants = function(Layer(graph, operator, {}))
        flow = [index for index in operator.inputs if index >= 0 and not graph.tensors[index].constant]
        named = {"kind": kind, "name": graph.layer_name(operator), "inputs": flow, "output": operator.outputs[0]}
        layers.append({**named, **fields})
        arrays |= {f"{number}.{role}": value for role, value in constants.items()}
    logits = graph.tensors[last.inputs[0]]
    ends = {"input": graph.inputs[0], "output": logits.index}
    return {"layers": layers, **ends, "scale": float(scale_of(logits)), "zero_point": zero_point_of(logits)}, arrays


def pack(networks: Mapping[str, Graph], subject: object, facts: Mapping[str, Any]) -> bytes:
    """Write networks by name into one .npz, with their descriptions and further facts as JSON."""
    held: dict[str, Any] = {}
    described = {}
    for name, graph in networks.items():
        described[name], arrays = describe(graph, subject)
        held |= {f"{name}.{key}": value for key, value in arrays.items()}
    text = json.dumps({**facts, "networks": described}, sort_keys=True)
    held["description"] = np.frombuffer(text.encode(), np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, **held)
    return content.getvalue()


def counted_by_torchinfo(graph: Graph) -> tuple[int, int]:
    """MACs and parameter bytes of the entry's network as the organisers count them with torchinfo.

    MACs are weights and biases, times the pixels of the output for convolutions; nothing else counts. Bytes are those
    of weights, biases and constant operands; multipliers of the requantization are buffers, which it leaves out.
    """
    macs = size = 0
    for operator in graph.operators:
        constants = [graph.tensors[i] for i in operator.inputs if i >= 0 and graph.tensors[i].constant]
        if operator.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            target = graph.tensors[operator.outputs[0]].shape
            pixels = math.prod(target[1:-1]) if "CONV" in operator.op else 1
            macs += pixels * sum(tensor.elements for tensor in constants)
        if operator.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL"):
            size += sum(tensor.nbytes for tensor in constants)
    return macs, size


def _values(layer: Layer, position: int) -> NDArray[Any]:
    return np.asarray(layer.input(position).data)


def _window(layer: Layer, height: int, width: int) -> dict[str, Any]:
    """Kernel, strides and padding: rows before and after, columns before and after."""
    slide = window(layer, height, width)
    if (slide["dilation_h"], slide["dilation_w"]) != (1, 1):
        raise UnsupportedError(layer.graph.layer_name(layer.operator), "is dilated", "use a network of a recipe")
    pads = []
    for axis, (kernel, stride, before) in enumerate(
        ((height, slide["stride_h"], slide["pad_top"]), (width, slide["stride_w"], slide["pad_left"])), 1
    ):
        needed = (layer.target.shape[axis] - 1) * stride + kernel
        pads += [before, max(0, needed - before - layer.source.shape[axis])]
    return {"kernel": [height, width], "strides": [slide["stride_h"], slide["stride_w"]], "pad": pads}


def _ends(layer: Layer) -> dict[str, Any]:
    return {**layer.zero_points(), **layer.activation()}


def _weighted(layer: Layer) -> Arrays:
    channels = layer.target.shape[-1]
    bias = _values(layer, 2) if layer.has_input(2) else np.zeros(channels, np.int32)
    return {"weight": _values(layer, 1), "bias": bias.ravel()}


def _factors(layer: Layer) -> NDArray[np.float64]:
    return np.broadcast_to(channel_factors(layer.source, layer.input(1), layer.target), layer.target.shape[-1])


def _convolution(layer: Layer) -> Described:
    multipliers, shifts = quantize_multipliers(_factors(layer))
    _, height, width, _ = layer.input(1).shape
    arrays = {**_weighted(layer), "multiplier": multipliers, "shift": shifts}
    return {**_window(layer, height, width), **_ends(layer)}, arrays


def _depthwise(layer: Layer) -> Described:
    fields, arrays = _convolution(layer)
    return {**fields, "depth_multiplier": layer.target.shape[3] // layer.source.shape[3]}, arrays


def _dense(layer: Layer) -> Described:
    fine = np.array([fine_multiplier(float(factor)) for factor in _factors(layer)], np.int64)
    names = ("multiplier", "fraction", "shift")
    return _ends(layer), {**_weighted(layer), **dict(zip(names, fine.T, strict=True))}


def _pool(layer: Layer) -> Described:
    attributes = layer.operator.attributes
    size = int(attributes["filter_height"]), int(attributes["filter_width"])
    return {**_window(layer, *size), **_ends(layer)}, {}


def _mean(layer: Layer) -> Described:
    params = lower_mean(layer).params
    assert isinstance(params, Struct)
    fields: Mapping[str, Any] = params.fields
    axes = [axis for axis, reduced in enumerate(fields["reduced"]) if reduced]
    scale = fields["scale"]
    return {"axes": axes, "shape": list(layer.target.shape[1:]), **scale, **layer.zero_points()}, {}


def _operands(layer: Layer) -> Described:
    constants = [place for place in (0, 1) if layer.input(place).constant]
    points = {f"zero_point{place + 1}": zero_point_of(layer.input(place)) for place in (0, 1)}
    fields = {**points, "output_zero_point": zero_point_of(layer.target), **layer.activation()}
    fields["constant_first"] = constants == [0]
    return fields, {"constant": _values(layer, constants[0])} if constants else {}


def _add(layer: Layer) -> Described:
    fields, arrays = _operands(layer)
    pairs = [quantize_multiplier(factor) for factor in add_factors(layer.input(0), layer.input(1), layer.target)]
    return {**fields, "multipliers": [pair[0] for pair in pairs], "shifts": [pair[1] for pair in pairs]}, arrays


def _multiply(layer: Layer) -> Described:
    fields, arrays = _operands(layer)
    multiplier, shift = quantize_multiplier(multiply_factor(layer.input(0), layer.input(1), layer.target))
    return {**fields, "multiplier": multiplier, "shift": shift}, arrays


def _reshape(layer: Layer) -> Described:
    return {"shape": list(layer.target.shape[1:])}, {}


_KINDS: dict[str, tuple[str, Callable[[Layer], Described]]] = {
    "CONV_2D": ("conv", _convolution),
    "DEPTHWISE_CONV_2D": ("depthwise", _depthwise),
    "FULLY_CONNECTED": ("dense", _dense),
    "MAX_POOL_2D": ("max_pool", _pool),
    "AVERAGE_POOL_2D": ("average_pool", _pool),
    "MEAN": ("mean", _mean),
    "ADD": ("add", _add),
    "MUL": ("mul", _multiply),
    "RESHAPE": ("reshape", _reshape),
}
