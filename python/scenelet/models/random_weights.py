"""Networks of recipes with random weights: speed, size and exactness as of trained networks, without training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import Recipe
from .backend import keras
from .keras_model import build

_CALIBRATION = 16


def random_network(recipe: Recipe, seed: int = 0) -> tuple[keras.Model, NDArray[np.int8]]:
    """Build a recipe's network with weights drawn from a seed.

    Parameters
    ----------
    recipe
        Of the network.
    seed
        Of weights and calibration features.

    Returns
    -------
    tuple
        The network, whose batch normalizations have random constants, some scales of them negative; and calibration
        features, int8 (16, mel bands, frames).
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = build(recipe)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape[0]
            gamma = rng.uniform(0.5, 1.5, channels) * rng.choice([1, 1, 1, -1], channels)
            beta, mean, variance = rng.normal(0, 0.3, channels), rng.normal(0, 0.3, channels), np.full(channels, 0.5)
            layer.set_weights([gamma, beta, mean, variance])
    features = rng.integers(-128, 128, (_CALIBRATION, *recipe.input_shape[:2])).astype(np.int8)
    return model, features
