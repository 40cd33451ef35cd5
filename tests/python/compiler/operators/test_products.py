"""TRANSPOSE_CONV, BATCH_MATMUL, RESIZE_BILINEAR, L2_NORMALIZATION: random shapes and scales against BUILTIN_REF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import ACTIVATIONS, NetworkBuilder
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.graph import Graph, Quantization
from scenelet.graph.cost import count
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite.reader import read_model

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
zero_points = st.integers(-128, 127)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


@settings(deadline=None, max_examples=80)
@given(st.tuples(sizes, sizes, st.integers(1, 9)), st.data(), st.sampled_from(["SAME", "VALID"]), seeds)
def test_transpose_conv(
    engine: Engine, shape: tuple[int, int, int], data: st.DataObject, padding: str, seed: int
) -> None:
    kernel, stride = (data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5))) for _ in range(2))
    network = NetworkBuilder(seed, (1, *shape))
    grid = []
    for size, taps, step in zip(shape, kernel, stride, strict=False):
        largest = size * step if padding == "SAME" else (size - 1) * step + taps
        # Several sizes give the input's: those of the last stride.
        least = largest - step + 1 if padding == "SAME" else largest
        grid.append(data.draw(st.integers(least, largest + (step - 1 if padding == "VALID" else 0))))
    made = network.transpose_convolution(
        network.start,
        (1, grid[0], grid[1], data.draw(st.integers(1, 6))),
        kernel,
        stride=stride,
        padding=padding,
        activation=data.draw(st.sampled_from(ACTIVATIONS)),
        per_channel=data.draw(st.booleans()),
        bias=data.draw(st.booleans()),
    )
    require_equal(engine, network.model(made), seed)


@settings(deadline=None, max_examples=80)
@given(st.data(), sizes, st.integers(1, 11), sizes, st.booleans(), st.booleans(), seeds)
def test_batch_matmul(
    engine: Engine, data: st.DataObject, rows: int, depth: int, columns: int, adj_x: bool, adj_y: bool, seed: int
) -> None:
    dims = st.lists(st.integers(1, 3), max_size=2)
    given = [1, *data.draw(dims)]
    other = [data.draw(st.sampled_from([1, size])) for size in given][data.draw(st.integers(0, 2)) :]
    left, right = [depth, rows] if adj_x else [rows, depth], [columns, depth] if adj_y else [depth, columns]
    network = NetworkBuilder(seed, (*given, *left))
    constant = network.constant_like(network.start, (*other, *right))
    require_equal(
        engine, network.model(network.matrix_product(network.start, constant, adj_x=adj_x, adj_y=adj_y)), seed
    )


@pytest.mark.parametrize(("adj_x", "adj_y"), [(False, True), (True, False)])
def test_a_map_times_itself(engine: Engine, adj_x: bool, adj_y: bool) -> None:
    network = NetworkBuilder(3, (1, 2, 7, 9))
    made = network.matrix_product(network.start, network.start, adj_x=adj_x, adj_y=adj_y)
    model = network.model(made)
    require_equal(engine, model, 3)
    assert count(read_model(model)).macs == (2 * 7 * 7 * 9 if adj_y else 2 * 9 * 9 * 7)
    one = np.random.default_rng(1).integers(-128, 128, (1, 2, 7, 9)).astype(np.int8)
    with LitertTarget(model) as reference, TflmTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


@settings(deadline=None, max_examples=80)
@given(sizes, sizes, st.integers(1, 5), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2), seeds)
def test_resize_bilinear(
    engine: Engine, height: int, width: int, channels: int, rows: int, columns: int, option: int, seed: int
) -> None:
    network = NetworkBuilder(seed, (1, height, width, channels))
    options: dict[str, bool] = [{}, {"align_corners": True}, {"half_pixel_centers": True}][option]
    model = network.model(network.resize_bilinear(network.start, (rows, columns), **options))
    try:
        compile_model(model)
    except UnsupportedError as error:
        assume("reads past the last" not in str(error))
        raise
    require_equal(engine, model, seed)


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(1, 70), zero_points, seeds)
def test_l2_normalization(engine: Engine, rows: int, depth: int, zero_point: int, seed: int) -> None:
    network = NetworkBuilder(seed, (1, rows, depth), (0.05, zero_point))
    require_equal(engine, network.model(network.l2_normalization(network.start)), seed)


@pytest.mark.parametrize("value", [-128, -1, 0, 1, 2, 127])
def test_l2_normalization_of_equal_values(engine: Engine, value: int) -> None:
    """Sums of squares from 0 on, at both ends of the iteration."""
    for depth in (1, 2, 64, 30_000):
        network = NetworkBuilder(1, (1, depth), (0.05, 0))
        model = network.model(network.l2_normalization(network.start))
        (step,) = compile_model(model).program.steps
        given = np.full((1, depth), value, np.int8)
        with LitertTarget(model) as reference:
            expected = reference.invoke(given)
        made = engine.run(step, {0: given, step.writes[0]: expected})
        np.testing.assert_array_equal(made, expected.ravel())


def test_tflite_micro_makes_the_same_of_them() -> None:
    network = NetworkBuilder(5, (1, 4, 5, 6))
    made = network.transpose_convolution(network.start, (1, 8, 10, 4), (3, 3), stride=(2, 2), padding="SAME")
    made = network.l2_normalization(network.resize_bilinear(made, (5, 7), half_pixel_centers=True))
    model = network.model(made)
    one = np.random.default_rng(1).integers(-128, 128, (1, 4, 5, 6)).astype(np.int8)
    with LitertTarget(model) as reference, TflmTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


def changed(make: Callable[[NetworkBuilder], int], index: int, **fields: Any) -> Graph:
    network = NetworkBuilder(2, (1, 4, 5, 6))
    graph = network.builder.graph(make(network))
    where = index if index >= 0 else graph.outputs[0]
    return replace(graph, tensors={**graph.tensors, where: replace(graph.tensors[where], **fields)})


def upscaled(network: NetworkBuilder) -> int:
    return network.transpose_convolution(network.start, (1, 8, 10, 4), (3, 3), stride=(2, 2), padding="SAME")


def squared(network: NetworkBuilder) -> int:
    return network.matrix_product(network.start, network.start, adj_y=True)


def resized(network: NetworkBuilder) -> int:
    return network.resize_bilinear(network.start, (8, 10), align_corners=True, half_pixel_centers=True)


_FINE = Quantization(np.array([1e-25], np.float32), np.array([0]))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (changed(upscaled, 2, data=np.array([1, 12, 10, 4], np.int32)), "output shape .* where"),
        (changed(upscaled, -1, shape=(1, 8, 10, 5)), "output shape .* where"),
        (changed(lambda n: n.transpose_convolution(n.start, (1, 12, 10, 4), (3, 3), stride=(2, 2), padding="SAME"), 0),
         r"input shape \(1, 4, 5, 6\) where \(1, 6, 5, 6\) follows from the output's"),
        (changed(squared, -1, shape=(1, 4, 5, 6)), "output shape"),
        (changed(squared, -1, quantization=_FINE), "scales its result by"),
        (changed(lambda n: n.builder.operator("BATCH_MATMUL", (n.start, n.start), (1, 4, 5, 6), 0.1, 0), 0),
         r"inputs of shapes \(1, 4, 5, 6\) and \(1, 4, 5, 6\) do not fit each other"),
        (changed(resized, 0), "align_corners and half_pixel_centers at once; use one of them"),
        (changed(lambda n: n.resize_bilinear(n.slice(n.start, (0,) * 4, (1, 1, 5, 6)), (97, 5)), 0),
         "resizes 1 to 97, where TFLite reads past the last; use another size"),
        (changed(lambda n: n.l2_normalization(n.start), -1, quantization=_FINE), "not quantized to 1/128"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(graph: Graph, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(graph))
