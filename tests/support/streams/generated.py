"""Random networks that are more than one map of INT8 through layers: several inputs and outputs, state, 16 bits.

As in :mod:`networks`, a network is a function of its arguments and one seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from layers.wide import wide_network
from networks import MIXED_LAYERS, OUTER, NetworkBuilder, head, random_layer
from tflite_writer import write_model

from streams.filters import filtering
from streams.resources import streaming
from streams.sequences import sequence

STREAM_KINDS = ("several", "stream", "stream", "filter", "sequence", "wide")
"""Of networks, beside those of :data:`networks.KINDS`.

``stream`` keeps resource variables, ``filter`` has SVDF, ``sequence`` LSTMs, ``wide`` 16-bit activations.
"""

_SIZES = ((1, 10), (1, 9), (1, 8))


def stream_network(seed: int, layers: int, kind: str) -> bytes:
    """A network of one of :data:`STREAM_KINDS` with so many layers."""
    made = {"several": _several, "stream": streaming, "filter": filtering, "sequence": sequence, "wide": wide_network}
    return made[kind](seed, layers)


def _several(seed: int, layers: int) -> bytes:
    """Branches that each start at an input, join now and then, and end in outputs, some of them read on."""
    chance = np.random.default_rng([seed, 1])
    network = NetworkBuilder(seed, _shape(chance), outer=str(chance.choice(OUTER)))
    branches = [[network.start]]
    for _ in range(int(chance.integers(0, 3))):
        shape = network.shape(network.start) if chance.random() < 0.6 else _shape(chance)
        scale, outer = float(2.0 ** chance.uniform(-8, 0)), str(chance.choice(OUTER))
        branches.append([network.entered(shape, scale, network.zero_point(), outer)])
    for _ in range(layers):
        made = branches[chance.integers(len(branches))]
        other = branches[chance.integers(len(branches))]
        if made is not other and network.shape(made[-1])[:3] == network.shape(other[-1])[:3]:
            made.append(_joined(network, chance, made[-1], other[-1]))
        else:
            made.append(random_layer(network, chance, made, MIXED_LAYERS))
    outputs = [network.left(head(network, chance, made[-1]), str(chance.choice(OUTER))) for made in branches]
    # An output that other operators read, an output twice under two names, or a second one of a branch.
    inner = branches[chance.integers(len(branches))]
    if len(outputs) == 1 or chance.random() < 0.5:
        outputs.append(_another(network, chance, inner))
    return write_model(network.builder.graph(*outputs))


def _shape(chance: np.random.Generator) -> tuple[int, ...]:
    return (1, *(int(chance.integers(*limits)) for limits in _SIZES))


def _joined(network: NetworkBuilder, chance: np.random.Generator, one: int, other: int) -> int:
    if network.shape(one) == network.shape(other) and chance.random() < 0.6:
        return network.add(one, other)
    given = network.same_quantization(one)
    moved: int = network.builder.operator("QUANTIZE", (other,), network.shape(other), *given)
    return network.concatenate((one, moved), 3)


def _another(network: NetworkBuilder, chance: np.random.Generator, made: list[int]) -> int:
    """One more output of a branch, which need not be its last tensor."""
    source = int(chance.choice(made[1:] or made))
    kind: Any = chance.choice(["itself", "reshaped", "mapped"])
    if kind == "itself" and source != network.start:
        return source
    if kind == "reshaped":
        return network.reshape(source, (1, int(np.prod(network.shape(source)))))
    return network.mapped("RELU6", source)
