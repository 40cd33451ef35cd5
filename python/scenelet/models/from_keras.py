"""The operators that the TFLite converter will emit for a Keras model, to count its cost before conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.files import read_bytes
from ..errors import ModelError
from ..graph import Graph
from ..graph.builder import GraphBuilder, Pair
from .backend import keras

layers = keras.layers


def _activation(layer: Any) -> str:
    return str(getattr(layer.activation, "__name__", layer.activation))


def _pair(value: Any) -> Pair:
    first, second = value
    return int(first), int(second)


class _Walk:
    """One pass over a model's layers, from the outputs backwards: the converter's order for parallel branches."""

    def __init__(self, model: keras.Model) -> None:
        self.builder = GraphBuilder(model.name)
        self.done: dict[int, int] = {}
        shape = tuple(model.inputs[0].shape[1:])
        self.source = self.builder.input("features", shape)
        self.done[id(model.inputs[0])] = self.source

    def visit(self, tensor: Any) -> int:
        if id(tensor) not in self.done:
            layer, node, _ = tensor._keras_history
            arguments = layer._inbound_nodes[node].input_tensors
            self.done[id(tensor)] = self.emit(layer, [self.visit(argument) for argument in arguments])
        return self.done[id(tensor)]

    def emit(self, layer: Any, sources: list[int]) -> int:
        builder, source = self.builder, sources[0]
        match layer:
            case layers.DepthwiseConv2D():
                return self.depthwise(layer, source)
            case layers.Conv2D():
                return self.conv(layer, source)
            case layers.Add():
                return self.add(layer, sources)
            case layers.BatchNormalization():
                return builder.batch_norm(source, layer.name)
            case layers.ReLU():
                return builder.relu(source, layer.name)
            case layers.MaxPooling2D() | layers.AveragePooling2D():
                return self.pool(layer, source)
            case layers.GlobalAveragePooling2D():
                return builder.global_average(source, layer.name)
            case layers.Dense():
                return self.activate(layer, builder.dense(source, layer.name, layer.units))
            case layers.Concatenate():
                return builder.concatenate(tuple(sources), layer.name)
            case layers.Dropout() | layers.Flatten():
                return source
        raise ModelError(
            f"layer {layer.name}", f"{type(layer).__name__} is not supported", "use the layers of the recipes"
        )

    def activate(self, layer: Any, tensor: int) -> int:
        name = _activation(layer)
        if name == "linear":
            return tensor
        if name == "relu":
            return self.builder.relu(tensor, layer.name)
        if name == "softmax":
            return self.builder.softmax(tensor, "softmax")
        raise ModelError(f"layer {layer.name}", f"activation {name} is not supported", "use relu")

    def conv(self, layer: Any, source: int) -> int:
        if layer.dilation_rate != (1, 1) or layer.groups != 1:
            raise ModelError(f"layer {layer.name}", "is dilated or grouped", "use a plain convolution")
        tensor = self.builder.conv(
            source,
            layer.name,
            layer.filters,
            _pair(layer.kernel_size),
            strides=_pair(layer.strides),
            padding=layer.padding.upper(),
        )
        return self.activate(layer, tensor)

    def depthwise(self, layer: Any, source: int) -> int:
        if layer.dilation_rate != (1, 1) or layer.depth_multiplier != 1:
            raise ModelError(f"layer {layer.name}", "is dilated or multiplies channels", "use one filter per channel")
        tensor = self.builder.depthwise(
            source,
            layer.name,
            _pair(layer.kernel_size),
            strides=_pair(layer.strides),
            padding=layer.padding.upper(),
        )
        return self.activate(layer, tensor)

    def add(self, layer: Any, sources: list[int]) -> int:
        if len(sources) != 2 or len({self.builder.shape(source) for source in sources}) != 1:
            raise ModelError(f"layer {layer.name}", "adds other than two maps of one shape", "use a plain residual")
        return self.builder.add(sources[0], sources[1], layer.name)

    def pool(self, layer: Any, source: int) -> int:
        if layer.padding != "valid" or layer.strides != layer.pool_size:
            raise ModelError(f"layer {layer.name}", "has overlap or padding", "use strides = pool_size, no padding")
        kind = "max" if isinstance(layer, layers.MaxPooling2D) else "average"
        return self.builder.pool(source, layer.name, kind, _pair(layer.pool_size))


def graph_of_model(model: keras.Model) -> Graph:
    """Build the graph of a Keras model with one input and one output.

    Raises
    ------
    ModelError
        Where a layer is not supported; names it.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(model.name, "has more than one input or output", "give a classifier")
    walk = _Walk(model)
    output = walk.visit(model.outputs[0])
    return walk.builder.finish((walk.source,), (output,))


def load_model(path: str | Path) -> keras.Model:
    """Load a .keras file.

    Raises
    ------
    ModelError
        Where Keras cannot read the file.
    InputError
        Where it is missing, or the system does not let it be read.
    """
    read_bytes(path)
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever zipfile, json, h5py and Keras raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(path, f"is not a Keras model: {reason}", "save it with Keras 3") from None
