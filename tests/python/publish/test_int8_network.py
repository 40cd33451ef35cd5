"""The entry's INT8 operators give what TFLite's reference kernels give, on every value."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.core.templating import render
from scenelet.errors import UnsupportedError
from scenelet.graph import Graph
from scenelet.publish import challenges
from scenelet.publish.challenges import int8_network
from scenelet.targets import open_target
from scenelet.tflite.reader import read_model


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """int8_ops.py of an entry."""
    path = tmp_path_factory.mktemp("entry") / "int8_ops.py"
    path.write_text(render(challenges.__name__, "dcase2025_int8_ops.py", {}), "utf-8")
    spec = importlib.util.spec_from_file_location("int8_ops", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every_tensor(operators: ModuleType, graph: Graph, inputs: np.ndarray) -> dict[int, np.ndarray]:
    """Values of all tensors up to the logits, as an entry computes them from what it has packed."""
    with np.load(io.BytesIO(int8_network.pack({"general": graph}, "m", {"labels": []}))) as held:
        described = json.loads(bytes(held["description"]))["networks"]["general"]
        arrays = {name: held[name] for name in held.files}
    found = {described["input"]: inputs}
    for number, layer in enumerate(described["layers"]):
        start = f"general.{number}."
        own = {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}
        found[layer["output"]] = operators.run(layer, own, *(found[index] for index in layer["inputs"]))
    assert described["output"] in found
    return found


def assert_same(operators: ModuleType, path: Path, count: int = 3) -> Graph:
    graph = read_model(path)
    shape = graph.tensors[graph.inputs[0]].shape
    inputs = np.random.default_rng(0).integers(-128, 128, (count, *shape[1:])).astype(np.int8)
    inputs[0], inputs[1] = -128, 127
    found = every_tensor(operators, graph, inputs)
    with open_target("litert", path) as target:
        for number, one in enumerate(inputs):
            reference = target.tensors(one[np.newaxis])
            for index, values in found.items():
                expected = reference[index].reshape(values[number].shape)
                np.testing.assert_array_equal(values[number], expected, err_msg=graph.tensors[index].name)
    return graph


def test_the_shipped_networks(operators: ModuleType, sm1: Path) -> None:
    graph = assert_same(operators, sm1)
    assert_same(operators, sm1.with_name("default.tflite"), 2)
    macs, size = int8_network.counted_by_torchinfo(graph)
    assert size == 52_844 - 8  # all but the axes of MEAN
    assert 0.98 < macs / 25_475_456 < 1.01


@pytest.mark.train
@pytest.mark.parametrize("kind", ["cnn", "mobile"])
def test_networks_of_recipes(kind: str, operators: ModuleType, networks: Any, tmp_path: Path) -> None:
    from scenelet.quantization.convert import convert_int8

    loaded = getattr(networks, kind)()
    if kind == "cnn":
        blocks = [{**block.model_dump(mode="json"), "order": "conv_relu_bn_relu"} for block in loaded.model.blocks]
        loaded = recipe.changed(loaded, "model", blocks=blocks)
    features = networks.features(loaded, 8)[..., np.newaxis].astype(np.float32) / 64
    path = tmp_path / "m.tflite"
    path.write_bytes(convert_int8(networks.randomised(loaded), features))
    graph = assert_same(operators, path)
    used = {operator.op for operator in graph.operators}
    assert used >= ({"MUL", "AVERAGE_POOL_2D"} if kind == "cnn" else {"DEPTHWISE_CONV_2D", "ADD"})


def test_every_operator_of_the_shipped_recipes_is_known() -> None:
    from scenelet.models.architecture import graph_of

    for name in recipe.shipped():
        made = recipe.load(name)
        if made.deployable:
            ops = {operator.op for operator in graph_of(made).operators}
            assert ops <= {*int8_network._KINDS, "SOFTMAX"}, name


def test_other_networks_are_refused(sm1: Path) -> None:
    graph = read_model(sm1)
    cut = replace(graph, operators=graph.operators[:-1])
    with pytest.raises(UnsupportedError, match="m: ends in FULLY_CONNECTED, not in SOFTMAX; give a network of a"):
        int8_network.describe(cut, "m")
    odd = replace(graph, operators=(replace(graph.operators[0], op="ELU"), *graph.operators[1:]))
    with pytest.raises(UnsupportedError, match="m: operator ELU of layer 0:conv1 is not in the entry's code; use a"):
        int8_network.describe(odd, "m")


def test_the_same_network_gives_the_same_bytes(sm1: Path) -> None:
    graph = read_model(sm1)
    first, second = (int8_network.pack({"general": graph}, "m", {}) for _ in range(2))
    assert first == second
