"""What the engine cannot run is refused with operator, layer and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.operators import OPERATORS
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.graph import Graph, Quantization, Tensor

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
    refused(network.graph(y), "input 't0' is int16")


def test_operator_that_the_engine_lacks() -> None:
    network = GraphBuilder("abs")
    x = network.input((1, 4), 0.1, 0)
    y = network.operator("ABS", (x,), (1, 4), 0.1, 0)
    message = refused(network.graph(y), "ABS 0:t1: not among the engine's operators")
    assert all(op in message for op in OPERATORS)


def test_int16_tensor_inside() -> None:
    network = NetworkBuilder(1, (1, 4))
    middle = network.quantize(network.start)
    graph = network.builder.graph(network.softmax(middle))
    refused(changed(graph, middle, lambda t: replace(t, dtype="int16")), "QUANTIZE 0:t1: output is int16")


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


def test_scales_on_the_wrong_axis() -> None:
    network = NetworkBuilder(5, (1, 6, 5, 4))
    graph = network.builder.graph(network.convolution(network.start, 4, (3, 3)))
    refused(changed(graph, 1, with_quantization(axis=3)), "scales on axis 3; use axis 0")


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


def test_two_inputs() -> None:
    network = GraphBuilder("pair")
    x, y = network.input((1, 4), 0.1, 0), network.input((1, 4), 0.1, 0)
    z = network.operator("ADD", (x, y), (1, 4), 0.1, 0)
    refused(network.graph(z), "2 inputs; export the model with one input")


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
