"""Random SVDF layers: dense layers whose outputs are filtered over time."""

from __future__ import annotations

import numpy as np
from networks import OUTER, NetworkBuilder
from tflite_writer import GraphBuilder


def svdf(network: NetworkBuilder, source: int, units: int, *, rank: int, memory: int, state: str) -> int:
    """SVDF of a (batch, values) tensor with a ``state`` of "int8" or "int16"; the output's tensor index.

    A bias has the scale that TFLite Micro asks for.
    """
    chance, builder = network.chance, network.builder
    batches, inputs = network.shape(source)
    filters = units * rank
    feature_scale, time_scale = float(2.0 ** chance.uniform(-9, -6)), float(2.0 ** chance.uniform(-9, -6))
    feature = builder.constant(chance.integers(-127, 128, (filters, inputs)).astype(np.int8), feature_scale)
    most = 127 if state == "int8" else 2000
    time = builder.constant(chance.integers(-most, most + 1, (filters, memory)).astype(state), time_scale * 127 / most)
    spread = network.scale(source) * 70 * feature_scale * 73 * np.sqrt(inputs)
    state_scale = network.near(spread / (70 if state == "int8" else 12_000))
    zero_point = int(chance.integers(-60, 61)) if state == "int8" and chance.random() < 0.5 else 0
    kept = builder.variable((batches, filters * memory), state_scale, zero_point, state)
    bias = -1
    if state == "int8" or chance.random() < 0.7:
        values = chance.integers(-2000, 2001, units).astype(np.int32)
        bias = builder.constant(values, np.float32(state_scale) * np.float32(time_scale * 127 / most))
    scale = network.near(spread * time_scale * 73 * np.sqrt(memory * rank) / 70)
    shape = (batches, units)
    return builder.operator(
        "SVDF", (source, feature, time, bias, kept), shape, scale, network.zero_point(), rank=rank,
        fused_activation_function="RELU",
    )  # fmt: skip


def keyword(state: str, seed: int = 0) -> bytes:
    """As TFLite Micro's keyword network: int16 features, SVDF, dense layers, SOFTMAX of int16, an output of int32."""
    network = NetworkBuilder(seed, (1, 30), (0.05, -20))
    network.builder = GraphBuilder("keyword")
    features = network.builder.input((1, 30), 0.0007, 0, "int16")
    made = network.builder.operator("QUANTIZE", (features,), (1, 30), 0.05, -20)
    for units in (12, 8):
        made = svdf(network, made, units, rank=1, memory=6, state=state)
        made = network.fully_connected(made, 7)
    scores = network.builder.operator(
        "SOFTMAX", (made,), network.shape(made), 1 / 65535, -32768, dtype="int16", beta=1.0
    )
    whole = network.builder.operator("QUANTIZE", (scores,), network.shape(made), 1 / 32767, 0, dtype="int32")
    return network.write(whole)


def filtering(seed: int, layers: int) -> bytes:
    """SVDF, dense layers and maps after one another."""
    chance = np.random.default_rng([seed, 3])
    network = NetworkBuilder(seed, (1, int(chance.integers(1, 60))), outer=str(chance.choice(OUTER)))
    made = network.start
    for number in range(layers):
        kind = "svdf" if number == 0 else str(chance.choice(["svdf", "svdf", "dense", "map"]))
        if kind == "svdf":
            units, rank, memory = (int(chance.integers(1, most)) for most in (20, 4, 17))
            state = str(chance.choice(["int8", "int16"]))
            made = svdf(network, made, units, rank=rank, memory=memory, state=state)
        elif kind == "dense":
            made = network.fully_connected(made, int(chance.integers(1, 40)))
        else:
            made = network.mapped("RELU6", made)
    return network.model(made, str(chance.choice(OUTER)))
