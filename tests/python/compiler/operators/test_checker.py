"""What the engine cannot run is refused with operator, layer and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import GraphBuilder, lacking, write_model

from scenelet.compiler.operators import OPERATORS
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph, Quantization, Tensor
from scenelet.targets.host import HostTarget
from scenelet.targets.tflm import TflmTarget

Change = Callable[[Tensor], Tensor]


def refused(graph: Graph, pattern: str) -> str:
    with pytest.raises(UnsupportedError, match=pattern) as caught:
        compile_model(write_model(graph))
    message = str(caught.value)
    assert "\n" not in message
    return message


def conv(**options: Any) -> Graph:
    network = NetworkBuilder(5, (1, 6, 5, 3))
    return network.builder.graph(network.convolution(network.start, 4, (3, 3), **options))


def changed(graph: Graph, index: int, change: Change) -> Graph:
    return replace(graph, tensors={**graph.tensors, index: change(graph.tensors[index])})


def with_quantization(**fields: Any) -> Change:
    def change(tensor: Tensor) -> Tensor:
        assert tensor.quantization is not None
        return replace(tensor, quantization=replace(tensor.quantization, **fields))

    return change


def test_a_message_names_model_operator_layer_and_remedy() -> None:
    graph = changed(conv(), 1, with_quantization(zero_point=np.full(4, 3)))
    message = refused(graph, "zero point")
    assert re.fullmatch(r"model: CONV_2D 0:t3: weights have a zero point; quantize weights symmetrically", message)


def test_float_model() -> None:
    network = GraphBuilder("float")
    x = network.input((1, 4), 0.1, 0, dtype="float32")
    y = network.operator("SOFTMAX", (x,), (1, 4), 1 / 256, -128, beta=1.0)
    refused(network.graph(y), "input 't0' is float32; convert the model to full INT8")


def test_int16_activations() -> None:
    network = GraphBuilder("wide")
    x = network.input((1, 4), 0.1, 0, dtype="int16")
    y = network.operator("SOFTMAX", (x,), (1, 4), 1 / 256, -128, beta=1.0)
    refused(network.graph(y), "output is int8; convert the whole network to int16 activations")


def test_operator_that_the_engine_lacks() -> None:
    with pytest.raises(UnsupportedError) as caught:
        compile_model(lacking((1, 4)))
    problem, remedy = str(caught.value).split("; ")
    assert problem == "model: SELECT_V2 0:t3: not among the engine's operators"
    assert remedy == f"replace it by some of the {len(OPERATORS)} that docs/OPERATORS.md lists"


@pytest.mark.parametrize(
    ("op", "remedy"),
    [
        ("ARG_MAX", "leave it out and take the largest of the values before it"),
        ("ROUND", "TFLite computes it in float32 only: compute it before the network"),
        ("SQUARE", "multiply the tensor by itself (MUL)"),
    ],
)
def test_operators_that_have_a_remedy_of_their_own(op: str, remedy: str) -> None:
    network = GraphBuilder("own")
    x = network.input((1, 4), 0.1, 0)
    message = refused(network.graph(network.operator(op, (x,), (1, 4), 0.1, 0)), f"{op} 0:t1")
    assert message.endswith(f"not among the engine's operators; {remedy}")


def test_int16_tensor_inside_with_a_zero_point() -> None:
    network = NetworkBuilder(1, (1, 4))
    middle = network.quantize(network.start)
    graph = network.builder.graph(network.softmax(middle))
    refused(changed(graph, middle, lambda t: replace(t, dtype="int16")), "QUANTIZE 0:t1: output has zero point")


def test_grouped_convolution() -> None:
    network = NetworkBuilder(1, (1, 6, 6, 4))
    weights, scales = network._weights((4, 3, 3, 2), 0, True)
    bias = network._bias(True, network.start, scales, 4, 18)
    y = network.builder.operator(
        "CONV_2D", (network.start, weights, *bias), (1, 6, 6, 4), 0.1, 0, padding="SAME", stride_h=1, stride_w=1
    )
    refused(network.builder.graph(y), "weights take 2 channels, input has 4")


def test_computed_weights() -> None:
    network = NetworkBuilder(1, (1, 4))
    doubled = network.reshape(network.start, (2, 2))
    y = network.builder.operator("FULLY_CONNECTED", (network.start, doubled, -1), (2, 2), 0.1, 0)
    refused(network.builder.graph(y), "FULLY_CONNECTED 1:t3: weights is computed, not stored")


def test_sums_past_int32() -> None:
    graph = conv()
    big = np.array([2**31 - 1, 0, 0, 0], np.int32)
    refused(changed(graph, 2, lambda t: replace(t, data=big)), r"sums can reach 2,147,.*, past int32")


def test_shape_that_does_not_follow() -> None:
    refused(changed(conv(), 3, lambda t: replace(t, shape=(1, 7, 5, 4))), r"output shape \(1, 7, 5, 4\)")


@pytest.mark.parametrize("shape", [(1, 6, 5, 3, 1), (30, 3)])
def test_input_that_is_no_feature_map(shape: tuple[int, ...]) -> None:
    refused(changed(conv(), 0, lambda t: replace(t, shape=shape)), "input has shape")


def test_scale_that_is_missing() -> None:
    refused(changed(conv(), 3, lambda t: replace(t, quantization=None)), "output has no scale")


def test_scale_zero() -> None:
    graph = changed(conv(), 3, with_quantization(scale=np.zeros(1, np.float32)))
    refused(graph, "output has scale 0")


def test_activation_with_a_scale_a_channel() -> None:
    four = Quantization(np.full(4, 0.1, np.float32), np.zeros(4, np.int64), 3)
    refused(changed(conv(), 3, lambda t: replace(t, quantization=four)), "output has a scale per channel")


@pytest.mark.parametrize("axis", [1, 3, 4, -1])
def test_scales_on_an_axis_that_is_not_the_outputs(axis: int) -> None:
    refused(changed(conv(), 1, with_quantization(axis=axis)), f"scales on axis {axis}; use axis 0")


def test_scales_that_are_not_one_an_output() -> None:
    three = with_quantization(scale=np.full(3, 0.1, np.float32), zero_point=np.zeros(3, np.int64))
    refused(changed(conv(), 1, three), "weights have 3 scales for 4 outputs")


def test_an_axis_of_as_many_values_as_outputs_is_taken_as_the_outputs() -> None:
    network = NetworkBuilder(5, (1, 6, 5, 4))
    graph = network.builder.graph(network.convolution(network.start, 4, (3, 3)))
    wrong = changed(graph, 1, with_quantization(axis=3))
    assert compile_model(write_model(wrong)).plan == compile_model(write_model(graph)).plan
    with HostTarget(write_model(wrong)) as target:
        assert parity.check(write_model(wrong), target, 5).mismatches == 0


@pytest.mark.parametrize("axis", [-1, 3, 99])
def test_a_biass_axis_says_nothing(axis: int) -> None:
    odd = changed(conv(), 2, with_quantization(axis=axis))
    assert compile_model(write_model(odd)).plan == compile_model(write_model(conv())).plan


@pytest.mark.parametrize("stated", [0, 1, 7, -1])
def test_a_depth_multiplier_is_that_of_the_shapes(stated: int) -> None:
    network = NetworkBuilder(5, (1, 6, 5, 3))
    graph = network.builder.graph(network.depthwise(network.start, (3, 3), multiplier=2))
    operator = graph.operators[0]
    odd = replace(operator, attributes={**operator.attributes, "depth_multiplier": stated})
    model = write_model(replace(graph, operators=(odd,)))
    with HostTarget(model) as target:
        assert parity.check(model, target, 5).mismatches == 0
    with pytest.raises(UnsupportedError, match=f"0:t3's depth multiplier of {stated} from its options"):
        TflmTarget(model)


def test_paddings_of_64_bits() -> None:
    network = NetworkBuilder(2, (1, 6, 6, 2))
    graph = network.builder.graph(network.pad(network.start, ((0, 0), (2, 1), (1, 3), (0, 0))))
    wide = np.asarray(graph.tensors[1].data, np.int64)
    model = write_model(changed(graph, 1, lambda t: replace(t, data=wide, dtype="int64")))
    with HostTarget(model) as target:
        assert parity.check(model, target, 5).mismatches == 0


@pytest.mark.parametrize(
    ("stored", "options", "made"),
    [
        ([1, -1, 4], None, (1, 9, 4)),
        ([1, 9, -1], [7], (1, 9, 4)),
        (None, [1, 36], (1, 36)),
        (None, [1, -1, 3], (1, 12, 3)),
    ],
)
def test_a_reshape_makes_what_tflite_makes_of_it(
    stored: list[int] | None, options: list[int] | None, made: tuple[int, ...]
) -> None:
    network = NetworkBuilder(2, (1, 6, 6, 1))
    first = network.quantize(network.start)
    quantization = network.same_quantization(first)
    listed = () if stored is None else (network.builder.constant(np.array(stored, np.int32)),)
    new_shape = {} if options is None else {"new_shape": options}
    y = network.builder.operator("RESHAPE", (first, *listed), made, *quantization, **new_shape)
    model = network.model(y)
    with HostTarget(model) as target:
        assert parity.check(model, target, 5).mismatches == 0


@pytest.mark.parametrize("stored", [[1, -1, -1], [1, 35], [1, -36], [-2, 18], [0, 36], [1, -1, 5]])
def test_a_reshape_that_makes_something_else(stored: list[int]) -> None:
    network = NetworkBuilder(2, (1, 6, 6, 1))
    y = network.reshape(network.start, (1, 36))
    graph = network.builder.graph(y)
    refused(changed(graph, 1, lambda t: replace(t, data=np.array(stored, np.int32), shape=(len(stored),))), "shape")


def test_a_shape_that_is_computed_names_the_fixed_batch() -> None:
    network = GraphBuilder("open")
    x = network.input((1, 6, 4), 0.1, 0)
    shape = network.operator("SHAPE", (x,), (3,), 0.1, 0)
    message = refused(network.graph(network.operator("RESHAPE", (x, shape), (1, 24), 0.1, 0)), "SHAPE 0:")
    assert message.endswith("for example keras.Input(shape, batch_size=1)")


@pytest.mark.parametrize(("factor", "works"), [(1.0, True), (1e3, True), (3e6, False), (1e12, False)])
def test_a_dense_layer_whose_results_leave_int32(factor: float, works: bool) -> None:
    network = NetworkBuilder(3, (1, 16), (0.05, 3))
    graph = network.builder.graph(network.fully_connected(network.start, 4))
    scale = network.scale(graph.outputs[0])
    odd = changed(graph, graph.outputs[0], with_quantization(scale=np.full(1, scale / factor, np.float32)))
    if not works:
        refused(odd, "results can reach .*, past int32; calibrate|scales its result by .*; calibrate")
        return
    with HostTarget(write_model(odd)) as target:
        assert parity.check(write_model(odd), target, 12).mismatches == 0


def test_zero_point_outside_int8() -> None:
    refused(changed(conv(), 3, with_quantization(zero_point=np.array([200]))), "zero point 200")


def test_pool_that_rescales() -> None:
    network = NetworkBuilder(2, (1, 6, 6, 2))
    graph = network.builder.graph(network.pool(network.start, (2, 2)))
    refused(changed(graph, 1, with_quantization(zero_point=np.array([99]))), "differ in scale or zero point")


def test_softmax_of_another_scale() -> None:
    network = NetworkBuilder(2, (1, 6))
    graph = network.builder.graph(network.softmax(network.start))
    refused(changed(graph, 1, with_quantization(zero_point=np.array([0]))), "not quantized to 1/256")


def test_too_many_classes() -> None:
    network = NetworkBuilder(2, (1, 512))
    refused(network.builder.graph(network.softmax(network.start)), "512 classes; use at most 511")


def test_addition_whose_output_is_far_too_fine() -> None:
    network = NetworkBuilder(2, (1, 6))
    graph = network.builder.graph(network.add(network.start, network.start))
    # The interpreter aborts the process on this one.
    refused(changed(graph, 1, with_quantization(scale=np.full(1, 1e-9, np.float32))), "scales its result by")


def test_fused_activation_that_the_engine_lacks() -> None:
    refused(conv(activation="TANH"), "fused activation TANH; use one of NONE, RELU")


def test_operands_that_do_not_match() -> None:
    network = NetworkBuilder(2, (1, 6))
    y = network.builder.operator("ADD", (network.start, network.constant_like(network.start, (5,))), (1, 6), 0.1, 0)
    refused(network.builder.graph(y), "do not match")


def test_mean_over_an_axis_that_does_not_exist() -> None:
    network = NetworkBuilder(2, (1, 6, 6, 2))
    graph = network.builder.graph(network.mean(network.start))
    refused(changed(graph, 1, lambda t: replace(t, data=np.array([1, 7], np.int32))), r"axes \[1, 7\]")


def test_padding_that_cuts() -> None:
    network = NetworkBuilder(2, (1, 6, 6, 2))
    graph = network.builder.graph(network.pad(network.start, ((0, 0), (1, 1), (1, 1), (0, 0))))
    negative = np.array([[0, 0], [-1, 3], [1, 1], [0, 0]], np.int32)
    refused(changed(graph, 1, lambda t: replace(t, data=negative)), "paddings do not fit")
