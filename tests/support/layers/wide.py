"""Random networks of 16-bit activations and INT8 weights, with INT8 parts between QUANTIZE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from tflite_writer import GraphBuilder, write_model

ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")
_DATA, _WEIGHT = 18_000.0, 73.0
"""Typical distances from 0 of uniform int16 data and INT8 weights."""


class WideBuilder:
    """Adds layers with random weights and sensible scales; every method returns the output's tensor index."""

    def __init__(self, seed: int, shape: Sequence[int], outer: str = "int16") -> None:
        self.chance = np.random.default_rng([seed, 6])
        self.builder = GraphBuilder(f"wide_{seed}")
        scale = float(2.0 ** self.chance.uniform(-16, -8))
        if outer == "int16":
            self.start = self.builder.input(shape, scale, 0, "int16")
        else:
            given = (None, 0) if outer == "float32" else (scale * 256, int(self.chance.integers(-128, 128)))
            self.start = self._made("QUANTIZE", (self.builder.input(shape, *given, dtype=outer),), shape, scale)

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.builder.tensors[tensor].shape

    def scale(self, tensor: int) -> float:
        quantization = self.builder.tensors[tensor].quantization
        assert quantization is not None
        return float(quantization.scale[0])

    def near(self, scale: float) -> float:
        return min(scale, 1.0) * float(2.0 ** self.chance.uniform(-1, 1))

    def write(self, output: int, outer: str = "int16") -> bytes:
        """The .tflite that ends in a tensor, converted to the type ``outer``."""
        if outer == "float32":
            output = self.builder.operator("DEQUANTIZE", (output,), self.shape(output), None, 0, dtype="float32")
        if outer == "int8":
            output = self.narrowed(output)
        return write_model(self.builder.graph(output))

    def _made(self, op: str, inputs: Sequence[int], shape: Sequence[int], scale: float, **attributes: Any) -> int:
        return self.builder.operator(op, inputs, shape, scale, 0, dtype="int16", **attributes)

    def _weights(self, source: int, shape: tuple[int, ...], axis: int, bias: bool) -> tuple[tuple[int, ...], float]:
        """Weights, perhaps a bias, and the output's scale."""
        channels = shape[axis]
        scales = 2.0 ** self.chance.uniform(-9, -6, channels if self.chance.random() < 0.7 else 1)
        weights = self.builder.constant(self.chance.integers(-127, 128, shape).astype(np.int8), scales, 0, axis)
        taps = math.prod(shape) // channels
        spread = _DATA * _WEIGHT * math.sqrt(taps)
        given: tuple[int, ...] = (source, weights)
        if bias:
            values = self.chance.integers(-int(spread), int(spread) + 1, channels).astype(np.int64)
            given += (self.builder.constant(values, np.float32(self.scale(source)) * scales.astype(np.float32)),)
        return given, self.near(self.scale(source) * float(scales.mean()) * spread / _DATA)

    def convolution(self, source: int, channels: int, kernel: tuple[int, int], *, depthwise: bool = False) -> int:
        batch, height, width, depth = self.shape(source)
        channels = depth * max(1, channels // depth) if depthwise else channels
        shape = (1, *kernel, channels) if depthwise else (channels, *kernel, depth)
        bias = not depthwise or bool(self.chance.random() < 0.7)  # LiteRT refuses a CONV_2D without
        inputs, scale = self._weights(source, shape, 3 if depthwise else 0, bias)
        stride, dilation = (tuple(int(self.chance.integers(1, most)) for _ in range(2)) for most in (3, 3))
        if max(stride) > 1:
            dilation = (1, 1)
        reach = [(kernel[i] - 1) * dilation[i] + 1 for i in range(2)]
        same = reach[0] > height or reach[1] > width or bool(self.chance.random() < 0.6)
        sizes = [
            -(-size // stride[i]) if same else (size - reach[i]) // stride[i] + 1
            for i, size in enumerate((height, width))
        ]
        options: dict[str, Any] = {"depth_multiplier": channels // depth} if depthwise else {}
        return self._made(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, (batch, *sizes, channels), scale,
            padding="SAME" if same else "VALID", stride_h=stride[0], stride_w=stride[1],
            dilation_h_factor=dilation[0], dilation_w_factor=dilation[1],
            fused_activation_function=str(self.chance.choice(ACTIVATIONS)), **options,
        )  # fmt: skip

    def dense(self, source: int, units: int) -> int:
        width = math.prod(self.shape(source)[1:])
        inputs, scale = self._weights(source, (units, width), 0, bool(self.chance.random() < 0.6))
        activation = str(self.chance.choice(ACTIVATIONS))
        return self._made("FULLY_CONNECTED", inputs, (1, units), scale, fused_activation_function=activation)

    def pool(self, source: int, op: str) -> int:
        batch, height, width, depth = self.shape(source)
        window = [min(size, int(self.chance.integers(1, 4))) for size in (height, width)]
        stride = [int(self.chance.integers(1, 3)) for _ in window]
        same = bool(self.chance.random() < 0.5)
        sizes = [
            -(-size // step) if same else (size - taps) // step + 1
            for size, step, taps in zip((height, width), stride, window, strict=True)
        ]
        return self._made(
            op, (source,), (batch, *sizes, depth), self.scale(source), padding="SAME" if same else "VALID",
            stride_h=stride[0], stride_w=stride[1], filter_height=window[0], filter_width=window[1],
            fused_activation_function=str(self.chance.choice(ACTIVATIONS)),
        )  # fmt: skip

    def mean(self, source: int, axes: Sequence[int]) -> int:
        shape = [size for i, size in enumerate(self.shape(source)) if i not in axes]
        listed = self.builder.constant(np.array(axes, np.int32))
        return self._made("MEAN", (source, listed), shape, self.near(self.scale(source) / 2), keep_dims=False)

    def two(self, op: str, one: int, other: int) -> int:
        scales = self.scale(one), self.scale(other)
        scale = self.near(max(scales) * 1.4 if op == "ADD" else scales[0] * scales[1] * _DATA)
        options = {"pot_scale_int16": False} if op == "ADD" else {}
        return self._made(
            op, (one, other), self.shape(one), scale,
            fused_activation_function=str(self.chance.choice(ACTIVATIONS)), **options,
        )  # fmt: skip

    def constant_like(self, tensor: int) -> int:
        values = self.chance.integers(-(2**15), 2**15, self.shape(tensor)[-1:]).astype(np.int16)
        return self.builder.constant(values, self.near(self.scale(tensor)))

    def function(self, op: str, source: int) -> int:
        scale = 2.0**-15 if op in ("LOGISTIC", "TANH", "SOFTMAX") else self.near(self.scale(source))
        options = {"beta": float(self.chance.choice([1.0, 0.3]))} if op == "SOFTMAX" else {}
        return self._made(op, (source,), self.shape(source), scale, **options)

    def moved(self, op: str, source: int, shape: Sequence[int], *constants: object, **options: Any) -> int:
        given = [self.builder.constant(np.asarray(values, np.int32)) for values in constants]
        return self._made(op, (source, *given), shape, self.scale(source), **options)

    def padded(self, source: int) -> int:
        paddings = self.chance.integers(0, 3, (len(self.shape(source)), 2))
        paddings[0] = 0
        return self.moved("PAD", source, [n + int(p.sum()) for n, p in zip(self.shape(source), paddings, strict=True)],
                          paddings)  # fmt: skip

    def joined(self, source: int) -> int:
        shape = self.shape(source)
        other = self.builder.constant(self.chance.integers(-(2**15), 2**15, shape).astype(np.int16), self.scale(source))
        return self._made("CONCATENATION", (source, other, source), (*shape[:-1], 3 * shape[-1]), self.scale(source),
                          axis=-1, fused_activation_function="NONE")  # fmt: skip

    def sliced(self, source: int) -> int:
        shape = self.shape(source)
        begin = [0] + [int(self.chance.integers(0, size)) for size in shape[1:]]
        strides = [1] + [int(self.chance.integers(1, 3)) for _ in shape[1:]]
        sizes = [-(-(size - at) // step) for size, at, step in zip(shape, begin, strides, strict=True)]
        return self.moved("STRIDED_SLICE", source, sizes, begin, shape, strides)

    def turned(self, source: int) -> int:
        order = [0, *(1 + self.chance.permutation(len(self.shape(source)) - 1)).tolist()]
        return self.moved("TRANSPOSE", source, [self.shape(source)[i] for i in order], order)

    def narrowed(self, source: int) -> int:
        """QUANTIZE to INT8."""
        zero_point = int(self.chance.integers(-128, 128))
        return self.builder.operator("QUANTIZE", (source,), self.shape(source), self.scale(source) * 256, zero_point)

    def widened(self, source: int) -> int:
        """QUANTIZE to INT8 and back to int16."""
        narrow = self.narrowed(source)
        return self._made("QUANTIZE", (narrow,), self.shape(source), self.near(self.scale(source)))


_LAYERS = (
    "conv", "conv", "depthwise", "pool", "mean", "two", "two", "constant", "function", "relu", "pad", "join", "slice",
    "turn", "quantize", "reshape",
)  # fmt: skip
_FUNCTIONS = ("LOGISTIC", "TANH", "SOFTMAX")


def wide_network(seed: int, layers: int) -> bytes:
    """Layers over a feature map, and a dense layer at the end now and then."""
    chance = np.random.default_rng([seed, 7])
    shape = (1, *(int(chance.integers(1, most)) for most in (12, 10, 9)))
    network = WideBuilder(seed, shape, str(chance.choice(["int16", "int16", "float32", "int8"])))
    made = [network.start]
    for _ in range(layers):
        made.append(_layer(network, chance, made))
        # Products of products of scales would leave what the interpreter's factors can hold.
        if not 2.0**-22 < network.scale(made[-1]) < 2.0**-4:
            made.append(network.function("LOGISTIC", made[-1]))
    output = made[-1]
    if chance.random() < 0.5:
        output = network.function("SOFTMAX", network.dense(output, int(chance.integers(1, 12))))
    elif output == network.start:
        output = network.function("TANH", output)
    return network.write(output, str(chance.choice(["int16", "int16", "float32", "int8"])))


def _layer(network: WideBuilder, chance: np.random.Generator, made: list[int]) -> int:
    source, kind = made[-1], str(chance.choice(_LAYERS))
    kernel = (int(chance.integers(1, 4)), int(chance.integers(1, 4)))
    small = math.prod(network.shape(source)) < 3000
    if kind in ("conv", "depthwise"):
        return network.convolution(source, int(chance.integers(1, 12)), kernel, depthwise=kind == "depthwise")
    if kind == "pool":
        return network.pool(source, str(chance.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"])))
    if kind == "mean":
        kept = network.mean(source, [int(chance.integers(1, 4))])
        sizes = (*network.shape(kept), 1)
        return network.moved("RESHAPE", kept, sizes, sizes)
    if kind == "two":
        alike = [tensor for tensor in made if network.shape(tensor) == network.shape(source)]
        return network.two(str(chance.choice(["ADD", "MUL"])), source, int(chance.choice(alike)))
    if kind == "constant":
        return network.two(str(chance.choice(["ADD", "MUL"])), source, network.constant_like(source))
    if kind == "function":
        return network.function(str(chance.choice(_FUNCTIONS)), source)
    if kind == "relu":
        return network.function(str(chance.choice(["RELU", "RELU6"])), source)
    if kind == "reshape":
        batch, height, width, depth = network.shape(source)
        sizes = (batch, width, height, depth)
        return network.moved("RESHAPE", source, sizes, sizes)
    moves = {"slice": network.sliced, "turn": network.turned, "quantize": network.widened}
    grows = {"pad": network.padded, "join": network.joined}
    return (moves | grows)[kind](source) if small or kind in moves else network.sliced(source)
