"""Softmax regression: one layer from rows of numbers to classes, the same for the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 400


@dataclass(frozen=True)
class SoftmaxLayer:
    """Weights (inputs, classes) and biases (classes,)."""

    weights: Floats
    bias: Floats

    def logits(self, rows: Floats) -> Floats:
        """Logits (n, classes) of rows (n, inputs)."""
        return np.asarray(rows @ self.weights + self.bias)


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def fit_softmax(
    rows: Floats, classes: NDArray[np.integer[Any]], start: SoftmaxLayer, l2: float, smoothing: float
) -> SoftmaxLayer:
    """Fit a layer by 400 steps of the accelerated gradient method (Nesterov 1983); the loss is convex.

    The loss is the mean cross entropy, classes weighted alike, and ``l2`` times the squared distance of the weights
    from ``start``; the biases are free.

    Parameters
    ----------
    rows, classes
        Inputs (n, inputs), of about unit variance, and classes (n,).
    start
        What the layer begins with, and is drawn to.
    smoothing
        Of the labels, as in :func:`scenelet.training.loop.cross_entropy`.
    """
    count = len(start.bias)
    target = np.full((len(rows), count), smoothing / count)
    target[np.arange(len(rows)), classes] += 1 - smoothing
    weight = 1 / np.bincount(classes, minlength=count)[classes]
    weight /= weight.sum()
    inputs = np.hstack([rows, np.ones((len(rows), 1))])  # the ones are the bias's
    anchor = np.vstack([start.weights, start.bias])
    decay = np.full_like(anchor, 2 * l2)
    decay[-1] = 0
    # The softmax's Hessian is at most 1/2 of the inputs' second moment.
    steepest = np.linalg.norm(np.sqrt(weight)[:, None] * inputs, 2) ** 2 / 2 + 2 * l2
    now, ahead = anchor.copy(), anchor.copy()
    for step in range(_STEPS):
        error = (softmax(inputs @ ahead) - target) * weight[:, None]
        before, now = now, ahead - (inputs.T @ error + decay * (ahead - anchor)) / steepest
        ahead = now + step / (step + 3) * (now - before)
    return SoftmaxLayer(now[:-1], now[-1])
