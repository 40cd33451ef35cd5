"""SUB, SQUARED_DIFFERENCE, DIV, MINIMUM and MAXIMUM: all 65,536 pairs, broadcasting, constants."""

from __future__ import annotations

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import ACTIVATIONS, NetworkBuilder
from numpy.typing import NDArray
from step_runs import require_equal
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.numerics.elementwise import evaluate
from scenelet.compiler.operators import lower, require_supported
from scenelet.compiler.pipeline import compile_model
from scenelet.compiler.program import Struct
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model

OPS = ("SUB", "MINIMUM", "MAXIMUM")
PAIRS = np.arange(-128, 128).astype(np.int8)
zero_points = st.integers(-128, 127)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def all_pairs(
    op: str,
    scales: tuple[float, float, float],
    zeros: tuple[int, int, int],
    activation: str,
    others: NDArray[np.int8] = PAIRS,
) -> bytes:
    """A network of one input, -128 .. 127 down, and a constant, by default -128 .. 127, across."""
    network = GraphBuilder("pairs")
    x = network.input((1, 256, 1), scales[0], zeros[0])
    other = network.constant(others[None, None], scales[1], zeros[1])
    options = {"fused_activation_function": activation} if op in ("SUB", "DIV") else {}
    shape = (1, 256, len(others))
    return write_model(network.graph(network.operator(op, (x, other), shape, scales[2], zeros[2], **options)))


def require_all(engine: Engine, model: bytes, others: NDArray[np.int8] = PAIRS) -> None:
    """Kernel and evaluation on the host make of all pairs what BUILTIN_REF makes of them."""
    graph = read_model(model)
    require_supported(graph)
    (step,) = lower(graph).steps
    with LitertTarget(model) as reference:
        expected = reference.invoke(PAIRS.reshape(1, 256, 1))
    tensors = {graph.inputs[0]: PAIRS, step.writes[0]: expected}
    np.testing.assert_array_equal(engine.run(step, tensors), expected.ravel())
    assert isinstance(step.params, Struct)
    np.testing.assert_array_equal(evaluate(step.params, PAIRS[:, None], others[None]), expected[0])


def powers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda exponent: float(np.float32(2.0**exponent)))


@settings(deadline=None, max_examples=80)
@given(
    st.sampled_from(OPS),
    powers(-16, 6),
    powers(-12, 12),
    powers(-18.9, 12),
    st.tuples(zero_points, zero_points, zero_points),
    st.sampled_from(ACTIVATIONS),
)
def test_all_pairs(
    engine: Engine, op: str, scale: float, ratio: float, output: float, zeros: tuple[int, int, int], activation: str
) -> None:
    largest = max(scale, scale * ratio)
    # Finer outputs have a factor of 1 or more, for which SUB is undefined in the interpreter.
    assume(largest * output > 2.0**-27)
    require_all(engine, all_pairs(op, (scale, scale * ratio, largest * output), zeros, activation))


@settings(deadline=None, max_examples=40)
@given(powers(-16, 6), powers(-12, 12), powers(-11.9, 14), st.tuples(zero_points, zero_points, zero_points))
def test_all_squared_differences(
    engine: Engine, scale: float, ratio: float, output: float, zeros: tuple[int, int, int]
) -> None:
    largest = max(scale, scale * ratio)
    require_all(engine, all_pairs("SQUARED_DIFFERENCE", (scale, scale * ratio, largest**2 * output), zeros, "NONE"))


@settings(deadline=None, max_examples=40)
@given(
    powers(-16, 6),
    powers(-12, 12),
    st.floats(0, 15),
    st.tuples(zero_points, zero_points, zero_points),
    st.sampled_from(ACTIVATIONS),
    st.integers(1, 256),
)
def test_all_quotients(
    engine: Engine, scale: float, ratio: float, room: float, zeros: tuple[int, int, int], activation: str, reach: int
) -> None:
    others = np.array([value for value in PAIRS.tolist() if 0 < abs(value - zeros[1]) <= reach], np.int8)
    assume(len(others) > 0)
    bits = int(np.abs(others.astype(int) - zeros[1]).max()).bit_length() - 1
    output = scale / (scale * ratio) / 2.0 ** (bits + room - 0.999)
    try:
        require_all(engine, all_pairs("DIV", (scale, scale * ratio, output), zeros, activation, others), others)
    except UnsupportedError as error:  # activation bounds that LiteRT cannot hold in 32 bits
        assume("no_integer_overflow_from_quantization" not in str(error))
        raise


