"""One-operator INT8 networks that drive every kernel through its corners, and what TFLite's reference makes of them.

Cases are the same on every run: each is seeded by its name.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray
from tflite_writer import GraphBuilder, write_model

from scenelet.graph import Graph
from scenelet.tflite.sums_in_uint8 import rewritten

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Case:
    """A network of one operator and inputs for it: one list entry a run, one array a graph input."""

    name: str
    graph: Graph
    runs: tuple[tuple[Int8, ...], ...]


def expected(case: Case) -> list[Int8]:
    """Outputs of BUILTIN_REF, one a run."""
    interpreter = Interpreter(
        model_content=rewritten(write_model(case.graph)), experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    places = [detail["index"] for detail in interpreter.get_input_details()]
    target = interpreter.get_output_details()[0]["index"]
    outputs = []
    for run in case.runs:
        for place, values in zip(places, run, strict=True):
            interpreter.set_tensor(place, values)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target))
    return outputs


def window_output(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output length along one axis, as TFLite has it."""
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else (size - reach) // stride + 1


def _random(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


def _case(name: str, network: GraphBuilder, output: int, rng: np.random.Generator, inputs: Sequence[int]) -> Case:
    """Inputs: full range, both ends, alternating ends, and near the zero point."""
    shapes = [network.tensors[i].shape for i in inputs]
    zeros = [int(network.tensors[i].quantization.zero_point[0]) for i in inputs]  # type: ignore[union-attr]
    makers = (
        lambda shape, _: rng.integers(-128, 128, shape),
        lambda shape, _: np.full(shape, -128),
        lambda shape, _: np.full(shape, 127),
        lambda shape, _: rng.choice([-128, 127], shape),
        lambda shape, zero: np.clip(np.round(rng.normal(zero, 6, shape)), -128, 127),
    )
    runs = tuple(
        tuple(np.asarray(maker(shape, zero), np.int8) for shape, zero in zip(shapes, zeros, strict=True))
        for maker in makers
    )
    return Case(name, network.graph(output), runs)


@dataclass(frozen=True)
class Conv:
    """A CONV_2D or DEPTHWISE_CONV_2D case; ``factor`` is input scale * weight scale / output scale."""

    size: tuple[int, int, int, int]
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-3, 5)
    per_channel: bool = True
    bias: int | None = 1000
    factor: float | None = None

    @property
    def name(self) -> str:
        """Every field that matters, readable."""
        numbers = (self.size, self.kernel, self.stride, self.dilation, self.zero_points)
        parts = ["x".join(map(str, n)) for n in numbers]
        rest = (self.channels, self.padding, self.activation, self.per_channel, self.bias, self.factor)
        return "_".join([*parts, *map(str, rest)])


def _conv_case(op: str, conv: Conv) -> Case:
    name = f"{op}_{conv.name}"
    rng = _random(name)
    depth = conv.size[3]
    depthwise = op == "DEPTHWISE_CONV_2D"
    shape = (1, *conv.kernel, conv.channels) if depthwise else (conv.channels, *conv.kernel, depth)
    taps = conv.kernel[0] * conv.kernel[1] * (1 if depthwise else depth)
    # By default sums fill the output's range, so that most values are not clamped.
    factor = conv.factor if conv.factor is not None else 1 / (60 * np.sqrt(taps))
    scales = factor * rng.uniform(0.5, 1.5, conv.channels if conv.per_channel else 1) * 0.1 / 0.05
    network = GraphBuilder(name)
    x = network.input(conv.size, 0.05, conv.zero_points[0])
    axis = 3 if depthwise else 0
    weights = rng.integers(-127, 128, shape).astype(np.int8)
    weights.flat[0] = -128
    operands = [x, network.constant(weights, scales, 0, axis)]
    if conv.bias is not None:
        values = rng.integers(-conv.bias, conv.bias + 1, conv.channels).astype(np.int32)
        operands.append(network.constant(values, np.float32(0.05) * scales.astype(np.float32)))
    grid = [
        window_output(*numbers, conv.padding)
        for numbers in zip(conv.size[1:3], conv.kernel, conv.stride, conv.dilation, strict=True)
    ]
    attributes: dict[str, Any] = {"padding": conv.padding, "fused_activation_function": conv.activation}
    attributes |= {"stride_h": conv.stride[0], "stride_w": conv.stride[1]}
    attributes |= {"dilation_h_factor": conv.dilation[0], "dilation_w_factor": conv.dilation[1]}
    if depthwise:
        attributes["depth_multiplier"] = conv.channels // depth
    output = (conv.size[0], *grid, conv.channels)
    y = network.operator(op, operands, output, 0.1, conv.zero_points[1], **attributes)
    return _case(name, network, y, rng, [x])


