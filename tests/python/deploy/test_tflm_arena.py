"""The arena that is stated for TensorFlow Lite Micro holds on a Cortex-M4 with CMSIS-NN, and is not far above it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from networks import NetworkBuilder, random_network

from scenelet.compiler.passes.shapes import with_shapes
from scenelet.core import toolchain
from scenelet.deploy.tflm_arena import arena_bytes, planned_bytes, working_bytes
from scenelet.targets.tflm import TflmTarget, _runtime
from scenelet.tflite.reader import read_model

SM1 = toolchain.REPOSITORY / "firmware" / "models" / "esc10_sm1.tflite"


def cnn_s() -> bytes:
    """Of the shapes of ARM's CNN-S for keywords: two convolutions and three dense layers."""
    network = NetworkBuilder(1, (1, 490))
    made = network.reshape(network.start, (1, 49, 10, 1))
    made = network.convolution(made, 28, (10, 4), padding="VALID", activation="RELU")
    made = network.convolution(made, 30, (10, 4), padding="VALID", stride=(2, 1), activation="RELU")
    made = network.reshape(made, (1, 1920))
    for units in (16, 128, 12):
        made = network.fully_connected(made, units, per_channel=False)
    return network.model(network.softmax(made))


def micro_speech() -> bytes:
    """Of the shapes of TensorFlow Lite Micro's example for two words: one depthwise layer, one dense layer."""
    network = NetworkBuilder(2, (1, 1960))
    made = network.reshape(network.start, (1, 49, 40, 1))
    made = network.depthwise(made, (10, 8), multiplier=8, stride=(2, 2), activation="RELU")
    return network.model(network.softmax(network.fully_connected(made, 4, per_channel=False)))


def stated(model: bytes | Path) -> int:
    with TflmTarget(model) as target:
        measured = target.arena_bytes()
    return arena_bytes(with_shapes(read_model(model)), measured["head"], measured["tail"])


@pytest.mark.parametrize(
    ("model", "peer"),
    [(cnn_s, 16_068), (micro_speech, 6_836), (lambda: SM1, 68_116)],
    ids=["CNN-S", "micro_speech", "SM1"],
)
def test_it_holds_on_the_board(model: Callable[[], bytes | Path], peer: int) -> None:
    """``peer`` is arena_used_bytes() of TensorFlow Lite Micro with CMSIS-NN on a Cortex-M4, measured elsewhere."""
    assert peer <= stated(model()) <= 1.15 * peer


@pytest.mark.parametrize("seed", range(12))
def test_the_plan_is_tflite_micro_s_own(seed: int) -> None:
    model = random_network(seed, 2 + seed % 7)
    with TflmTarget(model) as target:
        assert planned_bytes(read_model(model), working=False) == target.arena_bytes()["head"]


def autoencoder() -> bytes:
    """Many dense layers of few values: setting them up takes more memory than their activations."""
    network = NetworkBuilder(4, (1, 24))
    made = network.start
    for units in (24, 24, 16, 8, 16, 24, 24, 24):
        made = network.fully_connected(made, units)
    return network.model(made)


def pixels() -> bytes:
    """Convolutions of a map of a few pixels."""
    network = NetworkBuilder(4, (1, 3, 3, 1))
    made = network.convolution(network.start, 2, (3, 3))
    return network.model(network.softmax(network.fully_connected(network.mean(made), 3)))


@pytest.mark.parametrize("model", [cnn_s, micro_speech, autoencoder, pixels])
def test_it_is_enough_here_too(model: Callable[[], bytes]) -> None:
    runtime = _runtime()
    runtime.Interpreter.from_bytes(model(), arena_size=stated(model()))


def single(layer: Callable[[NetworkBuilder], int], shape: tuple[int, ...] = (1, 9, 8, 6)) -> list[int]:
    """Working memory of the last layer of a network."""
    network = NetworkBuilder(3, shape)
    graph = network.builder.graph(layer(network))
    return working_bytes(graph, graph.operators[-1])


def test_working_memory_is_what_cmsis_nn_states() -> None:
    assert single(lambda n: n.convolution(n.start, 4, (3, 3))) == [2 * 2 * 56], "54 taps, rounded up to fours"
    assert single(lambda n: n.convolution(n.start, 4, (1, 1))) == [2 * 2 * 6]
    assert single(lambda n: n.convolution(n.start, 4, (1, 1), stride=(3, 3))) == [2 * 2 * 6]
    assert single(lambda n: n.depthwise(n.start, (3, 3))) == []
    assert single(lambda n: n.depthwise(n.start, (3, 3), stride=(2, 2))) == []
    assert single(lambda n: n.depthwise(n.start, (5, 3))) == [2 * 6 * 15]
    assert single(lambda n: n.depthwise(n.start, (5, 3), multiplier=2)) == []
    assert single(lambda n: n.depthwise(n.start, (5, 3), dilation=(2, 1))) == []
    assert single(lambda n: n.pool(n.start, (2, 2), kind="AVERAGE_POOL_2D")) == [4 * 6]
    assert single(lambda n: n.pool(n.start, (2, 2))) == []
    assert single(lambda n: n.fully_connected(n.start, 5)) == []


def test_working_memory_of_transpose_conv() -> None:
    def upscaled(network: NetworkBuilder) -> int:
        return network.transpose_convolution(network.start, (1, 18, 16, 5), (3, 3), stride=(2, 2), padding="SAME")

    assert single(upscaled)[0] == (7 * 2 + 3) * 5 * 3 * 4, "sums of the rows that an input row reaches"
    assert single(upscaled, (1, 9, 8, 20)) == [2 * 2 * 180, 20 * 9 * 5], "many channels: a convolution"
