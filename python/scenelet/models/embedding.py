"""Embedding and logits of a classifier, for distillation."""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from .backend import keras, tf


class EmbeddingModel:
    """A model of a network's embedding and logits that shares its weights.

    The embedding is the input of the last layer, before dropout: the output of the Dense layer ``embedding`` of a
    student, and of the layer ``concatenate`` of the one-against-all teacher. The logits are the inputs of the last
    layer's softmax.

    Parameters
    ----------
    model
        Built by :func:`scenelet.models.keras_model.build`.

    Raises
    ------
    ModelError
        Where the network has no such layers.

    Attributes
    ----------
    width, classes
        Width of the embedding, and number of logits.
    """

    def __init__(self, model: keras.Model) -> None:
        layers = {layer.name: layer for layer in model.layers}
        inner = layers.get("concatenate") or layers.get("embedding")
        last = layers.get("scores")
        if inner is None or last is None:
            raise ModelError(model.name, "has no layers 'embedding' and 'scores'", "give a network of this project")
        self._last: Any = last
        self._inside = keras.Model(model.inputs[0], [inner.output, last.input])
        self.width = int(inner.output.shape[-1])
        self.classes = int(model.output_shape[-1])

    def __call__(self, inputs: Any, training: bool) -> tuple[Any, Any]:
        """Embedding (batch, width) and logits (batch, classes) of inputs (batch, mel bands, frames, 1)."""
        embedding, last_input = self._inside(inputs, training=training)
        return embedding, tf.matmul(last_input, self._last.kernel) + self._last.bias