_SHAPES = (
    Conv((1, 9, 4, 1), 3, (7, 5)),
    Conv((1, 4, 9, 3), 4, (3, 3)),
    Conv((1, 13, 4, 4), 5, (3, 7)),
    Conv((1, 6, 6, 5), 2, (2, 4)),
    Conv((1, 1, 11, 6), 1, (1, 3)),
    Conv((1, 5, 5, 2), 6, (5, 1)),
    Conv((3, 2, 3, 8), 4, (1, 1)),
    Conv((2, 5, 3, 3), 3, (3, 3)),
    Conv((1, 7, 7, 4), 4, (3, 3), stride=(2, 2)),
    Conv((1, 8, 6, 3), 4, (4, 3), stride=(1, 3)),
    Conv((1, 6, 8, 4), 4, (1, 1), stride=(2, 1)),
    Conv((1, 9, 9, 4), 4, (3, 3), dilation=(2, 3)),
    Conv((1, 3, 3, 4), 4, (3, 3), dilation=(4, 4)),
    Conv((1, 5, 9, 1), 4, (3, 3), dilation=(1, 2)),
    Conv((1, 2, 2, 2), 3, (5, 7)),
    Conv((1, 1, 1, 10), 7, (1, 1)),
    Conv((1, 9, 8, 4), 4, (3, 2), padding="VALID"),
    Conv((1, 8, 9, 3), 3, (3, 2), stride=(3, 2), padding="VALID"),
    Conv((1, 11, 10, 2), 2, (2, 3), dilation=(3, 2), padding="VALID"),
    Conv((1, 5, 4, 24), 6, (3, 3)),
    Conv((1, 4, 3, 16), 16, (2, 2), padding="VALID"),
    Conv((1, 17, 12, 10), 3, (3, 3)),
    Conv((1, 21, 8, 6), 5, (7, 3)),
    Conv((1, 18, 4, 7), 4, (7, 3)),
    Conv((1, 18, 2, 7), 4, (3, 7)),
    Conv((1, 19, 3, 9), 5, (3, 7)),
)
_NUMBERS: tuple[dict[str, Any], ...] = (
    {"activation": "RELU"},
    {"activation": "RELU6", "zero_points": (127, -128)},
    {"per_channel": False, "zero_points": (-128, 127)},
    {"bias": None, "zero_points": (0, 0)},
    {"bias": 2**31 - 1, "factor": 2.0**-28},
    {"bias": 2**31 - 1, "factor": 2.0**-24},
    {"factor": 0.9},
    {"factor": 3.0, "activation": "RELU6"},
    {"factor": 300.0},
    {"factor": 2.0**-30},
    {"factor": 2.0**-33},
)


def _conv_cases() -> Iterator[Case]:
    numbers = [Conv((1, 6, 5, 4), 5, (3, 3), **n) for n in _NUMBERS]
    for conv in (*_SHAPES, *numbers):
        # The interpreter insists on CONV_2D's bias.
        if conv.bias is not None:
            yield _conv_case("CONV_2D", conv)
    for conv in (*_SHAPES, *numbers):
        depth = conv.size[3]
        for multiplier in (1, 2) if depth < 4 else (1,):
            fields = {**vars(conv), "channels": depth * multiplier}
            yield _conv_case("DEPTHWISE_CONV_2D", Conv(**fields))


