"""What an operator's row and lowering need: tensors, common members of parameter structs, the step around a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator, Tensor, cost
from ...graph.graph import ITEM_BYTES
from ..numerics.fixed_point import (
    activation_bounds,
    channel_factors,
    quantize_multiplier,
    quantize_multipliers,
    zero_point_of,
)
from ..numerics.ranges import padding_before
from ..passes.join_pads import JOINED
from ..program import Argument, Step, Struct, Table
from .checker import Checker


@dataclass(frozen=True)
class Layer:
    """One operator, its graph, and the graph's aliases."""

    graph: Graph
    operator: Operator
    aliases: Mapping[int, int]

    @property
    def source(self) -> Tensor:
        """First input."""
        return self.input(0)

    @property
    def target(self) -> Tensor:
        """The output."""
        return self.graph.tensors[self.operator.outputs[0]]

    def input(self, position: int) -> Tensor:
        """Look up an input that is there."""
        return self.graph.tensors[self.operator.inputs[position]]

    def has_input(self, position: int) -> bool:
        """Whether an optional input is there."""
        return position < len(self.operator.inputs) and self.operator.inputs[position] >= 0

    def held(self, tensor: Tensor) -> int:
        """Index of the tensor that holds a tensor's bytes."""
        return self.aliases.get(tensor.index, tensor.index)

    def activation(self) -> dict[str, int]:
        """Clamp that stands for the fused activation: INT8 bounds."""
        low, high = activation_bounds(self.operator.attributes.get("fused_activation_function", "NONE"), self.target)
        return {"activation_min": low, "activation_max": high}

    def zero_points(self) -> dict[str, int]:
        """Zero points of first input and output."""
        return {"input_zero_point": zero_point_of(self.source), "output_zero_point": zero_point_of(self.target)}

    def step(self, kernel: str, params: Struct | int, arguments: tuple[Argument, ...], **rest: Any) -> Step:
        """Describe the call ``kernel(params, arguments...)``; ``rest`` are further fields of :class:`Step`."""
        rest.setdefault("writes", (self.target.index,))
        held = [self.held(self.graph.tensors[i]) for i in self.operator.inputs if i >= 0]
        reads = tuple(dict.fromkeys(i for i in held if not self.graph.tensors[i].constant))
        return Step(
            self.graph.layer_name(self.operator),
            self.operator.op,
            (self.operator.index,),
            reads,
            kernel=kernel,
            params=params,
            arguments=arguments,
            macs=cost.macs(self.graph, self.operator),
            **rest,
        )


def mapped(layer: Layer, values: NDArray[np.int8]) -> Step:
    """Describe a function of one value: what -128 .. 127 become, (256,), as scn_lut_s8."""
    fields = {"pixels": layer.source.elements, "channels": 1, "post": {"table": "map", "affine": None}}
    source = layer.held(layer.source)
    return layer.step(
        "scn_lut_s8",
        Struct("scn_lut_t", fields),
        (source, layer.target.index),
        tables=(Table("map", "int8_t", values),),
        overwrites=(source,),
    )


def multiplier(factor: float) -> dict[str, int]:
    """scn_multiplier_t of a real factor."""
    value, shift = quantize_multiplier(factor)
    return {"multiplier": value, "shift": shift}


def values(tensor: Tensor) -> NDArray[Any]:
    """Return a constant's values."""
    if tensor.data is None:
        raise ValueError(f"tensor {tensor.index} has no values")
    return tensor.data


def convolution_weights(graph: Graph, operator: Operator) -> NDArray[np.int8]:
    """Return the weights of a step of scn_conv2d_s8: (output channels, kernel height, kernel width, input channels).

    A DEPTHWISE_CONV_2D of a single input channel is a CONV_2D whose output channels are the multiplier's.
    """
    weights = values(graph.tensors[operator.inputs[1]])
    return weights if operator.op == "CONV_2D" else np.ascontiguousarray(weights.transpose(3, 1, 2, 0))


def bytes_table(kind: str, tensor: Tensor) -> Table:
    """Take a constant as bytes, for kernels that move values."""
    return Table(kind, "int8_t", np.ravel(np.ascontiguousarray(values(tensor)).view(np.int8)))


def item_bytes(tensor: Tensor) -> int:
    """Bytes of a value."""
    return ITEM_BYTES[tensor.dtype]


def table(kind: str, tensor: Tensor) -> Table:
    """Take a constant as it lies in the .tflite."""
    return Table(kind, f"{tensor.dtype}_t", np.ravel(values(tensor)))


