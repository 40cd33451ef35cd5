"""Cutting filters: what has no effect can go, and what stays keeps its weights."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from scenelet.models.backend import tf
from scenelet.models.embedding import EmbeddingModel
from scenelet.training.pruning.filters import filter_norms, remove_filters, with_filters

pytestmark = pytest.mark.train

KEPT = [np.array([0, 3]), np.array([1, 2, 4]), np.array([0, 2, 3, 5])]


def _silence(model, *, mute):
    """Zero the kernels of all filters that are not kept; with ``mute``, let nothing else of them be heard either."""
    for number, kept in enumerate(KEPT, 1):
        conv, norm = model.get_layer(f"conv{number}"), model.get_layer(f"bn{number}")
        kernel, bias = conv.get_weights()
        gone = np.delete(np.arange(len(bias)), kept)
        kernel[..., gone] = 0
        gamma, beta, mean, variance = norm.get_weights()
        if mute:
            bias[gone] = beta[gone] = mean[gone] = 0
        conv.set_weights([kernel, bias])
        norm.set_weights([gamma, beta, mean, variance])


def _outputs(model, features):
    return [said.numpy() for said in EmbeddingModel(model)(features[..., None].astype(np.float32) / 64, training=False)]


@pytest.mark.parametrize("kind", ["cnn", "flat"])
def test_removing_zeroed_filters_leaves_the_function_unchanged(kind, networks):
    recipe = getattr(networks, kind)()
    model = networks.randomised(recipe)
    before = _outputs(model, networks.features(recipe, 8))
    _silence(model, mute=True)
    wanted = _outputs(model, networks.features(recipe, 8))
    assert np.abs(wanted[1] - before[1]).max() > 1e-2  # the silenced filters were heard
    narrow = with_filters(recipe, [len(kept) for kept in KEPT], "narrow")
    made = remove_filters(model, recipe, narrow, KEPT)
    for found, expected in zip(_outputs(made, networks.features(recipe, 8)), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_the_constant_that_batch_normalisation_makes_of_a_zeroed_filter_stays(networks):
    """With 1 x 1 kernels no padding is seen, so even a filter that is idle, but not at zero, goes without a trace."""
    values = networks.cnn().model.model_dump()
    blocks = [{**block, "kernel": [1, 1]} for block in values["blocks"]]
    recipe = networks.recipe({**values, "blocks": blocks})
    model = networks.randomised(recipe)
    _silence(model, mute=False)
    features = networks.features(recipe, 8)
    wanted = _outputs(model, features)
    narrow = with_filters(recipe, [len(kept) for kept in KEPT], "narrow")
    for found, expected in zip(_outputs(remove_filters(model, recipe, narrow, KEPT), features), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_what_stays_keeps_its_weights(networks):
    recipe = networks.cnn()
    model = networks.randomised(recipe)
    _silence(model, mute=True)
    made = remove_filters(model, recipe, with_filters(recipe, [len(kept) for kept in KEPT], "narrow"), KEPT)
    incoming = np.array([0])
    for number, kept in enumerate(KEPT, 1):
        kernel, bias = model.get_layer(f"conv{number}").get_weights()
        found, found_bias = made.get_layer(f"conv{number}").get_weights()
        np.testing.assert_array_equal(found, kernel[:, :, incoming][..., kept])
        np.testing.assert_allclose(found_bias, bias[kept], rtol=1e-6)
        for old, new in zip(
            model.get_layer(f"bn{number}").get_weights(), made.get_layer(f"bn{number}").get_weights(), strict=True
        ):
            np.testing.assert_array_equal(new, old[kept])  # gamma, beta, moving mean, moving variance
        incoming = kept
    old, new = model.get_layer("embedding").get_weights(), made.get_layer("embedding").get_weights()
    np.testing.assert_array_equal(new[0], old[0][KEPT[-1]])
    for old, new in itertools.zip_longest(
        model.get_layer("scores").get_weights(), made.get_layer("scores").get_weights()
    ):
        np.testing.assert_array_equal(new, old)


def test_norms_are_sums_over_a_filters_kernel(networks):
    model = networks.randomised(networks.cnn())
    norms = filter_norms(model, 3)
    assert [len(norm) for norm in norms] == [4, 5, 6]
    kernel = model.get_layer("conv2").get_weights()[0]
    assert norms[1][3] == pytest.approx(sum(abs(value) for value in kernel[..., 3].ravel()))


def test_a_view_sees_embedding_and_logits(networks):
    for recipe, width in ((networks.cnn(), 7), (networks.one_against_all(), 21)):
        model = networks.randomised(recipe)
        features = networks.features(recipe, 4)[..., None].astype(np.float32) / 64
        view = EmbeddingModel(model)
        embedding, logits = view(features, training=False)
        assert (view.width, view.classes, embedding.shape) == (width, 3, (4, width))
        np.testing.assert_allclose(tf.nn.softmax(logits), model(features, training=False), rtol=1e-5)
