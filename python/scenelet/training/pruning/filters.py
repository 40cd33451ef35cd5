"""Cutting filters out of a trained chain of convolutions: every layer that sees a filter is cut by the same choice.

A filter that goes leaves its idle output behind: what the layers after it would see if its kernel were zero, which
batch normalisation makes a constant other than zero. The next layer's bias takes that constant over. So cutting a
filter whose kernel is zero changes nothing where the next kernel lies within the map; where it reaches into the zero
padding, nothing either if the constant is zero.
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
    """L1 norm of every filter's kernel, an array a convolution (Li et al. 2017)."""
    kernels = (model.get_layer(f"conv{number}").get_weights()[0] for number in range(1, blocks + 1))
    return [np.abs(kernel).sum(axis=(0, 1, 2), dtype=np.float64) for kernel in kernels]


def with_filters(recipe: Recipe, filters: Sequence[int], name: str) -> Recipe:
    """Give a recipe's convolutions other numbers of filters, for a board."""
    assert isinstance(recipe.model, CnnConfig)
    blocks = tuple(
        block.model_copy(update={"filters": count}) for block, count in zip(recipe.model.blocks, filters, strict=True)
    )
    model = recipe.model.model_copy(update={"blocks": blocks})
    told = f"{recipe.name} with {', '.join(map(str, filters))} filters"
    return recipe.model_copy(update={"name": name, "description": told, "model": model, "deployable": True})


def _idle(block: Block, bias: NDArray[np.float32], norm: keras.layers.Layer) -> NDArray[np.float32]:
    """Output of a block (behind its last ReLU and its pool) where the kernel is zero, one value a filter."""
    gamma, beta, mean, variance = norm.get_weights()
    before = bias if block.order == "conv_bn_relu" else np.maximum(bias, 0)
    return np.asarray(np.maximum((before - mean) / np.sqrt(variance + norm.epsilon) * gamma + beta, 0), np.float32)


def _cut_dense(
    kernel: NDArray[np.float32], bias: NDArray[np.float32], kept: NDArray[np.int64], idle: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Cut the layer behind the last map; its rows are that map's values, channels innermost."""
    by_channel = kernel.reshape(-1, len(idle), kernel.shape[1])
    gone = np.delete(np.arange(len(idle)), kept)
    carried = np.einsum("pcu,c->u", by_channel[:, gone], idle[gone])
    return [by_channel[:, kept].reshape(-1, kernel.shape[1]), bias + carried]


def cut(model: keras.Model, recipe: Recipe, narrow: Recipe, kept: Kept) -> keras.Model:
    """Build the narrower network with the surviving weights of the wider one.

    Parameters
    ----------
    model, recipe
        The trained network, a plain chain of convolutions, and its recipe.
    narrow
        The same with as many filters as are kept.
    kept
        Sorted numbers of the filters that stay, an array a convolution.

    Returns
    -------
    keras.Model
        With convolutions, batch normalisations (moving mean and variance included) and dense layers all taken over.
    """
    assert isinstance(recipe.model, CnnConfig)
    made = build(narrow)
    incoming, idle = np.arange(recipe.input_shape[2]), np.zeros(recipe.input_shape[2], np.float32)
    for number, (block, stay) in enumerate(zip(recipe.model.blocks, kept, strict=True), 1):
        kernel, bias = model.get_layer(f"conv{number}").get_weights()
        gone = np.delete(np.arange(kernel.shape[2]), incoming)
        bias = bias + np.einsum("hwio,i->o", kernel[:, :, gone], idle[gone])
        made.get_layer(f"conv{number}").set_weights([kernel[:, :, incoming][..., stay], bias[stay]])
        norm = model.get_layer(f"bn{number}")
        made.get_layer(f"bn{number}").set_weights([values[stay] for values in norm.get_weights()])
        incoming, idle = stay, _idle(block, bias, norm)
    kernel, bias = model.get_layer("embedding").get_weights()
    made.get_layer("embedding").set_weights(_cut_dense(kernel, bias, incoming, idle))
    made.get_layer("scores").set_weights(model.get_layer("scores").get_weights())
    return made