def test_computed_divisors(engine: Engine) -> None:
    network = NetworkBuilder(4, (1, 5, 3, 7), (0.05, -128))
    least = network.builder.constant(np.array([-127], np.int8), 0.05, -128)
    divisors = network.extremum("MAXIMUM", network.start, least)
    mapped = network.quantize(network.start)
    quotients = network.builder.operator(
        "DIV", (mapped, divisors), (1, 5, 3, 7), 0.004, 5, fused_activation_function="NONE"
    )
    require_equal(engine, network.model(quotients), 1)


def quotient(factor: float, divisor: int) -> bytes:
    return all_pairs("DIV", (factor, 1.0, 1.0), (0, 0, 0), "NONE", np.array([divisor], np.int8))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (quotient(1.0, 0), "divides by 0; use another constant"),
        (
            quotient(31.9, 64),
            "by 31.9, less than the 32 that TFLite's kernel needs; multiply by the",
        ),
        (quotient(2.0**23, 1), r"scales its result by 8.39e\+06"),
        (all_pairs("SQUARED_DIFFERENCE", (1.0, 1.0, 2.0**-12), (0, 0, 0), "NONE"), "scales its result by 1"),
    ],
)
def test_factors_that_the_interpreters_shifts_do_not_hold(model: bytes, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        compile_model(model)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(OPS), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data(), seeds)
def test_broadcasting(engine: Engine, op: str, sizes: list[int], data: st.DataObject, seed: int) -> None:
    shape = (1, *sizes)
    network = NetworkBuilder(seed, shape)
    one = network.prelu(network.start) if len(shape) == 4 else network.quantize(network.start)
    part = [size if data.draw(st.booleans()) else 1 for size in shape][data.draw(st.integers(0, len(shape) - 1)) :]
    if data.draw(st.booleans()):
        other = network.constant_like(one, part)
    else:
        other = network.slice(network.start, [0] * len(shape), [1] * (len(shape) - len(part)) + part)
    operands = (one, other) if data.draw(st.booleans()) else (other, one)
    if op == "SUB":
        made = network.subtract(*operands, activation=data.draw(st.sampled_from(ACTIVATIONS)))
    else:
        made = network.extremum(op, *operands)
    require_equal(engine, network.model(made), seed)


@pytest.mark.parametrize("op", ["ADD", "SUB"])
def test_a_factor_that_the_interpreter_leaves_undefined_is_refused(op: str) -> None:
    network = GraphBuilder("fine")
    x, other = (network.input((1, 4), 1.0, 0), network.constant(PAIRS[None, :4], 1.0, 0))
    made = network.operator(op, (x, other), (1, 4), 2.0**-19, 0, fused_activation_function="NONE")
    with pytest.raises(UnsupportedError, match=f"{op} 0:t2: scales its result by 1; calibrate"):
        compile_model(write_model(network.graph(made)))


def test_they_join_chains_of_maps_and_ends_of_convolutions() -> None:
    network = NetworkBuilder(7, (1, 12, 9, 8))
    made = network.convolution(network.start, 8, (3, 3))
    limited = network.extremum("MINIMUM", made, network.constant_like(made, (8,)))
    limited = network.extremum("MAXIMUM", limited, network.constant_like(made, (1,)))
    centred = network.subtract(limited, network.constant_like(made, (8,)))
    rest = network.subtract(centred, network.start)
    model = network.model(rest)
    program = compile_model(model).program
    assert [step.op for step in program.steps] == ["CONV_2D+MINIMUM+MAXIMUM+SUB+SUB"]
    with HostTarget(model) as target:
        assert parity.check(model, target, 8).mismatches == 0
