"""One-operator networks at the ends of what the compiler accepts: sums, factors and zero points; and one step beyond.

Weights, biases and inputs agree in sign, so that the sums reach the bound that the compiler has proved.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from kernel_cases import Case, window_output
from tflite_writer import GraphBuilder

INT32_MAX = 2**31 - 1
ENDS = (-128, 127)
# A product of these is 1 - 2^-31 (nearly): the largest multiplier, 0x7FFFFFFF.
NEARLY_ONE = 1 - 362 * 2.0**-24, 1 + 181 * 2.0**-23


@dataclass(frozen=True)
class Ends:
    """Where a weighted operator's numbers lie.

    Attributes
    ----------
    zero_points
        Of input and output.
    powers
        Of two: each channel's factor is nearly that of its turn.
    sums
        Largest magnitude of a sum with its bias.
    """

    zero_points: tuple[int, int]
    powers: Sequence[int]
    sums: int = INT32_MAX


def _weights(shape: Sequence[int], axis: int) -> np.ndarray:
    """All at one end, at the other, or at both in turn, by channel."""
    count = shape[axis]
    taps = int(np.prod(shape)) // count
    turns = np.where(np.arange(taps) % 2, 127, -128)
    rows = [(np.full(taps, -128), np.full(taps, 127), turns, -1 - turns)[channel % 4] for channel in range(count)]
    moved = np.stack(rows).reshape(count, *(n for i, n in enumerate(shape) if i != axis))
    return np.ascontiguousarray(np.moveaxis(moved, 0, axis)).astype(np.int8)


def weighted(op: str, size: Sequence[int], channels: int, kernel: tuple[int, int], ends: Ends, more: int = 0) -> Case:
    """CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED whose every channel's sums reach ``ends.sums + more``."""
    dense, depthwise = op == "FULLY_CONNECTED", op == "DEPTHWISE_CONV_2D"
    shape = (channels, size[-1]) if dense else (channels, *kernel, size[3])
    shape, axis = ((1, *kernel, channels), 3) if depthwise else (shape, 0)
    network = GraphBuilder(f"{op}_{size}_{channels}_{kernel}_{ends}_{more}".replace(" ", ""))
    x = network.input(size, NEARLY_ONE[0], ends.zero_points[0])
    weights = _weights(shape, axis)
    powers = [ends.powers[channel % len(ends.powers)] for channel in range(channels)]
    scales = np.float32(NEARLY_ONE[1]) * np.exp2(np.array(powers, np.float32))
    farthest = max(abs(end - ends.zero_points[0]) for end in ENDS)
    reached = np.abs(np.moveaxis(weights, axis, 0).astype(np.int64)).reshape(channels, -1).sum(axis=1) * farthest
    # A bias of the sum's sign, once the largest and once the smallest.
    bias = (ends.sums + more - reached) * np.where(np.arange(channels) // 4 % 2, -1, 1)
    operands = [x, network.constant(weights, scales, 0, axis)]
    operands.append(network.constant(bias.astype(np.int32), np.float32(NEARLY_ONE[0]) * scales, 0))
    options: dict[str, Any] = {"fused_activation_function": "NONE"}
    target: tuple[int, ...] = (size[0], channels)
    if not dense:
        rows, columns = (window_output(n, k, 1, 1, "SAME") for n, k in zip(size[1:3], kernel, strict=True))
        target = (size[0], rows, columns, channels)
        options |= {"padding": "SAME", "stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
    if depthwise:
        options["depth_multiplier"] = channels // size[3]
    y = network.operator(op, operands, target, 1.0, ends.zero_points[1], **options)
    return Case(network.name, network.graph(y), _runs([size], np.random.default_rng(len(network.name))))


def _runs(sizes: Sequence[Sequence[int]], chance: np.random.Generator) -> tuple[tuple[np.ndarray, ...], ...]:
    """All inputs at one end, at either in turn, at random ends, and anywhere."""
    many = len(sizes)
    ends = [(end,) * many for end in ENDS] + list(itertools.product(ENDS, repeat=many))
    listed = [[np.full(size, end) for size, end in zip(sizes, one, strict=True)] for one in dict.fromkeys(ends)]
    listed += [[np.resize(np.array(turn), size) for size in sizes] for turn in (ENDS, ENDS[::-1])]
    listed += [[chance.choice(ENDS, size) for size in sizes], [chance.integers(-128, 128, size) for size in sizes]]
    return tuple(tuple(values.astype(np.int8) for values in run) for run in listed)


def _two(op: str, scales: Sequence[float], zero_points: Sequence[int], *, constant: bool = False) -> Case:
    """An operator of two operands, the second perhaps stored: its values are the ends and those around its zero."""
    network = GraphBuilder(f"{op}_{scales}_{zero_points}".replace(" ", ""))
    shape = (1, 4, 4, 8)
    inputs = [network.input(shape, scales[0], zero_points[0])]
    # No divisor of 0.
    around = zero_points[1] + np.array([-4, -3, -2, -1, 1, 2, 3, 4])
    far = np.where(np.arange(8) % 2, *ENDS)
    stored = np.where((np.arange(8) % 3 == 0) & (far != zero_points[1]), far, around)
    stored = np.where((stored < -128) | (stored > 127), 2 * zero_points[1] - stored, stored).astype(np.int8)
    if constant:
        operands = [*inputs, network.constant(stored, scales[1], zero_points[1])]
    else:
        inputs.append(network.input(shape, scales[1], zero_points[1]))
        operands = inputs
    options = {} if op == "PRELU" else {"fused_activation_function": "NONE"}
    y = network.operator(op, operands, shape, scales[2], zero_points[2], **options)
    return Case(network.name, network.graph(y), _runs([shape] * len(inputs), np.random.default_rng(len(network.name))))


def _one(op: str, scales: Sequence[float], zero_points: Sequence[int], **options: Any) -> Case:
    """An operator of one operand."""
    network = GraphBuilder(f"{op}_{scales}_{zero_points}_{options}".replace(" ", ""))
    shape = target = (1, 16, 17, 3)
    operands = [network.input(shape, scales[0], zero_points[0])]
    if op in ("MEAN", "SUM"):
        operands.append(network.constant(np.array([1, 2], np.int32)))
        target, options = (1, 3), {"keep_dims": False}
    y = network.operator(op, operands, target, scales[1], zero_points[1], **options)
    return Case(network.name, network.graph(y), _runs([shape], np.random.default_rng(len(network.name))))


_ZEROS = ((-128, 127, -128), (127, -128, 127), (0, 0, 0))
_FINE, _COARSE = 2.0**-40 * NEARLY_ONE[0], 2.0**20 * NEARLY_ONE[1]
_TRIPLES = (
    (1.0, 1.0, 1.0), (NEARLY_ONE[0], NEARLY_ONE[1], 1.0), (1.0, _FINE, 1.0), (_FINE, 1.0, 1.0), (1.0, 1.0, _COARSE),
    (_FINE, _FINE, _FINE), (_COARSE, _COARSE, _COARSE), (NEARLY_ONE[0], NEARLY_ONE[1], 2.0**-18),
    (NEARLY_ONE[0], NEARLY_ONE[1], 2.0**-19), (NEARLY_ONE[0], NEARLY_ONE[1], 2.0**-29),
    (NEARLY_ONE[0], NEARLY_ONE[1], 2.0**-30), (2.0**-11, 1.0, 1.0), (1.0, 2.0**-11, 1.0),
    (2.0**-7, NEARLY_ONE[1], 2.0**-7),
    (NEARLY_ONE[0], 1 / NEARLY_ONE[1], 2.0**-22), (NEARLY_ONE[0], 1.0, 2.0**-23),
)  # fmt: skip
_OPTIONS: Mapping[str, Mapping[str, Any]] = {"LEAKY_RELU": {"alpha": 0.999}, "SOFTMAX": {"beta": 1.0}}


def _elementwise() -> Iterator[Case]:
    for op, scales, zeros in itertools.product(("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE"), _TRIPLES, _ZEROS):
        yield _two(op, scales, zeros)
    for op, scales, zeros in itertools.product(("DIV", "PRELU"), _TRIPLES, _ZEROS):
        yield _two(op, scales, zeros, constant=True)
    ones = ("HARD_SWISH", "LEAKY_RELU", "MEAN", "QUANTIZE", "RELU", "SUM")
    for op, scales, zeros in itertools.product(ones, _TRIPLES, _ZEROS):
        yield _one(op, scales[::2], zeros[:2], **_OPTIONS.get(op, {}))
    for scale, zero in itertools.product((_FINE, 2.0**-6, 1.0, _COARSE), (-128, 127)):
        yield _one("SOFTMAX", (scale, 1 / 256), (zero, -128), beta=1.0)
        yield _one("LOGISTIC", (scale, 1 / 256), (zero, -128))
        yield _one("TANH", (scale, 1 / 128), (zero, 0))


_LAYERS = (
    ("CONV_2D", (1, 4, 5, 8), 8, (3, 3)),
    ("DEPTHWISE_CONV_2D", (1, 4, 5, 8), 8, (3, 3)),
    ("FULLY_CONNECTED", (1, 64), 8, (1, 1)),
)
_POWERS = ((-31, -32, -20, -1), (0, -1), (1,), (5, 12), (29, 30))


def layers() -> Iterator[Case]:
    """Layers with weights whose sums reach 2^31 - 1; half of the factors leave int32 with them."""
    for layer, zeros, powers in itertools.product(_LAYERS, ((-128, 127), (127, -128)), _POWERS):
        yield weighted(*layer, Ends(zeros, powers))


def cases() -> Iterator[Case]:
    """All cases, those that the compiler refuses among them."""
    yield from layers()
    yield from _elementwise()


def stages() -> Iterator[Case]:
    """Convolutions at the ends of what kernels other than the plain ones take, and just beyond."""
    room, zeros = 9 * 8 * 255, ((-128, 127), (127, -128), (-128, -128))
    sums, powers = (2**23 - 1, 2**30 - 1 - room, 2**30, INT32_MAX), ((-1, -20), (-9,), (-21, 0))
    for layer, points, reached, turns in itertools.product(_LAYERS[:2], zeros, sums, powers):
        yield weighted(*layer, Ends(points, turns, reached))


def sums_of(case: Case) -> int:
    """Largest magnitude of a case's sums with their biases, over all inputs; of one output pixel that sees all taps."""
    graph = case.graph
    source, weights, bias = (graph.tensors[index] for index in graph.operators[0].inputs)
    assert source.quantization is not None
    assert weights.data is not None
    assert bias.data is not None
    axis = 3 if graph.operators[0].op == "DEPTHWISE_CONV_2D" else 0
    rows = np.moveaxis(weights.data, axis, 0).reshape(weights.shape[axis], -1).astype(np.int64)
    distances = [end - int(source.quantization.zero_point[0]) for end in ENDS]
    ends = np.stack([rows * distance for distance in distances])
    both = np.stack([ends.min(axis=0).sum(axis=1) + bias.data, ends.max(axis=0).sum(axis=1) + bias.data])
    return int(np.abs(both).max())
