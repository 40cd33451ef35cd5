"""The ends of a network: what a file takes and gives as float32, uint8, int16 or int32, and the tensors inside.

Converters put QUANTIZE after an input of float32, uint8 or int16, and DEQUANTIZE or QUANTIZE before an output of
float32 or uint8. The engine takes and gives INT8, or int16 where the network has 16-bit activations: those operators
are left out of the program. Their conversions are done here, bit for bit, and on the board by scn_quantization.h. An
output of int32 is converted from int16, as SOFTMAX gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator, Tensor
from ..numerics.elementwise import scaled
from ..numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
    quantize_multiplier,
    rescale_factor,
    scale_of,
    zero_point_of,
)

_OUTER_INPUTS = ("float32", "uint8", "int16")
_OUTER_OUTPUTS = ("float32", "uint8", "int32")
_UINT8_MAX = 255


@dataclass(frozen=True)
class End:
    """One input or output of a network.

    Attributes
    ----------
    outer
        As the file has it.
    inner
        As the engine has it; the same tensor where the file has INT8, or int16 for 16-bit activations.
    operator
        QUANTIZE or DEQUANTIZE between the two, None where there is none.
    """

    outer: Tensor
    inner: Tensor
    operator: Operator | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """Types that :meth:`inwards` takes, as NumPy spells them."""
        return tuple(dict.fromkeys((self.outer.dtype, self.inner.dtype)))

    def scale(self) -> Mapping[str, int]:
        """scn_multiplier_t by which QUANTIZE rescales between the outer integers and the inner ones."""
        before, after = (self.outer, self.inner) if self._inwards else (self.inner, self.outer)
        multiplier, shift = quantize_multiplier(rescale_factor(before, after))
        return {"multiplier": multiplier, "shift": shift}

    @property
    def _inwards(self) -> bool:
        return self.operator is not None and self.operator.outputs[0] == self.inner.index

    def inwards(self, values: NDArray[np.generic]) -> NDArray[np.int8]:
        """Convert an input's values to the inner tensor's type.

        Parameters
        ----------
        values
            Of the inner tensor's type, which stay as they are, or of the outer tensor's, without NaN.

        Returns
        -------
        NDArray
            What QUANTIZE makes of them, INT8 or int16. Real values past int32 are clamped; the interpreter leaves them
            undefined.
        """
        if values.dtype.name == self.inner.dtype:
            return np.asarray(values, self.inner.dtype)
        zero_point = zero_point_of(self.inner)
        if self.outer.dtype == "float32":
            with np.errstate(over="ignore"):
                steps = np.asarray(values, np.float32) / scale_of(self.inner)
            # Halves away from zero, in float64, where adding a half is exact.
            near = np.clip(steps.astype(np.float64), -1e6, 1e6)
            made = np.copysign(np.floor(np.abs(near) + 0.5), near).astype(np.int64)
        else:
            made = scaled(np.asarray(values, np.int64) - zero_point_of(self.outer), self.scale())
        least, most = (INT16_MIN, INT16_MAX) if self.inner.dtype == "int16" else (INT8_MIN, INT8_MAX)
        return np.clip(made + zero_point, least, most).astype(self.inner.dtype)

    def outwards(self, values: NDArray[np.int8]) -> NDArray[np.generic]:
        """Convert an output's values from the inner tensor's type to the outer one's, as its operator does."""
        if self.outer.dtype == "float32":
            distances = (np.asarray(values, np.int64) - zero_point_of(self.inner)).astype(np.float32)
            with np.errstate(over="ignore"):
                return np.asarray(distances * scale_of(self.inner), np.float32)
        if self.outer.dtype == "uint8":
            made = scaled(np.asarray(values, np.int64) - zero_point_of(self.inner), self.scale())
            return np.asarray(np.clip(made + zero_point_of(self.outer), 0, _UINT8_MAX), np.uint8)
        if self.outer.dtype == "int32":
            made = scaled(np.asarray(values, np.int64) - zero_point_of(self.inner), self.scale())
            return np.asarray(np.clip(made + zero_point_of(self.outer), -(2**31), 2**31 - 1), np.int32)
        return np.asarray(values, self.inner.dtype)


