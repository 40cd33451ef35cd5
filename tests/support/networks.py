"""Random INT8 networks of every operator that the engine runs: single operators, chains, residual blocks.

A network is a function of its arguments and one seed. Scales are chosen so that values spread over the INT8 range, as
after calibration; weights, zero points and attributes are random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from layers.rare import KINDS as RARE_KINDS
from layers.rare import RareLayers, random_rare_layer
from operator_layers import KINDS as OPERATOR_KINDS
from operator_layers import random_operator_layer
from tflite_writer import GraphBuilder, write_model

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")
PADDINGS = ("SAME", "VALID")
OUTER = ("int8", "int8", "float32", "uint8")
"""Types of inputs and outputs, by how often they are drawn."""
# Typical distances from the zero point of uniform INT8 data and weights.
_DATA_SPREAD, _WEIGHT_SPREAD = 70.0, 73.0
# Where activations still fit: LiteRT refuses an output whose 6.0 is more than 2^31 steps.
_FINEST = 2.0**-24


class NetworkBuilder(RareLayers):
    """Adds layers with random weights and sensible scales; every method returns the output's tensor index.

    ``octaves`` is how far a scale may lie from the sensible one, in powers of two. ``outer`` is the type of the input
    that the file takes.
    """

    def __init__(
        self,
        seed: int,
        shape: Sequence[int],
        quantization: tuple[float, int] | None = None,
        octaves: float = 1.0,
        outer: str = "int8",
    ) -> None:
        self.octaves = octaves
        self.chance = np.random.default_rng(seed)
        self.builder = GraphBuilder(f"random_{seed}")
        drawn = float(2.0 ** self.chance.uniform(-8, 0)), self.zero_point()
        self.start = self.entered(shape, *(quantization or drawn), outer)

    def entered(self, shape: Sequence[int], scale: float, zero_point: int, outer: str) -> int:
        """Add an input that the file takes as the type ``outer``; the tensor after its conversion."""
        if outer == "int8":
            return self.builder.input(shape, scale, zero_point)
        given = (scale, zero_point + 128) if outer == "uint8" else (None, 0)
        return self.builder.operator(
            "QUANTIZE", (self.builder.input(shape, *given, dtype=outer),), shape, scale, zero_point
        )

    def left(self, output: int, outer: str) -> int:
        """A tensor converted to the type ``outer``."""
        if outer == "int8":
            return output
        scale, zero_point = self.same_quantization(output)
        given = (scale, zero_point + 128) if outer == "uint8" else (None, 0)
        op = "QUANTIZE" if outer == "uint8" else "DEQUANTIZE"
        return self.builder.operator(op, (output,), self.shape(output), *given, dtype=outer)

    def model(self, output: int, outer: str = "int8") -> bytes:
        """The .tflite that ends in a tensor, converted to the type ``outer``."""
        return self.write(self.left(output, outer))

    def write(self, *outputs: int) -> bytes:
        """The .tflite that ends in some tensors."""
        return write_model(self.builder.graph(*outputs))

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.builder.tensors[tensor].shape

    def scale(self, tensor: int) -> float:
        quantization = self.builder.tensors[tensor].quantization
        assert quantization is not None
        return float(quantization.scale[0])

    def zero_point(self) -> int:
        return int(self.chance.choice([-128, 127, 0, self.chance.integers(-128, 128)]))

    def near(self, scale: float) -> float:
        """A scale up to ``octaves`` coarser or finer."""
        return max(scale * float(2.0 ** self.chance.uniform(-self.octaves, self.octaves)), _FINEST)

    def same_quantization(self, tensor: int) -> tuple[float, int]:
        quantization = self.builder.tensors[tensor].quantization
        assert quantization is not None
        return float(quantization.scale[0]), int(quantization.zero_point[0])

    def _weights(self, shape: tuple[int, ...], axis: int, per_channel: bool) -> tuple[int, np.ndarray]:
        count = shape[axis] if per_channel else 1
        scales = (2.0 ** (self.chance.uniform(-2, 2, count) * self.octaves - 7)).astype(np.float32)
        values = self.chance.integers(-127, 128, shape).astype(np.int8)
        return self.builder.constant(values, scales, 0, axis=axis), scales

    def _bias(self, wanted: bool, source: int, scales: np.ndarray, channels: int, taps: int) -> tuple[int, ...]:
        if not wanted:
            return ()
        reach = 1 + int(_DATA_SPREAD * _WEIGHT_SPREAD * math.sqrt(taps))
        values = self.chance.integers(-reach, reach + 1, channels).astype(np.int32)
        return (self.builder.constant(values, (np.float32(self.scale(source)) * scales).astype(np.float32), 0),)

    def _sum_scale(self, source: int, scales: np.ndarray, taps: int) -> float:
        spread = self.scale(source) * _DATA_SPREAD * float(scales.mean()) * _WEIGHT_SPREAD * math.sqrt(taps)
        return self.near(spread / _DATA_SPREAD)

    def convolution(
        self,
        source: int,
        channels: int,
        kernel: tuple[int, int],
        *,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
    ) -> int:
        # LiteRT refuses an INT8 CONV_2D without a bias.
        depth = self.shape(source)[3]
        weights, scales = self._weights((channels, *kernel, depth), 0, per_channel)
        taps = kernel[0] * kernel[1] * depth
        inputs = (source, weights, *self._bias(True, source, scales, channels, taps))
        target = self._windowed(source, channels, kernel, stride, dilation, padding)
        scale = self._sum_scale(source, scales, taps)
        options = _window_options(stride, padding) | _dilation_options(dilation)
        return self.builder.operator(
            "CONV_2D", inputs, target, scale, self.zero_point(), fused_activation_function=activation, **options
        )

    def depthwise(
        self,
        source: int,
        kernel: tuple[int, int],
        *,
        multiplier: int = 1,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: str = "SAME",
        activation: str = "NONE",
        per_channel: bool = True,
        bias: bool = True,
    ) -> int:
        channels = self.shape(source)[3] * multiplier
        weights, scales = self._weights((1, *kernel, channels), 3, per_channel)
        inputs = (source, weights, *self._bias(bias, source, scales, channels, kernel[0] * kernel[1]))
        target = self._windowed(source, channels, kernel, stride, dilation, padding)
        scale = self._sum_scale(source, scales, kernel[0] * kernel[1])
        options = _window_options(stride, padding) | _dilation_options(dilation) | {"depth_multiplier": multiplier}
        return self.builder.operator(
            "DEPTHWISE_CONV_2D",
            inputs,
            target,
            scale,
            self.zero_point(),
            fused_activation_function=activation,
            **options,
        )

    def fully_connected(
        self, source: int, units: int, *, activation: str = "NONE", per_channel: bool = True, bias: bool = True
    ) -> int:
        width = math.prod(self.shape(source)[1:])
        weights, scales = self._weights((units, width), 0, per_channel)
        inputs = (source, weights, *self._bias(bias, source, scales, units, width))
        scale = self._sum_scale(source, scales, width)
        return self.builder.operator(
            "FULLY_CONNECTED",
            inputs,
            (self.shape(source)[0], units),
            scale,
            self.zero_point(),
            fused_activation_function=activation,
        )

    def add(self, one: int, other: int, *, activation: str = "NONE") -> int:
        scale = self.near(max(self.scale(one), self.scale(other)) * 1.4)
        return self._two("ADD", one, other, scale, activation)

    def multiply(self, one: int, other: int, *, activation: str = "NONE") -> int:
        scale = self.near(self.scale(one) * self.scale(other) * _DATA_SPREAD)
        return self._two("MUL", one, other, scale, activation)

    def constant_like(self, tensor: int, shape: Sequence[int], scale: float | None = None) -> int:
        """A random INT8 constant at a scale near a tensor's, or near ``scale``."""
        values = self.chance.integers(-128, 128, tuple(shape)).astype(np.int8)
        return self.builder.constant(values, self.near(scale or self.scale(tensor)), self.zero_point())

    def pool(
        self,
        source: int,
        kernel: tuple[int, int],
        *,
        kind: str = "MAX_POOL_2D",
        stride: tuple[int, int] | None = None,
        padding: str = "VALID",
        activation: str = "NONE",
    ) -> int:
        steps = stride or kernel
        target = self._windowed(source, self.shape(source)[3], kernel, steps, (1, 1), padding)
        return self.builder.operator(
            kind,
            (source,),
            target,
            *self.same_quantization(source),
            filter_height=kernel[0],
            filter_width=kernel[1],
            fused_activation_function=activation,
            **_window_options(steps, padding),
        )

    def mean(self, source: int, axes: Sequence[int] = (1, 2), *, keep_dims: bool = False, rescale: bool = True) -> int:
        listed = self.builder.constant(np.array(axes, np.int32))
        shape = self.shape(source)
        reduced = {axis % len(shape) for axis in axes}
        sizes = [1 if i in reduced else size for i, size in enumerate(shape) if keep_dims or i not in reduced]
        scale, zero_point = self.same_quantization(source)
        if rescale:
            scale, zero_point = self.near(scale / 2), self.zero_point()
        return self.builder.operator("MEAN", (source, listed), sizes, scale, zero_point, keep_dims=keep_dims)

    def softmax(self, source: int, beta: float = 1.0) -> int:
        return self.builder.operator("SOFTMAX", (source,), self.shape(source), 1 / 256, -128, beta=beta)

    def logistic(self, source: int, zero_point: int = -128) -> int:
        return self.builder.operator("LOGISTIC", (source,), self.shape(source), 1 / 256, zero_point)

    def pad(self, source: int, paddings: Sequence[tuple[int, int]]) -> int:
        listed = self.builder.constant(np.array(paddings, np.int32))
        sizes = [size + before + after for size, (before, after) in zip(self.shape(source), paddings, strict=True)]
        return self.builder.operator("PAD", (source, listed), sizes, *self.same_quantization(source))

    def prelu(self, source: int) -> int:
        slopes = self.chance.integers(-128, 128, (1, 1, self.shape(source)[-1])).astype(np.int8)
        alpha = self.builder.constant(slopes, float(2.0 ** self.chance.uniform(-9, -6)), self.zero_point())
        return self.builder.operator(
            "PRELU", (source, alpha), self.shape(source), self.near(self.scale(source)), self.zero_point()
        )

    def quantize(self, source: int, *, same: bool = False) -> int:
        values = self.same_quantization(source) if same else (self.near(self.scale(source)), self.zero_point())
        return self.builder.operator("QUANTIZE", (source,), self.shape(source), *values)

    def reshape(self, source: int, shape: Sequence[int]) -> int:
        listed = self.builder.constant(np.array(shape, np.int32))
        return self.builder.operator(
            "RESHAPE", (source, listed), shape, *self.same_quantization(source), new_shape=list(shape)
        )

    def _two(self, op: str, one: int, other: int, scale: float, activation: str) -> int:
        shape = np.broadcast_shapes(self.shape(one), self.shape(other))
        return self.builder.operator(
            op, (one, other), shape, scale, self.zero_point(), fused_activation_function=activation
        )

    def _windowed(
        self,
        source: int,
        channels: int,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        dilation: tuple[int, int],
        padding: str,
    ) -> tuple[int, ...]:
        batch, *sizes, _ = self.shape(source)
        extents = [_extent(*values, padding) for values in zip(sizes, kernel, stride, dilation, strict=True)]
        return (batch, *extents, channels)


