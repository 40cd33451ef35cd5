"""Removing filters from a trained chain of convolutions, and their channels from the layers that follow.

The output of a filter whose kernel is zero is a constant per channel, which batch normalization makes other than zero.
When a filter is removed, this constant is added to the bias of the next layer through that layer's kernel. So removing
a filter whose kernel is zero changes no output where the next kernel lies within the map; where it reaches into the
zero padding, no output changes if the constant is zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import Block, CnnConfig, Recipe
from ...models.backend import keras
from ...models.keras_model import build

Kept = Sequence[NDArray[np.int64]]


def filter_norms(model: keras.Model, blocks: int) -> list[NDArray[np.float64]]:
    """L1 norm of every filter's kernel, one array per convolution (Li et al. 2017)."""
    kernels = (model.get_layer(f"conv{number}").get_weights()[0] for number in range(1, blocks + 1))
    return [np.abs(kernel).sum(axis=(0, 1, 2), dtype=np.float64) for kernel in kernels]


def with_filters(recipe: Recipe, filters: Sequence[int], name: str) -> Recipe:
    """Change the numbers of filters of a recipe's convolutions and mark it as meant for a board."""
    assert isinstance(recipe.model, CnnConfig)
    blocks = tuple(
        block.model_copy(update={"filters": count}) for block, count in zip(recipe.model.blocks, filters, strict=True)
    )
    model = recipe.model.model_copy(update={"blocks": blocks})
    description = f"{recipe.name} with {', '.join(map(str, filters))} filters"
    return recipe.model_copy(update={"name": name, "description": description, "model": model, "deployable": True})


def _zero_kernel_output(block: Block, bias: NDArray[np.float32], norm: keras.layers.Layer) -> NDArray[np.float32]:
    """Output of a block, after its last ReLU and its pool, for a kernel of zeros; one value per filter."""
    gamma, beta, mean, variance = norm.get_weights()
    before = bias if block.order == "conv_bn_relu" else np.maximum(bias, 0)
    return np.asarray(np.maximum((before - mean) / np.sqrt(variance + norm.epsilon) * gamma + beta, 0), np.float32)


def _prune_dense(
    kernel: NDArray[np.float32], bias: NDArray[np.float32], kept: NDArray[np.int64], constant: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Remove channels from the layer after the last map; its rows are that map's values, channels innermost."""
    by_channel = kernel.reshape(-1, len(constant), kernel.shape[1])
    removed = np.delete(np.arange(len(constant)), kept)
    carried = np.einsum("pcu,c->u", by_channel[:, removed], constant[removed])
    return [by_channel[:, kept].reshape(-1, kernel.shape[1]), bias + carried]


def remove_filters(model: keras.Model, recipe: Recipe, narrow: Recipe, kept: Kept) -> keras.Model:
    """Build the narrower network with the kept weights of the wider one.

    Parameters
    ----------
    model, recipe
        The trained network, a plain chain of convolutions, and its recipe.
    narrow
        The same recipe with as many filters as are kept.
    kept
        Sorted indices of the kept filters, one array per convolution.

    Returns
    -------
    keras.Model
        With the weights of all convolutions, batch normalizations (moving mean and variance included) and dense layers.
    """
    assert isinstance(recipe.model, CnnConfig)
    made = build(narrow)
    incoming, constant = np.arange(recipe.input_shape[2]), np.zeros(recipe.input_shape[2], np.float32)
    for number, (block, stay) in enumerate(zip(recipe.model.blocks, kept, strict=True), 1):
        kernel, bias = model.get_layer(f"conv{number}").get_weights()
        removed = np.delete(np.arange(kernel.shape[2]), incoming)
        bias = bias + np.einsum("hwio,i->o", kernel[:, :, removed], constant[removed])
        made.get_layer(f"conv{number}").set_weights([kernel[:, :, incoming][..., stay], bias[stay]])
        norm = model.get_layer(f"bn{number}")
        made.get_layer(f"bn{number}").set_weights([values[stay] for values in norm.get_weights()])
        incoming, constant = stay, _zero_kernel_output(block, bias, norm)
    kernel, bias = model.get_layer("embedding").get_weights()
    made.get_layer("embedding").set_weights(_prune_dense(kernel, bias, incoming, constant))
    made.get_layer("scores").set_weights(model.get_layer("scores").get_weights())
    return made
