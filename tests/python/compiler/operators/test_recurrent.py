"""SVDF: refusals, sequences against its references, and what TFLite Micro does with a state that overflows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import NetworkBuilder
from streams.filters import filtering, keyword, svdf
from tflite_writer import write_model

from scenelet.compiler.options import Options
from scenelet.compiler.passes import ends
from scenelet.compiler.pipeline import compile_model
from scenelet.core import toolchain
from scenelet.errors import ToolError, UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph, Tensor
from scenelet.graph.cost import count
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget, reference_interpreter
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite.reader import read_model

STATES = ("int8", "int16")


def one(state: str, seed: int = 0, **sizes: int) -> Graph:
    network = NetworkBuilder(seed, (1, sizes.pop("inputs", 7)))
    given = {"units": 5, "rank": 2, "memory": 4} | sizes
    output = svdf(network, network.start, given.pop("units"), state=state, **given)
    return network.builder.graph(output)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "sizes",
    [{"inputs": 1, "units": 1, "rank": 1, "memory": 1}, {"rank": 1, "memory": 17},
     {"inputs": 96, "units": 64, "rank": 1}, {"inputs": 33, "units": 3, "rank": 4, "memory": 2}],
    ids=str,
)  # fmt: skip
def test_every_tensor_of_a_sequence(state: str, sizes: dict[str, int]) -> None:
    for seed in range(3):
        model = write_model(one(state, seed, **sizes))
        with HostTarget(model, options=Options(fusion=False)) as host:
            result = parity.check(model, host, 120)
            result.require("host")
            assert result.sequences == 3
            assert result.values == 120 * sum(tensor.elements for tensor in host.activations()), "the state too"


def test_both_interpreters_agree_on_int16_and_only_micro_runs_int8() -> None:
    for seed in range(4):
        network = NetworkBuilder(seed, (1, 9))
        x = svdf(network, network.start, 6, rank=2, memory=5, state="int16")
        model = network.model(x)
        graph = network.builder.graph(x)
        if graph.operators[0].inputs[3] >= 0:
            with TflmTarget(model) as micro:
                parity.check(model, micro, 60).require("tflm")
    with LitertTarget(write_model(one("int8"))) as mixed, TflmTarget(write_model(one("int8"))) as micro:
        inputs = np.random.default_rng(0).integers(-128, 128, (40, 7)).astype(np.int8)
        made = mixed.run(inputs)
        np.testing.assert_array_equal(made, micro.run(inputs))
        assert len(np.unique(made)) > 20


def test_a_state_past_int8_wraps_as_micros_does() -> None:
    """A zero point is added to a sum that was clamped before."""
    graph = one("int8", 3)
    state = next(tensor for tensor in graph.tensors.values() if tensor.index in graph.variables)
    quantization = state.quantization
    assert quantization is not None
    odd = replace(quantization, zero_point=np.array([90]), scale=quantization.scale / 8)
    graph = replace(graph, tensors={**graph.tensors, state.index: replace(state, quantization=odd)})
    bias = graph.tensors[graph.operators[0].inputs[3]]
    assert bias.quantization is not None
    fitting = replace(bias, quantization=replace(bias.quantization, scale=bias.quantization.scale / 8))
    graph = replace(graph, tensors={**graph.tensors, bias.index: fitting})
    model = write_model(graph)
    with HostTarget(model) as host:
        parity.check(model, host, 60).require("host")
        noise = np.random.default_rng(0).integers(-128, 128, (1, 7)).astype(np.int8)
        shown = [host.tensors(noise)[state.index] for _ in range(5)][-1]
        assert -39 in shown, "90 and 127, wrapped"


@pytest.mark.qemu
@pytest.mark.parametrize("state", STATES)
def test_sequences_on_the_board(state: str) -> None:
    model = write_model(one(state, 5, inputs=40, units=12, memory=8))
    with QemuTarget(model) as board:
        parity.check(model, board, 110).require("qemu")


def test_mixed_networks() -> None:
    for seed in range(6):
        model = filtering(seed, 4)
        with HostTarget(model) as host:
            parity.check(model, host, 20).require(str(seed))


@pytest.mark.parametrize("state", STATES)
def test_a_keyword_network_with_int16_features_and_scores_of_int32(state: str) -> None:
    model = keyword(state, 2)
    features = np.random.default_rng(1).integers(-4000, 4000, (60, 30)).astype(np.int16)
    with HostTarget(model, options=Options(fusion=False)) as host, LitertTarget(model) as reference:
        result = parity.check(model, host, 60)
        result.require("host")
        assert result.values == 60 * sum(tensor.elements for tensor in host.activations())
        made = host.run(features)
        assert made.dtype == np.int16
        np.testing.assert_array_equal(made, reference.run(features))
        assert len(np.unique(made)) > 40
        (end,) = ends.outputs(read_model(model))
        scores = end.outwards(made)
    if state == "int16":
        whole = reference_interpreter(model)
        expected = []
        for one_step in features:
            whole.set_tensor(0, one_step[None])
            whole.invoke()
            expected.append(whole.get_tensor(whole.get_output_details()[0]["index"])[0])
        np.testing.assert_array_equal(scores, expected)


@pytest.mark.qemu
def test_a_keyword_network_on_the_board() -> None:
    model = keyword("int8", 2)
    with QemuTarget(model) as board:
        parity.check(model, board, 60).require("qemu")


def test_the_header_names_types_and_the_product_refuses_scores_of_int16(tmp_path: Path) -> None:
    for name, text in compile_model(keyword("int8")).files().items():
        (tmp_path / name).write_text(text)
    header = (tmp_path / "scn_model.h").read_text()
    assert "#define SCN_MODEL_OUTPUT_INT16 1\n" in header
    assert "For scn_quantize_s16;" in header
    assert "For scn_dequantize_s32;" in header
    folders = [*toolchain.engine_folders(), toolchain.FIRMWARE / "lib" / "classifier", tmp_path]
    source = toolchain.FIRMWARE / "lib" / "classifier" / "scn_pipeline.c"
    with pytest.raises(ToolError, match="scores are INT8; run a model with an output of int16 by scn_model_run"):
        toolchain.run([toolchain.host_compiler(), "-fsyntax-only", *(f"-I{folder}" for folder in folders), source])


def test_its_products_are_counted() -> None:
    assert count(one("int16", inputs=7, units=5, rank=2, memory=4)).macs == 10 * 7 + 10 * 4


def changed(graph: Graph, position: int, change: Callable[[Tensor], Tensor]) -> Graph:
    index = graph.operators[0].inputs[position]
    return replace(graph, tensors={**graph.tensors, index: change(graph.tensors[index])})


def attributes(graph: Graph, **values: Any) -> Graph:
    operator = graph.operators[0]
    return replace(graph, operators=(replace(operator, attributes={**operator.attributes, **values}),))


def without_bias(graph: Graph) -> Graph:
    operator = graph.operators[0]
    inputs = (*operator.inputs[:3], -1, operator.inputs[4])
    return replace(graph, operators=(replace(operator, inputs=inputs),))


@pytest.mark.parametrize(
    ("state", "change", "words"),
    [
        ("int16", lambda g: attributes(g, fused_activation_function="NONE"), "fused activation NONE; use RELU"),
        ("int16", lambda g: attributes(g, rank=3), "rank 3 of 10 filters"),
        ("int16", lambda g: attributes(g, rank=0), "rank 0 of 10 filters"),
        ("int8", without_bias, "has INT8 state and no bias; give it a bias of zeros"),
        ("int16", lambda g: replace(g, variables={}), "reads tensor"),
        ("int16", lambda g: changed(g, 4, lambda t: replace(t, shape=(1, 39))), r"state has shape \(1, 39\)"),
        ("int16", lambda g: changed(g, 4, lambda t: replace(t, dtype="int8")), "time weights is int16, not int8"),
        ("int16", lambda g: changed(g, 0, lambda t: replace(t, dtype="float32", quantization=None)), "float32"),
    ],
)  # fmt: skip
def test_what_is_refused(state: str, change: Callable[[Graph], Graph], words: str) -> None:
    with pytest.raises(Exception, match=words) as caught:
        compile_model(write_model(change(one(state))))
    assert isinstance(caught.value, UnsupportedError) or "reads tensor" in words
