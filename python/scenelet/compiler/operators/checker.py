"""What the engine can run: every operator is held to its rules before any code is made.

A model that passes here compiles, and its sums fit the engine's int32; one that does not is refused with the operator,
the layer and what to change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NoReturn

import numpy as np

from ...errors import UnsupportedError
from ...graph import Graph, Operator, Tensor
from ..numerics.fixed_point import add_factors, channel_factors, multiply_factor, rescale_factor, softmax_factor
from ..numerics.ranges import accumulator_bound, output_extent

_FULL_INT8 = "convert the model to full INT8 (int8 input, output and weights)"
_ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
_INT32_MAX = 2**31 - 1
_MAX_RANK = 4
_MAX_MEAN = 1 << 23
# The interpreter keeps the sum of exponentials in 12 integer bits and gives up on more.
_MAX_CLASSES = 511
_MAX_STRIDE = 0x7FFF


class _Checker:
    """One operator of a graph and the words to refuse it with."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator
        self.attributes = operator.attributes

    def refuse(self, problem: str, remedy: str) -> NoReturn:
        where = f"{self.graph.name}: {self.operator.op} {self.graph.layer_name(self.operator)}"
        raise UnsupportedError(where, problem, remedy)

    def require(self, held: bool, problem: str, remedy: str = "convert the model again") -> None:
        if not held:
            self.refuse(problem, remedy)

    def inputs(self, least: int, most: int) -> None:
        count = len(self.operator.inputs)
        self.require(least <= count <= most, f"has {count} inputs")
        self.require(len(self.operator.outputs) == 1, f"has {len(self.operator.outputs)} outputs")
        self.require(-1 not in self.operator.inputs[:least], "lacks an input")

    @property
    def source(self) -> Tensor:
        return self.graph.tensors[self.operator.inputs[0]]

    @property
    def target(self) -> Tensor:
        return self.graph.tensors[self.operator.outputs[0]]

    def input(self, position: int) -> Tensor | None:
        """Look up an optional input, None where the model leaves it out."""
        if position >= len(self.operator.inputs) or self.operator.inputs[position] < 0:
            return None
        return self.graph.tensors[self.operator.inputs[position]]

    def constant(self, position: int, role: str, dtype: str) -> Tensor:
        tensor = self.input(position)
        if tensor is None:
            self.refuse(f"lacks its {role}", "convert the model again")
        self.require(tensor.data is not None, f"{role} is computed, not stored", f"make the {role} a constant")
        self.require(tensor.dtype == dtype, f"{role} is {tensor.dtype}, not {dtype}", _FULL_INT8)
        return tensor

    def activation(self, tensor: Tensor, role: str) -> None:
        """Require INT8 with one scale."""
        self.require(tensor.dtype == "int8", f"{role} is {tensor.dtype}", _FULL_INT8)
        quantization = tensor.quantization
        if quantization is None:
            self.refuse(f"{role} has no scale", _FULL_INT8)
        self.require(not quantization.per_channel, f"{role} has a scale a channel", "quantize it per tensor")
        self.require(float(quantization.scale[0]) > 0, f"{role} has scale 0", "calibrate with representative data")
        zero_point = int(quantization.zero_point[0])
        self.require(-128 <= zero_point <= 127, f"{role} has zero point {zero_point}")

    def flow(self) -> None:
        """Require INT8 activations as first input and output, the first one computed."""
        self.require(not self.source.constant, "its input is a constant", "fold constants when converting")
        self.activation(self.source, "input")
        self.activation(self.target, "output")

    def image(self) -> None:
        """Require feature maps as input and output."""
        for tensor, role in ((self.source, "input"), (self.target, "output")):
            self.require(len(tensor.shape) == 4, f"{role} has shape {tensor.shape}", "use NHWC feature maps")

    def shape(self, expected: tuple[int, ...]) -> None:
        told = f"output shape {self.target.shape} where {expected} follows from its inputs"
        self.require(self.target.shape == expected, told)

    def same_scale(self) -> None:
        one, other = self.source.quantization, self.target.quantization
        equal = one is not None and other is not None and one.scale[0] == other.scale[0]
        equal = equal and one.zero_point[0] == other.zero_point[0]  # type: ignore[union-attr]
        self.require(equal, "input and output differ in scale or zero point")

    def fused(self) -> None:
        name = self.attributes.get("fused_activation_function", "NONE")
        self.require(name in _ACTIVATIONS, f"fused activation {name}", f"use one of {', '.join(_ACTIVATIONS)}")

    def window(self, kernel: tuple[int, int], channels: int) -> None:
        """Require sensible strides and dilation, and the output shape that follows from them."""
        names = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor")
        strides = [int(self.attributes.get(name, 1)) for name in names]
        for name, value in zip(names, strides, strict=True):
            self.require(1 <= value <= _MAX_STRIDE, f"{name} {value}")
        height, width = self.source.shape[1:3]
        padding = self.attributes["padding"]
        rows = output_extent(height, kernel[0], strides[0], strides[2], padding)
        columns = output_extent(width, kernel[1], strides[1], strides[3], padding)
        self.require(rows > 0 and columns > 0, f"kernel {kernel} is larger than its input {height}x{width}")
        self.shape((self.source.shape[0], rows, columns, channels))

    def factor(self, value: float, limit: float = 2.0**30) -> None:
        """Require that a scale's factor is one that the kernel's multiplier can hold."""
        self.require(value < limit, f"scales its result by {value:.3g}", "calibrate with representative data")

    def weights(self, position: int, rank: int, axis: int) -> Tensor:
        tensor = self.constant(position, "weights", "int8")
        self.require(len(tensor.shape) == rank, f"weights have shape {tensor.shape}")
        quantization = tensor.quantization
        if quantization is None:
            self.refuse("weights have no scale", _FULL_INT8)
        self.require(not np.any(quantization.zero_point), "weights have a zero point", "quantize weights symmetrically")
        right_axis = not quantization.per_channel or quantization.axis == axis
        self.require(right_axis, f"weights have scales on axis {quantization.axis}", f"use axis {axis}")
        return tensor

    def sums(self, weights: Tensor, axis: int, channels: int) -> None:
        """Require a bias that fits the outputs, and that no input can push a sum past int32."""
        bias = None if self.input(2) is None else self.constant(2, "bias", "int32")
        if bias is not None:
            self.require(bias.elements == channels, f"bias has {bias.elements} values for {channels} outputs")
        self.factor(float(channel_factors(self.source, weights, self.target).max()))
        bound = accumulator_bound(self.source, weights, bias, axis)
        self.require(bound <= _INT32_MAX, f"sums can reach {bound:,}, past int32", "use a smaller kernel or bias")


