"""Fused maps are what the separate operators compute, for every INT8 value of every channel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import ACTIVATIONS, NetworkBuilder

from scenelet.compiler.numerics.affine_map import affine_step
from scenelet.compiler.operators import lower
from scenelet.compiler.options import Options
from scenelet.compiler.passes.fuse_maps import channel_map, compose, fuse
from scenelet.compiler.pipeline import compile_model
from scenelet.compiler.program import Program
from scenelet.core.toolchain import FIRMWARE
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model

KINDS = ("multiply", "add", "prelu", "quantize", "scalar")


def extend(network: NetworkBuilder, source: int, kind: str, activation: str) -> int:
    channels = network.shape(source)[-1]
    if kind == "prelu":
        return network.prelu(source)
    if kind == "quantize":
        return network.quantize(source)
    if kind == "scalar":
        return network.multiply(network.constant_like(source, (1,)), source, activation=activation)
    join = network.multiply if kind == "multiply" else network.add
    return join(source, network.constant_like(source, (channels,)), activation=activation)


def every_value(channels: int) -> np.ndarray:
    return np.repeat(np.arange(-128, 128, dtype=np.int8)[:, None], channels, 1).reshape(1, 256, 1, channels)


def lowered(model: bytes) -> Program:
    return lower(read_model(model))


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 5),
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(ACTIVATIONS)), min_size=1, max_size=4),
)  # fmt: skip
def test_a_chain_is_one_exact_table(seed: int, channels: int, chain: list[tuple[str, str]]) -> None:
    """Random constants: factors of both signs, zero points anywhere, scales up and down."""
    # A scale that products of its like keep; others end where LiteRT refuses.
    network = NetworkBuilder(seed, (1, 256, 1, channels), (1 / 70, seed % 256 - 128))
    output = network.start
    for kind, activation in chain:
        output = extend(network, output, kind, activation)
    model = network.model(output)
    program = lowered(model)
    table = compose([found for step in program.steps if (found := channel_map(step)) is not None])
    assert len(table) in (1, channels)
    with LitertTarget(model) as reference:
        expected = reference.run(every_value(channels)).reshape(256, channels)
    np.testing.assert_array_equal(np.broadcast_to(table.T, expected.shape), expected)
    (step,) = fuse(program).steps
    assert step.kernel == "scn_lut_s8"
    np.testing.assert_array_equal(step.tables[0].values, table.ravel())


def stepped(steps: np.ndarray) -> np.ndarray:
    """What scn_affine_map_t's make of every INT8 value, (channels, 256)."""
    values = np.arange(-128, 128, dtype=np.int64)[None, :]
    for multiplier, added in ((steps[:, :1], steps[:, 1:2]), (steps[:, 2:3], steps[:, 3:])):
        sums = values * multiplier.astype(np.int64) + added
        assert np.abs(sums).max() < 2**31, "the board adds in int32"
        values = np.clip(sums >> 16, -128, 127)
    return values


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
def test_two_affine_steps_equal_the_table_or_are_not_used(seed: int, kinds: list[str]) -> None:
    network = NetworkBuilder(seed, (1, 64, 1, 3), (1 / 70, seed % 256 - 128))
    output = network.start
    for kind in kinds:
        output = extend(network, output, kind, "NONE")
    program = lowered(network.model(output))
    ((table,),) = (step.tables for step in fuse(program).steps)
    ((small,),) = (step.tables for step in fuse(program, small=True).steps)
    if small.type == "scn_affine_map_t":
        np.testing.assert_array_equal(stepped(small.values).ravel(), table.values)
    else:
        np.testing.assert_array_equal(small.values, table.values)


def test_the_shipped_model_needs_no_tables() -> None:
    compiled = compile_model(FIRMWARE / "models" / "esc10_sm1.tflite", Options(weights="packed"))
    maps = [table for step in compiled.program.steps for table in step.tables if table.kind.endswith("_map")]
    assert [table.values.shape for table in maps] == [(28, 4), (28, 4), (16, 4)]


def test_a_bent_map_has_no_affine_step() -> None:
    rising = np.arange(-128, 128)
    assert affine_step(rising.astype(np.int8)) == (65536, 32767)
    assert affine_step(np.maximum(rising, 3).astype(np.int8)) is None
    assert affine_step(np.full(256, -7, np.int8)) is not None


def test_constants_of_both_signs_reach_both_slopes() -> None:
    """The property above would prove little if maps only ever rose."""
    slopes: set[int] = set()
    for seed in range(8):
        network = NetworkBuilder(seed, (1, 256, 1, 8))
        table = channel_map(lowered(network.model(extend(network, network.start, "multiply", "NONE"))).steps[0])
        assert table is not None
        slopes |= set(np.sign(table[:, -1].astype(int) - table[:, 0]).tolist())
    assert {-1, 1} <= slopes


def batchnorm(network: NetworkBuilder, source: int) -> int:
    return extend(network, extend(network, source, "multiply", "NONE"), "add", "RELU")


def test_a_batchnorm_vanishes_into_its_convolution() -> None:
    network = NetworkBuilder(5, (1, 12, 8, 4))
    convolved = network.convolution(network.start, 6, (3, 3), activation="RELU")
    output = batchnorm(network, convolved)
    compiled = compile_model(network.model(output))
    (step,) = compiled.program.steps
    assert step.operators == (0, 1, 2)
    assert compiled.program.shown_by(step) == (output,)
    assert [table.values.size for table in step.tables if table.kind.endswith("map")] == [6 * 256]
    assert not any("operand" in table.kind for table in step.tables), "the constants are in the table now"


@pytest.mark.parametrize("second_reader", ["convolution", "output"])
def test_a_tensor_that_somebody_else_needs_stays(second_reader: str) -> None:
    network = NetworkBuilder(6, (1, 16, 8, 4))
    middle = extend(network, network.start, "multiply", "NONE")
    last = extend(network, middle, "add", "NONE")
    if second_reader == "convolution":
        graph = network.builder.graph(network.add(last, network.convolution(middle, 4, (1, 1))))
    else:
        graph = network.builder.graph(middle)
    program = fuse(lower(graph))
    assert any(middle in step.writes for step in program.steps)
    assert not any(len(step.operators) > 1 for step in program.steps)


def test_a_reshaped_tensor_stays() -> None:
    network = NetworkBuilder(6, (1, 16, 8, 4))
    middle = extend(network, network.start, "multiply", "NONE")
    flat = network.reshape(middle, (1, 8, 16, 4))
    program = fuse(lower(network.builder.graph(extend(network, flat, "add", "NONE"))))
    assert [step.operators for step in program.steps] == [(0,), (2,)]


def test_a_table_larger_than_what_it_saves_is_not_made() -> None:
    network = NetworkBuilder(6, (1, 1, 1, 64))
    program = fuse(lower(network.builder.graph(batchnorm(network, network.start))))
    assert [step.kernel for step in program.steps] == ["scn_mul_s8", "scn_add_s8"]


def test_two_maps_of_one_tensor_are_no_constant_map() -> None:
    network = NetworkBuilder(6, (1, 16, 8, 4))
    squared = network.multiply(network.start, network.start)
    assert channel_map(lower(network.builder.graph(squared)).steps[0]) is None


def test_a_constant_that_differs_by_pixel_is_no_map() -> None:
    network = NetworkBuilder(6, (1, 16, 8, 4))
    added = network.add(network.start, network.constant_like(network.start, (1, 16, 1, 1)))
    assert channel_map(lower(network.builder.graph(added)).steps[0]) is None
