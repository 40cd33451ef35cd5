"""A Keras model costs what it computes when it runs, and what its .tflite file costs; options not counted are named."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.errors import ModelError
from scenelet.graph import cost
from scenelet.models.backend import keras
from scenelet.models.from_keras import graph_of_model, load_model
from scenelet.models.keras_archive import require_countable
from scenelet.quantization.convert import convert_int8
from scenelet.tflite.reader import read_model

pytestmark = pytest.mark.train

layers = keras.layers
_STACKS = 40


def random_model(seed: int) -> keras.Model:
    """Layers in any order that fits: maps, dense layers on any rank, Flatten or a mean somewhere, a classifier."""
    chance = np.random.default_rng(seed)
    source = x = keras.Input((int(chance.integers(6, 20)), int(chance.integers(4, 9)), int(chance.integers(1, 4))))
    for _ in range(int(chance.integers(1, 5))):
        kernel = (int(chance.integers(1, 4)), int(chance.integers(1, 4)))
        padding = str(chance.choice(["same", "valid"])) if min(x.shape[1:3]) > 3 else "same"
        options: dict[str, Any] = {"padding": padding, "use_bias": bool(chance.random() < 0.7)}
        kind = str(chance.choice(["conv", "depthwise", "dense", "norm", "pool", "relu", "residual"]))
        if kind == "conv":
            x = layers.Conv2D(int(chance.integers(2, 6)), kernel, strides=int(chance.integers(1, 3)), **options)(x)
        elif kind == "depthwise":
            x = layers.DepthwiseConv2D(kernel, **options)(x)
        elif kind == "dense":
            x = layers.Dense(int(chance.integers(2, 6)), use_bias=bool(chance.random() < 0.5))(x)
        elif kind == "norm":
            x = layers.BatchNormalization()(x)
        elif kind == "pool" and min(x.shape[1:3]) > 3:
            x = (layers.MaxPooling2D if chance.random() < 0.5 else layers.AveragePooling2D)((2, 2))(x)
        elif kind == "residual":
            x = layers.Add()([x, layers.Conv2D(x.shape[-1], 3, padding="same")(x)])
        else:
            x = layers.ReLU()(x)
    flat = chance.random() < 0.5
    x = (layers.Flatten() if flat else layers.GlobalAveragePooling2D())(x)
    model = keras.Model(source, layers.Dense(3, activation="softmax")(layers.Dense(4, activation="relu")(x)))
    for layer in model.layers:
        low, high = (0.5, 1.5) if isinstance(layer, layers.BatchNormalization) else (-0.9, 0.9)
        layer.set_weights([chance.uniform(low, high, value.shape) for value in layer.get_weights()])
    return model


def products_when_run(model: keras.Model) -> int:
    """Products of all layers with a kernel, from the arrays that they compute and the weights that they hold."""
    held = [layer for layer in model.layers if isinstance(layer, layers.Dense | layers.Conv2D | layers.DepthwiseConv2D)]
    made = keras.Model(model.input, [layer.output for layer in held])(np.ones((1, *model.input_shape[1:]), np.float32))
    total = 0
    for layer, values in zip(held, made, strict=True):
        kernel = layer.kernel.shape
        per_value = math.prod(kernel[:2]) if isinstance(layer, layers.DepthwiseConv2D) else math.prod(kernel[:-1])
        total += int(np.asarray(values).size) * per_value
    return total


_MULTIPLYING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@pytest.mark.parametrize("seed", range(_STACKS))
def test_products_are_those_that_are_computed(seed: int) -> None:
    model = random_model(seed)
    counted = cost.count(graph_of_model(model))
    assert sum(layer.macs for layer in counted.layers if layer.op in _MULTIPLYING) == products_when_run(model)


@pytest.mark.parametrize("seed", range(6))
def test_the_tflite_file_costs_the_same(seed: int) -> None:
    model = random_model(seed)
    calibration = np.random.default_rng(seed).normal(0, 1, (4, *model.input_shape[1:])).astype(np.float32)
    found = cost.count(read_model(convert_int8(model, calibration)))
    counted = cost.count(graph_of_model(model))
    assert [(layer.op, layer.macs) for layer in found.layers] == [(layer.op, layer.macs) for layer in counted.layers]
    assert found.params_bytes == counted.params_bytes


def test_a_dense_layer_counts_every_position() -> None:
    source = keras.Input((20, 10))
    x = layers.Dense(4)(source)
    counted = cost.count(graph_of_model(keras.Model(source, layers.Dense(3)(layers.Flatten()(x)))))
    assert [layer.macs for layer in counted.layers] == [20 * 10 * 4, 20 * 4 * 3]
    assert counted.macs_nessi == 10 * 4 + 4 * 3


def test_flatten_before_anything_but_a_dense_layer_is_a_reshape() -> None:
    source = keras.Input((4, 3, 2))
    flat = layers.Flatten(name="flat")(source)
    graph = graph_of_model(keras.Model(source, layers.Concatenate()([flat, layers.Dense(5)(flat)])))
    assert sorted(o.op for o in graph.operators) == ["CONCATENATION", "FULLY_CONNECTED", "RESHAPE"]
    assert graph.tensors[graph.outputs[0]].shape == (1, 29)


REFUSED = [
    (lambda x: layers.Conv2D(4, 3, data_format="channels_first", name="a")(x), "data_format='channels_first'"),
    (lambda x: layers.Conv2D(4, 3, groups=2, name="a")(x), "groups=2"),
    (lambda x: layers.Conv2D(4, 3, dilation_rate=2, name="a")(x), r"dilation_rate=\(2, 2\)"),
    (lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2, name="a")(x), "depth_multiplier=2"),
    (lambda x: layers.DepthwiseConv2D(3, data_format="channels_first", name="a")(x), "data_format"),
    (lambda x: layers.MaxPooling2D(2, data_format="channels_first", name="a")(x), "data_format"),
    (lambda x: layers.AveragePooling2D(2, strides=1, name="a")(x), "overlap"),
    (lambda x: layers.GlobalAveragePooling2D(keepdims=True, name="a")(x), "keepdims=True"),
    (lambda x: layers.GlobalAveragePooling2D(data_format="channels_first", name="a")(x), "data_format"),
    (lambda x: layers.BatchNormalization(axis=1, name="a")(x), "axis=1"),
    (lambda x: layers.Flatten(data_format="channels_first", name="a")(x), "data_format"),
    (lambda x: layers.ReLU(negative_slope=0.1, name="a")(x), "negative_slope"),
    (lambda x: layers.ReLU(max_value=1, name="a")(x), "max_value"),
    (lambda x: layers.Concatenate(axis=1, name="a")([x, x]), "axis=1"),
    (lambda x: layers.Dense(4, activation="gelu", name="a")(x), "activation gelu"),
    (lambda x: layers.Conv2DTranspose(4, 3, name="a")(x), "Conv2DTranspose is not supported"),
]

# What only the shapes show, or other options.
SHAPES = ("overlap", "axis=1")


@pytest.mark.parametrize(("made", "named"), REFUSED)
def test_an_option_that_is_not_counted_is_named(made: Any, named: str) -> None:
    source = keras.Input((8, 8, 4))
    with pytest.raises(ModelError, match=f"layer a: .*{named}.*; "):
        graph_of_model(keras.Model(source, made(source)))


@pytest.mark.parametrize(("made", "named"), [(made, named) for made, named in REFUSED if named not in SHAPES])
def test_a_file_says_so_itself(made: Any, named: str, tmp_path: Path) -> None:
    source = keras.Input((8, 8, 4))
    keras.Model(source, made(source)).save(tmp_path / "net.keras")
    with pytest.raises(ModelError, match=f"layer a: .*{named}.*; "):
        require_countable(tmp_path / "net.keras")


@pytest.mark.parametrize("seed", range(4))
def test_a_file_that_is_counted_says_nothing_else(seed: int, tmp_path: Path) -> None:
    random_model(seed).save(tmp_path / "net.keras")
    require_countable(tmp_path / "net.keras")


def test_weights_that_two_places_share_are_refused() -> None:
    source, shared = keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="shared")
    with pytest.raises(ModelError, match="layer shared: is applied twice"):
        graph_of_model(keras.Model(source, shared(shared(source))))


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"shape": (None, 10, 1)}, "leaves sizes open"),
        ({"shape": (None, 8)}, "leaves sizes open"),
        ({"shape": (8, 8, 1), "batch_size": 4}, "takes a batch of 4"),
    ],
)
def test_an_open_input_is_named(source: dict[str, Any], named: str) -> None:
    tensor = keras.Input(**source, name="sound")
    with pytest.raises(ModelError, match=f"layer sound: .*{named}"):
        graph_of_model(keras.Model(tensor, layers.Dense(2)(tensor)))


def test_a_model_that_was_never_built_is_named() -> None:
    with pytest.raises(ModelError, match="has 0 inputs"):
        graph_of_model(keras.Sequential([layers.Dense(3)]))


def test_damage_to_a_file_is_a_refusal(tmp_path: Path) -> None:
    source = keras.Input((8, 8, 1))
    path = tmp_path / "net.keras"
    keras.Model(source, layers.Dense(3)(layers.Flatten()(source))).save(path)
    whole, chance = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        damaged = bytearray(whole)
        for position in chance.integers(0, len(whole), 3):
            damaged[position] ^= int(chance.integers(1, 256))
        path.write_bytes(damaged if chance.random() < 0.8 else whole[: int(chance.integers(1, len(whole)))])
        with contextlib.suppress(ModelError):
            graph_of_model(load_model(path))
            continue
        refused += 1
    assert refused > 20