def _convolution(check: _Checker) -> None:
    check.inputs(2, 3)
    check.flow()
    check.image()
    check.fused()
    weights = check.weights(1, 4, 0)
    channels, height, width, depth = weights.shape
    grouped = f"weights take {depth} channels, input has {check.source.shape[3]}"
    check.require(depth == check.source.shape[3], grouped, "use a convolution without groups")
    check.window((height, width), channels)
    check.sums(weights, 0, channels)


def _depthwise(check: _Checker) -> None:
    check.inputs(2, 3)
    check.flow()
    check.image()
    check.fused()
    weights = check.weights(1, 4, 3)
    one, height, width, channels = weights.shape
    multiplier = int(check.attributes["depth_multiplier"])
    fits = one == 1 and multiplier > 0 and channels == check.source.shape[3] * multiplier
    check.require(fits, f"weights {weights.shape} do not fit {check.source.shape[3]} channels times {multiplier}")
    check.window((height, width), channels)
    check.sums(weights, 3, channels)


def _fully_connected(check: _Checker) -> None:
    check.inputs(2, 3)
    check.flow()
    check.fused()
    layout = check.attributes.get("weights_format", "DEFAULT")
    check.require(layout == "DEFAULT", f"weights format {layout}", "convert with default weights")
    weights = check.weights(1, 2, 0)
    outputs, width = weights.shape
    check.require(check.source.elements % width == 0, f"input {check.source.shape} for weights {weights.shape}")
    batch = check.source.elements // width
    fits = check.target.elements == batch * outputs and check.target.shape[-1] == outputs
    check.require(fits, f"output shape {check.target.shape} for weights {weights.shape}")
    check.sums(weights, 0, outputs)


def _elementwise(check: _Checker) -> None:
    check.inputs(2, 2)
    check.fused()
    check.activation(check.target, "output")
    operands = [check.graph.tensors[index] for index in check.operator.inputs]
    for number, tensor in enumerate(operands, 1):
        check.activation(tensor, f"input {number}")
        check.require(tensor.data is not None or not tensor.constant, f"input {number} has no values")
    check.require(not all(tensor.constant for tensor in operands), "both inputs are constants", "fold them")
    try:
        expected = np.broadcast_shapes(*(tensor.shape for tensor in operands))
    except ValueError:
        check.refuse(f"input shapes {operands[0].shape} and {operands[1].shape} do not match", "convert again")
    check.shape(tuple(expected))
    if check.operator.op == "ADD":
        check.factor(add_factors(operands[0], operands[1], check.target)[2], 1.0)
    else:
        check.factor(multiply_factor(operands[0], operands[1], check.target))
    check.require(len(expected) <= _MAX_RANK, f"{len(expected)} dimensions", f"use at most {_MAX_RANK}")


def _pool(check: _Checker) -> None:
    check.inputs(1, 1)
    check.flow()
    check.image()
    check.fused()
    check.same_scale()
    kernel = int(check.attributes["filter_height"]), int(check.attributes["filter_width"])
    check.require(min(kernel) >= 1, f"window {kernel}")
    check.window(kernel, check.source.shape[3])


