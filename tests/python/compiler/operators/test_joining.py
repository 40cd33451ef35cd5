"""CONCATENATION and PACK: random shapes and axes against BUILTIN_REF, constants among the inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def stored(network: NetworkBuilder, shape: tuple[int, ...]) -> int:
    values = network.chance.integers(-128, 128, shape).astype(np.int8)
    return network.builder.constant(values, *network.same_quantization(network.start))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data(), seeds)
def test_concatenation(engine: Engine, sizes: list[int], data: st.DataObject, seed: int) -> None:
    shape = (1, *sizes)
    axis = data.draw(st.integers(-len(sizes), len(sizes)).filter(lambda axis: axis % len(shape) != 0))
    network = NetworkBuilder(seed, shape)
    pieces = [network.start]
    for kind in data.draw(st.lists(st.sampled_from(["again", "constant", "part"]), max_size=5)):
        place = axis % len(shape)
        length = data.draw(st.integers(1, shape[place]))
        part = (*shape[:place], length, *shape[place + 1 :])
        if kind == "constant":
            pieces.append(stored(network, part))
        else:
            again = network.start if kind == "again" else network.slice(network.start, [0] * len(shape), part)
            pieces.append(again)
    order = data.draw(st.permutations(pieces))
    require_equal(engine, network.model(network.concatenate(order, axis)), seed)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data(), seeds)
def test_pack(engine: Engine, sizes: list[int], data: st.DataObject, seed: int) -> None:
    shape = (1, *sizes)
    axis = data.draw(st.integers(-len(sizes) - 1, len(shape)).filter(lambda axis: axis % (len(shape) + 1) != 0))
    network = NetworkBuilder(seed, shape)
    kinds = data.draw(st.lists(st.booleans(), max_size=3))
    pieces = [network.start, *(stored(network, shape) if constant else network.start for constant in kinds)]
    require_equal(engine, network.model(network.pack(data.draw(st.permutations(pieces)), axis)), seed)


def test_two_branches_of_a_network_come_together() -> None:
    network = NetworkBuilder(5, (1, 9, 7, 3), (0.05, -7))
    one = network.convolution(network.start, 4, (3, 3))
    scale, zero = network.same_quantization(one)
    pooled = network.pool(network.start, (3, 3), stride=(1, 1), padding="SAME")
    other = network.builder.operator("QUANTIZE", (pooled,), (1, 9, 7, 3), scale, zero)
    joined = network.concatenate((other, one), 3)
    made = network.convolution(joined, 5, (3, 3), activation="RELU")
    model = network.model(network.softmax(network.fully_connected(network.mean(made), 4)))
    with HostTarget(model) as target:
        assert parity.check(model, target, 8).mismatches == 0


def _stored_alone(n: NetworkBuilder) -> int:
    return n.concatenate([stored(n, (1, 4)), stored(n, (1, 2))], 1)


def _another_scale(n: NetworkBuilder) -> int:
    other = n.builder.operator("QUANTIZE", (n.start,), (1, 6, 4), 0.5, 0)
    return n.concatenate([n.start, other], 1)


def _fused(n: NetworkBuilder) -> int:
    given = n.same_quantization(n.start)
    return n.builder.operator(
        "CONCATENATION", (n.start, n.start), (1, 12, 4), *given, axis=1, fused_activation_function="RELU"
    )


def _shape(n: NetworkBuilder) -> int:
    given = n.same_quantization(n.start)
    part = n.slice(n.start, (0, 0, 0), (1, 6, 2))
    return n.builder.operator(
        "CONCATENATION", (n.start, part), (1, 12, 4), *given, axis=1, fused_activation_function="NONE"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_another_scale, "CONCATENATION .*: input and output differ in scale or zero point"),
        (_fused, "fused activation RELU; put it into an operator of its own"),
        (_shape, r"input of shape \(1, 6, 2\) for output \(1, 12, 4\)"),
        (_stored_alone, "all inputs are constants"),
    ],
)
def test_what_cannot_be_joined_is_refused(make: Callable[[NetworkBuilder], int], message: str) -> None:
    network = NetworkBuilder(1, (1, 6, 4), (0.05, -7))
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(network.builder.graph(make(network))))
