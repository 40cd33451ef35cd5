"""Layers of the operators that only "varied" networks contain: functions, picked values, products of matrices."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from operator_layers import OperatorLayers

from scenelet.compiler.numerics.positions import POSITIONS

FUNCTIONS = ("ABS", "ELU", "EXP", "GELU", "LOG", "NEG", "RELU_0_TO_1", "RSQRT", "SQRT")
"""Functions of one value that :meth:`RareLayers.function` adds."""

_POSITIVE = ("LOG", "RSQRT", "SQRT")
_RANGE = 10.0
"""Real values that EXP takes: beyond, its results leave every scale."""
_SPREAD = 70.0
_OCTAVES, _MOST_VALUES = 12, 8192


class RareLayers(OperatorLayers):
    """Methods of :class:`networks.NetworkBuilder`; every one returns the output's tensor index."""

    @abstractmethod
    def _weights(self, shape: tuple[int, ...], axis: int, per_channel: bool) -> tuple[int, np.ndarray]:
        """Random weights and their scales."""

    @abstractmethod
    def _bias(self, wanted: bool, source: int, scales: np.ndarray, channels: int, taps: int) -> tuple[int, ...]:
        """A random bias, or none."""

    @abstractmethod
    def _sum_scale(self, source: int, scales: np.ndarray, taps: int) -> float:
        """A scale near the sensible one of sums of so many taps."""

    @abstractmethod
    def logistic(self, source: int, zero_point: int = -128) -> int:
        """LOGISTIC, whose output has a sensible scale whatever its input's."""

    def rescaled(self, source: int, scale: float, zero_point: int) -> int:
        """QUANTIZE to a scale and a zero point."""
        return self.builder.operator("QUANTIZE", (source,), self.shape(source), scale, zero_point)

    def filled(self, source: int) -> int:
        """A map plus what FILL makes."""
        scale, zero_point = self.near(self.scale(source)), self.zero_point()
        value = self.builder.constant(np.array(self.chance.integers(-128, 128), np.int8), scale, zero_point)
        shape = self.builder.constant(np.array(self.shape(source), np.int32))
        made = self.builder.operator("FILL", (shape, value), self.shape(source), scale, zero_point)
        return self.add(source, made)

    @abstractmethod
    def add(self, one: int, other: int, *, activation: str = "NONE") -> int:
        """ADD."""

    def function(self, op: str, source: int) -> int:
        """One of :data:`FUNCTIONS`, of a map that it is defined for."""
        if op in _POSITIVE:
            source = self.rescaled(source, self.scale(source), -128)
        if op == "EXP" and self.scale(source) * 255 > _RANGE:
            source = self.rescaled(source, _RANGE / 255, self.zero_point())
        most = 255 * self.scale(source)
        sensible = {"EXP": math.exp(min(most, _RANGE)) / 255, "LOG": 1 / 32, "SQRT": math.sqrt(most) / 255}
        sensible["RSQRT"] = 1 / math.sqrt(self.scale(source)) / 255
        options = {"approximate": bool(self.chance.random() < 0.5)} if op == "GELU" else {}
        scale = self.near(sensible.get(op, self.scale(source)))
        return self.builder.operator(op, (source,), self.shape(source), scale, self.zero_point(), **options)

    def squared_difference(self, one: int, other: int) -> int:
        shape = np.broadcast_shapes(self.shape(one), self.shape(other))
        largest = max(self.scale(one), self.scale(other))
        # A factor of 1 or more is undefined in the interpreter.
        scale = max(self.near(largest**2 * _SPREAD), largest**2 * 2.0**-11)
        return self.builder.operator("SQUARED_DIFFERENCE", (one, other), shape, scale, self.zero_point())

    def divide(self, one: int, other: int, *, activation: str = "NONE") -> int:
        """DIV by a constant, or by a map that is held above 0, where the interpreter would stop."""
        scale, zero_point = self.same_quantization(other)
        data = self.builder.tensors[other].data
        if data is None:
            zero_point = min(zero_point, 126)
            other = self.rescaled(other, scale, zero_point)
            least = self.builder.constant(np.array([zero_point + 1], np.int8), scale, zero_point)
            other = self.extremum("MAXIMUM", other, least)
        else:
            kept = np.where(data == zero_point, zero_point - 1 if zero_point > -128 else 1, data)
            other = self.builder.constant(kept.astype(np.int8), scale, zero_point)
        shape = np.broadcast_shapes(self.shape(one), self.shape(other))
        made = self.scale(one) / scale / 2.0 ** float(self.chance.uniform(8, 12))
        return self.builder.operator(
            "DIV", (one, other), shape, made, self.zero_point(), fused_activation_function=activation
        )

    def picked(self, op: str, source: int, *constants: Any, **options: Any) -> int:
        """An operator of :data:`scenelet.compiler.numerics.positions.POSITIONS`."""
        shape = self.shape(source)
        listed = [np.array(values, np.int32) for values in constants]
        found = POSITIONS[op](np.arange(math.prod(shape), dtype=np.int64).reshape(shape), listed, options)
        return self.moved(op, source, found.shape, *constants, **options)

    def pad_value(self, source: int, paddings: Sequence[tuple[int, int]]) -> int:
        """PADV2."""
        given = self.same_quantization(source)
        listed = self.builder.constant(np.array(paddings, np.int32))
        value = self.builder.constant(np.array(self.chance.integers(-128, 128), np.int8), *given)
        sizes = [size + before + after for size, (before, after) in zip(self.shape(source), paddings, strict=True)]
        return self.builder.operator("PADV2", (source, listed, value), sizes, *given)

    def transpose_convolution(
        self, source: int, shape: tuple[int, ...], kernel: tuple[int, int], *, stride: tuple[int, int], padding: str,
        activation: str = "NONE", per_channel: bool = True, bias: bool = True,
    ) -> int:  # fmt: skip
        depth, channels = self.shape(source)[3], shape[3]
        weights, scales = self._weights((channels, *kernel, depth), 0, per_channel)
        taps = max(kernel[0] * kernel[1] * depth // (stride[0] * stride[1]), 1)
        listed = self.builder.constant(np.array(shape, np.int32))
        inputs = (listed, weights, source, *self._bias(bias, source, scales, channels, taps))
        return self.builder.operator(
            "TRANSPOSE_CONV", inputs, shape, self._sum_scale(source, scales, taps), self.zero_point(),
            stride_h=stride[0], stride_w=stride[1], padding=padding, fused_activation_function=activation,
        )  # fmt: skip

    def matrix_product(self, left: int, right: int, *, adj_x: bool = False, adj_y: bool = False) -> int:
        one, other = self.shape(left), self.shape(right)
        rows, depth = one[:-3:-1] if adj_x else one[-2:]
        columns = other[-2] if adj_y else other[-1]
        scale = self.near(self.scale(left) * self.scale(right) * _SPREAD * math.sqrt(depth))
        shape = (*np.broadcast_shapes(one[:-2], other[:-2]), rows, columns)
        return self.builder.operator(
            "BATCH_MATMUL", (left, right), shape, scale, self.zero_point(), adj_x=adj_x, adj_y=adj_y
        )

    def resize_bilinear(self, source: int, size: tuple[int, int], **options: bool) -> int:
        batch, _, _, channels = self.shape(source)
        return self.moved("RESIZE_BILINEAR", source, (batch, *size, channels), size, **options)

    def log_softmax(self, source: int) -> int:
        return self.builder.operator("LOG_SOFTMAX", (source,), self.shape(source), 1 / 16, 127)

    def l2_normalization(self, source: int) -> int:
        return self.builder.operator(
            "L2_NORMALIZATION", (source,), self.shape(source), 1 / 128, 0, fused_activation_function="NONE"
        )


KINDS = (
    "function",
    "square",
    "divide",
    "pick",
    "transpose conv",
    "product",
    "bilinear",
    "normalize",
    "fill",
    "pad value",
)
"""Kinds of layers; "function" and "pick" stand for many operators."""


def random_rare_layer(network: RareLayers, chance: np.random.Generator, made: Sequence[int], kind: str) -> int:
    """A layer of one of :data:`KINDS` after the last of ``made``, a feature map in and out."""
    source = made[-1]
    if math.prod(network.shape(source)) > _MOST_VALUES:
        source = network.reduced("REDUCE_MAX", source, (1,), keep_dims=True)
    # Products of products of scales would leave float32, where the interpreter ends the process.
    if not 2.0**-_OCTAVES < network.scale(source) < 2.0**_OCTAVES:
        source = network.logistic(source)
    _, height, width, channels = network.shape(source)
    if kind == "function":
        return network.function(str(chance.choice(FUNCTIONS)), source)
    if kind in ("square", "divide"):
        same = [tensor for tensor in made if network.shape(tensor) == network.shape(source)]
        alike = [source, *(tensor for tensor in same if 2.0**-_OCTAVES < network.scale(tensor) < 2.0**_OCTAVES)]
        other = int(chance.choice(alike))
        if chance.random() < 0.4:
            other = network.constant_like(source, (channels,))
        return network.squared_difference(source, other) if kind == "square" else network.divide(source, other)
    if kind == "transpose conv":
        return _transposed(network, chance, source)
    if kind == "product":
        return _product(network, chance, source)
    if kind == "bilinear":
        sizes = min(height * int(chance.integers(1, 3)), 24), min(width + int(chance.integers(0, 3)), 24)
        options = [{}, {"align_corners": True}, {"half_pixel_centers": True}][chance.integers(3)]
        return network.resize_bilinear(source, sizes, **options)
    if kind == "fill":
        return network.filled(source)
    if kind == "normalize":
        return network.log_softmax(source) if source % 2 else network.l2_normalization(source)
    if kind == "pad value":
        low, high = int(chance.integers(0, 3)), int(chance.integers(0, 3))
        return network.pad_value(source, ((0, 0), (low, high), (high, 0), (0, low % 2)))
    return _picked(network, chance, source)


def _product(network: RareLayers, chance: np.random.Generator, source: int) -> int:
    """Of a map with itself, transposed in one of three ways, or with a constant."""
    _, _, width, channels = network.shape(source)
    adjoint = bool(chance.random() < 0.5)
    if chance.random() < 0.4:
        columns, depth = int(chance.integers(1, 9)), width if adjoint else channels
        shape = (depth, columns) if chance.random() < 0.5 else (columns, depth)
        constant = network.constant_like(source, shape)
        return network.matrix_product(source, constant, adj_x=adjoint, adj_y=shape == (columns, depth))
    if chance.random() < 0.3:
        return network.matrix_product(source, network.transpose(source, (0, 1, 3, 2)))
    return network.matrix_product(source, source, adj_x=adjoint, adj_y=not adjoint)


def _transposed(network: RareLayers, chance: np.random.Generator, source: int) -> int:
    _, height, width, _ = network.shape(source)
    kernel = int(chance.integers(1, 5)), int(chance.integers(1, 5))
    stride = int(chance.integers(1, 4)), int(chance.integers(1, 3))
    padding = str(chance.choice(["SAME", "VALID"]))
    sizes = [
        (size * step if padding == "SAME" else (size - 1) * step + taps)
        for size, step, taps in zip((height, width), stride, kernel, strict=True)
    ]
    shape = (1, *sizes, int(chance.integers(1, 10)))
    return network.transpose_convolution(
        source, shape, kernel, stride=stride, padding=padding, per_channel=bool(chance.random() < 0.7),
        bias=bool(chance.random() < 0.7), activation="NONE" if chance.random() < 0.6 else "RELU6",
    )  # fmt: skip


def _picked(network: RareLayers, chance: np.random.Generator, source: int) -> int:
    _, height, width, channels = network.shape(source)
    op = str(chance.choice(sorted(POSITIONS)))
    axis = int(chance.integers(1, 4))
    indices = chance.integers(0, network.shape(source)[axis], int(chance.integers(1, 6)))
    if op == "GATHER":
        return network.picked(op, source, indices.tolist(), axis=axis)
    if op == "GATHER_ND":
        rows = [[[0, int(chance.integers(height))] for _ in range(3)]]
        return network.picked(op, source, rows)
    if op == "REVERSE_V2":
        return network.picked(op, source, [axis])
    if op == "TILE":
        multiples = [1, 1, 1, 1]
        multiples[axis] = 2
        return network.picked(op, source, multiples)
    if op == "BROADCAST_TO":
        one = network.slice(source, (0, 0, 0, 0), (1, 1, -1, -1))
        return network.picked(op, one, [1, int(chance.integers(1, 5)), width, channels])
    if op == "MIRROR_PAD":
        mode = str(chance.choice(["REFLECT", "SYMMETRIC"]))
        most = [size if mode == "SYMMETRIC" else size - 1 for size in (height, width)]
        paddings = [[0, 0], *([int(n) for n in chance.integers(0, min(size, 2) + 1, 2)] for size in most), [0, 0]]
        return network.picked(op, source, paddings, mode=mode)
    if op == "SPACE_TO_DEPTH":
        even = network.pad_value(source, ((0, 0), (height % 2, 0), (0, width % 2), (0, 0)))
        return network.picked(op, even, block_size=2)
    if op == "DEPTH_TO_SPACE":
        return network.picked(op, network.picked("TILE", source, [1, 1, 1, 4]), block_size=2)
    if op == "RESIZE_NEAREST_NEIGHBOR":
        options = [{}, {"align_corners": True}, {"half_pixel_centers": True}][chance.integers(3)]
        return network.picked(op, source, [height + int(chance.integers(0, 5)), min(width * 2, 20)], **options)
    return _batched(network, chance, source)


def _batched(network: RareLayers, chance: np.random.Generator, source: int) -> int:
    """SPACE_TO_BATCH_ND, a pool, and BATCH_TO_SPACE_ND: how a dilated convolution was once written."""
    _, height, width, _ = network.shape(source)
    blocks = [int(chance.integers(1, 4)), int(chance.integers(1, 3))]
    extra = [-(height + 1) % blocks[0], -(width + 1) % blocks[1]]
    paddings = [[1, extra[0]], [1, extra[1]]]
    apart = network.picked("SPACE_TO_BATCH_ND", source, blocks, paddings)
    mapped = network.mapped("LEAKY_RELU", apart)
    return network.picked("BATCH_TO_SPACE_ND", mapped, blocks, [[1, extra[0]], [1, 0]])
