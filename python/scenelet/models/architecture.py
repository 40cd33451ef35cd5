"""A recipe's network as the operators that the TFLite converter will emit; needs no TensorFlow.

Layer names, shared with the Keras model: ``conv1 bn1 relu1 pool1 dropout1 conv2 ... pooling embedding scores``. A
mobile network's blocks are ``expand1 expand_bn1 expand_relu1 depthwise1 ... project1 project_bn1 add1 block_relu1``; in
the one-against-all teacher every member's layers begin with ``member0_``, ``member1_`` ...
"""

from __future__ import annotations

from ..config.recipe import Block, CnnConfig, InvertedResidual, MobileConfig, OneAgainstAllConfig, Recipe, require_pools
from ..graph import Graph
from ..graph.builder import GraphBuilder
from ..graph.cost import ClipHeadSize, Cost, count, with_clip_head


def _block(builder: GraphBuilder, source: int, block: Block, prefix: str, number: int) -> int:
    fused = "NONE" if block.order == "conv_bn_relu" else "RELU"
    x = builder.conv(source, f"{prefix}conv{number}", block.filters, block.kernel, activation=fused)
    x = builder.batch_norm(x, f"{prefix}bn{number}")
    x = builder.relu(x, f"{prefix}relu{number}")
    if block.pool != (1, 1):
        x = builder.pool(x, f"{prefix}pool{number}", block.pool_type, block.pool)
    return x


def _inverted(builder: GraphBuilder, source: int, block: InvertedResidual, number: int) -> int:
    x = builder.conv(source, f"expand{number}", block.expanded, (1, 1), activation="RELU")
    x = builder.depthwise(x, f"depthwise{number}", block.kernel, strides=block.strides, activation="RELU")
    x = builder.conv(x, f"project{number}", block.filters, (1, 1))
    if block.adds(builder.shape(source)[-1]):
        x = builder.add(source, x, f"add{number}")
    return builder.relu(x, f"block_relu{number}")


def _maps(builder: GraphBuilder, source: int, config: CnnConfig | MobileConfig, prefix: str) -> int:
    x = source
    if isinstance(config, MobileConfig):
        for number, stem in enumerate(config.stem, 1):
            x = builder.conv(x, f"conv{number}", stem.filters, stem.kernel, strides=stem.strides, activation="RELU")
        for number, inverted in enumerate(config.blocks, 1):
            x = _inverted(builder, x, inverted, number)
        return x
    for number, block in enumerate(config.blocks, 1):
        x = _block(builder, x, block, prefix, number)
    return x


def _embedding(builder: GraphBuilder, source: int, config: CnnConfig | MobileConfig, prefix: str = "") -> int:
    x = _maps(builder, source, config, prefix)
    if config.head.pooling == "average":
        x = builder.global_average(x, f"{prefix}pooling")
    return builder.dense(x, f"{prefix}embedding", config.head.units, activation="RELU")


def graph_of(recipe: Recipe) -> Graph:
    """Build the graph of a recipe.

    Returns
    -------
    Graph
        Operators as in the INT8 .tflite file, tensors without data.

    Raises
    ------
    RecipeError
        Where a pool is larger than its feature map.
    """
    require_pools(recipe, recipe.name)
    builder = GraphBuilder(recipe.name)
    features = builder.input("features", recipe.input_shape)
    model = recipe.model
    if isinstance(model, OneAgainstAllConfig):
        members = (_embedding(builder, features, model.member, f"member{k}_") for k in range(model.classes))
        embedding = builder.concatenate(tuple(members), "concatenate")
    else:
        embedding = _embedding(builder, features, model)
    logits = builder.dense(embedding, "scores", model.classes)
    return builder.finish((features,), (builder.softmax(logits, "softmax"),))


def cost_of_recipe(recipe: Recipe) -> Cost:
    """Count the cost of a recipe's network, its clip head included.

    Raises
    ------
    RecipeError
        Where a pool is larger than its feature map.
    """
    cost, config, model = count(graph_of(recipe)), recipe.clip_head, recipe.model
    if config is None or isinstance(model, OneAgainstAllConfig):
        return cost
    size = ClipHeadSize(model.head.units, len(config.statistics), config.windows, model.classes)
    return with_clip_head(cost, size)