def _extent(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    covered = 0 if padding == "SAME" else (kernel - 1) * dilation
    return math.ceil((size - covered) / stride)


def _window_options(stride: tuple[int, int], padding: str) -> dict[str, Any]:
    return {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}


def _dilation_options(dilation: tuple[int, int]) -> dict[str, Any]:
    return {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}


KINDS = ("ordinary", "small", "tall", "extreme", "mixed")
"""Of random networks: maps of some pixels; of one or two; tall, many channels; scales 64 times off; many operators."""

LATER_KINDS = ("varied",)
"""All operators. A new one joins this kind alone, so that a seed of another kind gives the same network for ever."""

_LAYERS = (
    "conv", "conv", "depthwise", "residual", "skip", "skip", "constant", "pool", "pad", "prelu", "quantize", "reshape",
)  # fmt: skip
MIXED_LAYERS = (
    *_LAYERS, "logistic", "logistic", "reshape", "reshape", "reshape", "mean", *OPERATOR_KINDS, *OPERATOR_KINDS,
)  # fmt: skip
_VARIED_LAYERS = (
    "conv", "depthwise", "skip", "pool", "reshape", *OPERATOR_KINDS, *RARE_KINDS, *RARE_KINDS, "function", "function",
    "pick", "pick", "pick",
)  # fmt: skip
_LISTED = {"mixed": MIXED_LAYERS, "varied": _VARIED_LAYERS}
_OCTAVES = 6.0
_WIDE = 0.8
_SIZES = {"small": ((1, 3), (1, 3), (1, 30)), "tall": ((20, 61), (1, 10), (6, 16))}
_ORDINARY_SIZES = ((1, 14), (1, 12), (1, 9))


def random_network(seed: int, layers: int, kind: str = "ordinary") -> bytes:
    """A network of random layers over a feature map, with skip connections, and a classifier head now and then.

    Parameters
    ----------
    seed
        Decides everything.
    layers
        Layers before the head.
    kind
        One of :data:`KINDS`.
    """
    chance = np.random.default_rng(seed)
    shape = (1, *(int(chance.integers(*limits)) for limits in _SIZES.get(kind, _ORDINARY_SIZES)))
    outer = [str(chance.choice(OUTER)) for _ in range(2)] if kind in _LISTED else ["int8", "int8"]
    network = NetworkBuilder(seed, shape, octaves=_OCTAVES if kind == "extreme" else 1.0, outer=outer[0])
    made = [network.start]
    for _ in range(layers):
        # Layers that keep a map's size and are wide: what segments and Winograd transforms are for.
        wide = kind == "tall" and chance.random() < _WIDE
        listed = _LISTED.get(kind, _LAYERS)
        made.append(_wide_layer(network, chance, made) if wide else random_layer(network, chance, made, listed))
    return network.model(head(network, chance, made[-1]), outer[1])


def _wide_layer(network: NetworkBuilder, chance: np.random.Generator, made: list[int]) -> int:
    source, activation = made[-1], str(chance.choice(ACTIVATIONS))
    alike = [tensor for tensor in made[:-1] if network.shape(tensor) == network.shape(source)]
    kind = chance.choice(["conv", "conv", "depthwise", "skip", "residual", "residual", "batchnorm", "pool"])
    if kind == "skip" and alike:
        return network.add(source, int(chance.choice(alike)), activation=activation)
    if kind == "residual":
        return _residual(network, chance, source)
    if kind == "batchnorm":
        channels = (network.shape(source)[-1],)
        # Factors about 1: chains of larger ones would leave float32.
        scaled = network.multiply(source, network.constant_like(source, channels, 1 / _DATA_SPREAD))
        return network.add(scaled, network.constant_like(scaled, channels), activation=activation)
    if kind == "pool":
        return network.pool(source, (2, 2), stride=(1, 1), padding="SAME", activation=activation)
    kernel = (int(chance.choice([1, 3, 5, 7])), int(chance.choice([1, 3, 5])))
    if kind == "depthwise":
        return network.depthwise(source, kernel, activation=activation)
    same = network.shape(source)[-1] if chance.random() < 0.5 else int(chance.integers(8, 18))
    return network.convolution(source, same, kernel, activation=activation)


def _residual(network: NetworkBuilder, chance: np.random.Generator, source: int) -> int:
    """A convolution, perhaps PRELU, and what went in added to what comes out; or two convolutions of one map."""
    channels, kernels = network.shape(source)[-1], [(1, 1), (1, 1), (3, 3), (3, 1), (1, 3), (5, 5)]
    skip = source if chance.random() < 0.8 else network.convolution(source, channels, (1, 1))
    made = network.convolution(source, channels, kernels[chance.integers(len(kernels))])
    made = network.prelu(made) if chance.random() < 0.2 else made
    operands = (made, skip) if chance.random() < 0.5 else (skip, made)
    # Most activations of random tensors clamp inside INT8, and stay apart.
    return network.add(*operands, activation="NONE" if chance.random() < 0.7 else str(chance.choice(ACTIVATIONS)))


def random_layer(
    network: NetworkBuilder, chance: np.random.Generator, made: list[int], listed: Sequence[str] = _LAYERS
) -> int:
    source = made[-1]
    kind = chance.choice(listed)
    activation = str(chance.choice(ACTIVATIONS))
    if kind in OPERATOR_KINDS:
        return random_operator_layer(network, chance, made, str(kind))
    if kind in RARE_KINDS:
        return random_rare_layer(network, chance, made, str(kind))
    # Products of products of scales would leave float32, where the interpreter ends the process.
    tame = 2.0**-16 < network.scale(source) < 2.0**16
    if kind in ("conv", "depthwise"):
        return _random_convolution(network, chance, source, str(kind), activation)
    if kind == "skip":
        partners = [tensor for tensor in made if network.shape(tensor) == network.shape(source)]
        join = network.add if chance.random() < 0.7 or not tame else network.multiply
        return join(source, int(chance.choice(partners)), activation=activation)
    if kind == "residual":
        return _residual(network, chance, source)
    if kind == "constant":
        constant = network.constant_like(source, (network.shape(source)[-1],))
        operands = (source, constant) if chance.random() < 0.7 else (constant, source)
        return (network.add if chance.random() < 0.5 or not tame else network.multiply)(
            *operands, activation=activation
        )
    if kind == "pool":
        return _random_pool(network, chance, source, activation)
    if kind == "pad":
        low, high = int(chance.integers(0, 3)), int(chance.integers(0, 3))
        return network.pad(source, ((0, 0), (low, high), (high, 0), (0, 0)))
    if kind == "prelu":
        return network.prelu(source)
    if kind == "mean":
        axes = [(1,), (2,), (1, 2), (3,), (2, 3)][chance.integers(5)]
        return network.mean(source, axes, keep_dims=True, rescale=bool(chance.random() < 0.7))
    if kind == "logistic":
        return network.logistic(source, zero_point=-128 if chance.random() < 0.7 else network.zero_point())
    if kind == "quantize":
        return network.quantize(source, same=bool(chance.random() < 0.3))
    _, height, width, channels = network.shape(source)
    if listed is not _LAYERS:
        shapes = [(width, height, channels), (height * width, 1, channels), (1, height, width * channels)]
        return network.reshape(source, (1, *shapes[chance.integers(3)]))
    return network.reshape(source, (1, width, height, channels))


def _random_convolution(
    network: NetworkBuilder, chance: np.random.Generator, source: int, kind: str, activation: str
) -> int:
    _, height, width, _ = network.shape(source)
    dilation = (int(chance.integers(1, 3)), int(chance.integers(1, 3))) if chance.random() < 0.3 else (1, 1)
    # Strides with dilation are legal in the schema, but the interpreter's own shapes then differ by version.
    stride = (1, 1) if dilation != (1, 1) else (int(chance.integers(1, 4)), int(chance.integers(1, 4)))
    kernel = (int(chance.integers(1, 8)), int(chance.integers(1, 8)))
    fits = (kernel[0] - 1) * dilation[0] < height and (kernel[1] - 1) * dilation[1] < width
    options: dict[str, Any] = {
        "stride": stride,
        "dilation": dilation,
        "padding": str(chance.choice(PADDINGS)) if fits else "SAME",
        "activation": activation,
        "per_channel": bool(chance.random() < 0.8),
    }
    if kind == "depthwise":
        bias, multiplier = bool(chance.random() < 0.8), int(chance.integers(1, 4))
        return network.depthwise(source, kernel, multiplier=multiplier, bias=bias, **options)
    return network.convolution(source, int(chance.integers(1, 18)), kernel, **options)


def _random_pool(network: NetworkBuilder, chance: np.random.Generator, source: int, activation: str) -> int:
    _, height, width, _ = network.shape(source)
    kernel = (int(chance.integers(1, min(height, 4) + 1)), int(chance.integers(1, min(width, 4) + 1)))
    stride = (int(chance.integers(1, 3)), int(chance.integers(1, 3)))
    kind = str(chance.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
    padding = str(chance.choice(PADDINGS))
    return network.pool(source, kernel, kind=kind, stride=stride, padding=padding, activation=activation)


def head(network: NetworkBuilder, chance: np.random.Generator, source: int) -> int:
    kind = chance.choice(["none", "mean", "flat", "dense"])
    if kind == "none":
        return source
    if kind == "mean":
        source = network.mean(source, keep_dims=bool(chance.random() < 0.3), rescale=bool(chance.random() < 0.7))
    elif kind == "flat":
        source = network.reshape(source, (1, math.prod(network.shape(source))))
    units = int(chance.integers(2, 40))
    source = network.fully_connected(source, units, per_channel=bool(chance.random() < 0.7))
    return network.softmax(source) if chance.random() < 0.7 else source
