"""FULLY_CONNECTED in fours of outputs: the one rounding, two weights in one int16, and when neither is possible."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_cases import Case, expected
from networks import NetworkBuilder

from scenelet.compiler.kernels import dense
from scenelet.compiler.operators import lower

SIZES = [(8, 4), (1, 1), (7, 3), (64, 10), (33, 6), (130, 13)]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def network(inputs: int, outputs: int, *, batches: int = 1) -> Case:
    builder = NetworkBuilder(inputs, (batches, inputs))
    output = builder.fully_connected(builder.start, outputs)
    shape = (batches, inputs)
    values = builder.chance.integers(-128, 128, shape), builder.chance.choice([-128, 127], shape)
    return Case("dense", builder.builder.graph(output), tuple((np.asarray(v, np.int8),) for v in values))


@pytest.mark.parametrize(("inputs", "outputs"), SIZES)
@pytest.mark.parametrize("expanded", [False, True])
def test_equals_builtin_ref(engine: Engine, inputs: int, outputs: int, expanded: bool) -> None:
    case = network(inputs, outputs, batches=2)
    (step,) = lower(case.graph).steps
    assert step.kernel == "scn_dense_s8"
    step = dense.expanded(step) if expanded else step
    for (values,), want in zip(case.runs, expected(case), strict=True):
        tensors = {case.graph.inputs[0]: values, step.writes[0]: want}
        np.testing.assert_array_equal(engine.run(step, tensors), want.ravel())


def exact(x: int, factor: float, zero_point: int) -> int:
    """The factor's one rounding, halves away from zero, clamped."""
    product = abs(x) * Fraction(factor)
    magnitude = int(product + Fraction(1, 2))
    return max(-128, min(127, (magnitude if x >= 0 else -magnitude) + zero_point))


def quick(x: int, by: dense.Rescale) -> int:
    return max(-128, min(127, ((x * by.multiplier >> 32) + by.added) >> by.right))


@settings(max_examples=60)
@given(st.floats(1e-6, 0.4), st.integers(-128, 127), st.data())
@example(0.25, 0, None)
@example(0.25, -128, None)
@example(2.0**-9, 5, None)
def test_found_constants_round_like_the_reference(factor: float, zero_point: int, data: st.DataObject | None) -> None:
    by = dense.rescale(factor, zero_point, -(2**23), 2**23)
    if by is None:
        return
    ends = [round((2 * output - 1) / (2 * factor)) + near for output in range(-256, 257, 3) for near in (-1, 0, 1)]
    drawn = data.draw(st.lists(st.integers(-(2**23) + 1, 2**23 - 1), max_size=40)) if data else []
    for x in [value for value in ends if abs(value) < 2**23] + drawn:
        assert quick(x, by) == exact(x, factor, zero_point), x


def test_most_factors_have_constants() -> None:
    chance = np.random.default_rng(0)
    found = [dense.rescale(float(f), -128, -(2**20), 2**20) for f in 2.0 ** chance.uniform(-14, -2, 200)]
    assert sum(by is not None for by in found) >= 195


@pytest.mark.parametrize("factor", [0.0, 0.5, 3.0, 2.0**-25])
def test_factors_of_another_form_are_refused(factor: float) -> None:
    assert dense.rescale(factor, 0, -100, 100) is None


def test_two_weights_that_need_more_than_16_bits_are_refused() -> None:
    weights = np.zeros((4, 8), np.int8)
    weights[0, 0] = -128
    assert dense.pair_weights(weights) is not None
    weights[1, 0] = -1
    assert dense.pair_weights(weights) is None


def test_sums_over_2_to_the_23_stay_with_the_other_kernel() -> None:
    builder = NetworkBuilder(1, (1, 1024), (0.05, -128))
    weights = builder.builder.constant(np.full((4, 1024), 127, np.int8), 0.01, 0, axis=0)
    output = builder.builder.operator(
        "FULLY_CONNECTED", (builder.start, weights), (1, 4), 400.0, 0, fused_activation_function="NONE"
    )
    (step,) = lower(builder.builder.graph(output)).steps
    assert step.kernel == "scn_fully_connected_s8"