def _dense_case(batches: int, inputs: int, outputs: int, numbers: dict[str, Any]) -> Case:
    name = f"FULLY_CONNECTED_{batches}x{inputs}x{outputs}_{numbers}"
    rng = _random(name)
    zero_in, zero_out = numbers.get("zero_points", (-3, 5))
    factor = numbers.get("factor") or 1 / (60 * np.sqrt(inputs))
    scales = factor * rng.uniform(0.5, 1.5, outputs if numbers.get("per_channel") else 1) * 0.1 / 0.05
    network = GraphBuilder(name)
    x = network.input((batches, inputs), 0.05, zero_in)
    operands = [x, network.constant(rng.integers(-128, 128, (outputs, inputs)).astype(np.int8), scales)]
    bias = numbers.get("bias", 1000)
    if bias is None:
        operands.append(-1)
    else:
        values = rng.integers(-bias, bias + 1, outputs).astype(np.int32)
        operands.append(network.constant(values, np.float32(0.05) * scales.astype(np.float32)))
    activation = numbers.get("activation", "NONE")
    y = network.operator(
        "FULLY_CONNECTED", operands, (batches, outputs), 0.1, zero_out, fused_activation_function=activation
    )
    return _case(name, network, y, rng, [x])


def _dense_cases() -> Iterator[Case]:
    for sizes in ((1, 1, 1), (1, 4, 4), (1, 7, 3), (2, 16, 10), (1, 33, 9), (3, 64, 5)):
        yield _dense_case(*sizes, {})
    for numbers in _NUMBERS:
        yield _dense_case(1, 22, 6, numbers)


_TWO_SHAPES = (
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((1, 3, 4, 5), (5,)),
    ((1, 3, 4, 5), (1, 1, 1, 5)),
    ((1, 3, 4, 5), (1, 1)),
    ((1, 3, 1, 5), (2, 1, 4, 1)),
    ((6,), (1, 4, 1)),
)
# Scales of the operands and the output, and zero points.
_TWO_NUMBERS = (
    ((0.05, 0.02, 0.06), (-3, 7, 1), "NONE"),
    ((0.05, 0.05, 0.05), (-128, 127, -128), "RELU"),
    ((1.0, 0.001, 1.5), (0, 0, 0), "NONE"),
    ((0.001, 0.9, 0.11), (127, -128, 127), "RELU6"),
    ((0.3, 0.2, 0.001), (5, 6, -7), "NONE"),
    ((1e-7, 2e-7, 3e-7), (5, 6, -7), "NONE"),
)


def _two_case(op: str, shapes: Sequence[Sequence[int]], numbers: Sequence[Any], constant: int | None) -> Case:
    """``constant`` is the operand that is stored in the model, if any."""
    name = f"{op}_{shapes}_{numbers}_{constant}"
    rng = _random(name)
    scales, zeros, activation = numbers
    network = GraphBuilder(name)
    operands, inputs = [], []
    for i, shape in enumerate(shapes):
        if i == constant:
            values = rng.integers(-128, 128, shape).astype(np.int8)
            operands.append(network.constant(values, scales[i], zeros[i]))
        else:
            operands.append(network.input(shape, scales[i], zeros[i]))
            inputs.append(operands[-1])
    output = np.broadcast_shapes(*map(tuple, shapes))
    attributes = {} if op in ("PRELU", "MINIMUM", "MAXIMUM") else {"fused_activation_function": activation}
    y = network.operator(op, operands, output, scales[2], zeros[2], **attributes)
    return _case(name, network, y, rng, inputs)


def _two_cases() -> Iterator[Case]:
    for op, shapes in itertools.product(("ADD", "MUL"), _TWO_SHAPES):
        yield _two_case(op, shapes, _TWO_NUMBERS[0], None)
        yield _two_case(op, shapes, _TWO_NUMBERS[0], 1)
        yield _two_case(op, shapes[::-1], _TWO_NUMBERS[0], 0)
    for op, shapes in itertools.product(("SUB", "MINIMUM", "MAXIMUM"), _TWO_SHAPES):
        yield _two_case(op, shapes, _TWO_NUMBERS[0], None)
        yield _two_case(op, shapes[::-1], _TWO_NUMBERS[0], 0)
    for numbers in _TWO_NUMBERS[1:]:
        yield _two_case("SUB", _TWO_SHAPES[0], numbers, None)
    for op, numbers in itertools.product(("ADD", "MUL"), _TWO_NUMBERS[1:]):
        yield _two_case(op, _TWO_SHAPES[0], numbers, None)
    for shape, numbers in itertools.product(((5,), (1, 1, 5), (3, 4, 5), (1,)), _TWO_NUMBERS):
        yield _two_case("PRELU", ((2, 3, 4, 5), shape), numbers, 1)


