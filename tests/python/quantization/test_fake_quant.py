"""The fake-quantised network is the INT8 network: constants equal, tensors equal, and it can be trained."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.errors import ModelError
from scenelet.models.backend import tf
from scenelet.quantization.convert import convert_float, quantize
from scenelet.quantization.fake_quant import FakeQuantised, network, to_integers, write_constants
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model

pytestmark = pytest.mark.train

LABELS = ("park", "tram", "bus")


def _made(networks, kind):
    loaded = getattr(networks, kind)()
    model = networks.randomised(loaded)
    content = quantize(model, networks.features(loaded, 24), loaded, LABELS)
    return loaded, content, network(read_model(content), read_model(convert_float(model)))


@pytest.fixture(scope="module", params=["cnn", "flat", "mobile"])
def made(request, networks):
    return _made(networks, request.param)


def _layer(model):
    return next(layer for layer in model.layers if isinstance(layer, FakeQuantised))


def _inputs(features):
    return features[..., None].astype(np.float32) / 64


def _differences(content, layer, features):
    """By tensor: largest difference, share of values that differ, and the spread of what is compared."""
    target, graph = LitertTarget(content), read_model(content)
    found = layer.tensors(tf.constant(_inputs(features)))
    told = [target.tensors(window) for window in features]
    rows = {}
    for operator in graph.operators:
        tensor = graph.tensors[operator.outputs[0]]
        mine = to_integers(tensor, found[tensor.index]).astype(int)
        theirs = np.stack([one[tensor.index].reshape(mine.shape[1:]) for one in told]).astype(int)
        rows[tensor.name] = (np.abs(mine - theirs).max(), (mine != theirs).mean(), np.ptp(theirs))
    return rows


def test_constants_are_the_converters_to_the_bit(made):
    _, content, model = made
    graph, constants = read_model(content), _layer(model).constants()
    assert len(constants) >= 8
    for index, (integers, scale) in constants.items():
        tensor = graph.tensors[index]
        np.testing.assert_array_equal(integers, tensor.data, tensor.name)
        np.testing.assert_array_equal(scale, tensor.quantization.scale, tensor.name)


def test_every_tensor_is_that_of_the_int8_network(made, networks):
    loaded, content, model = made
    rows = _differences(content, _layer(model), networks.features(loaded, 16, seed=5))
    for name, (largest, share, spread) in rows.items():
        assert spread > 20, name
        assert (largest, share < 0.01) <= (1, True), name


def test_it_still_is_when_its_constants_have_moved(made, networks):
    """After training, too, the file that is written is the network that was trained."""
    loaded, content, model = made
    layer = _layer(model)
    kept = model.get_weights()
    generator = np.random.default_rng(1)
    model.set_weights([values * generator.uniform(0.8, 1.2, values.shape) for values in kept])
    written = write_constants(content, layer.constants())
    rows = _differences(written, layer, networks.features(loaded, 16, seed=6))
    model.set_weights(kept)
    assert max(largest for largest, _, _ in rows.values()) <= 1
    assert np.mean([share for _, share, _ in rows.values()]) < 0.01
    before, after = read_model(content), read_model(written)
    moved = [not np.array_equal(before.tensors[i].data, after.tensors[i].data) for i in layer.constants()]
    assert all(moved)
    for index, tensor in before.tensors.items():  # activations' ranges stay
        if not tensor.constant:
            np.testing.assert_array_equal(after.tensors[index].quantization.scale, tensor.quantization.scale)


def test_untouched_constants_give_a_file_of_the_same_meaning(made):
    _, content, model = made
    written = write_constants(content, _layer(model).constants())
    before, after = read_model(content), read_model(written)
    for index, tensor in before.tensors.items():
        if tensor.constant:
            np.testing.assert_array_equal(after.tensors[index].data, tensor.data)
    assert abs(len(written) - len(content)) <= 16 * len(before.tensors)


def test_gradients_reach_every_constant(made, networks):
    loaded, _, model = made
    inputs = tf.constant(_inputs(networks.features(loaded, 16, seed=7)))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(model(inputs, training=True)[:, 0]))
    for variable, slope in zip(model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True):
        assert slope is not None, variable.path
        assert np.isfinite(slope).all(), variable.path
        assert np.abs(slope).max() > 0, variable.path


def test_what_is_no_recipes_network_is_named(networks):
    loaded = networks.one_against_all()
    model = networks.randomised(loaded)
    content = quantize(model, networks.features(loaded, 4), loaded, LABELS)
    with pytest.raises(ModelError, match="CONCATENATION cannot be trained quantised"):
        network(read_model(content), read_model(convert_float(model)))


def test_a_constant_that_the_float_file_lacks_is_named(networks):
    loaded = networks.cnn()
    model = networks.randomised(loaded)
    content = quantize(model, networks.features(loaded, 4), loaded, LABELS)
    other = networks.mobile()
    with pytest.raises(ModelError, match="'conv2/kernel' is not in the float network"):
        network(read_model(content), read_model(convert_float(networks.randomised(other))))
