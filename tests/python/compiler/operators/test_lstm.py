"""UNIDIRECTIONAL_SEQUENCE_LSTM: its gates on all values, sequences against the reference, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import NetworkBuilder
from streams.sequences import both_ways, last_step, lstm, sequence
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.operators import lower
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph, Operator, Tensor
from scenelet.graph.cost import count
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite.reader import read_model

WHOLE = Options(fusion=False)
SATURATED = 1 << 20


def one(seed: int = 0, shape: tuple[int, ...] = (1, 5, 7), cells: int = 6, **options: Any) -> Graph:
    network = NetworkBuilder(seed, shape)
    return network.builder.graph(lstm(network, network.start, cells, **options))


@pytest.mark.parametrize(
    ("shape", "cells", "options"),
    [((1, 1, 1), 1, {}), ((1, 9, 33), 17, {"rescaled": True}), ((1, 4, 8), 8, {"clip": 0.0, "gain": 8.0}),
     ((1, 3, 5), 4, {"time_major": True}), ((1, 2, 40), 9, {"clip": 0.2}), ((1, 3, 300), 3, {"gain": 0.5})],
    ids=str,
)  # fmt: skip
def test_every_tensor_of_a_sequence(shape: tuple[int, ...], cells: int, options: dict[str, Any]) -> None:
    for seed, fraction in enumerate((9, 11, 12, 15)):
        with HostTarget(write_model(one(seed, shape, cells, fraction=fraction, **options)), options=WHOLE) as host:
            result = parity.check(host.content, host, 60)
            result.require("host")
            assert result.sequences == 2
            assert result.values == 60 * sum(tensor.elements for tensor in host.activations()), "the states too"


def test_batches_beside_steps() -> None:
    for time_major in (False, True):
        network = NetworkBuilder(4, (1, 60))
        x = network.reshape(network.start, (3, 4, 5))
        x = network.reshape(lstm(network, x, 6, time_major=time_major), (1, 72))
        with HostTarget(network.model(x), options=WHOLE) as host:
            parity.check(host.content, host, 60).require("host")


def test_stacked_in_both_directions_and_before_dense_layers() -> None:
    network = NetworkBuilder(1, (1, 6, 10))
    x = lstm(network, both_ways(network, network.start, 8), 5)
    x = network.softmax(network.fully_connected(last_step(network, x), 4))
    model = network.model(x)
    assert [one.op for one in read_model(model).operators].count("UNIDIRECTIONAL_SEQUENCE_LSTM") == 3
    for options in (WHOLE, Options(), Options(weights="expanded")):
        with HostTarget(model, options=options) as host:
            parity.check(model, host, 60).require("host")


def gates(varied: int) -> Graph:
    """256 cells, each with a gate of 256 more than the one before plus the input; 2^-12 is one step of it.

    The other gates let the cell show the varied one: forget nothing kept, all else saturated.
    """
    network = GraphBuilder("gates")
    x = network.input((1, 1, 1), 2.0**-12, 0)
    rising = np.arange(-128, 128, dtype=np.int32) * 256
    ones, zeros = np.ones((256, 1), np.int8), np.zeros((256, 1), np.int8)
    weights = [network.constant(ones if gate == varied else zeros, 1.0) for gate in range(4)]
    recurrent = network.constant(np.zeros((256, 256), np.int8), 2.0**-12)
    full = [np.full(256, value, np.int32) for value in (32767, -32768, 32767, 32767)]
    biases = [network.constant(rising if gate == varied else full[gate], 1.0) for gate in range(4)]
    states = network.variable((1, 256), 1 / 128, 0), network.variable((1, 256), 2.0**-15, 0, "int16")
    inner = (*(network.intermediate(None) for _ in range(4)), network.intermediate(1 / 128))
    output = network.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        (x, *weights, *[recurrent] * 4, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1),
        (1, 1, 256), 1 / 128, 0, intermediates=inner, fused_activation_function="TANH", time_major=False,
    )  # fmt: skip
    return network.graph(output)


@pytest.mark.parametrize(("varied", "function"), [(0, "logistic"), (2, "tanh")])
def test_a_gate_on_all_its_65536_values(varied: int, function: str) -> None:
    graph = gates(varied)
    model, cell = write_model(graph), graph.operators[0].inputs[19]
    seen = []
    with HostTarget(model) as host, LitertTarget(model) as reference:
        for value in range(-128, 128):
            given = np.full((1, 1, 1), value, np.int8)
            shown = host.tensors(given)[cell]
            np.testing.assert_array_equal(shown, reference.tensors(given)[cell])
            seen.append(shown.ravel())
    x = (np.arange(-128, 128)[:, None] + np.arange(-128, 128) * 256) / 4096
    exact = 1 / (1 + np.exp(-x)) if function == "logistic" else np.tanh(x)
    assert np.abs(np.array(seen) / 32768 - exact).max() < 0.002, "every value was a gate's"


@pytest.mark.qemu
def test_sequences_on_the_board() -> None:
    with QemuTarget(sequence(11, 3)) as board:
        parity.check(board.content, board, 60).require("qemu")


def test_weights_past_pairs_lie_one_by_one() -> None:
    """256 times a sum of 400 products of 127 and 255 passes int32."""
    graph = one(0, (1, 2, 400), 5)
    for position in range(1, 5):
        graph = changed(graph, position, lambda t: replace(t, data=np.full(t.shape, 127, np.int8)))
    (step,) = lower(graph).steps
    assert [step.fields["input"][form] for form in ("paired", "expanded")] == [None, "input_expanded"]
    assert step.fields["state"]["paired"] == "state_paired"
    with HostTarget(write_model(graph), options=WHOLE) as host:
        parity.check(host.content, host, 60).require("host")


def test_its_products_are_counted() -> None:
    assert count(one(0, (1, 5, 7), 6)).macs == 5 * 4 * 6 * (7 + 6)


def test_micro_runs_it_and_rounds_otherwise() -> None:
    model = write_model(one(2, (1, 8, 20), 12))
    inputs = np.random.default_rng(0).integers(-128, 128, (20, 8, 20)).astype(np.int8)
    with LitertTarget(model) as reference, TflmTarget(model) as micro:
        distance = reference.run(inputs).astype(int) - micro.run(inputs)
    assert 0 < np.abs(distance).max() <= 8


def changed(graph: Graph, position: int, change: Callable[[Tensor], Tensor]) -> Graph:
    index = graph.operators[0].inputs[position]
    return replace(graph, tensors={**graph.tensors, index: change(graph.tensors[index])})


def operator(graph: Graph, change: Callable[[Operator], Operator]) -> Graph:
    return replace(graph, operators=(change(graph.operators[0]),))


def with_input(graph: Graph, position: int, index: int) -> Graph:
    inputs = list(graph.operators[0].inputs)
    inputs[position] = index
    return operator(graph, lambda o: replace(o, inputs=tuple(inputs)))


def option(graph: Graph, **values: Any) -> Graph:
    return operator(graph, lambda o: replace(o, attributes={**o.attributes, **values}))


def scaled(scale: float) -> Callable[[Tensor], Tensor]:
    def change(tensor: Tensor) -> Tensor:
        assert tensor.quantization is not None
        return replace(tensor, quantization=replace(tensor.quantization, scale=np.array([scale], np.float32)))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: with_input(g, 1, -1), "has CIFG; use keras.layers.LSTM"),
        (lambda g: with_input(g, 9, g.operators[0].inputs[12]), "has peephole weights; use keras.layers.LSTM"),
        (lambda g: with_input(g, 16, g.operators[0].inputs[8]), "has a projection; use keras.layers.LSTM"),
        (lambda g: with_input(g, 20, g.operators[0].inputs[12]), "has layer normalization; use keras.layers.LSTM"),
        (lambda g: operator(g, lambda o: replace(o, inputs=o.inputs[:19])), "has 19 inputs"),
        (lambda g: with_input(g, 3, -1), "lacks an input"),
        (lambda g: option(g, fused_activation_function="RELU"), "fused activation RELU; use keras.layers.LSTM"),
        (lambda g: option(g, cell_clip=-1.0), "cell_clip -1"),
        (lambda g: with_input(g, 18, g.operators[0].inputs[12]), "output state is no variable tensor"),
        (lambda g: changed(g, 19, scaled(0.0003)), "cell state has scale 0.0003; use a power of two"),
        (lambda g: changed(g, 19, scaled(2.0**-8)), "cell state has scale 0.003906; use a power of two"),
        (lambda g: changed(g, 2, scaled(2.0**18)), "scales its result by|gates can reach"),
        (lambda g: changed(g, 13, lambda t: replace(t, data=np.full(6, 2**31 - 1, np.int32))), "sums can reach"),
        (lambda g: changed(g, 0, lambda t: replace(t, dtype="int16")), "int16"),
        (lambda g: operator(g, lambda o: replace(o, intermediates=o.intermediates[::-1])), "lacks the scale of its"),
    ],
)  # fmt: skip
def test_what_is_refused(change: Callable[[Graph], Graph], words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        compile_model(write_model(change(one())))


@pytest.mark.parametrize("position", [4, 7, 15])
def test_shapes_that_do_not_fit_are_refused(position: int) -> None:
    def cut(tensor: Tensor) -> Tensor:
        assert tensor.data is not None
        return replace(tensor, shape=(5, *tensor.shape[1:]), data=tensor.data[:5])

    with pytest.raises(UnsupportedError, match=r"for 5 cells|for 6 cells"):
        compile_model(write_model(changed(one(), position, cut)))
