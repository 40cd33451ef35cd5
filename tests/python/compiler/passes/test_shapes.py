"""Shapes that a model computes are constants at compile time, and shapes after them are inferred."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder
from operator_layers import INT32
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.passes.shapes import fold, with_shapes
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model


def test_a_flatten_of_a_batch_of_unknown_size() -> None:
    network = NetworkBuilder(3, (1, 5, 4, 3))
    maps = network.convolution(network.start, 4, (3, 3))
    flat = network.reshape_by_shape_of(maps, maps, (80,))
    model = network.model(network.softmax(network.fully_connected(flat, 4)))
    graph = read_model(model)
    assert [operator.op for operator in fold(graph).operators] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    with HostTarget(model) as target:
        result = parity.check(model, target, 6)
        assert (result.mismatches, "SHAPE" in str(target.compiled.program.steps)) == (0, False)


def integers(network: GraphBuilder, op: str, inputs: tuple[int, ...], shape: tuple[int, ...], **options: int) -> int:
    return network.operator(op, inputs, shape, None, 0, dtype="int32", **options)


def dense_on_three_dimensions(recorded: bool = False) -> bytes:
    """What Keras writes for a Dense on (1, 6, 5), with 1 for the sizes that the converter did not know."""
    network = NetworkBuilder(2, (1, 6, 5), (0.05, 3))
    builder = network.builder

    def constant(*values: int) -> int:
        return builder.constant(np.array(values, np.int32))

    made = integers(builder, "SHAPE", (network.start,), (3,), out_type=INT32)
    free = integers(builder, "GATHER", (made, constant(0, 1)), (2,), axis=0, batch_dims=0)
    rows = integers(builder, "REDUCE_PROD", (free, constant(0)), (), keep_dims=False)
    inner = integers(builder, "GATHER", (made, constant(2)), (1,), axis=0, batch_dims=0)
    width = integers(builder, "REDUCE_PROD", (inner, constant(0)), (), keep_dims=False)
    listed = integers(builder, "PACK", (rows, width), (2,), values_count=2, axis=0)
    last = integers(builder, "CONCATENATION", (free, constant(7)), (3,), axis=0)
    shapes = ((6, 5), (6, 7)) if recorded else ((1, 1), (1, 7))
    flat = builder.operator("RESHAPE", (network.start, listed), shapes[0], 0.05, 3)
    weights, _ = network._weights((7, 5), 0, False)
    dense = builder.operator("FULLY_CONNECTED", (flat, weights, -1), shapes[1], 0.3, -5)
    curved = builder.operator("TANH", (dense,), shapes[1], 1 / 128, 0)
    return network.model(builder.operator("RESHAPE", (curved, last), (1, 6, 7), 1 / 128, 0))


def test_shapes_behind_a_computed_shape_are_inferred() -> None:
    graph = with_shapes(read_model(dense_on_three_dimensions()))
    assert [operator.op for operator in graph.operators] == [
        operator.op for operator in read_model(dense_on_three_dimensions()).operators
    ]
    made = {operator.op: graph.tensors[operator.outputs[0]].shape for operator in graph.operators}
    assert made["FULLY_CONNECTED"] == made["TANH"] == (6, 7)
    recorded = read_model(dense_on_three_dimensions(recorded=True))
    assert {index: tensor.shape for index, tensor in graph.tensors.items()} == {
        index: tensor.shape for index, tensor in recorded.tensors.items()
    }


def test_a_dense_layer_on_three_dimensions() -> None:
    model = dense_on_three_dimensions()
    with HostTarget(model) as target, LitertTarget(model) as reference:
        assert parity.check(model, target, 8).mismatches == 0
        one = np.random.default_rng(1).integers(-128, 128, (1, 6, 5)).astype(np.int8)
        np.testing.assert_array_equal(target.run(one[None]), reference.run(one[None]))


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SLICE", "CAST", "EXPAND_DIMS", "SQUEEZE"])
def test_integers_are_computed_as_the_interpreter_does(op: str) -> None:
    network = NetworkBuilder(2, (1, 6, 4), (0.05, 3))
    builder = network.builder
    one = integers(builder, "SHAPE", (network.start,), (3,), out_type=INT32)
    other = builder.constant(np.array([1, 1, 1] if op != "SUB" else [0, 0, 0], np.int32))
    inputs = {
        "SLICE": (one, builder.constant(np.array([0], np.int32)), builder.constant(np.array([3], np.int32))),
        "CAST": (one,),
        "EXPAND_DIMS": (one, builder.constant(np.array(0, np.int32))),
        "SQUEEZE": (one,),
    }.get(op, (one, other))
    options = {"fused_activation_function": "NONE"} if op in ("ADD", "SUB", "MUL") else {}
    made = builder.operator(op, inputs, (1, 3) if op == "EXPAND_DIMS" else (3,), None, 0, dtype="int32", **options)
    if op == "EXPAND_DIMS":
        made = builder.operator("SQUEEZE", (made,), (3,), None, 0, dtype="int32", squeeze_dims=[0])
    if op == "ADD":
        minus = builder.constant(np.array([1, 1, 1], np.int32))
        made = integers(builder, "SUB", (made, minus), (3,), fused_activation_function="NONE")  # type: ignore[arg-type]
    model = network.model(builder.operator("RESHAPE", (network.prelu(network.start), made), (1, 6, 4), 0.05, 3))
    folded = fold(read_model(model))
    assert [operator.op for operator in folded.operators] == ["PRELU", "RESHAPE"]


def test_what_is_not_known_is_refused() -> None:
    network = NetworkBuilder(2, (1, 6, 4), (0.05, 3))
    largest = integers(
        network.builder, "ARG_MAX", (network.start, network.builder.constant(np.array(1, np.int32))), (4,)
    )
    listed = integers(
        network.builder,
        "SLICE",
        (largest, *(network.builder.constant(np.array([value], np.int32)) for value in (0, 2))),
        (2,),
    )
    made = network.builder.operator("RESHAPE", (network.start, listed), (1, 24), 0.05, 3)
    with pytest.raises(UnsupportedError, match=r"ARG_MAX 0:.*: not among the engine's operators"):
        compile_model(network.model(made))


def test_damaged_indices_are_refused() -> None:
    network = NetworkBuilder(2, (1, 6, 4), (0.05, 3))
    made = integers(network.builder, "SHAPE", (network.start,), (3,), out_type=INT32)
    wrong = integers(
        network.builder, "GATHER", (made, network.builder.constant(np.array([9, 0], np.int32))), (2,), axis=0
    )
    output = network.builder.operator("RESHAPE", (network.start, wrong), (1, 24), 0.05, 3)
    with pytest.raises(UnsupportedError, match=r"GATHER 1:.*: its input is a constant"):
        compile_model(write_model(network.builder.graph(output)))
