"""Functions of one value: their tables against BUILTIN_REF for all 256 values, at scales from sensible to extreme."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.numerics import hard_swish
from scenelet.compiler.operators import lower, require_supported
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.graph import Graph
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget, for_reference, reference_interpreter
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite.reader import read_model

ALL = np.arange(-128, 128).astype(np.int8)
RELUS = ("RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1")
zero_points = st.integers(-128, 127)


def powers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda exponent: float(np.float32(2.0**exponent)))


def alone(op: str, one: tuple[float, int], other: tuple[float, int], **options: Any) -> Graph:
    network = GraphBuilder(op.lower())
    x = network.input((1, 256), *one)
    return network.graph(network.operator(op, (x,), (1, 256), *other, **options))


def require_equal(graph: Graph) -> None:
    """The table of the one step is what BUILTIN_REF makes of all values."""
    model = write_model(graph)
    interpreter = reference_interpreter(for_reference(model))
    interpreter.set_tensor(graph.inputs[0], ALL[None])
    interpreter.invoke()
    read = read_model(model)
    require_supported(read)
    (step,) = lower(read).steps
    assert step.kernel == "scn_lut_s8"
    np.testing.assert_array_equal(step.tables[0].values, interpreter.get_tensor(graph.outputs[0])[0])


@settings(deadline=None, max_examples=600)
@given(powers(-30, 20), zero_points, powers(-12, 4), zero_points)
@example(0.05, 3, 1 / 128, 0)
def test_tanh(scale: float, zero: int, output: float, output_zero: int) -> None:
    require_equal(alone("TANH", (scale, zero), (output, output_zero)))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["ELU", "GELU", "LOG"]), st.booleans(), powers(-14, 6), zero_points, powers(-9, 3), zero_points)
@example("GELU", True, 0.05, 3, 0.03, -122)
@example("ELU", False, 0.05, 3, 0.03, -95)
@example("LOG", False, 0.05, -128, 0.04, 11)
def test_functions_in_float32(
    op: str, approximate: bool, scale: float, zero: int, output: float, output_zero: int
) -> None:
    options = {"approximate": approximate} if op == "GELU" else {}
    require_equal(alone(op, (scale, zero), (output, output_zero), **options))


@settings(deadline=None, max_examples=100)
@given(powers(-14, -4), zero_points, powers(-9, 3), zero_points)
@example(0.03, 127, 1 / 256, -128)
def test_exp(scale: float, zero: int, output: float, output_zero: int) -> None:
    assume(np.exp(255 * scale) / output < 2**31)
    require_equal(alone("EXP", (scale, zero), (output, output_zero)))


@settings(deadline=None, max_examples=150)
@given(powers(-20, 10), zero_points, powers(-24, 24), zero_points)
@example(0.05, -3, 1.0, -3)
@example(0.05, -3, 1.0, -128)
def test_absolute_and_negated_values(scale: float, zero: int, ratio: float, output_zero: int) -> None:
    for op in ("ABS", "NEG"):
        require_equal(alone(op, (scale, zero), (scale * ratio, output_zero)))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["SQRT", "RSQRT"]), powers(-20, 10), powers(-8, 8), zero_points)
@example("RSQRT", 0.05, 1.0, -128)
@example("SQRT", 0.05, 1.0, -128)
def test_roots(op: str, scale: float, ratio: float, output_zero: int) -> None:
    """Outputs around the sensible scale, with the largest result at the range's end."""
    sensible = np.sqrt(255 * scale) / 255 if op == "SQRT" else 1 / np.sqrt(scale) / 255
    require_equal(alone(op, (scale, -128), (float(np.float32(sensible * ratio)), output_zero)))


@pytest.mark.parametrize("op", ["ABS", "ELU", "RSQRT"])
def test_tflite_micro_makes_the_same_of_them(op: str) -> None:
    model = write_model(alone(op, (0.05, -128), (0.07, -9)))
    with LitertTarget(model) as reference, TflmTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(ALL[None]), reference.invoke(ALL[None]))


@settings(deadline=None, max_examples=600)
@given(st.sampled_from(RELUS), powers(-20, 10), zero_points, powers(-24, 24), zero_points)
@example("RELU6", 0.05, -3, 1.0, -128)
def test_relu(op: str, scale: float, zero: int, ratio: float, output_zero: int) -> None:
    # Finer outputs, whose 6.0 is more than 2^31 steps, are undefined in the interpreter.
    assume(scale * ratio > 2.0**-27)
    require_equal(alone(op, (scale, zero), (scale * ratio, output_zero)))


@settings(deadline=None, max_examples=600)
@given(powers(-20, 10), zero_points, powers(-24, 24), zero_points, powers(-12, 4))
@example(0.05, -3, 1.0, -128, 0.0)
@example(0.05, -3, 1.0, -128, 0.3)
def test_leaky_relu(scale: float, zero: int, ratio: float, output_zero: int, slope: float) -> None:
    require_equal(alone("LEAKY_RELU", (scale, zero), (scale * ratio, output_zero), alpha=slope))


@settings(deadline=None, max_examples=1500)
@given(powers(-30, 20), zero_points, powers(-6.999, 30), zero_points)
@example(0.05, -3, 1.0, -128)
def test_hard_swish(scale: float, zero: int, ratio: float, output_zero: int) -> None:
    graph = alone("HARD_SWISH", (scale, zero), (scale * ratio, output_zero))
    assume(hard_swish.output_factor(graph.tensors[0], graph.tensors[1]) < 1)
    require_equal(graph)


def test_they_join_a_chain_of_maps() -> None:
    network = NetworkBuilder(7, (1, 6, 5, 4))
    made = network.start
    for op in ("LEAKY_RELU", "TANH", "HARD_SWISH", "RELU6"):
        made = network.mapped(op, made)
    model = network.model(made)
    (step,) = compile_model(model).program.steps
    assert (step.kernel, step.op) == ("scn_lut_s8", "LEAKY_RELU+TANH+HARD_SWISH+RELU6")
    one = np.random.default_rng(3).integers(-128, 128, (1, 6, 5, 4)).astype(np.int8)
    with LitertTarget(model) as reference, HostTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (alone("LEAKY_RELU", (0.1, 0), (0.1, 0), alpha=-0.5), "slope -0.5; use a slope that is not negative"),
        (alone("LEAKY_RELU", (0.1, 0), (0.1, 0), alpha=float("nan")), "slope nan"),
        (alone("HARD_SWISH", (0.1, 0), (0.0001, 0)), "scales its result by 7.81"),
        (alone("ABS", (1e5, 0), (1e-6, 0)), r"scales its result by 1e\+11; calibrate"),
        (alone("EXP", (1.0, -128), (1.0, 0)), "its results reach more than 2.31 steps of its output; calibrate"),
        (alone("SQRT", (0.1, -127), (0.1, 0)), "its input has zero point -127 and can be negative, where TFLite stops"),
        (alone("RSQRT", (0.1, 3), (0.1, 0)), "zero point 3 .*; put a RELU before it, and convert the model again"),
        (alone("RSQRT", (1e6, -128), (1e3, 0)), "scales its result by 1e-06; calibrate"),
        (alone("TANH", (0.1, 0), (1e-12, 0)), "its results reach more than"),
        (alone("RELU", (1e5, 0), (1e-6, 0)), r"scales its result by 1e\+11"),
    ],
)
def test_what_no_factor_can_hold_is_refused(graph: Graph, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(graph))
