"""What every operator's code maker needs: tensors, common fields, and the step around a kernel call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator, Tensor, cost
from ..numerics.fixed_point import activation_bounds, quantize_multiplier, zero_point_of
from ..program import Step, Struct, Table


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

    def step(self, kernel: str, params: Struct | int, arguments: tuple[int | str, ...], **rest: Any) -> Step:
        """Describe the call ``kernel(params, arguments...)``; ``rest`` are further fields of :class:`Step`."""
        held = [self.held(self.graph.tensors[i]) for i in self.operator.inputs if i >= 0]
        reads = tuple(dict.fromkeys(i for i in held if not self.graph.tensors[i].constant))
        return Step(
            self.graph.layer_name(self.operator),
            self.operator.op,
            (self.operator.index,),
            reads,
            (self.target.index,),
            kernel,
            params,
            arguments,
            macs=cost.macs(self.graph, self.operator),
            **rest,
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


def table(kind: str, tensor: Tensor) -> Table:
    """Take a constant as it lies in the .tflite."""
    return Table(kind, f"{tensor.dtype}_t", np.ravel(values(tensor)))


def dims(tensor: Tensor) -> dict[str, int]:
    """scn_dims_t of a feature map."""
    return dict(zip(("batches", "height", "width", "channels"), tensor.shape, strict=True))


def four(shape: tuple[int, ...], fill: int = 1) -> tuple[int, ...]:
    """Lengthen a shape to four dimensions with leading ones (or ``fill``)."""
    return (fill,) * (4 - len(shape)) + shape
