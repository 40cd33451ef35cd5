"""Layers of the operators that only "mixed" networks contain: activations, reductions, and what moves values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tflite
from tflite_writer import GraphBuilder

MAPS = ("HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1", "TANH")
"""Functions of one value."""

INT32 = tflite.TensorType.INT32


class OperatorLayers:
    """Methods of :class:`networks.NetworkBuilder`; every one returns the output's tensor index, or several."""

    builder: GraphBuilder
    chance: np.random.Generator

    def shape(self, tensor: int) -> tuple[int, ...]:
        raise NotImplementedError

    def scale(self, tensor: int) -> float:
        raise NotImplementedError

    def zero_point(self) -> int:
        raise NotImplementedError

    def near(self, scale: float) -> float:
        raise NotImplementedError

    def same_quantization(self, tensor: int) -> tuple[float, int]:
        raise NotImplementedError

    def mapped(self, op: str, source: int) -> int:
        """One of :data:`MAPS`."""
        options = {"alpha": float(self.chance.uniform(0, 0.5))} if op == "LEAKY_RELU" else {}
        scale = 1 / 128 if op == "TANH" else self.near(self.scale(source))
        return self.builder.operator(op, (source,), self.shape(source), scale, self.zero_point(), **options)

    def subtract(self, one: int, other: int, *, activation: str = "NONE") -> int:
        scale = self.near(max(self.scale(one), self.scale(other)) * 1.4)
        shape = np.broadcast_shapes(self.shape(one), self.shape(other))
        return self.builder.operator(
            "SUB", (one, other), shape, scale, self.zero_point(), fused_activation_function=activation
        )

    def extremum(self, op: str, one: int, other: int) -> int:
        """MINIMUM or MAXIMUM."""
        shape = np.broadcast_shapes(self.shape(one), self.shape(other))
        return self.builder.operator(op, (one, other), shape, *self.same_quantization(one))

    def reduced(self, op: str, source: int, axes: Sequence[int], *, keep_dims: bool = False) -> int:
        """SUM, REDUCE_MAX or REDUCE_MIN."""
        listed = self.builder.constant(np.array(axes, np.int32))
        shape = self.shape(source)
        gone = {axis % len(shape) for axis in axes}
        sizes = [1 if i in gone else size for i, size in enumerate(shape) if keep_dims or i not in gone]
        scale, zero_point = self.same_quantization(source)
        if op == "SUM":
            count = math.prod(shape[axis] for axis in gone)
            scale, zero_point = self.near(scale * math.sqrt(count)), self.zero_point()
        return self.builder.operator(op, (source, listed), sizes, scale, zero_point, keep_dims=keep_dims)

    def moved(self, op: str, source: int, shape: Sequence[int], *constants: Any, **options: Any) -> int:
        """An operator that keeps scale and zero point, its constants behind its input."""
        listed = [self.builder.constant(np.array(values, np.int32)) for values in constants]
        return self.builder.operator(op, (source, *listed), shape, *self.same_quantization(source), **options)

    def transpose(self, source: int, order: Sequence[int]) -> int:
        return self.moved("TRANSPOSE", source, [self.shape(source)[axis] for axis in order], list(order))

    def slice(self, source: int, begin: Sequence[int], size: Sequence[int]) -> int:
        lengths = [end - start if n == -1 else n for end, start, n in zip(self.shape(source), begin, size, strict=True)]
        return self.moved("SLICE", source, lengths, list(begin), list(size))

    def strided_slice(
        self, source: int, shape: Sequence[int], begin: Sequence[int], end: Sequence[int], strides: Sequence[int],
        **masks: Any,
    ) -> int:  # fmt: skip
        return self.moved("STRIDED_SLICE", source, shape, list(begin), list(end), list(strides), **masks)

    def split(self, source: int, axis: int, parts: int) -> tuple[int, ...]:
        shape = list(self.shape(source))
        shape[axis] //= parts
        listed = self.builder.constant(np.array(axis, np.int32))
        given = self.same_quantization(source)
        return self.builder.operator_with_outputs("SPLIT", (listed, source), [shape] * parts, *given, num_splits=parts)

    def split_by_sizes(self, source: int, axis: int, sizes: Sequence[int]) -> tuple[int, ...]:
        shapes = [[size if i == axis else n for i, n in enumerate(self.shape(source))] for size in sizes]
        listed = [self.builder.constant(np.array(values, np.int32)) for values in (sizes, axis)]
        given = self.same_quantization(source)
        return self.builder.operator_with_outputs("SPLIT_V", (source, *listed), shapes, *given, num_splits=len(sizes))

    def unpack(self, source: int, axis: int) -> tuple[int, ...]:
        shape = self.shape(source)
        rest = [n for i, n in enumerate(shape) if i != axis % len(shape)]
        given = self.same_quantization(source)
        return self.builder.operator_with_outputs(
            "UNPACK", (source,), [rest] * shape[axis], *given, num=shape[axis], axis=axis
        )

    def pack(self, sources: Sequence[int], axis: int) -> int:
        shape = list(self.shape(sources[0]))
        shape.insert(axis % (len(shape) + 1), len(sources))
        given = self.same_quantization(sources[0])
        return self.builder.operator("PACK", sources, shape, *given, values_count=len(sources), axis=axis)

    def concatenate(self, sources: Sequence[int], axis: int) -> int:
        shape = list(self.shape(sources[0]))
        shape[axis] = sum(self.shape(source)[axis] for source in sources)
        given = self.same_quantization(sources[0])
        return self.builder.operator(
            "CONCATENATION", sources, shape, *given, axis=axis, fused_activation_function="NONE"
        )

    def expand_dims(self, source: int, axis: int) -> int:
        shape = list(self.shape(source))
        shape.insert(axis % (len(shape) + 1), 1)
        return self.moved("EXPAND_DIMS", source, shape, axis)

    def squeeze(self, source: int, axes: Sequence[int]) -> int:
        shape = self.shape(source)
        gone = {axis % len(shape) for axis in axes} if axes else {i for i, n in enumerate(shape) if n == 1}
        kept = [n for i, n in enumerate(shape) if i not in gone]
        return self.moved("SQUEEZE", source, kept, squeeze_dims=list(axes))

    def reshape_by_shape_of(self, source: int, like: int, shape: Sequence[int]) -> int:
        """RESHAPE to the first dimension of ``like``, which the model reads, and to ``shape`` behind it."""
        rank = len(self.shape(like))
        made = self.builder.operator("SHAPE", (like,), (rank,), None, 0, dtype="int32", out_type=INT32)
        indices = [self.builder.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
        first = self.builder.operator("STRIDED_SLICE", (made, *indices), (), None, 0, dtype="int32", shrink_axis_mask=1)
        rest = [self.builder.constant(np.array(size, np.int32)) for size in shape]
        count = 1 + len(shape)
        listed = self.builder.operator(
            "PACK", (first, *rest), (count,), None, 0, dtype="int32", values_count=count, axis=0
        )
        given = self.same_quantization(source)
        return self.builder.operator("RESHAPE", (source, listed), (self.shape(like)[0], *shape), *given)