def _quantize_cases() -> Iterator[Case]:
    pairs = (((0.05, 3), (0.07, -5)), ((0.05, 3), (0.0001, -5)), ((0.02, -128), (0.9, 127)), ((1e-6, 7), (30.0, 9)))
    for (scale, zero), (out_scale, out_zero) in pairs:
        name = f"QUANTIZE_{scale}_{zero}_{out_scale}_{out_zero}"
        network = GraphBuilder(name)
        x = network.input((1, 3, 5, 7), scale, zero)
        y = network.operator("QUANTIZE", [x], (1, 3, 5, 7), out_scale, out_zero)
        yield _case(name, network, y, _random(name), [x])


def _pool_case(op: str, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], rest: Sequence[Any]) -> Case:
    padding, activation, zero = rest
    name = f"{op}_{size}_{kernel}_{stride}_{rest}"
    network = GraphBuilder(name)
    x = network.input(size, 0.05, zero)
    grid = [window_output(*n, 1, padding) for n in zip(size[1:3], kernel, stride, strict=True)]
    attributes = {"padding": padding, "fused_activation_function": activation}
    attributes |= {"stride_h": stride[0], "stride_w": stride[1]}
    attributes |= {"filter_height": kernel[0], "filter_width": kernel[1]}
    y = network.operator(op, [x], (size[0], *grid, size[3]), 0.05, zero, **attributes)
    return _case(name, network, y, _random(name), [x])


def _pool_cases() -> Iterator[Case]:
    shapes = (
        ((1, 8, 6, 5), (2, 2), (2, 2)),
        ((2, 7, 5, 3), (3, 2), (2, 1)),
        ((1, 5, 7, 4), (1, 3), (1, 3)),
        ((1, 5, 4, 1), (5, 4), (1, 1)),
        ((1, 6, 6, 2), (2, 2), (3, 3)),
    )
    for op, shape, padding in itertools.product(("MAX_POOL_2D", "AVERAGE_POOL_2D"), shapes, ("SAME", "VALID")):
        yield _pool_case(op, *shape, (padding, "NONE", -3))
    for op, activation in itertools.product(("MAX_POOL_2D", "AVERAGE_POOL_2D"), ("RELU", "RELU6")):
        yield _pool_case(op, (1, 7, 5, 3), (3, 3), (1, 1), ("SAME", activation, 20))


def _mean_case(size: Sequence[int], axes: Sequence[int], keep: bool, numbers: Sequence[Any], op: str = "MEAN") -> Case:
    name = f"{op}_{size}_{axes}_{keep}_{numbers}"
    (scale, zero), (out_scale, out_zero) = numbers
    network = GraphBuilder(name)
    x = network.input(size, scale, zero)
    reduced = {axis % len(size) for axis in axes}
    output = [1 if i in reduced else n for i, n in enumerate(size) if keep or i not in reduced]
    axis = network.constant(np.array(axes, np.int32))
    y = network.operator(op, [x, axis], output, out_scale, out_zero, keep_dims=keep)
    return _case(name, network, y, _random(name), [x])


def _mean_cases() -> Iterator[Case]:
    numbers = (((0.05, -3), (0.04, 9)), ((0.05, -3), (0.05, -3)), ((0.05, -128), (0.0002, 127)), ((0.05, 1), (40.0, 2)))
    sizes: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
        ((1, 35, 2, 6), (1, 2)),
        ((2, 3, 5, 4), (2, 1)),
        ((1, 6, 7, 5), (-2, -3)),
        ((2, 3, 4, 5), (1,)),
        ((2, 3, 4, 5), (3,)),
        ((2, 3, 4, 5), (0, 1, 2)),
        ((4, 6), (1,)),
        ((3, 4, 5), (0, 2)),
    )
    for (size, axes), keep, number in itertools.product(sizes, (True, False), numbers):
        yield _mean_case(size, axes, keep, number)
    for (size, axes), number in itertools.product(sizes, (*numbers, ((0.05, -3), (3.0, 9)))):
        yield _mean_case(size, axes, False, number, "SUM")
    for (size, axes), op in itertools.product(sizes, ("REDUCE_MAX", "REDUCE_MIN")):
        yield _mean_case(size, axes, True, numbers[1], op)