def _mean(check: _Checker) -> None:
    check.inputs(2, 2)
    check.flow()
    rank = len(check.source.shape)
    check.require(1 <= rank <= _MAX_RANK, f"{rank} dimensions", f"use at most {_MAX_RANK}")
    listed = np.ravel(np.asarray(check.constant(1, "list of axes", "int32").data)).tolist()
    axes = {axis % rank for axis in listed if -rank <= axis < rank}
    check.require(len(axes) > 0 and len(listed) == len(axes), f"axes {listed}")
    kept = bool(check.attributes.get("keep_dims", False))
    sizes = [(1 if i in axes else size) for i, size in enumerate(check.source.shape) if kept or i not in axes]
    check.shape(tuple(sizes))
    check.factor(rescale_factor(check.source, check.target))
    count = math.prod(check.source.shape[axis] for axis in axes)
    check.require(count <= _MAX_MEAN, f"mean over {count:,} values", "use a smaller feature map")


def _softmax(check: _Checker) -> None:
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.require(1 <= len(check.source.shape) <= _MAX_RANK, f"shape {check.source.shape}")
    quantization = check.target.quantization
    fits = quantization is not None and quantization.scale[0] == 1 / 256 and quantization.zero_point[0] == -128
    check.require(fits, "output is not quantized to 1/256 with zero point -128")
    beta = float(check.attributes["beta"])
    check.require(math.isfinite(beta) and beta > 0, f"beta {beta}", "use a positive beta")
    told = f"input scale times beta {beta:.3g} is too small"
    check.require(softmax_factor(beta, check.source) > 1, told, "calibrate with representative data")
    classes = check.source.shape[-1]
    check.require(classes <= _MAX_CLASSES, f"{classes} classes", f"use at most {_MAX_CLASSES}")


def _reshape(check: _Checker) -> None:
    check.inputs(1, 2)
    check.flow()
    check.same_scale()
    fits = check.source.elements == check.target.elements
    check.require(fits, f"shape {check.source.shape} to {check.target.shape}")


def _pad(check: _Checker) -> None:
    check.inputs(2, 2)
    check.flow()
    check.same_scale()
    rank = len(check.source.shape)
    check.require(1 <= rank <= _MAX_RANK, f"{rank} dimensions", f"use at most {_MAX_RANK}")
    paddings = check.constant(1, "list of paddings", "int32").data
    fits = paddings is not None and paddings.shape == (rank, 2) and not np.any(paddings < 0)
    check.require(fits, "paddings do not fit the input")
    before_after = np.asarray(paddings, np.int64)
    check.shape(tuple(int(s + p.sum()) for s, p in zip(check.source.shape, before_after, strict=True)))


def _prelu(check: _Checker) -> None:
    check.inputs(2, 2)
    check.flow()
    check.shape(check.source.shape)
    alpha = check.constant(1, "slope", "int8")
    check.activation(alpha, "slope")
    check.factor(rescale_factor(check.source, check.target))
    check.factor(multiply_factor(check.source, alpha, check.target))
    check.require(len(check.source.shape) <= _MAX_RANK, f"shape {check.source.shape}", f"use at most {_MAX_RANK}")
    try:
        fits = np.broadcast_shapes(check.source.shape, alpha.shape) == check.source.shape
    except ValueError:
        fits = False
    check.require(fits, f"slope of shape {alpha.shape} for input {check.source.shape}")


def _quantize(check: _Checker) -> None:
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.factor(rescale_factor(check.source, check.target))


_RULES: dict[str, Callable[[_Checker], None]] = {
    "ADD": _elementwise,
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "MUL": _elementwise,
    "PAD": _pad,
    "PRELU": _prelu,
    "QUANTIZE": _quantize,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
}

OPERATORS = tuple(sorted(_RULES))
"""TFLite names of the operators that the engine runs."""


def require_supported(graph: Graph) -> None:
    """Hold a graph to the engine's rules.

    Parameters
    ----------
    graph
        As read from a .tflite file, constants with their values.

    Raises
    ------
    UnsupportedError
        Naming the operator, its layer, what the engine cannot do with it, and the remedy.
    """
    _require_ends(graph)
    for operator in graph.operators:
        check = _Checker(graph, operator)
        if operator.op not in _RULES:
            check.refuse("not among the engine's operators", f"use {', '.join(OPERATORS)}")
        _RULES[operator.op](check)


def _require_ends(graph: Graph) -> None:
    for indices, role in ((graph.inputs, "input"), (graph.outputs, "output")):
        if len(indices) != 1:
            raise UnsupportedError(graph.name, f"{len(indices)} {role}s", f"export the model with one {role}")
        tensor = graph.tensors[indices[0]]
        if tensor.dtype != "int8":
            raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is {tensor.dtype}", _FULL_INT8)
        if tensor.constant:
            raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is a constant", "convert the model again")
