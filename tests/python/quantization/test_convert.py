"""Full INT8 conversion."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from scenelet.errors import ModelError
from scenelet.quantization.convert import quantize
from scenelet.tflite import metadata

pytestmark = pytest.mark.train

LABELS = ("park", "tram", "bus")


@pytest.fixture(scope="module")
def converted(networks):
    loaded = networks.cnn()
    model = networks.randomised(loaded)
    features = networks.features(loaded, 40)
    return loaded, model, features, quantize(model, features, loaded, LABELS, dataset="city")


def _interpreter(content):
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    return interpreter


def _run(content, features):
    interpreter = _interpreter(content)
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    outputs = []
    for window in features:
        interpreter.set_tensor(source, window[None, ..., None])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target)[0])
    return np.array(outputs)


def test_everything_is_int8_and_the_input_takes_features_as_they_are(converted):
    *_, content = converted
    interpreter = _interpreter(content)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert source["quantization"] == (1 / 64, 0)
    assert target["quantization"] == (1 / 256, -128)
    assert {np.dtype(t["dtype"]).name for t in interpreter.get_tensor_details()} == {"int8", "int32"}


def test_int8_scores_follow_the_float_network(converted):
    _, model, features, content = converted
    expected = model(features[..., None].astype(np.float32) / 64, training=False).numpy()
    found = (_run(content, features) + 128.0) / 256
    assert np.abs(found - expected).max() < 0.03
    assert np.ptp(expected, axis=0).max() > 0.03  # else a constant would have passed


def test_the_same_network_gives_the_same_bytes(converted):
    loaded, model, features, content = converted
    assert quantize(model, features, loaded, LABELS, dataset="city") == content


def test_a_network_that_was_used_before_gives_the_same_bytes(converted, networks):
    loaded, _, features, content = converted
    other = networks.randomised(loaded)
    other(np.zeros((5, 16, 8, 1), np.float32))
    assert quantize(other, features, loaded, LABELS, dataset="city") == content


def test_the_file_says_what_it_is(converted):
    loaded, *_, content = converted
    info = metadata.read(content)
    assert info is not None
    assert (info.labels, info.frontend, info.recipe) == (LABELS, loaded.frontend, "small")
    assert (info.recipe_sha256, info.dataset) == (loaded.sha256, "city")


def test_tensors_are_named_after_layers(converted):
    *_, content = converted
    names = [tensor["name"] for tensor in _interpreter(content).get_tensor_details()]
    assert {"features", "conv1", "conv1/kernel", "conv1/bias", "bn2/mul", "bn2/scale", "softmax"} <= set(names)
    assert not [name for name in names if ";" in name or "small" in name]


@pytest.mark.parametrize("value", [-128, 0, 127])
def test_calibration_without_the_ends_of_the_range_still_gives_the_scale(value, converted):
    loaded, model, *_ = converted
    flat = np.full((2, 16, 8), value, np.int8)
    quantize(model, flat, loaded, LABELS)  # raises where the input's scale is not 1/64
    assert (flat == value).all()  # the caller's windows are left alone


@pytest.mark.parametrize(
    ("features", "labels", "told"),
    [
        (np.zeros((2, 16, 8), np.float32), LABELS, "float32"),
        (np.zeros((2, 8, 16), np.int8), LABELS, r"\(2, 8, 16\)"),
        (np.zeros((0, 16, 8), np.int8), LABELS, r"\(0, 16, 8\)"),
        (np.zeros((2, 16, 8), np.int8), LABELS[:2], "2 labels for 3 scores"),
        (np.zeros((2, 16, 8), np.int8), (*LABELS[:2], "x" * 65), "class 'x+': its name has 65 characters"),
    ],
)
def test_what_does_not_fit_is_refused(features, labels, told, converted):
    loaded, model, *_ = converted
    with pytest.raises(ModelError, match=told):
        quantize(model, features, loaded, labels)


def test_reading_metadata_does_not_import_tensorflow():
    code = "import sys, scenelet.tflite.metadata, scenelet.quantization.convert, scenelet.models.architecture as _; "
    code += "print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
