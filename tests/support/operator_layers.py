"""Layers of the operators that only "mixed" networks contain: activations, reductions, and what moves values."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import tflite
from tflite_writer import GraphBuilder

from scenelet.compiler.numerics.views import strided_slice

MAPS = ("HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1", "TANH")
"""Functions of one value."""

INT32 = tflite.TensorType.INT32


class OperatorLayers(ABC):
    """Methods of :class:`networks.NetworkBuilder`; every one returns the output's tensor index, or several."""

    builder: GraphBuilder
    chance: np.random.Generator

    @abstractmethod
    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape."""

    @abstractmethod
    def scale(self, tensor: int) -> float:
        """A tensor's scale."""

    @abstractmethod
    def zero_point(self) -> int:
        """A random zero point."""

    @abstractmethod
    def near(self, scale: float) -> float:
        """A random scale near another."""

    @abstractmethod
    def constant_like(self, tensor: int, shape: Sequence[int], scale: float | None = None) -> int:
        """A random constant, quantised near a tensor."""

    @abstractmethod
    def same_quantization(self, tensor: int) -> tuple[float, int]:
        """A tensor's scale and zero point."""

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
        """An operator that keeps scale and zero point, its constants after its input."""
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
        """RESHAPE to the first dimension of ``like``, which the model reads, and to ``shape`` after it."""
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


def random_operator_layer(network: OperatorLayers, chance: np.random.Generator, made: Sequence[int], kind: str) -> int:
    """A layer of one of :data:`KINDS` after the last of ``made``, a feature map in and out."""
    source = made[-1]
    if kind == "map":
        return network.mapped(str(chance.choice(MAPS)), source)
    if kind == "operands":
        return _two_operands(network, chance, made)
    if kind == "reduce":
        axes = [(1,), (2,), (1, 2), (3,), (2, 3)][chance.integers(5)]
        return network.reduced(str(chance.choice(["SUM", "REDUCE_MAX", "REDUCE_MIN"])), source, axes, keep_dims=True)
    if kind == "join":
        return _joined(network, chance, made)
    if kind == "computed shape":
        _, height, width, channels = network.shape(source)
        return network.reshape_by_shape_of(source, made[0], (width, height, channels))
    return _moved(network, chance, source)


KINDS = ("map", "operands", "reduce", "join", "computed shape", "move")


def _two_operands(network: OperatorLayers, chance: np.random.Generator, made: Sequence[int]) -> int:
    source = made[-1]
    alike = [tensor for tensor in made if network.shape(tensor) == network.shape(source)]
    other = int(chance.choice(alike))
    if chance.random() < 0.4:
        other = network.constant_like(source, (network.shape(source)[-1],))
    op = str(chance.choice(["SUB", "SUB", "MINIMUM", "MAXIMUM"]))
    operands = (source, other) if chance.random() < 0.7 else (other, source)
    if op == "SUB":
        return network.subtract(*operands, activation="NONE" if chance.random() < 0.6 else "RELU")
    return network.extremum(op, *operands)


def _joined(network: OperatorLayers, chance: np.random.Generator, made: Sequence[int]) -> int:
    """Parts of a map, put together in another order, perhaps with another map or a constant."""
    source, axis = made[-1], int(chance.integers(1, 4))
    size = network.shape(source)[axis]
    kind = chance.choice(["split", "sizes", "pack", "other"])
    if kind == "split":
        parts = network.split(source, axis, next(n for n in (3, 2, 1) if size % n == 0))
        return network.concatenate([parts[i] for i in chance.permutation(len(parts))], axis)
    if kind == "sizes" and size > 1:
        first = int(chance.integers(1, size))
        parts = network.split_by_sizes(source, axis, (first, size - first))
        return network.concatenate(parts[::-1], axis - 4)
    if kind == "pack":
        rows = network.unpack(source, axis)
        return network.pack([rows[i] for i in chance.permutation(len(rows))], axis)
    shape = list(network.shape(source))
    shape[axis] = int(chance.integers(1, 4))
    values = chance.integers(-128, 128, shape).astype(np.int8)
    constant = network.builder.constant(values, *network.same_quantization(source))
    return network.concatenate((source, constant) if chance.random() < 0.5 else (constant, source), axis)


def _moved(network: OperatorLayers, chance: np.random.Generator, source: int) -> int:
    shape = network.shape(source)
    kind = chance.choice(["transpose", "slice", "strided", "dims"])
    if kind == "transpose":
        return network.transpose(source, (0, *(int(axis) + 1 for axis in chance.permutation(3))))
    begin = [0, *(int(chance.integers(0, size)) for size in shape[1:])]
    if kind == "slice":
        size = [1, *(int(chance.integers(1, n - b + 1)) for n, b in zip(shape[1:], begin[1:], strict=True))]
        return network.slice(source, begin, size)
    if kind == "strided":
        strides = [1, *(int(chance.choice([1, 1, 2, -1])) for _ in shape[1:])]
        masks = int(chance.integers(0, 8)) * 2
        ends = [size if step > 0 else -size - 1 for size, step in zip(shape, strides, strict=True)]
        view = strided_slice(
            np.empty(shape, np.int8), np.array(begin), np.array(ends), np.array(strides), {"begin_mask": masks}
        )
        return network.strided_slice(source, view.shape, begin, ends, strides, begin_mask=masks)
    axis = int(chance.integers(0, 5))
    return network.squeeze(network.expand_dims(source, axis), (axis,))
