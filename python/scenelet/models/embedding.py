"""A classifier seen from inside: what distillation looks at."""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from .backend import keras, tf


class EmbeddingModel:
    """A network's embedding and logits, sharing its weights.

    The embedding is what goes into the last layer, before dropout: of a student the Dense layer ``embedding``, of the
    one-against-all teacher the members' joined embeddings ``concatenate``. The logits are what the last layer's softmax
    is taken of; distillation softens them, so it needs them before any softmax.

    Parameters
    ----------
    model
        Built by :func:`scenelet.models.keras_model.build`.

    Raises
    ------
    ModelError
        Where the network does not end in such layers.
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
        embedding, seen = self._inside(inputs, training=training)
        return embedding, tf.matmul(seen, self._last.kernel) + self._last.bias