def inputs(graph: Graph) -> tuple[End, ...]:
    """Find the inputs of a graph, in its order.

    An input is converted where QUANTIZE to INT8, or from float32 to int16, is all that reads it.
    """
    return _ends(graph)[0]


def outputs(graph: Graph) -> tuple[End, ...]:
    """Find the outputs of a graph, in its order.

    An output is converted where DEQUANTIZE or QUANTIZE from the engine's type writes it, and no operator reads it.
    """
    return _ends(graph)[1]


def interior(graph: Graph) -> Graph:
    """Cut off the conversions at the ends.

    Parameters
    ----------
    graph
        As read from a .tflite file.

    Returns
    -------
    Graph
        The same tensors, without the operators that convert inputs and outputs; its inputs and outputs are what they
        convert to and from. The graph itself where there are none, or where nothing would be left between them.
    """
    before, after = inputs(graph), outputs(graph)
    dropped = _converting(before, after)
    if not dropped:
        return graph
    return replace(
        graph,
        operators=tuple(operator for operator in graph.operators if operator.index not in dropped),
        inputs=tuple(end.inner.index for end in before),
        outputs=tuple(end.inner.index for end in after),
    )


def _ends(graph: Graph) -> tuple[tuple[End, ...], tuple[End, ...]]:
    """Inputs and outputs, converted unless the network is nothing but conversions."""
    before = tuple(_input(graph, index) for index in graph.inputs)
    after = tuple(_output(graph, index) for index in graph.outputs)
    if len(_converting(before, after)) < len(graph.operators):
        return before, after
    given, made = ([End(graph.tensors[i], graph.tensors[i]) for i in some] for some in (graph.inputs, graph.outputs))
    return tuple(given), tuple(made)


def _converting(before: tuple[End, ...], after: tuple[End, ...]) -> set[int]:
    """Numbers of the operators that convert at the ends."""
    return {end.operator.index for end in (*before, *after) if end.operator is not None}


def _input(graph: Graph, index: int) -> End:
    outer = graph.tensors[index]
    readers = [operator for operator in graph.operators if index in operator.inputs]
    if outer.dtype in _OUTER_INPUTS and len(readers) == 1 and index not in graph.outputs:
        (reader,) = readers
        inner = graph.tensors[reader.outputs[0]]
        if reader.op == "QUANTIZE" and len(reader.inputs) == len(reader.outputs) == 1 and _converts(outer, inner):
            return End(outer, inner, reader)
    return End(outer, outer)


def _output(graph: Graph, index: int) -> End:
    outer = graph.tensors[index]
    writer = next((operator for operator in graph.operators if index in operator.outputs), None)
    if outer.dtype not in _OUTER_OUTPUTS or writer is None or len(writer.inputs) != 1 or len(writer.outputs) != 1:
        return End(outer, outer)
    inner = graph.tensors[writer.inputs[0]]
    wanted = "DEQUANTIZE" if outer.dtype == "float32" else "QUANTIZE"
    unread = not any(index in operator.inputs for operator in graph.operators)
    if writer.op == wanted and unread and not inner.constant and _converts(outer, inner):
        return End(outer, inner, writer)
    return End(outer, outer)


def _converts(outer: Tensor, inner: Tensor) -> bool:
    """Whether two tensors are the same values as the engine has them, INT8 or int16, and as another type.

    Both have one scale where they need one.
    """
    quantized = (inner,) if outer.dtype == "float32" else (inner, outer)
    taken = {"int32": ("int16",), "float32": ("int8", "int16")}.get(outer.dtype, ("int8",))
    return (
        inner.dtype in taken
        and inner.shape == outer.shape
        and all(
            one.quantization is not None and not one.quantization.per_channel and one.quantization.scale[0] > 0
            for one in quantized
        )
    )