def _softmax_cases() -> Iterator[Case]:
    settings = (
        ((1, 10), 0.1, 1.0),
        ((1, 1), 0.1, 1.0),
        ((3, 7), 0.9, 1.0),
        ((1, 2, 2, 12), 0.01, 1.0),
        ((2, 5), 0.05, 2.5),
        ((1, 200), 0.002, 1.0),
        ((1, 12), 0.25, 0.5),
        ((1, 6), 40.0, 1.0),
    )
    for size, scale, beta in settings:
        name = f"SOFTMAX_{size}_{scale}_{beta}"
        network = GraphBuilder(name)
        x = network.input(size, scale, 11)
        y = network.operator("SOFTMAX", [x], size, 1 / 256, -128, beta=beta)
        yield _case(name, network, y, _random(name), [x])


def _pad_cases() -> Iterator[Case]:
    settings: tuple[tuple[tuple[int, ...], list[list[int]]], ...] = (
        ((1, 3, 4, 2), [[0, 0], [1, 2], [3, 0], [0, 0]]),
        ((2, 2, 2, 3), [[1, 0], [0, 1], [0, 0], [2, 1]]),
        ((2, 3), [[1, 1], [0, 2]]),
    )
    for size, pads in settings:
        name = f"PAD_{size}_{pads}"
        network = GraphBuilder(name)
        x = network.input(size, 0.05, -7)
        output = [n + before + after for n, (before, after) in zip(size, pads, strict=True)]
        y = network.operator("PAD", [x, network.constant(np.array(pads, np.int32))], output, 0.05, -7)
        yield _case(name, network, y, _random(name), [x])


def _moving_case(op: str, size: Sequence[int], output: Sequence[int], indices: Sequence[Any], **options: Any) -> Case:
    name = f"{op}_{size}_{indices}_{options}"
    network = GraphBuilder(name)
    x = network.input(size, 0.05, -7)
    listed = [network.constant(np.array(values, np.int32)) for values in indices]
    return _case(name, network, network.operator(op, [x, *listed], output, 0.05, -7, **options), _random(name), [x])


def _moving_cases() -> Iterator[Case]:
    yield _moving_case("TRANSPOSE", (2, 3, 4, 5), (5, 2, 4, 3), [[3, 0, 2, 1]])
    yield _moving_case("TRANSPOSE", (2, 3, 1, 2, 4, 3), (3, 2, 2, 1, 3, 4), [[5, 3, 0, 2, 1, 4]])
    yield _moving_case("SLICE", (2, 5, 4, 3), (1, 3, 4, 2), [[1, 2, 0, 1], [1, 3, -1, 2]])
    yield _moving_case("STRIDED_SLICE", (2, 7, 6), (2, 3, 6), [[0, 6, 5], [2, 0, -7], [1, -2, -1]])
    yield _moving_case("STRIDED_SLICE", (2, 7, 6), (7,), [[1, 0, 5], [2, 7, 6], [1, 1, 1]], shrink_axis_mask=5)
    for op, axis in itertools.product(("CONCATENATION", "PACK"), range(3)):
        name = f"{op}_{axis}"
        network = GraphBuilder(name)
        shapes = [[2, 3, 4], [2, 3, 4]]
        if op == "CONCATENATION":
            shapes[1][axis] = 5
        inputs = [network.input(shape, 0.05, -7) for shape in shapes]
        values = _random(name).integers(-128, 128, shapes[0]).astype(np.int8)
        pieces = [inputs[1], network.constant(values, 0.05, -7), *inputs]
        output = [2, 3, 4]
        if op == "PACK":
            output.insert(axis, 4)
        else:
            output[axis] = sum(network.tensors[piece].shape[axis] for piece in pieces)
        options = {"values_count": 4} if op == "PACK" else {"fused_activation_function": "NONE"}
        y = network.operator(op, pieces, output, 0.05, -7, axis=axis, **options)
        yield _case(name, network, y, _random(name), inputs)


@cache
def cases() -> tuple[Case, ...]:
    """Every case."""
    makers = (_conv_cases, _dense_cases, _two_cases, _quantize_cases, _pool_cases, _mean_cases, _softmax_cases)
    return tuple(itertools.chain.from_iterable(maker() for maker in (*makers, _pad_cases, _moving_cases)))
