"""A network in TFLite's terms: tensors, and operators in execution order.

Recipes, Keras models and .tflite files all become this graph, so that cost, memory plan and code have one source.
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
    """Affine quantization, real = scale * (q - zero_point).

    Attributes
    ----------
    scale, zero_point
        One entry for the whole tensor, or one per index of ``axis``.
    axis
        Dimension of per-channel quantization, as the file states it; the scales of weights are those of the output
        channels all the same, and those of a bias are not read.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int64]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        """Whether the scales are per channel."""
        return self.scale.size > 1


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes
    ----------
    index
        Position in the .tflite file's tensor list, or in the graph if there is no file.
    shape
        Dimensions, NHWC for feature maps.
    constant
        Whether the tensor is stored in the model. Even then ``data`` is None in a graph that was built from a recipe.
    flexible
        Whether the file leaves dimensions open, such as the batch; ``shape`` then has 1 there.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    constant: bool = False
    data: NDArray[Any] | None = None
    quantization: Quantization | None = None
    flexible: bool = False

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
    intermediates
        Tensors that no file stores and whose quantization says how an LSTM scales what it computes inside.
    """

    index: int
    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Variable:
    """State: a tensor that keeps its values from one inference to the next.

    Attributes
    ----------
    initial
        Its values before the first inference.
    resource
        Whether it is a resource variable, which no interpreter shows, and no tensor of the file.
    """

    name: str
    initial: NDArray[Any]
    resource: bool = False


@dataclass(frozen=True)
class Graph:
    """A network: its tensors by index, its operators in execution order, its inputs and outputs.

    ``variables`` are those of its tensors that keep their values. An operator that has one among its outputs assigns
    it; several may, one after the other.
    """

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    variables: Mapping[int, Variable] = field(default_factory=dict)

    def layer_name(self, operator: Operator) -> str:
        """Short readable name of a layer: the number of its operator and the Keras layer that it comes from."""
        parts = self.tensors[operator.outputs[0]].name.split(";")[0].split("/")
        return f"{operator.index}:{parts[1] if len(parts) > 2 else parts[0]}"
