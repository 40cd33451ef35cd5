"""A recipe's network as a Keras model.

Input: float32 (batch, mel bands, frames, 1), the front end's INT8 feature divided by 64.
Output: softmax (batch, classes).
"""

from __future__ import annotations

from ..config.recipe import (
    Block,
    CnnConfig,
    InvertedResidual,
    MobileConfig,
    OneAgainstAllConfig,
    Recipe,
    Stem,
    require_pools,
)
from .backend import keras

layers = keras.layers

# Keras's default of 0.99 needs hundreds of steps to follow the statistics; a small data set has 15 per epoch.
_BN_MOMENTUM = 0.9


def _block(x: keras.KerasTensor, block: Block, prefix: str, number: int) -> keras.KerasTensor:
    fused = None if block.order == "conv_bn_relu" else "relu"
    x = layers.Conv2D(block.filters, block.kernel, padding="same", activation=fused, name=f"{prefix}conv{number}")(x)
    x = layers.BatchNormalization(momentum=_BN_MOMENTUM, name=f"{prefix}bn{number}")(x)
    x = layers.ReLU(name=f"{prefix}relu{number}")(x)
    if block.pool != (1, 1):
        pool = layers.MaxPooling2D if block.pool_type == "max" else layers.AveragePooling2D
        x = pool(block.pool, name=f"{prefix}pool{number}")(x)
    if block.dropout:
        x = layers.Dropout(block.dropout, name=f"{prefix}dropout{number}")(x)
    return x


def _normalised(x: keras.KerasTensor, part: str, number: int) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=_BN_MOMENTUM, name=f"{part}bn{number}")(x)


def _stem(x: keras.KerasTensor, stem: Stem, number: int) -> keras.KerasTensor:
    x = layers.Conv2D(stem.filters, stem.kernel, stem.strides, padding="same", name=f"conv{number}")(x)
    return layers.ReLU(name=f"relu{number}")(_normalised(x, "", number))


def _inverted(source: keras.KerasTensor, block: InvertedResidual, number: int) -> keras.KerasTensor:
    x = layers.Conv2D(block.expanded, 1, padding="same", name=f"expand{number}")(source)
    x = layers.ReLU(name=f"expand_relu{number}")(_normalised(x, "expand_", number))
    x = layers.DepthwiseConv2D(block.kernel, block.strides, padding="same", name=f"depthwise{number}")(x)
    x = layers.ReLU(name=f"depthwise_relu{number}")(_normalised(x, "depthwise_", number))
    x = _normalised(layers.Conv2D(block.filters, 1, padding="same", name=f"project{number}")(x), "project_", number)
    if block.adds(source.shape[-1]):
        x = layers.Add(name=f"add{number}")([source, x])
    x = layers.ReLU(name=f"block_relu{number}")(x)
    return layers.Dropout(block.dropout, name=f"dropout{number}")(x) if block.dropout else x


def _maps(x: keras.KerasTensor, config: CnnConfig | MobileConfig, prefix: str) -> keras.KerasTensor:
    if isinstance(config, MobileConfig):
        for number, stem in enumerate(config.stem, 1):
            x = _stem(x, stem, number)
        for number, inverted in enumerate(config.blocks, 1):
            x = _inverted(x, inverted, number)
        return x
    for number, block in enumerate(config.blocks, 1):
        x = _block(x, block, prefix, number)
    return x


def _embedding(x: keras.KerasTensor, config: CnnConfig | MobileConfig, prefix: str = "") -> keras.KerasTensor:
    x = _maps(x, config, prefix)
    flat = layers.GlobalAveragePooling2D if config.head.pooling == "average" else layers.Flatten
    x = flat(name=f"{prefix}pooling")(x)
    return layers.Dense(config.head.units, activation="relu", name=f"{prefix}embedding")(x)


def _classify(x: keras.KerasTensor, classes: int, dropout: float = 0.0) -> keras.KerasTensor:
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    return layers.Dense(classes, activation="softmax", name="scores")(x)


def build(recipe: Recipe) -> keras.Model:
    """Build a recipe's network with initial weights.

    The one-against-all teacher is the concatenated embeddings of its members and one Dense softmax.

    Raises
    ------
    RecipeError
        Where a pool is larger than its feature map.
    """
    require_pools(recipe, recipe.name)
    features = keras.Input(recipe.input_shape, name="features")
    model = recipe.model
    if isinstance(model, OneAgainstAllConfig):
        members = [_embedding(features, model.member, f"member{k}_") for k in range(model.classes)]
        scores = _classify(layers.Concatenate(name="concatenate")(members), model.classes)
    else:
        scores = _classify(_embedding(features, model), model.classes, model.head.dropout)
    return keras.Model(features, scores, name=recipe.name)


def build_member(recipe: Recipe, number: int) -> keras.Model:
    """Build one member of a one-against-all teacher: "class ``number`` against the rest", a softmax over two.

    Score 0 is the rest, score 1 the class. Layers have the same names as in the teacher, so that weights are copied by
    name.
    """
    require_pools(recipe, recipe.name)
    if not isinstance(recipe.model, OneAgainstAllConfig):
        raise TypeError(f"recipe {recipe.name} is not a one-against-all teacher")
    features = keras.Input(recipe.input_shape, name="features")
    embedding = _embedding(features, recipe.model.member, f"member{number}_")
    scores = _classify(embedding, 2, recipe.model.member.head.dropout)
    return keras.Model(features, scores, name=f"{recipe.name}_member{number}")
