"""LOG_SOFTMAX: random and extreme rows against BUILTIN_REF, bit for bit, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from numpy.typing import NDArray
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.graph import Quantization
from scenelet.targets.litert import LitertTarget


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def model_of(shape: tuple[int, ...], quantization: tuple[float, int], seed: int = 1) -> bytes:
    network = NetworkBuilder(seed, shape, quantization)
    return network.model(network.log_softmax(network.start))


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 5), st.integers(1, 40), st.floats(-25.9, 8), st.integers(-128, 127), st.integers(0, 2**32 - 1))
def test_random_rows(engine: Engine, rows: int, depth: int, octaves: float, zero_point: int, seed: int) -> None:
    require_equal(engine, model_of((1, rows, depth), (2.0**octaves, zero_point), seed), seed)


def extremes(depth: int) -> list[NDArray[np.int8]]:
    places = np.arange(depth)
    ends = np.where(places % 2, 127, -128)
    one = np.where(places == depth // 2, 127, -128)
    return [row[None].astype(np.int8) for row in (ends, one, places % 256 - 128, np.full(depth, 5), 127 - places % 9)]


@pytest.mark.parametrize("depth", [1, 2, 3, 35, 256, 511, 1023])
def test_extreme_rows_of_any_scale(engine: Engine, depth: int) -> None:
    for scale in (2.0**-25, 2.0**-12, 0.01, 1 / 16, 0.07, 0.13, 1.0, 31.0, 5000.0):
        model = model_of((1, depth), (scale, 3))
        (step,) = compile_model(model).program.steps
        with LitertTarget(model) as reference:
            for row in extremes(depth):
                expected = reference.invoke(row)
                made = engine.run(step, {0: row, step.writes[0]: expected})
                np.testing.assert_array_equal(made, expected.ravel(), err_msg=f"scale {scale}")


def test_every_count_of_equal_values(engine: Engine) -> None:
    """The logarithms of 1 to 511, on all sides of the octaves at which the interpreter's two ways meet."""
    for depth in range(1, 512, 7):
        model = model_of((1, depth), (0.05, 0))
        (step,) = compile_model(model).program.steps
        row = np.full((1, depth), 9, np.int8)
        with LitertTarget(model) as reference:
            expected = reference.invoke(row)
        np.testing.assert_array_equal(engine.run(step, {0: row, step.writes[0]: expected}), expected.ravel())


@pytest.mark.parametrize(
    ("shape", "start", "output", "message"),
    [
        ((1, 1024), (0.05, 0), None, "1024 classes; use at most 1023"),
        ((1, 4), (2.0**-26, 0), None, "input scale times beta 1 is too small"),
        ((1, 4), (0.05, 0), (1 / 16, 0), "not quantized to 1/16 with zero point 127"),
        ((1, 4), (0.05, 0), (1 / 8, 127), "not quantized to 1/16 with zero point 127"),
    ],
)
def test_what_does_not_fit_is_refused(
    shape: tuple[int, ...], start: tuple[float, int], output: tuple[float, int] | None, message: str
) -> None:
    network = NetworkBuilder(2, shape, start)
    graph = network.builder.graph(network.log_softmax(network.start))
    if output:
        quantization = Quantization(np.array([output[0]], np.float32), np.array([output[1]]))
        last = graph.outputs[0]
        graph = replace(graph, tensors={**graph.tensors, last: replace(graph.tensors[last], quantization=quantization)})
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(graph))