def dims(tensor: Tensor) -> dict[str, int]:
    """scn_dims_t of a feature map."""
    return dict(zip(("batches", "height", "width", "channels"), tensor.shape, strict=True))


def four(shape: tuple[int, ...], fill: int = 1) -> tuple[int, ...]:
    """Lengthen a shape to four dimensions with leading ones (or ``fill``)."""
    return (fill,) * (4 - len(shape)) + shape


def window(layer: Layer, height: int, width: int) -> dict[str, int]:
    """scn_window_t of an operator that slides over a feature map."""
    attributes = layer.operator.attributes
    stride_h, stride_w = int(attributes["stride_h"]), int(attributes["stride_w"])
    dilation_h = int(attributes.get("dilation_h_factor", 1))
    dilation_w = int(attributes.get("dilation_w_factor", 1))
    top, bottom, left, right = attributes.get(JOINED, (0, 0, 0, 0))
    rows, columns = layer.source.shape[1] + top + bottom, layer.source.shape[2] + left + right
    _, out_rows, out_columns, _ = layer.target.shape
    same = attributes["padding"] == "SAME"
    return {
        "height": height,
        "width": width,
        "stride_h": stride_h,
        "stride_w": stride_w,
        "dilation_h": dilation_h,
        "dilation_w": dilation_w,
        "pad_top": top + (padding_before(rows, height, stride_h, dilation_h, out_rows) if same else 0),
        "pad_left": left + (padding_before(columns, width, stride_w, dilation_w, out_columns) if same else 0),
    }


def common_fields(layer: Layer) -> dict[str, int | str | None]:
    """Members that the structs of convolutions and dense layers share: weights, bias, scale, zero points, clamp."""
    return {
        "weights": "weights",
        "bias": "bias" if layer.has_input(2) else None,
        "scale": "scale",
        **layer.zero_points(),
        **layer.activation(),
    }


def bias_tables(layer: Layer) -> tuple[Table, ...]:
    """The bias, where there is one."""
    return (table("bias", layer.input(2)),) if layer.has_input(2) else ()


def factors(layer: Layer, channels: int) -> NDArray[np.float64]:
    """One factor per output channel; a per-tensor scale is repeated."""
    return np.broadcast_to(channel_factors(layer.source, layer.input(1), layer.target), channels)


def scale_table(layer: Layer, channels: int) -> Table:
    """scn_multiplier_t of every output channel."""
    multipliers, shifts = quantize_multipliers(factors(layer, channels))
    return Table("scale", "scn_multiplier_t", np.stack([multipliers, shifts], axis=1))


class Wide(NamedTuple):
    """An operator with int16 activations and INT8 weights; ``check`` is None where the INT8 operator's holds for it."""

    lower: Callable[[Layer], Step | tuple[Step, ...]]
    check: Callable[[Checker], None] | None = None


@dataclass(frozen=True)
class Row:
    """What the compiler knows of an operator.

    Attributes
    ----------
    accepts
        Options and limits, for docs/OPERATORS.md.
    check
        Holds an operator to its rules; raises UnsupportedError.
    lower
        Makes the call of a kernel, or several calls.
    tflm
        Method of TensorFlow Lite Micro's MicroMutableOpResolver that registers it; None where it lacks the operator.
    is_alias
        Whether an output is its input's bytes under a new shape or name, so that nothing need be computed; None: never.
    types
        Of inputs and outputs, where they are not all INT8.
    wide
        With int16 activations; None where the engine has only INT8.
    differs
        Where TensorFlow Lite Micro does something else; empty where it gives the same bits.
    """

    accepts: str
    check: Callable[[Checker], None]
    lower: Callable[[Layer], Step | tuple[Step, ...]]
    tflm: str | None
    is_alias: Callable[[Graph, Operator], bool] | None = None
    types: str = "INT8"
    differs: str = ""
    wide: Wide | None = None

    @property
    def shown_types(self) -> str:
        """Types of inputs and outputs, for docs/OPERATORS.md; biases of int16 activations are int64."""
        if self.wide is None:
            return self.types
        first, *rest = self.types.split("; ")
        return "; ".join([f"{first}, int16", *(f"{one} or int64" if one == "bias int32" else one for one in rest)])

    @property
    def in_tflm(self) -> str:
        """What TensorFlow Lite Micro does with the operator, for docs/OPERATORS.md."""
        return "no INT8" if self.tflm is None else self.differs or "the same"
