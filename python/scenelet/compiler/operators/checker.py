"""One operator held to its rules, and the words to refuse it with.

The rules of each operator stand in the module of its family, beside the code that lowers it. A model that passes them
compiles, and its sums fit the engine's int32; one that does not is refused with the operator, the layer and what to
change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import NoReturn

import numpy as np

from ...errors import UnsupportedError
from ...graph import Graph, Operator, Tensor
from ..numerics.fixed_point import channel_factors
from ..numerics.ranges import accumulator_bound, output_extent

FULL_INT8 = "convert the model to full INT8 (int8 input, output and weights)"
FIXED_SHAPE = "convert with a fixed input shape and a batch size of 1, for example keras.Input(shape, batch_size=1)"
MAX_RANK = 4
"""Dimensions up to which the engine's element-wise kernels go."""

_ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
_SHAPING = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
INT32_MAX = 2**31 - 1
_ONLY_FLOAT = "TFLite computes it in float32 only: compute it before the network"
_FROM_SCORES = "leave it out and take the {} of the values before it"
INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("CEIL", "COS", "FLOOR", "L2_POOL_2D", "POW", "ROUND", "SIN"), _ONLY_FLOAT),
    "ARG_MAX": _FROM_SCORES.format("largest"),
    "ARG_MIN": _FROM_SCORES.format("smallest"),
    "FLOOR_DIV": "use DIV",
    "SQUARE": "multiply the tensor by itself (MUL)",
    "TOPK_V2": _FROM_SCORES.format("largest"),
}
"""Remedies for operators that the engine lacks, where there is a better one than its list of operators."""
_MAX_STRIDE = 0x7FFF
_MOST_FACTOR, _MOST_WIDE_FACTOR = 2.0**30, 2.0**7
_WIDE_SUMS = 2**47


