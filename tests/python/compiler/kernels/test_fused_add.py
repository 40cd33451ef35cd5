"""ADD at the end of a convolution, for all 65,536 pairs of values, against TFLite's reference interpreter.

Two convolutions of one input copy its halves, so that every pair meets; the second one's kernel adds.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tflite_writer import GraphBuilder, write_model

from scenelet.benchmark.explain import explain
from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.kernels import fused_add
from scenelet.compiler.numerics.elementwise import evaluate
from scenelet.compiler.operators.layer import multiplier
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.compiler.program import Struct
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget

HALF = 8
SIDE = 91  # a little over the square root of 65,536 / 8: the last block is not full
ROOMY, SMALL = Options(weights="expanded", ram_bytes=2_000_000), Options(weights="packed", ram_bytes=0)

# Scales of the copies and of the sum, and their zero points: alike, either much larger, sums that saturate or vanish.
SCALES = [
    ((1.0, 1.0, 2.0), (0, 0, 0)),
    ((0.7, 0.011, 0.9), (-128, 127, -128)),
    ((0.013, 1.3, 1.1), (5, -7, 127)),
    ((3.0, 2.9, 0.05), (-128, -128, -128)),
    ((0.01, 0.02, 5.0), (127, 127, 3)),
    ((2.0**-9, 1.0, 1.0), (-3, 100, -128)),
]
KERNELS = {"winograd2d": (3, 3), "winograd": (4, 3), "direct": (5, 5)}


def pairs() -> NDArray[np.int8]:
    """Channels 0 .. 7 and 8 .. 15 of all places hold every pair of values."""
    values = np.arange(65_536)
    filled = np.resize(values, SIDE * SIDE * HALF)
    halves = [(filled // 256 - 128).reshape(1, SIDE, SIDE, HALF), (filled % 256 - 128).reshape(1, SIDE, SIDE, HALF)]
    return np.concatenate(halves, axis=3).astype(np.int8)


def network(
    scales: tuple[float, float, float],
    zero_points: tuple[int, int, int],
    kernel: tuple[int, int] = (1, 1),
    *,
    swapped: bool = False,
    slopes: bool = False,
    activation: str = "NONE",
) -> bytes:
    """The .tflite: the second copy's kernel has one tap that is not 0."""
    builder = GraphBuilder("added")
    source = builder.input((1, SIDE, SIDE, 2 * HALF), 1.0, 0)
    copies = []
    for first, scale, zero_point, size in zip((0, HALF), scales, zero_points, ((1, 1), kernel), strict=False):
        # A quarter of four times a value: factors of 1 are none that kernels are quick with.
        weights = np.zeros((HALF, *size, 2 * HALF), np.int8)
        for channel in range(HALF):
            weights[channel, size[0] // 2, size[1] // 2, first + channel] = 4
        by = np.full(HALF, np.float32(scale) / 4, np.float32)
        bias = builder.constant(np.full(HALF, -4 * zero_point, np.int32), by, 0)  # takes the zero point away again
        inputs = (source, builder.constant(weights, by, 0, axis=0), bias)
        options = {"padding": "SAME", "stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1}
        shape = (1, SIDE, SIDE, HALF)
        copies.append(
            builder.operator("CONV_2D", inputs, shape, scale, zero_point, fused_activation_function="NONE", **options)
        )
    if slopes:
        alpha = builder.constant(np.arange(-4, 4, dtype=np.int8).reshape(1, 1, HALF), 0.1, 0)
        copies[1] = builder.operator("PRELU", (copies[1], alpha), shape, scales[1], zero_points[1])
    operands = copies[::-1] if swapped else copies
    output = builder.operator(
        "ADD", tuple(operands), shape, scales[2], zero_points[2], fused_activation_function=activation
    )
    return write_model(builder.graph(output))


def added(compiled: Compiled) -> list[str]:
    """Kernels of the stages that end with an ADD."""
    return [stage.variant.name for step in compiled.program.steps for stage in stages_of(step) if stage.added]


def compare(model: bytes, options: Options) -> Compiled:
    with LitertTarget(model) as reference:
        want = reference.invoke(pairs())
    with HostTarget(model, options=options) as target:
        np.testing.assert_array_equal(target.invoke(pairs()).ravel(), want.ravel())
    assert len(np.unique(want)) > 1
    return compile_model(model, options)


@pytest.mark.parametrize(("scales", "zero_points"), SCALES)
def test_every_pair_of_values_is_exact(scales: tuple[float, float, float], zero_points: tuple[int, int, int]) -> None:
    assert added(compare(network(scales, zero_points), ROOMY)) == ["gemm"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_adds(kernel: str) -> None:
    options = SMALL if kernel == "direct" else ROOMY
    compiled = compare(network(*SCALES[1], KERNELS[kernel], swapped=True), options)
    assert added(compiled) == [kernel]


def test_prelu_goes_before_the_sum_as_a_table() -> None:
    model = network(*SCALES[1], slopes=True)
    compiled = compare(model, ROOMY)
    assert added(compiled) == ["gemm"]
    assert len(compiled.program.steps) == 2
    assert any(part.kernel == "gemm + map + add" for part in explain(model, ROOMY).parts)


def test_an_activation_inside_int8_keeps_the_sum_apart() -> None:
    compiled = compare(network((0.1, 0.1, 0.2), (0, 0, -100), activation="RELU6"), ROOMY)
    assert added(compiled) == []
    assert compiled.program.steps[-1].kernel == "scn_add_s8"


def params(scales: tuple[float, float, float], zero_points: tuple[int, int, int]) -> Struct:
    one, other, output = (np.float32(scale) for scale in scales)
    twice = np.float64(2 * max(one, other))
    fields = {
        "zero_point1": zero_points[0],
        "zero_point2": zero_points[1],
        "output_zero_point": zero_points[2],
        "scale1": multiplier(float(np.float64(one) / twice)),
        "scale2": multiplier(float(np.float64(other) / twice)),
        "output_scale": multiplier(float(twice / (2.0**20 * np.float64(output)))),
    }
    return Struct("scn_add_t", fields)


def test_nearly_all_sums_have_a_table_and_what_has_is_exact() -> None:
    chance = np.random.default_rng(5)
    values = fused_add.VALUES
    found = 0
    for _ in range(40):
        scales = tuple(2.0 ** chance.uniform(-6, 6, 3))
        wanted = evaluate(
            params(scales, tuple(chance.integers(-128, 128, 3))), values[:, np.newaxis], values[np.newaxis]
        )
        exact = fused_add.exact(wanted)
        if exact is not None:
            found += 1
            np.testing.assert_array_equal(fused_add.sums(*exact), wanted)
            totals = values[:, np.newaxis] * exact[0] + exact[1].astype(np.int64)
            assert np.abs(totals).max() < 2**31
    assert found >= 36


def test_what_is_no_sum_is_refused() -> None:
    wanted = np.zeros((256, 256), np.int8)
    wanted[100:, 7] = 1
    wanted[120:, 7] = 0
    assert fused_add.exact(wanted) is None
