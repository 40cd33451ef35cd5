"""FILL: a constant that a network writes, of a stored or computed shape."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget


def filled(shape: list[int], value: float = 7, scale: float = 0.1) -> bytes:
    network = GraphBuilder("fill")
    x = network.input((1, 4), 0.1, 3)
    sizes = network.constant(np.array(shape, np.int32))
    constant = network.constant(np.full((), value, np.int8), scale, -2)
    made = network.operator("FILL", (sizes, constant), (1, 4), 0.1, -2)
    return write_model(network.graph(network.operator("ADD", (x, made), (1, 4), 0.2, 0)))


@pytest.mark.parametrize("seed", range(3))
def test_every_value(seed: int) -> None:
    network = NetworkBuilder(seed, (1, 5, 4, 3))
    model = network.model(network.filled(network.filled(network.start)))
    for options in (Options(fusion=False), Options()):
        with HostTarget(model, options=options) as host:
            parity.check(model, host, 20).require("host")


def test_a_dense_layer_of_what_fill_makes() -> None:
    """As a GRU that Keras unrolled begins: its first state is not folded."""
    network = GraphBuilder("state")
    x = network.input((1, 4), 0.1, 3)
    shape = network.operator("SHAPE", (x,), (2,), None, 0, dtype="int32", out_type=2)
    zero = network.constant(np.full((), 0, np.int8), 0.01)
    state = network.operator("FILL", (shape, zero), (1, 4), 0.01, 0)
    weights = network.constant(np.arange(-8, 8).reshape(4, 4).astype(np.int8), 0.01)
    made = network.operator("FULLY_CONNECTED", (state, weights), (1, 4), 0.001, 5)
    model = write_model(network.graph(network.operator("ADD", (x, made), (1, 4), 0.2, 0)))
    with HostTarget(model) as host:
        parity.check(model, host, 20).require("host")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (filled([2, 2]), r"output shape \(1, 4\) where \(2, 2\) follows"),
        (filled([1, 4], scale=0.3), "input and output differ in scale"),
    ],
)
def test_what_is_refused(model: bytes, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        compile_model(model)
