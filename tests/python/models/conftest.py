"""Small networks and random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.config.recipe import Recipe
from scenelet.models.backend import keras
from scenelet.models.keras_model import build

SMALL_FRONTEND = {"n_fft": 1024, "hop_length": 1024, "n_mels": 16}
SMALL_CNN = {
    "kind": "cnn",
    "classes": 3,
    "blocks": [
        {"filters": 4, "kernel": [3, 3], "order": "conv_bn_relu"},
        {"filters": 5, "kernel": [3, 1], "pool": [2, 2], "pool_type": "average", "dropout": 0.2},
        {"filters": 6, "kernel": [1, 3], "pool": [3, 2]},
    ],
    "head": {"pooling": "average", "units": 7, "dropout": 0.3},
}
SMALL_MOBILE = {
    "kind": "mobile",
    "classes": 3,
    "stem": [{"filters": 4, "strides": [2, 1]}],
    "blocks": [
        {"filters": 4, "expanded": 6},
        {"filters": 5, "expanded": 7, "kernel": [3, 1], "strides": [2, 2], "dropout": 0.2},
        {"filters": 5, "expanded": 8, "kernel": [1, 5]},
    ],
    "head": {"pooling": "average", "units": 7, "dropout": 0.3},
}


def small(model: dict[str, Any] | None = None, **values: Any) -> Recipe:
    return recipe.parse({"name": "small", "frontend": SMALL_FRONTEND, "model": model or SMALL_CNN, **values}, "small")


def randomised(loaded: Recipe, seed: int = 0) -> keras.Model:
    """A recipe's network with random weights; trained ones have no equal constants that the converter could merge."""
    model = build(loaded)
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        low, high = (0.5, 1.5) if isinstance(layer, keras.layers.BatchNormalization) else (-0.9, 0.9)
        layer.set_weights([generator.uniform(low, high, value.shape) for value in layer.get_weights()])
    return model


def random_features(loaded: Recipe, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (count, *loaded.input_shape[:2]), np.int8)


@pytest.fixture(scope="session")
def networks() -> Any:
    class Networks:
        cnn = staticmethod(lambda: small())
        one_against_all = staticmethod(
            lambda: small({"kind": "one_against_all", "classes": 3, "member": {**SMALL_CNN, "classes": 2}})
        )
        mobile = staticmethod(lambda: small(SMALL_MOBILE))
        flat = staticmethod(lambda: small({**SMALL_CNN, "head": {"pooling": "flatten", "units": 7}}))

    Networks.recipe = staticmethod(small)
    Networks.randomised = staticmethod(randomised)
    Networks.features = staticmethod(random_features)
    return Networks
