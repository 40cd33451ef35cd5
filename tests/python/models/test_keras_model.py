"""A recipe, its Keras model and its .tflite file are one network."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.errors import ModelError
from scenelet.graph import cost
from scenelet.models.architecture import graph_of
from scenelet.models.backend import keras
from scenelet.models.from_keras import graph_of_model
from scenelet.models.keras_model import build, build_member
from scenelet.quantization.convert import quantize
from scenelet.tflite.reader import read_model

pytestmark = pytest.mark.train

KERAS_PARAMETERS = {"sm1": 51_986, "sm2": 68_090, "sm3": 85_194, "sm3_pruned": 64_290, "teacher": 519_770}
LABELS = [f"scene{number}" for number in range(10)]


@pytest.mark.parametrize("name", KERAS_PARAMETERS)
def test_keras_parameters_are_the_published_ones(name):
    assert build(recipe.load(name)).count_params() == KERAS_PARAMETERS[name]


def test_a_teachers_member_has_the_published_share():
    teacher = recipe.load("teacher")
    member = build_member(teacher, 3)
    assert member.count_params() - member.get_layer("scores").count_params() == 49_416
    assert member.output_shape == (None, 2)
    assert {layer.name for layer in member.layers if layer.weights} - {"scores"} <= {
        layer.name for layer in build(teacher).layers
    }


@pytest.mark.parametrize("name", recipe.shipped())
def test_keras_and_recipe_make_the_same_graph(name):
    loaded = recipe.load(name)
    of_recipe, of_keras = graph_of(loaded), graph_of_model(build(loaded))
    assert cost.count(of_keras) == cost.count(of_recipe)
    assert [o.attributes for o in of_keras.operators] == [o.attributes for o in of_recipe.operators]


@pytest.mark.parametrize("name", ["baseline", "sm1", "sm2", "sm3_pruned", "cp_mobile"])
def test_the_tflite_file_costs_what_the_recipe_does(name, networks):
    loaded = recipe.load(name)
    content = quantize(networks.randomised(loaded), networks.features(loaded, 2), loaded, LABELS)
    assert cost.count(read_model(content)) == cost.count(graph_of(loaded))


@pytest.mark.parametrize("kind", ["cnn", "flat", "mobile"])
def test_operators_and_attributes_are_the_converters(kind, networks):
    loaded = getattr(networks, kind)()
    content = quantize(networks.randomised(loaded), networks.features(loaded, 2), loaded, LABELS[:3])
    converted, predicted = read_model(content), graph_of(loaded)
    assert cost.count(converted) == cost.count(predicted)
    for found, expected in zip(converted.operators, predicted.operators, strict=True):
        assert found.op == expected.op
        told = {key: found.attributes[key] for key in expected.attributes if key in found.attributes}
        assert told == {key: expected.attributes[key] for key in told}


def test_a_mobile_networks_blocks_add_where_shapes_agree(networks):
    loaded = networks.mobile()
    graph = graph_of(loaded)
    names = {graph.tensors[o.outputs[0]].name: [graph.tensors[i].name for i in o.inputs] for o in graph.operators}
    assert {name: inputs for name, inputs in names.items() if name.startswith("add")} == {
        "add1": ["conv1", "project1"],
        "add3": ["project2", "project3"],
    }


def test_an_inverted_residual_by_hand(networks):
    """ReLU(x + P(ReLU(D(ReLU(E x))))), normalisation between: written out with the layers' own weights."""
    model = networks.randomised(networks.mobile())
    x = np.random.default_rng(0).normal(0, 1, (2, 8, 8, 4)).astype(np.float32)
    inside = keras.Model(model.get_layer("relu1").output, model.get_layer("block_relu1").output)

    def normalised(values, name):
        gamma, beta, mean, variance = model.get_layer(name).get_weights()
        return (values - mean) / np.sqrt(variance + 1e-3) * gamma + beta

    (expand, b1), (depth, b2), (project, b3) = (
        model.get_layer(name).get_weights() for name in ("expand1", "depthwise1", "project1")
    )
    wide = np.maximum(normalised(x @ expand[0, 0] + b1, "expand_bn1"), 0)
    padded = np.pad(wide, ((0, 0), (1, 1), (1, 1), (0, 0)))
    taps = sum(padded[:, i : i + 8, j : j + 8] * depth[i, j, :, 0] for i in range(3) for j in range(3))
    deep = np.maximum(normalised(taps + b2, "depthwise_bn1"), 0)
    expected = np.maximum(x + normalised(deep @ project[0, 0] + b3, "project_bn1"), 0)
    np.testing.assert_allclose(inside(x, training=False), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["cnn", "mobile"])
def test_tensors_of_the_file_are_named_like_the_recipes(kind, networks):
    loaded = getattr(networks, kind)()
    content = quantize(networks.randomised(loaded), networks.features(loaded, 2), loaded, LABELS[:3])
    found, expected = (
        [[graph.tensors[i].name for i in (*o.outputs, *o.inputs)] for o in graph.operators]
        for graph in (read_model(content), graph_of(loaded))
    )
    assert found == expected


def test_a_layer_that_is_not_counted_is_named():
    source = keras.Input((8, 8, 1))
    model = keras.Model(source, keras.layers.UpSampling2D(name="up")(source))
    with pytest.raises(ModelError, match="layer up: UpSampling2D"):
        graph_of_model(model)


def test_batch_norm_after_relu_stays_and_before_it_folds():
    source = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(2, 3, name="a")(source)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="b")(x))
    x = keras.layers.BatchNormalization(name="c")(x)
    ops = [(o.op, o.attributes["fused_activation_function"]) for o in graph_of_model(keras.Model(source, x)).operators]
    assert ops == [("CONV_2D", "RELU"), ("MUL", "NONE"), ("ADD", "NONE")]


def test_input_is_the_feature_over_64(networks):
    loaded = networks.cnn()
    assert build(loaded).input_shape == (None, 16, 8, 1)
    scores = networks.randomised(loaded)(np.zeros((2, 16, 8, 1), np.float32)).numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
