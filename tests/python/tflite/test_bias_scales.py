"""A bias counts in input scale times weight scale, whatever the file says of its scales and their axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph, Quantization
from scenelet.targets.host import HostTarget
from scenelet.targets.native import readable
from scenelet.tflite import bias_scales
from scenelet.tflite.reader import read_model

BIAS = 2
"""The tensor after input and weights."""

Layer = Callable[[NetworkBuilder], int]
LAYERS: dict[str, Layer] = {
    "CONV_2D": lambda network: network.convolution(network.start, 5, (3, 2)),
    "CONV_2D, one scale": lambda network: network.convolution(network.start, 5, (1, 1), per_channel=False),
    "DEPTHWISE_CONV_2D": lambda network: network.depthwise(network.start, (3, 3), multiplier=2),
    "FULLY_CONNECTED": lambda network: network.fully_connected(network.start, 7),
    "FULLY_CONNECTED, one scale": lambda network: network.fully_connected(network.start, 7, per_channel=False),
}


def stated(scale: list[float], axis: int = 0, zero_point: list[int] | None = None) -> Quantization:
    return Quantization(np.array(scale, np.float32), np.array(zero_point or [0] * len(scale)), axis)


SAID = {
    "nothing": None,
    "no scales": stated([]),
    "another axis": stated([0.001] * 5, 3),
    "an axis that no tensor has": stated([0.001] * 5, -7),
    "two scales": stated([0.1, 0.2]),
    "one scale that is far off": stated([3.0]),
    "scales that are none": stated([float("nan"), -1.0, 0.0, float("inf"), 1.0]),
    "more zero points than scales": stated([1.0], 0, [0, 0, 0]),
}


def model(layer: Layer, quantization: Quantization | None) -> Graph:
    network = NetworkBuilder(11, (1, 6, 5, 3))
    graph = network.builder.graph(layer(network))
    bias = replace(graph.tensors[BIAS], quantization=quantization)
    return replace(graph, tensors={**graph.tensors, BIAS: bias})


@pytest.mark.parametrize("layer", LAYERS)
def test_what_a_file_says_of_a_bias_changes_nothing(layer: str) -> None:
    network = NetworkBuilder(11, (1, 6, 5, 3))
    whole = write_model(network.builder.graph(LAYERS[layer](network)))
    sources = {name: text.partition("#include")[2] for name, text in compile_model(whole).files().items()}
    for said in SAID.values():
        content = write_model(model(LAYERS[layer], said))
        made = {name: text.partition("#include")[2] for name, text in compile_model(content).files().items()}
        assert made["scn_model.c"] == sources["scn_model.c"]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("layer", ["DEPTHWISE_CONV_2D", "FULLY_CONNECTED, one scale"])
def test_the_reference_runs_it(layer: str, said: str) -> None:
    content = write_model(model(LAYERS[layer], SAID[said]))
    with HostTarget(content) as target:
        parity.check(content, target, 4, 0).require(said)


@pytest.mark.parametrize("layer", LAYERS)
def test_right_scales_stay_as_they_are(layer: str) -> None:
    network = NetworkBuilder(11, (1, 6, 5, 3))
    content = write_model(network.builder.graph(LAYERS[layer](network)))
    assert bias_scales.repaired(content, read_model(content)) is content


@pytest.mark.parametrize("scale", [[], [1.0], [1.0] * 5])
def test_a_zero_point_of_a_bias_is_refused(scale: list[float]) -> None:
    content = write_model(model(LAYERS["CONV_2D"], stated(scale, 0, [0, 0, 4, 0, 0])))
    with pytest.raises(UnsupportedError, match="CONV_2D 0:t3: bias has a zero point that is not 0; quantize biases"):
        compile_model(content)


@pytest.mark.parametrize(
    ("complaint", "shown"),
    [
        ("Was 3.Tensor 33 has no scales.Was 3.Tensor 36", "Was 3. Tensor 33 has no scales. Tensor 36"),
        (
            "kernels/conv.cc:343 a <= 0.02 is not true.Node 0\n failed.",
            "kernels/conv.cc:343 a <= 0.02 is not true. Node 0. failed",
        ),
        ("", ""),
    ],
)
def test_an_interpreters_sentences_are_told_apart(complaint: str, shown: str) -> None:
    assert readable(complaint) == shown
