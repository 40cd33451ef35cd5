"""TRANSPOSE, SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK: random shapes and indices against BUILTIN_REF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.numerics.views import strided_slice
from scenelet.compiler.operators import require_supported
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def shapes(least: int = 1, most: int = 4, longest: int = 5) -> st.SearchStrategy[tuple[int, ...]]:
    # The targets take one image at a time.
    return st.lists(st.integers(1, longest), min_size=least, max_size=most).map(lambda sizes: (1, *sizes))


def network_of(seed: int, shape: tuple[int, ...]) -> NetworkBuilder:
    return NetworkBuilder(seed, shape, (0.05, -7))


@settings(deadline=None, max_examples=50)
@given(shapes(1, 5, 4), st.randoms(use_true_random=False), seeds)
def test_transpose(engine: Engine, shape: tuple[int, ...], chance: Any, seed: int) -> None:
    order = list(range(1, len(shape)))
    chance.shuffle(order)
    network = network_of(seed, shape)
    require_equal(engine, network.model(network.transpose(network.start, [0, *order])), seed)


@settings(deadline=None, max_examples=30)
@given(shapes(1, 4), st.data(), seeds)
def test_slice(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    begin = [data.draw(st.integers(0, size - 1)) for size in shape]
    size = [data.draw(st.sampled_from([-1, *range(1, n - b + 1)])) for n, b in zip(shape, begin, strict=True)]
    network = network_of(seed, shape)
    require_equal(engine, network.model(network.slice(network.start, begin, size)), seed)


@settings(deadline=None, max_examples=150)
@given(shapes(0, 3), st.data(), seeds)
def test_strided_slice(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    bits = st.integers(0, 2 ** len(shape) - 1)
    listed = data.draw(st.integers(1, len(shape)))
    indices = st.lists(st.integers(-7, 7), min_size=listed, max_size=listed)
    begin, end = data.draw(indices), data.draw(indices)
    strides = data.draw(st.lists(st.sampled_from([1, 1, 2, 3, -1, -2]), min_size=listed, max_size=listed))
    masks = {name: data.draw(bits) for name in ("begin_mask", "end_mask")}
    masks["shrink_axis_mask"] = data.draw(bits) & data.draw(bits)
    if data.draw(st.booleans()):
        masks["ellipsis_mask"] = 1 << data.draw(st.integers(0, listed - 1))
    if data.draw(st.booleans()):
        masks["new_axis_mask"] = data.draw(bits) & data.draw(bits)
    whole = np.empty(shape, np.int8)
    try:
        view = strided_slice(whole, np.array(begin), np.array(end), np.array(strides), masks)
    except (ValueError, IndexError):
        assume(False)
    assume(view.size > 0)
    network = network_of(seed, shape)
    made = network.strided_slice(network.start, view.shape, begin, end, strides, **masks)
    # A scalar is no output of a target.
    again = made if view.shape[:1] == (1,) else network.reshape(made, (1, view.size))
    require_equal(engine, network.model(again), seed)


def test_a_network_that_ends_in_a_scalar_has_one_score() -> None:
    network = network_of(0, (1, 5))
    mask = {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 3}
    scalar = network.strided_slice(network.start, (), [0, 2], [1, 3], [1, 1], **mask)
    assert compile_model(network.model(scalar)).identity.labels == ("class 0",)


@settings(deadline=None, max_examples=40)
@given(shapes(1, 4), st.data(), seeds)
def test_split_and_unpack(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1).filter(lambda axis: axis % len(shape) != 0))
    size = shape[axis]
    network = network_of(seed, shape)
    kind = data.draw(st.sampled_from(["SPLIT", "SPLIT_V", "UNPACK"]))
    if kind == "SPLIT":
        parts = network.split(
            network.start, axis, data.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
        )
    elif kind == "SPLIT_V":
        cut = data.draw(st.integers(1, size))
        parts = network.split_by_sizes(network.start, axis % len(shape), [cut, size - cut] if cut < size else [size])
    else:
        parts = network.unpack(network.start, axis)
    chosen = data.draw(st.integers(0, len(parts) - 1))
    flat = network.reshape(parts[chosen], (1, int(np.prod(network.shape(parts[chosen])))))
    program = require_equal(engine, network.model(flat), seed)
    assert [step.writes[0] for step in program.steps] == [parts[chosen]], "parts that nobody reads are not made"


def test_parts_come_together_again_in_a_network() -> None:
    network = network_of(3, (1, 8, 6, 4))
    left, right = network.split(network.start, 2, 2)
    joined = network.concatenate([right, network.start, left], 2)
    turned = network.transpose(joined, (0, 2, 1, 3))
    rows = network.unpack(turned, 1)
    stacked = network.pack([rows[4], rows[0], rows[4]], 2)
    made = network.mean(network.reshape(stacked, (1, 8, 3, 4)))
    model = network.model(network.softmax(network.fully_connected(made, 3)))
    with HostTarget(model) as target:
        assert parity.check(model, target, 8).mismatches == 0


def refused(make: Callable[[NetworkBuilder], int], message: str) -> None:
    network = network_of(1, (1, 6, 4))
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(network.builder.graph(make(network))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda n: n.moved("TRANSPOSE", n.start, (1, 4, 6), [0, 2, 2]), "cannot take .*repeated axis"),
        (lambda n: n.moved("TRANSPOSE", n.start, (1, 4, 6), [0, 1, 2]), r"output shape \(1, 4, 6\) where \(1, 6, 4\)"),
        (lambda n: n.moved("SLICE", n.start, (1, 6, 4), [0, 3, 0], [1, 6, 4]), "from 3 to 9 of a dimension of 6"),
        (lambda n: n.moved("SLICE", n.start, (1, 6, 4), [0, 3], [1, 2]), "cannot take"),
        (lambda n: n.strided_slice(n.start, (1, 4), [0, 6], [1, 7], [1, 1], shrink_axis_mask=2), "index 6 of a dim"),
        (lambda n: n.strided_slice(n.start, (1, 4), [0, 0], [1, 7], [1, 0]), "cannot take stride 0 from an input"),
        (lambda n: n.strided_slice(n.start, (1, 4), [0, 0], [1, 7], [1]), "begin, end and strides differ in length"),
        (lambda n: n.strided_slice(n.start, (1, 4), [0] * 4, [1] * 4, [1] * 4), "more entries than dimensions"),
        (lambda n: n.split_by_sizes(n.start, 1, [2, 3])[0], r"a dimension of 6 in parts of \[2, 3\]"),
        (lambda n: n.split_by_sizes(n.start, 5, [2, 3])[0], "cannot take"),
    ],
)
def test_indices_that_do_not_fit_are_refused(make: Callable[[NetworkBuilder], int], message: str) -> None:
    refused(make, message)


def test_indices_that_are_computed_are_refused() -> None:
    network = network_of(1, (1, 6, 4))
    begin = network.builder.operator("ARG_MAX", (network.start,), (3,), None, 0, dtype="int32")
    rest = [network.builder.constant(np.array(values, np.int32)) for values in ((1, 6, 4), (1, 1, 1))]
    made = network.builder.operator("STRIDED_SLICE", (network.start, begin, *rest), (1, 6, 4), 0.05, -7)
    graph = network.builder.graph(made)
    slicing = replace(graph, operators=graph.operators[1:])
    with pytest.raises(UnsupportedError, match="input 1 is computed, not stored; make it a constant"):
        require_supported(slicing)


def test_another_scale_is_refused() -> None:
    def transposed(network: NetworkBuilder) -> int:
        order = network.builder.constant(np.array([0, 2, 1], np.int32))
        return network.builder.operator("TRANSPOSE", (network.start, order), (1, 4, 6), 0.06, -7)

    refused(transposed, "input and output differ in scale or zero point")


def test_more_values_than_int32_counts_are_refused_without_memory_for_them() -> None:
    network = network_of(1, (1, 70_000, 70_000))
    made = network.transpose(network.start, (0, 2, 1))
    with pytest.raises(UnsupportedError, match="input has 4,900,000,000 values; use a smaller map"):
        compile_model(network.model(made))
