"""SUM, REDUCE_MAX and REDUCE_MIN against the reference kernels, for all axes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from engine_library import Engine, build
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget

OPS = ("SUM", "REDUCE_MAX", "REDUCE_MIN")
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(OPS), st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data(), seeds)
def test_any_axes(engine: Engine, op: str, sizes: list[int], data: st.DataObject, seed: int) -> None:
    shape = (1, *sizes)
    subsets = [axes for count in range(1, len(shape)) for axes in combinations(range(1, len(shape)), count)]
    axes = [axis - data.draw(st.sampled_from([0, len(shape)])) for axis in data.draw(st.sampled_from(subsets))]
    network = NetworkBuilder(seed, shape, octaves=data.draw(st.sampled_from([1.0, 12.0])))
    made = network.reduced(op, network.start, axes, keep_dims=data.draw(st.booleans()))
    require_equal(engine, network.model(made), seed, runs=4)


def summed(seed: int) -> tuple[NetworkBuilder, int]:
    network = NetworkBuilder(seed, (1, 9, 5, 8), (0.04, -20))
    return network, network.reduced("SUM", network.start, (1, 2))


def test_sum_is_what_the_default_kernels_and_tflite_micro_compute() -> None:
    """They, too, take the values as INT8; their roundings differ by one at most."""
    network, made = summed(2)
    model = network.model(made)
    chance = np.random.default_rng(1)
    default = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    default.allocate_tensors()
    with LitertTarget(model) as reference, TflmTarget(model) as micro, HostTarget(model) as host:
        for _ in range(20):
            one = chance.integers(-128, 128, (1, 9, 5, 8)).astype(np.int8)
            expected = reference.invoke(one).ravel()
            default.set_tensor(0, one)
            default.invoke()
            np.testing.assert_array_equal(host.invoke(one).ravel(), expected)
            np.testing.assert_array_equal(micro.invoke(one).ravel(), expected)
            other = default.get_tensor(default.get_output_details()[0]["index"]).ravel()
            assert np.abs(other.astype(int) - expected).max() <= 1


def test_a_sum_ends_a_segment() -> None:
    network = NetworkBuilder(4, (1, 40, 8, 6))
    maps = network.convolution(network.convolution(network.start, 8, (3, 3)), 8, (3, 3))
    made = network.reduced("SUM", maps, (1, 2))
    model = network.model(network.softmax(network.fully_connected(made, 4)))
    with HostTarget(model, options=Options(ram_bytes=0)) as target:
        steps = target.compiled.program.steps
        assert any(len(step.operators) > 1 and "SUM" in step.op for step in steps)
        assert parity.check(model, target, 8).mismatches == 0


def test_what_the_reference_refuses_is_refused() -> None:
    network = NetworkBuilder(1, (1, 6, 4), (0.05, -7))
    axes = network.builder.constant(np.array([1], np.int32))
    made = network.builder.operator("REDUCE_MAX", (network.start, axes), (1, 4), 0.06, -7, keep_dims=False)
    with pytest.raises(UnsupportedError, match="REDUCE_MAX 0:t2: input and output differ in scale or zero point"):
        compile_model(network.model(made))
    network = NetworkBuilder(1, (1, 6, 4), (0.05, -7))
    made = network.builder.operator(
        "SUM", (network.start, network.builder.constant(np.array([3], np.int32))), (1, 6, 4), 0.1, 0, keep_dims=False
    )
    with pytest.raises(UnsupportedError, match=r"axes \[3\] of 3 dimensions"):
        compile_model(write_model(network.builder.graph(made)))
