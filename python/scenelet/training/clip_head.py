"""Fits the clip head: a softmax layer over statistics of the embeddings of the last windows of a clip.

It is fitted after the network, whose weights stay. Its examples are what a device remembers after each window of a
training clip: the embeddings of the last windows that are not silent, at most ``windows`` of them. The weights begin as
the network's own last layer, applied to the mean embedding, and are drawn towards it by ``l2``; so a clip head that
finds nothing to learn answers as the network does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.clip_head import ClipHeadConfig
from ..config.recipe import Recipe
from ..core.files import is_there, read_bytes, write_bytes
from ..core.sealed import pack, unpack
from ..errors import DamagedFileError, InputError
from ..models.backend import keras
from ..models.embedding import EmbeddingModel
from .softmax_regression import SoftmaxLayer, fit_softmax, softmax
from .windows import Windows

FILE = "clip_head.npz"
_BATCH = 256
_AGAIN = "delete the folder and train again"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FloatHead:
    """The clip head in floating point.

    Attributes
    ----------
    config
        Windows and statistics.
    weights
        (statistics x width, classes): all values' first statistic, then all values' second one ...
    bias
        (classes,).
    """

    config: ClipHeadConfig
    weights: Floats
    bias: Floats

    def probabilities(self, embeddings: Floats) -> Floats:
        """Probabilities (classes,) of the last windows of ``embeddings`` (n, width), n at least 1."""
        return softmax(statistics(embeddings[-self.config.windows :], self.config) @ self.weights + self.bias)

    def of_clips(self, embeddings: Floats, data: Windows) -> Floats:
        """Probabilities of clips, (clips, classes); zeros for a clip without a window that is not silent."""
        found = np.zeros((int(data.clips.max()) + 1, len(self.bias)))
        active = data.active
        for clip in np.unique(data.clips[active]):
            found[clip] = self.probabilities(embeddings[active[data.clips[active] == clip]])
        return found


def statistics(embeddings: Floats, config: ClipHeadConfig) -> Floats:
    """Statistics of embeddings (n, width) over the windows, one after the other, flat."""
    made = {"mean": embeddings.mean(axis=0), "max": embeddings.max(axis=0), "deviation": embeddings.std(axis=0)}
    return np.concatenate([made[name] for name in config.statistics])


def embeddings_of(model: keras.Model, data: Windows) -> Floats:
    """Embeddings of all windows, (n, width)."""
    network, parts = EmbeddingModel(model), []
    for start in range(0, len(data), _BATCH):
        inputs = data.batch(np.arange(start, min(start + _BATCH, len(data))))
        parts.append(network(inputs, training=False)[0].numpy())
    return np.concatenate(parts).astype(np.float64)


def _examples(embeddings: Floats, data: Windows, config: ClipHeadConfig) -> tuple[Floats, NDArray[np.int64]]:
    """Statistics and classes of what is remembered after each window of each clip."""
    rows, classes = [], []
    active = data.active
    for clip in np.unique(data.clips[active]):
        own = active[data.clips[active] == clip]
        for end in range(1, len(own) + 1):
            rows.append(statistics(embeddings[own[max(0, end - config.windows) : end]], config))
            classes.append(data.classes[own[0]])
    return np.array(rows), np.array(classes)


def fit_clip_head(model: keras.Model, train: Windows, recipe: Recipe) -> FloatHead:
    """Fit the clip head of a trained network.

    The loss is the mean cross entropy with the recipe's label smoothing, classes weighted alike, and ``l2`` times the
    squared distance of the weights from the network's last layer, per unit of each statistic's spread.

    Parameters
    ----------
    model
        The network, with layers "embedding" and "scores".
    train
        Its training windows, altered copies included.
    recipe
        With the section ``clip_head``.
    """
    config = recipe.clip_head
    assert config is not None, "the caller asks for recipes with a clip head"
    last = model.get_layer("scores")
    kernel, bias = (np.asarray(values, np.float64) for values in last.get_weights())
    rows, classes = _examples(embeddings_of(model, train), train, config)
    width = kernel.shape[0]
    spread = np.repeat([max(float(part.std()), 1e-6) for part in np.split(rows, len(config.statistics), 1)], width)
    weights = np.zeros((rows.shape[1], kernel.shape[1]))
    if "mean" in config.statistics:
        weights[:width] = kernel
    start = SoftmaxLayer(weights * spread[:, None], bias)
    layer = fit_softmax(rows / spread, classes, start, config.l2, recipe.training.label_smoothing)
    return FloatHead(config, layer.weights / spread[:, None], layer.bias)


def save(folder: Path, head: FloatHead) -> None:
    """Write the head into a run folder, whole or not at all."""
    write_bytes(folder / FILE, pack({"weights": head.weights, "bias": head.bias}))


def load(folder: Path, recipe: Recipe) -> FloatHead | None:
    """Read the head of a finished run; None where its recipe has none.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    if recipe.clip_head is None:
        return None
    path = folder / FILE
    if not is_there(path):
        raise InputError(path, "is missing from a finished run", _AGAIN)
    arrays: dict[str, Any] = unpack(read_bytes(path), path, _AGAIN)
    if set(arrays) != {"weights", "bias"} or arrays["weights"].shape[1:] != arrays["bias"].shape:
        raise DamagedFileError(path, "is damaged", _AGAIN)
    return FloatHead(recipe.clip_head, arrays["weights"], arrays["bias"])
