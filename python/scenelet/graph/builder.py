"""Builds a graph operator by operator, with fusion and folding as in the TFLite converter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

from .graph import Graph, Operator, Tensor

Pair = tuple[int, int]

# Operators with a fused activation; the first three also absorb a batch normalisation that follows them.
_FOLDING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_FUSING = (*_FOLDING, "MUL", "ADD", "MAX_POOL_2D", "AVERAGE_POOL_2D")


def _extent(size: int, kernel: int, stride: int, padding: str) -> int:
    return math.ceil(size / stride) if padding == "SAME" else (size - kernel) // stride + 1


def _window(strides: Pair, padding: str) -> dict[str, Any]:
    return {
        "padding": padding,
        "stride_h": strides[0],
        "stride_w": strides[1],
        "dilation_h_factor": 1,
        "dilation_w_factor": 1,
    }


class ConvOptions(TypedDict, total=False):
    """Options of a convolution.

    Attributes
    ----------
    strides
        (mel bands, frames), by default (1, 1).
    padding
        "SAME", the default, or "VALID".
    activation
        Fused activation: "NONE", the default, or "RELU".
    """

    strides: Pair
    padding: str
    activation: str


class DenseOptions(TypedDict, total=False):
    """Options of a fully connected layer.

    Attributes
    ----------
    rows
        Dimensions between the batch and the values that each row multiplies, by default none: one row.
    activation
        Fused activation: "NONE", the default, or "RELU".
    bias
        Whether it has a bias, True by default.
    """

    rows: tuple[int, ...]
    activation: str
    bias: bool


@dataclass
class GraphBuilder:
    """Collects operators; every method takes and returns tensor indices.

    Weights are INT8 and biases INT32, without data: the graph serves to count costs.
    """

    name: str
    _tensors: dict[int, Tensor] = field(default_factory=dict)
    _operators: list[Operator] = field(default_factory=list)
    _axes: int | None = None

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: str = "int8", *, constant: bool = False) -> int:
        index = len(self._tensors)
        self._tensors[index] = Tensor(index, name, shape, dtype, constant)
        return index

    def _constant(self, name: str, shape: tuple[int, ...], dtype: str = "int8") -> int:
        return self._tensor(name, shape, dtype, constant=True)

    def _emit(
        self, op: str, name: str, inputs: tuple[int, ...], shape: tuple[int, ...], attributes: Mapping[str, Any]
    ) -> int:
        output = self._tensor(name, shape)
        self._operators.append(Operator(len(self._operators), op, inputs, (output,), dict(attributes)))
        return output

    def _producer(self, tensor: int) -> Operator | None:
        return next((operator for operator in self._operators if tensor in operator.outputs), None)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self._tensors[tensor].shape

    def input(self, name: str, shape: tuple[int, ...]) -> int:
        """Add the network's input, (mel bands, frames, channels) without the batch."""
        return self._tensor(name, (1, *shape))

    def conv(self, source: int, name: str, filters: int, kernel: Pair, **options: Unpack[ConvOptions]) -> int:
        """Add a convolution with bias; ``kernel`` is (mel bands, frames)."""
        shape = (filters, *kernel, self.shape(source)[-1])
        return self._convolve("CONV_2D", source, name, (shape, filters), {}, options)

    def depthwise(self, source: int, name: str, kernel: Pair, **options: Unpack[ConvOptions]) -> int:
        """Add a depthwise convolution with bias, one filter per channel; ``kernel`` as in :meth:`conv`."""
        channels = self.shape(source)[-1]
        weights = (1, *kernel, channels), channels
        return self._convolve("DEPTHWISE_CONV_2D", source, name, weights, {"depth_multiplier": 1}, options)

    def _convolve(
        self,
        op: str,
        source: int,
        name: str,
        weights: tuple[tuple[int, int, int, int], int],
        further: Mapping[str, Any],
        options: ConvOptions,
    ) -> int:
        """Add a convolution; ``weights`` are their shape (kernel in the middle) and the number of output channels."""
        shape, channels = weights
        strides, padding = options.get("strides", (1, 1)), options.get("padding", "SAME")
        size = self.shape(source)[1:3]
        rows, columns = (_extent(*along, padding) for along in zip(size, shape[1:3], strides, strict=True))
        kernel = self._constant(f"{name}/kernel", shape)
        bias = self._constant(f"{name}/bias", (channels,), "int32")
        attributes = {
            **_window(strides, padding),
            **further,
            "fused_activation_function": options.get("activation", "NONE"),
        }
        return self._emit(op, name, (source, kernel, bias), (1, rows, columns, channels), attributes)

    def add(self, one: int, other: int, name: str) -> int:
        """Add the elementwise sum of two feature maps of equal shape."""
        return self._emit("ADD", name, (one, other), self.shape(one), {"fused_activation_function": "NONE"})

    def batch_norm(self, source: int, name: str) -> int:
        """Add a batch normalisation: folded into a linear convolution before it, else a MUL and an ADD by constants."""
        producer = self._producer(source)
        linear = producer and producer.attributes.get("fused_activation_function") == "NONE"
        if producer and producer.op in _FOLDING and linear:
            if producer.inputs[2] < 0:
                bias = self._constant(f"{self._tensors[source].name}/bias", (self.shape(source)[-1],), "int32")
                self._operators[producer.index] = replace(producer, inputs=(*producer.inputs[:2], bias))
            return source
        shape = self.shape(source)
        scale = self._constant(f"{name}/scale", shape[-1:])
        offset = self._constant(f"{name}/offset", shape[-1:])
        attributes = {"fused_activation_function": "NONE"}
        product = self._emit("MUL", f"{name}/mul", (source, scale), shape, attributes)
        return self._emit("ADD", f"{name}/add", (product, offset), shape, attributes)

    def relu(self, source: int, name: str) -> int:
        """Add a ReLU: dropped after another ReLU, fused into the operator before it where TFLite can, else RELU."""
        producer = self._producer(source)
        if producer is None or producer.op not in _FUSING:
            return self._emit("RELU", name, (source,), self.shape(source), {})
        if producer.attributes["fused_activation_function"] == "NONE":
            attributes = {**producer.attributes, "fused_activation_function": "RELU"}
            self._operators[producer.index] = replace(producer, attributes=attributes)
        return source

    def pool(self, source: int, name: str, kind: str, size: Pair) -> int:
        """Add a pooling without overlap or padding; ``kind`` is "max" or "average", ``size`` (mel bands, frames)."""
        _, height, width, channels = self.shape(source)
        return self._emit(
            "MAX_POOL_2D" if kind == "max" else "AVERAGE_POOL_2D",
            name,
            (source,),
            (1, height // size[0], width // size[1], channels),
            {
                "padding": "VALID",
                "stride_h": size[0],
                "stride_w": size[1],
                "filter_height": size[0],
                "filter_width": size[1],
                "fused_activation_function": "NONE",
            },
        )

    def global_average(self, source: int, name: str) -> int:
        """Add the mean over mel bands and frames."""
        if self._axes is None:  # the converter stores equal constants once
            self._axes = self._constant("axes", (2,), "int32")
        return self._emit("MEAN", name, (source, self._axes), (1, self.shape(source)[-1]), {"keep_dims": False})

    def dense(self, source: int, name: str, units: int, **options: Unpack[DenseOptions]) -> int:
        """Add a fully connected layer; the operator flattens a feature map itself, as far as ``rows`` let it."""
        rows = options.get("rows", ())
        width = math.prod(self.shape(source)[1:]) // math.prod(rows)
        weights = self._constant(f"{name}/kernel", (units, width))
        bias = self._constant(f"{name}/bias", (units,), "int32") if options.get("bias", True) else -1
        attributes = {"keep_num_dims": bool(rows), "fused_activation_function": options.get("activation", "NONE")}
        return self._emit("FULLY_CONNECTED", name, (source, weights, bias), (1, *rows, units), attributes)

    def reshape(self, source: int, name: str, shape: tuple[int, ...]) -> int:
        """Give a tensor another shape, without the batch; the file stores it."""
        sizes = (1, *shape)
        stored = self._constant(f"{name}/shape", (len(sizes),), "int32")
        return self._emit("RESHAPE", name, (source, stored), sizes, {"new_shape": sizes})

    def concatenate(self, sources: tuple[int, ...], name: str) -> int:
        """Concatenate along the last dimension."""
        width = sum(self.shape(source)[-1] for source in sources)
        shape = (*self.shape(sources[0])[:-1], width)
        axis = {"axis": len(shape) - 1 if len(shape) > 2 else -1}
        return self._emit("CONCATENATION", name, sources, shape, {**axis, "fused_activation_function": "NONE"})

    def softmax(self, source: int, name: str) -> int:
        """Add a softmax over the last dimension."""
        return self._emit("SOFTMAX", name, (source,), self.shape(source), {"beta": 1.0})

    def finish(self, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Graph:
        """Return the graph."""
        return Graph(self.name, dict(self._tensors), tuple(self._operators), inputs, outputs)