class Checker:
    """One operator of a graph and the words to refuse it with.

    Parameters
    ----------
    graph
        As read from a .tflite file, constants with their values.
    operator
        One of its operators.
    """

    def __init__(self, graph: Graph, operator: Operator) -> None:
        self.graph = graph
        self.operator = operator
        self.attributes = operator.attributes

    def refuse(self, problem: str, remedy: str) -> NoReturn:
        """Raise UnsupportedError with operator and layer."""
        where = f"{self.graph.name}: {self.operator.op} {self.graph.layer_name(self.operator)}"
        raise UnsupportedError(where, problem, remedy)

    def require(self, held: bool, problem: str, remedy: str = "convert the model again") -> None:
        """Refuse unless something holds."""
        if not held:
            self.refuse(problem, remedy)

    @property
    def shape_is_open(self) -> bool:
        """Whether the operator is there because the input's shape was open when the model was converted."""
        flexible = any(self.graph.tensors[index].flexible for index in self.graph.inputs)
        return self.operator.op == "SHAPE" or (flexible and self.operator.op in _SHAPING)

    def unknown(self, known: Collection[str]) -> NoReturn:
        """Refuse an operator that the engine lacks."""
        if self.shape_is_open:
            self.refuse("not among the engine's operators: the input's shape is open", FIXED_SHAPE)
        listed = f"replace it by some of the {len(known)} that docs/OPERATORS.md lists"
        self.refuse("not among the engine's operators", INSTEAD.get(self.operator.op, listed))

    def inputs(self, least: int, most: int) -> None:
        """Require ``least`` to ``most`` inputs, all of the first ``least`` there, and one output."""
        count = len(self.operator.inputs)
        self.require(least <= count <= most, f"has {count} inputs")
        self.require(len(self.operator.outputs) == 1, f"has {len(self.operator.outputs)} outputs")
        self.require(-1 not in self.operator.inputs[:least], "lacks an input")

    @property
    def source(self) -> Tensor:
        """First input."""
        return self.graph.tensors[self.operator.inputs[0]]

    @property
    def target(self) -> Tensor:
        """The output."""
        return self.graph.tensors[self.operator.outputs[0]]

    def input(self, position: int) -> Tensor | None:
        """Look up an optional input, None where the model leaves it out."""
        if position >= len(self.operator.inputs) or self.operator.inputs[position] < 0:
            return None
        return self.graph.tensors[self.operator.inputs[position]]

    def constant(self, position: int, role: str, dtype: str) -> Tensor:
        """Require an input that is stored in the file."""
        tensor = self.input(position)
        if tensor is None:
            self.refuse(f"lacks its {role}", "convert the model again")
        remedy = FIXED_SHAPE if self.shape_is_open else f"make the {role} a constant"
        self.require(tensor.data is not None, f"{role} is computed, not stored", remedy)
        remedy = "convert with biases of int64, as converters do by default" if dtype == "int64" else FULL_INT8
        self.require(tensor.dtype == dtype, f"{role} is {tensor.dtype}, not {dtype}", remedy)
        return tensor

    @cached_property
    def wide(self) -> bool:
        """Whether the operator computes with int16 activations, beside which INT8 ones have a zero point."""
        variables = self.graph.variables
        read = (self.graph.tensors[index] for index in self.operator.inputs if index >= 0 and index not in variables)
        made = self.operator.op == "QUANTIZE" and self.target.dtype == "int16"
        return made or any(tensor.dtype == "int16" and not tensor.constant for tensor in read)

    def activation(self, tensor: Tensor, role: str) -> None:
        """Require INT8 with one scale; where the operator computes with int16 activations, int16 with zero point 0."""
        wanted = "int16" if self.wide else "int8"
        remedy = "convert the whole network to int16 activations" if self.wide else FULL_INT8
        self.require(tensor.dtype == wanted, f"{role} is {tensor.dtype}", remedy)
        quantization = tensor.quantization
        if quantization is None:
            self.refuse(f"{role} has no scale", FULL_INT8)
        self.require(not quantization.per_channel, f"{role} has a scale per channel", "quantize it per tensor")
        self.require(float(quantization.scale[0]) > 0, f"{role} has scale 0", "calibrate with representative data")
        zero_point = int(quantization.zero_point[0])
        fits = zero_point == 0 if self.wide else -128 <= zero_point <= 127
        self.require(fits, f"{role} has zero point {zero_point}")

    def flow(self) -> None:
        """Require activations as first input and output, the first one computed."""
        self.source_flow()
        self.activation(self.target, "output")

    def source_flow(self) -> None:
        """Require activations as first input, computed."""
        self.require(not self.source.constant, "its input is a constant", "fold constants when converting")
        self.activation(self.source, "input")

    def image(self) -> None:
        """Require feature maps as input and output."""
        for tensor, role in ((self.source, "input"), (self.target, "output")):
            self.require(len(tensor.shape) == 4, f"{role} has shape {tensor.shape}", "use NHWC feature maps")

    def shape(self, expected: tuple[int, ...]) -> None:
        """Require the output shape that follows from the inputs."""
        problem = f"output shape {self.target.shape} where {expected} follows from its inputs"
        self.require(self.target.shape == expected, problem)

    def same_scale(self) -> None:
        """Require one scale and zero point for input and output."""
        self.alike(self.source, self.target)

    def alike(self, source: Tensor, target: Tensor) -> None:
        """Require one scale and zero point for an input and an output."""
        one, other = source.quantization, target.quantization
        equal = one is not None and other is not None and one.scale[0] == other.scale[0]
        equal = equal and one.zero_point[0] == other.zero_point[0]  # type: ignore[union-attr]
        self.require(equal, "input and output differ in scale or zero point")

    def fused(self) -> None:
        """Require a fused activation that the engine knows."""
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

    def factor(self, value: float, limit: float = _MOST_FACTOR) -> None:
        """Require that a scale's factor is one that the kernel's multiplier can hold."""
        self.require(value < limit, f"scales its result by {value:.3g}", "calibrate with representative data")

    def weights(self, position: int, rank: int, axis: int) -> Tensor:
        """Require symmetric INT8 weights with scales per tensor or along one axis."""
        tensor = self.constant(position, "weights", "int8")
        self.require(len(tensor.shape) == rank, f"weights have shape {tensor.shape}")
        quantization = tensor.quantization
        if quantization is None:
            self.refuse("weights have no scale", FULL_INT8)
        self.require(not np.any(quantization.zero_point), "weights have a zero point", "quantize weights symmetrically")
        if quantization.per_channel:
            # TFLite takes the scales as those of the output channels, and asks only that the axis has as many values.
            count, stated, channels = quantization.scale.size, quantization.axis, tensor.shape[axis]
            self.require(count == channels, f"weights have {count} scales for {channels} outputs")
            fits = 0 <= stated < rank and tensor.shape[stated] == channels
            self.require(fits, f"weights have scales on axis {stated}", f"use axis {axis}")
        return tensor

    def sums(self, weights: Tensor, axis: int, channels: int) -> int:
        """Require a bias that fits the outputs, and that no input can push a sum past int32; return the bound.

        With int16 activations, biases are int64, and sums stay under 2^47 and their results fit int32.
        """
        bias = None if self.input(2) is None else self.constant(2, "bias", "int64" if self.wide else "int32")
        if bias is not None:
            self.require(bias.elements == channels, f"bias has {bias.elements} values for {channels} outputs")
            moved = bias.quantization is not None and bool(np.any(bias.quantization.zero_point))
            self.require(not moved, "bias has a zero point that is not 0", "quantize biases symmetrically")
        factor = float(channel_factors(self.source, weights, self.target).max())
        self.factor(factor, _MOST_WIDE_FACTOR if self.wide else _MOST_FACTOR)
        bound = accumulator_bound(self.source, weights, bias, axis)
        if self.wide:
            reached = max(bound / _WIDE_SUMS, bound * factor / INT32_MAX)
            problem = f"sums can reach {bound:,}, or {bound * factor:.3g} of the output's steps"
            self.require(reached < 1, problem, "calibrate with representative data")
            return bound
        self.require(bound <= INT32_MAX, f"sums can reach {bound:,}, past int32", "use a smaller kernel or bias")
        return bound
