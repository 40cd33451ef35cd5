"""A network as TFLite sees it: tensors, and operators in execution order.

A recipe, a Keras model and a .tflite file all become this graph, so cost, memory plan and code come from one place.
Operator names and attribute names are those of the TFLite schema.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ITEM_BYTES = {"int8": 1, "uint8": 1, "bool": 1, "int16": 2, "float16": 2, "int32": 4, "float32": 4, "int64": 8}


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point); one entry for a whole tensor, or one an index of ``axis``."""

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        """Whether every channel has a scale of its own."""
        return self.scale.size > 1


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes
    ----------
    index
        Position in the .tflite file's tensor list (or in the graph, where no file exists).
    shape
        Dimensions, NHWC for feature maps.
    constant
        Whether the tensor is stored in the model. ``data`` may still be None where a graph was built from a recipe.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    constant: bool = False
    data: NDArray[Any] | None = None
    quantization: Quantization | None = None

    @property
    def elements(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Size in memory, in bytes."""
        return self.elements * ITEM_BYTES[self.dtype]


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes
    ----------
    op
        TFLite's builtin name, such as ``CONV_2D``.
    inputs, outputs
        Tensor indices in the schema's order; -1 marks an absent optional input.
    attributes
        The schema's options in snake case: ``padding`` ("SAME" or "VALID"), ``stride_h``, ``stride_w``,
        ``dilation_h_factor``, ``dilation_w_factor``, ``depth_multiplier``, ``filter_height``, ``filter_width``,
        ``fused_activation_function`` ("NONE", "RELU", "RELU6"), ``keep_dims``, ``beta`` ...
    """

    index: int
    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A network: its tensors by index, its operators in execution order, its inputs and outputs."""

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def layer_name(self, operator: Operator) -> str:
        """Short name of a layer for people: its operator's number and the Keras layer it came from."""
        parts = self.tensors[operator.outputs[0]].name.split(";")[0].split("/")
        return f"{operator.index}:{parts[1] if len(parts) > 2 else parts[0]}"
