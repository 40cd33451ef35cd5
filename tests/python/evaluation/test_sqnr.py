"""INT8 against float, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.errors import ModelError
from scenelet.evaluation.float_network import FloatTarget
from scenelet.evaluation.sqnr import compare_networks
from scenelet.frontend.available import open_frontend
from scenelet.models.backend import keras
from scenelet.models.keras_model import build
from scenelet.quantization.convert import convert_float, quantize
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.clip_head import make_clip_head
from scenelet.tflite.metadata import attach, read

pytestmark = pytest.mark.train

LABELS = ("park", "tram", "bus")


def _recipe():
    blocks = [
        {"filters": 4, "kernel": [3, 3], "order": "conv_bn_relu"},
        {"filters": 5, "kernel": [3, 1], "pool": [2, 2]},
        {"filters": 6, "kernel": [1, 3]},
    ]
    model = {"kind": "cnn", "classes": 3, "blocks": blocks, "head": {"units": 7}}
    frontend = {"n_fft": 1024, "hop_length": 1024, "n_mels": 16}
    return recipe.parse({"name": "small", "frontend": frontend, "model": model}, "small")


@pytest.fixture(scope="module")
def small():
    loaded = _recipe()
    keras.utils.set_random_seed(1)
    model = build(loaded)
    generator = np.random.default_rng(0)
    for layer in model.layers:
        low, high = (0.5, 1.5) if isinstance(layer, keras.layers.BatchNormalization) else (-0.6, 0.6)
        layer.set_weights([generator.uniform(low, high, value.shape) for value in layer.get_weights()])
    return loaded, model, generator.integers(-128, 128, (24, 16, 8), np.int8)


def _compared(loaded, model, features):
    content = quantize(model, features, loaded, LABELS)
    return content, compare_networks(content, convert_float(model), features)


def test_every_operator_is_compared(small):
    loaded, model, features = small
    content, found = _compared(loaded, model, features)
    graph = LitertTarget(content).graph
    assert [row.op for row in found.layers] == [operator.op for operator in graph.operators]
    assert found.windows == 24
    assert found.agreement > 0.7
    assert all(row.sqnr_db > 15 for row in found.layers)


def test_the_ratio_is_what_its_name_says(small):
    loaded, model, features = small
    content, found = _compared(loaded, model, features)
    hidden = keras.Model(model.inputs[0], model.get_layer("relu1").output)
    wanted = hidden(features[..., None].astype(np.float32) / 64, training=False).numpy().astype(np.float64)
    target = LitertTarget(content)
    first = target.graph.tensors[target.graph.operators[0].outputs[0]]
    scale, zero = float(first.quantization.scale[0]), int(first.quantization.zero_point[0])
    values = np.concatenate([target.tensors(window)[first.index] for window in features]).astype(np.float64)
    noise = np.square(scale * (values - zero) - wanted).sum()
    row = found.layers[0]
    assert row.sqnr_db == pytest.approx(10 * np.log10(np.square(wanted).sum() / noise), abs=0.01)
    assert row.rms == pytest.approx(np.sqrt(np.square(wanted).mean()), rel=1e-4)
    assert row.added == pytest.approx(noise / np.square(wanted).sum(), rel=1e-3)  # features come in exactly


def test_a_layer_that_hurts_is_named(small):
    """The converter gives both sides of a MUL one scale, so a large factor costs the convolution before it steps."""
    loaded, model, features = small
    spoiled = keras.models.clone_model(model)
    spoiled.set_weights(model.get_weights())
    norm = spoiled.get_layer("bn2")
    gamma, *others = norm.get_weights()
    gamma[0] *= 1000
    norm.set_weights([gamma, *others])
    _, found = _compared(loaded, spoiled, features)
    _, before = _compared(loaded, model, features)
    assert found.worst.name == "1:conv2"
    assert found.worst.added > 1000 * before.worst.added
    assert found.worst.scale > 100 * before.layers[1].scale


def test_networks_that_differ_are_refused(small):
    loaded, model, features = small
    other = keras.Sequential([keras.Input((16, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ModelError, match="is not in the float network"):
        compare_networks(quantize(model, features, loaded, LABELS), convert_float(other), features)


def test_the_float_networks_scores_are_those_of_keras(small):
    loaded, model, features = small
    content = quantize(model, features, loaded, LABELS)
    samples = np.random.default_rng(1).normal(0, 2.0**18, (6, loaded.frontend.clip_samples)).astype(np.int32)
    with FloatTarget(content, convert_float(model)) as target:
        found = target.classify(samples)
        seen = open_frontend(target.tables).features(samples)
    wanted = model(seen[..., None].astype(np.float32) / 64, training=False).numpy()
    np.testing.assert_allclose((found + 128) / 256, wanted, atol=1e-5)


def test_a_clip_head_hears_the_float_networks_embeddings(small):
    loaded, model, features = small
    content = quantize(model, features, loaded, LABELS)
    with LitertTarget(content) as plain:
        dense = next(one for one in plain.graph.operators if one.op == "FULLY_CONNECTED")
        read_from = plain.graph.tensors[dense.outputs[0]]
    scale, zero_point = float(read_from.quantization.scale[0]), int(read_from.quantization.zero_point[0])
    chance = np.random.default_rng(3)
    weights = chance.normal(size=(read_from.elements * 2, 3)) / (scale * 60)
    head = make_clip_head(weights, chance.normal(size=3), ("mean", "max"), 4, scale, zero_point)
    info = read(content).model_copy(update={"clip_head": head.model_copy(update={"tensor": read_from.name})})
    headed = attach(content, info)
    samples = chance.normal(0, 2.0**18, (6, loaded.frontend.clip_samples)).astype(np.int32)
    with FloatTarget(headed, convert_float(model)) as exact, LitertTarget(headed) as int8:
        found, near = exact.hear(samples), int8.hear(samples)
        np.testing.assert_array_equal(found.scores, exact.classify(samples))
    assert found.clip.shape == near.clip.shape == (6, 3)
    assert np.mean(found.clip.argmax(axis=1) == near.clip.argmax(axis=1)) > 0.6
