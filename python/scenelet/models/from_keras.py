"""The operators that the TFLite converter will emit for a Keras model, to count its cost before conversion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ModelError
from ..graph import Graph
from ..graph.builder import GraphBuilder, Pair
from .backend import keras
from .keras_archive import HONOURED, REMEDY, require_closed, require_countable, require_honoured

layers = keras.layers


def _activation(layer: Any) -> str:
    return str(getattr(layer.activation, "__name__", layer.activation))


def _pair(value: Any) -> Pair:
    first, second = value
    return int(first), int(second)


def _refuse(layer: Any, problem: str, remedy: str) -> NoReturn:
    raise ModelError(f"layer {layer.name}", problem, remedy)


class _Walk:
    """One pass over a model's layers, from the outputs backwards: the converter's order for parallel branches.

    Flatten computes nothing and the dense layer after it flattens by itself, so it leaves its input as it is; any other
    reader asks for the shape that Keras states.
    """

    def __init__(self, model: keras.Model) -> None:
        self.builder = GraphBuilder(model.name)
        self.done: dict[int, int] = {}
        self.applied: set[int] = set()
        source = model.inputs[0]
        layer = source._keras_history[0]
        require_closed(f"layer {layer.name}", source.shape)
        self.source = self.builder.input("features", tuple(source.shape[1:]))
        self.done[id(source)] = self.source

    def visit(self, tensor: Any) -> int:
        """Emit what a tensor needs, and return its index."""
        waiting = [tensor]
        while waiting:
            layer, node, _ = waiting[-1]._keras_history
            arguments = layer._inbound_nodes[node].input_tensors
            missing = next((argument for argument in arguments if id(argument) not in self.done), None)
            if id(waiting[-1]) in self.done:
                waiting.pop()
            elif missing is not None:
                waiting.append(missing)
            else:
                made = waiting.pop()
                self.done[id(made)] = self.emit(layer, arguments, tuple(made.shape[1:]))
        return self.done[id(tensor)]

    def shaped(self, tensor: Any) -> int:
        """Index of a tensor in the shape that Keras states."""
        index, shape = self.done[id(tensor)], tuple(tensor.shape[1:])
        if self.builder.shape(index)[1:] != shape:
            index = self.builder.reshape(index, tensor._keras_history[0].name, shape)
            self.done[id(tensor)] = index
        return index

    def emit(self, layer: Any, arguments: Sequence[Any], shape: tuple[int, ...]) -> int:
        """Add a layer's operators; ``shape`` is that of its output, without the batch."""
        for option in HONOURED:
            # Most layers have few of these, and PReLU's or a layer's of one's own may mean something else.
            if hasattr(layer, option):
                require_honoured(f"layer {layer.name}", option, getattr(layer, option))
        if layer.weights and id(layer) in self.applied:
            _refuse(layer, "is applied twice", "give each place a layer of its own")
        self.applied.add(id(layer))
        match layer:
            case layers.Dropout() | layers.Flatten():
                made = self.done[id(arguments[0])]
            case layers.Dense():
                made = self.dense(layer, arguments[0])
            case _:
                made = self.layer(layer, [self.shaped(argument) for argument in arguments])
        if math.prod(self.builder.shape(made)) != math.prod(shape):
            _refuse(layer, f"makes {shape}, not the shape that is counted", "use the layers of the recipes")
        return made

    def layer(self, layer: Any, sources: list[int]) -> int:
        builder, source = self.builder, sources[0]
        match layer:
            case layers.DepthwiseConv2D():
                return self.depthwise(layer, source)
            case layers.Conv2D():
                return self.conv(layer, source)
            case layers.Add():
                return self.add(layer, sources)
            case layers.BatchNormalization():
                self.require_last(layer, source)
                return builder.batch_norm(source, layer.name)
            case layers.ReLU():
                return builder.relu(source, layer.name)
            case layers.MaxPooling2D() | layers.AveragePooling2D():
                return self.pool(layer, source)
            case layers.GlobalAveragePooling2D():
                return builder.global_average(source, layer.name)
            case layers.Concatenate():
                self.require_last(layer, source)
                return builder.concatenate(tuple(sources), layer.name)
        _refuse(layer, f"{type(layer).__name__} is not supported", "use the layers of the recipes")

    def require_last(self, layer: Any, source: int) -> None:
        """Refuse another axis than the last."""
        if layer.axis not in (-1, len(self.builder.shape(source)) - 1):
            _refuse(layer, f"has axis={layer.axis}, which is not counted", "use the last axis")

    def dense(self, layer: Any, argument: Any) -> int:
        """Dense multiplies the last dimension that Keras states, once for every position of the others."""
        source, rows = self.done[id(argument)], tuple(argument.shape[1:-1])
        return self.activate(layer, self.builder.dense(source, layer.name, layer.units, rows=rows, bias=layer.use_bias))

    def activate(self, layer: Any, tensor: int) -> int:
        name = _activation(layer)
        if name == "linear":
            return tensor
        if name == "relu":
            return self.builder.relu(tensor, layer.name)
        if name == "softmax":
            return self.builder.softmax(tensor, "softmax")
        _refuse(layer, f"activation {name} is not supported", "use relu")

    def conv(self, layer: Any, source: int) -> int:
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
            _refuse(layer, "adds other than two maps of one shape", "use a plain residual")
        return self.builder.add(sources[0], sources[1], layer.name)

    def pool(self, layer: Any, source: int) -> int:
        if layer.padding != "valid" or layer.strides != layer.pool_size:
            _refuse(layer, "has overlap or padding", "use strides = pool_size, no padding")
        kind = "max" if isinstance(layer, layers.MaxPooling2D) else "average"
        return self.builder.pool(source, layer.name, kind, _pair(layer.pool_size))


def graph_of_model(model: keras.Model) -> Graph:
    """Build the graph of a Keras model with one input and one output.

    Raises
    ------
    ModelError
        Where a layer is not supported, or has an option that is not counted; names both.
    """
    # A Sequential model that was never built has neither.
    inputs: Sequence[Any] = getattr(model, "inputs", None) or ()
    outputs: Sequence[Any] = getattr(model, "outputs", None) or ()
    if len(inputs) != 1 or len(outputs) != 1:
        problem = f"has {len(inputs)} inputs and {len(outputs)} outputs"
        raise ModelError(model.name, problem, "give a built classifier with one of each")
    walk = _Walk(model)
    walk.visit(outputs[0])
    return walk.builder.finish((walk.source,), (walk.shaped(outputs[0]),))


def load_model(path: str | Path) -> keras.Model:
    """Load a .keras file.

    Raises
    ------
    ModelError
        Where Keras cannot read the file, or :func:`require_countable` refuses it.
    InputError
        Where it is missing, or the system does not let it be read.
    """
    require_countable(path)
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # a damaged archive raises whatever zipfile, json, h5py and the layers raise
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(path, f"is not a Keras model: {reason}", REMEDY) from None
