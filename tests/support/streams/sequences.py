"""Random LSTMs: alone, one after another, in two directions, and beside other layers of sequences."""

from __future__ import annotations

import math

import numpy as np
from networks import OUTER, NetworkBuilder

_GATES = 4
_SPREAD = 70.0 * 73.0
"""Of a product of a uniform INT8 value and a uniform INT8 weight."""


def lstm(
    network: NetworkBuilder,
    source: int,
    cells: int,
    *,
    time_major: bool = False,
    fraction: int = 11,
    clip: float = 10.0,
    gain: float = 2.0,
    rescaled: bool = False,
) -> int:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of a (batch, steps, values) tensor; the output's tensor index.

    Parameters
    ----------
    time_major
        Whether the tensor is (steps, batch, values).
    fraction
        Bits after the cell's point.
    clip
        Of the cell; 0: none.
    gain
        Spread of what the gates' functions take.
    rescaled
        Whether output, state and inner output have scales of their own, as converters leave them.
    """
    chance, builder = network.chance, network.builder
    first, second, inputs = network.shape(source)
    batches = second if time_major else first
    hidden = network.near(1 / 128), int(chance.integers(-20, 21))
    state = (hidden[0] * 1.01, hidden[1] + 1) if rescaled else hidden
    given = (source,)
    starts: list[int] = []
    for columns, scale in ((inputs, network.scale(source)), (cells, state[0])):
        for _ in range(_GATES):
            made = network.near(gain / (_SPREAD * math.sqrt(columns) * scale))
            weights = chance.integers(-127, 128, (cells, columns)).astype(np.int8)
            given += (builder.constant(weights, made),)
            starts.append(int(gain / (2 * made * scale)))
    biases = tuple(
        builder.constant(chance.integers(-most, most + 1, cells).astype(np.int32), 1.0) for most in starts[:_GATES]
    )
    variables = (
        builder.variable((batches, cells), *state),
        builder.variable((batches, cells), 2.0**-fraction, 0, "int16"),
    )
    inner = (*(builder.intermediate(None) for _ in range(_GATES)), builder.intermediate(*hidden))
    output = (hidden[0] * 0.99, hidden[1] - 1) if rescaled else hidden
    return builder.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        (*given, -1, -1, -1, *biases, -1, -1, *variables, -1, -1, -1, -1),
        (first, second, cells),
        *output,
        intermediates=inner,
        fused_activation_function="TANH",
        cell_clip=clip,
        proj_clip=0.0,
        time_major=time_major,
    )


def last_step(network: NetworkBuilder, source: int) -> int:
    """The last vector of a (batch, steps, values) tensor, as Keras takes it."""
    batches, steps, width = network.shape(source)
    return network.strided_slice(
        source, (batches, width), (0, steps - 1, 0), (0, steps, 0), (1, 1, 1),
        begin_mask=5, end_mask=5, shrink_axis_mask=2,
    )  # fmt: skip


def both_ways(network: NetworkBuilder, source: int, cells: int) -> int:
    """A bidirectional LSTM: the sequence turned, two LSTMs, one of them turned back at another scale, and joined."""
    ahead = lstm(network, source, cells)
    turned = lstm(network, network.picked("REVERSE_V2", source, [1]), cells)
    axis = network.builder.constant(np.array([1], np.int32))
    back = network.builder.operator(
        "REVERSE_V2", (turned, axis), network.shape(turned), *network.same_quantization(ahead)
    )
    return network.concatenate((ahead, back), 2)


def sequence(seed: int, layers: int) -> bytes:
    """LSTMs and dense layers over sequences, now and then two at a time; the last step of them, or all."""
    chance = np.random.default_rng([seed, 5])
    batches = int(chance.choice([1, 1, 1, 2]))
    steps, inputs = int(chance.integers(1, 9)), int(chance.integers(1, 40))
    network = NetworkBuilder(seed, (1, batches * steps, inputs), outer=str(chance.choice(OUTER)))
    made = network.start if batches == 1 else network.reshape(network.start, (batches, steps, inputs))
    for number in range(min(layers, 4)):
        kind = "lstm" if number == 0 else str(chance.choice(["lstm", "lstm", "two", "map"]))
        cells = int(chance.integers(1, 24))
        if kind == "two":
            made = both_ways(network, made, cells)
        elif kind == "map":
            made = network.mapped("RELU6", made)
        else:
            made = lstm(
                network, made, cells, time_major=bool(chance.random() < 0.3), fraction=int(chance.integers(9, 16)),
                clip=float(chance.choice([0.0, 0.3, 10.0])), gain=float(2.0 ** chance.uniform(-2, 3)),
                rescaled=bool(chance.random() < 0.3),
            )  # fmt: skip
    if chance.random() < 0.5:
        made = network.fully_connected(last_step(network, made), int(chance.integers(1, 12)))
    if batches > 1:
        made = network.reshape(made, (1, math.prod(network.shape(made))))
    return network.model(made, str(chance.choice(OUTER)))
