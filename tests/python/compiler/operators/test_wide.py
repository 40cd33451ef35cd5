"""Networks of 16-bit activations: functions on all their values, the ends, extremes of scales, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.wide import WideBuilder, wide_network
from tflite_writer import GraphBuilder, write_model

from scenelet.compiler.operators.wide import tables
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.core import toolchain
from scenelet.errors import InputError, ToolError, UnsupportedError
from scenelet.evaluation import parity
from scenelet.graph import Graph, Tensor
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget, reference_interpreter
from scenelet.targets.qemu import QemuTarget

ALL = np.arange(-(2**15), 2**15).astype(np.int16)


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 0.000123, 4.9])
def test_functions_on_all_their_values(scale: float) -> None:
    network = GraphBuilder("functions")
    x = network.input((1, len(ALL)), scale, 0, "int16")
    outputs = [
        network.operator(
            op, (x,), (1, len(ALL)), 2.0**-15 if op in ("LOGISTIC", "TANH") else scale * 0.7, 0, dtype="int16"
        )
        for op in ("LOGISTIC", "TANH", "RELU", "RELU6", "QUANTIZE")
    ]
    narrow = network.operator("QUANTIZE", (x,), (1, len(ALL)), scale * 150, 17)
    model = write_model(network.graph(*outputs, network.operator("RELU", (narrow,), (1, len(ALL)), scale * 99, -1)))
    with HostTarget(model) as host, LitertTarget(model) as reference:
        for made, expected in zip(host.run_each((ALL[None],)), reference.run_each((ALL[None],)), strict=True):
            np.testing.assert_array_equal(made, expected)


def test_a_network_of_one_conversion() -> None:
    network = GraphBuilder("narrowed")
    x = network.input((1, len(ALL)), 0.0003, 0, "int16")
    model = write_model(network.graph(network.operator("QUANTIZE", (x,), (1, len(ALL)), 0.05, 17)))
    with HostTarget(model) as host, LitertTarget(model) as reference:
        np.testing.assert_array_equal(host.run(ALL[None]), reference.run(ALL[None]))


def test_int8_becomes_int16() -> None:
    network = GraphBuilder("widened")
    x = network.input((1, 256), 0.03, -5)
    y = network.operator("QUANTIZE", (x,), (1, 256), 0.00021, 0, dtype="int16")
    model = write_model(network.graph(network.operator("TANH", (y,), (1, 256), 2.0**-15, 0, dtype="int16")))
    values = np.arange(-128, 128).astype(np.int8)[None]
    with HostTarget(model) as host, LitertTarget(model) as reference:
        np.testing.assert_array_equal(host.run(values), reference.run(values))


@pytest.mark.parametrize("scale", [2.0**-20, 0.0001, 1.0])
@pytest.mark.parametrize("classes", [1, 10, 1000])
def test_softmax(scale: float, classes: int) -> None:
    network = GraphBuilder("softmax")
    x = network.input((1, classes), scale, 0, "int16")
    y = network.operator("SOFTMAX", (x,), (1, classes), 2.0**-15, 0, dtype="int16", beta=1.0)
    model = write_model(network.graph(y))
    with HostTarget(model) as host:
        parity.check(model, host, 40).require("host")


@pytest.mark.parametrize("seed", range(2))
def test_sums_past_int32(seed: int) -> None:
    """A dense layer of 3,000 inputs and a convolution of as many taps, all values at their ends."""
    network = WideBuilder(seed, (1, 5, 5, 120))
    output = network.dense(network.convolution(network.start, 3, (5, 5)), 7)
    model = network.write(output)
    with HostTarget(model, options=Options(fusion=False)) as host:
        parity.check(model, host, 40).require("host")


@pytest.mark.parametrize("outer", ["int16", "float32", "int8"])
def test_ends_of_every_type(outer: str) -> None:
    network = WideBuilder(3, (1, 4, 5, 3), outer)
    model = network.write(network.function("TANH", network.convolution(network.start, 4, (3, 3))), outer)
    chance = np.random.default_rng(0)
    values: Any = chance.normal(0, 20, (20, 4, 5, 3)).astype(np.float32)
    if outer != "float32":
        values = chance.integers(*((-3000, 3000) if outer == "int16" else (-128, 128)), values.shape).astype(outer)
    whole = reference_interpreter(model)
    expected = []
    for given in values:
        whole.set_tensor(0, given[None])
        whole.invoke()
        expected.append(whole.get_tensor(whole.get_output_details()[0]["index"])[0])
    with HostTarget(model) as host:
        made = host.run(values)
        assert made.dtype == ("int8" if outer == "int8" else "int16")
        shown = made * np.float32(2.0**-15) if outer == "float32" else made
        np.testing.assert_array_equal(shown, expected)
        with pytest.raises(InputError, match="are uint8; give"):
            host.run(values.astype(np.uint8))


@pytest.mark.qemu
def test_on_the_board() -> None:
    with QemuTarget(wide_network(4, 6)) as board:
        parity.check(board.content, board, 20).require("qemu")


def test_the_product_takes_features_of_int8(tmp_path: Path) -> None:
    model = wide_network(8, 2)
    assert compile_model(model).graph.tensors[0].dtype == "int16"
    for name, text in compile_model(model).files().items():
        (tmp_path / name).write_text(text)
    assert "puts the int16 input at" in (tmp_path / "scn_model.h").read_text()
    folders = [*toolchain.engine_folders(), toolchain.FIRMWARE / "lib" / "classifier", tmp_path]
    source = toolchain.FIRMWARE / "lib" / "classifier" / "scn_pipeline.c"
    with pytest.raises(ToolError, match="features are INT8; run a model with an input of int16 by scn_model_run"):
        toolchain.run([toolchain.host_compiler(), "-fsyntax-only", *(f"-I{folder}" for folder in folders), source])


def test_the_table_of_sigmoids_is_near_them() -> None:
    exact = 2.0**16 / (1 + np.exp(-np.arange(256) / 24))
    assert np.abs(tables.sigmoid_table() - exact).max() < 1.3
    assert tables.sigmoid_table()[[0, -1]].tolist() == [2**15, 2**16 - 1]


def convolution(seed: int = 0) -> Graph:
    network = WideBuilder(seed, (1, 4, 4, 2))
    return network.builder.graph(network.convolution(network.start, 3, (3, 3)))


def changed(graph: Graph, index: int, change: Callable[[Tensor], Tensor]) -> Graph:
    return replace(graph, tensors={**graph.tensors, index: change(graph.tensors[index])})


def quantized(tensor: Tensor, **values: Any) -> Tensor:
    assert tensor.quantization is not None
    return replace(tensor, quantization=replace(tensor.quantization, **{k: np.array([v]) for k, v in values.items()}))


def narrow_bias(tensor: Tensor) -> Tensor:
    assert tensor.data is not None
    return replace(tensor, dtype="int32", data=tensor.data.astype(np.int32))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: changed(g, 0, lambda t: quantized(t, zero_point=3)), "input has zero point 3"),
        (lambda g: changed(g, g.outputs[0], lambda t: replace(t, dtype="int8")), "output is int8; convert the whole"),
        (lambda g: changed(g, 2, narrow_bias), "bias is int32, not int64; convert with biases of int64"),
        (lambda g: changed(g, 0, lambda t: quantized(t, scale=1e6)), "scales its result by"),
    ],
)  # fmt: skip
def test_what_is_refused(change: Callable[[Graph], Graph], words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        compile_model(write_model(change(convolution())))


def test_operators_without_16_bits_say_so() -> None:
    network = GraphBuilder("abs")
    x = network.input((1, 4), 0.01, 0, "int16")
    model = write_model(network.graph(network.operator("ABS", (x,), (1, 4), 0.01, 0, dtype="int16")))
    with pytest.raises(UnsupportedError, match="computes with int16 activations, for which the engine has no kernel"):
        compile_model(model)


def test_additions_by_shifts_are_refused() -> None:
    network = GraphBuilder("shifts")
    x = network.input((1, 4), 2.0**-12, 0, "int16")
    y = network.operator("ADD", (x, x), (1, 4), 2.0**-12, 0, dtype="int16")
    with pytest.raises(UnsupportedError, match="adds by shifts"):
        compile_model(write_model(network.graph(y)))
