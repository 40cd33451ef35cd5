"""Networks of MLPerf Tiny's shapes with seeded random weights, for comparing the engine's speed.

Layers, sizes and strides are those of Banbury et al. (2021, "MLPerf Tiny Benchmark"); batch normalizations are left
out, because the converter folds them. Weights and biases are random: instruction counts hardly depend on values, and
bit-exactness must not. Activations keep their variance from layer to layer (He et al., 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from .backend import keras

layers = keras.layers

_BIAS = keras.initializers.RandomNormal(stddev=0.1)
_CALIBRATION = 16


def _conv(
    x: keras.KerasTensor, filters: int, kernel: int | tuple[int, int], stride: int = 1, activation: str | None = "relu"
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, kernel, stride, "same", activation=activation, kernel_initializer="he_normal", bias_initializer=_BIAS
    )(x)


def _depthwise(
    x: keras.KerasTensor, kernel: int | tuple[int, int], stride: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    return layers.DepthwiseConv2D(
        kernel, stride, padding, activation="relu", depthwise_initializer="he_normal", bias_initializer=_BIAS
    )(x)


def _dense(x: keras.KerasTensor, units: int, activation: str | None) -> keras.KerasTensor:
    return layers.Dense(units, activation, kernel_initializer="he_normal", bias_initializer=_BIAS)(x)


def resnet8() -> keras.Model:
    """Image classification: 32 x 32 x 3, three residual stacks of 16, 32 and 64 filters."""
    start = x = keras.Input((32, 32, 3))
    x = _conv(x, 16, 3)
    for filters in (16, 32, 64):
        stride = 1 if filters == 16 else 2
        y = _conv(_conv(x, filters, 3, stride), filters, 3, activation=None)
        x = x if stride == 1 else _conv(x, filters, 1, stride, activation=None)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(start, _dense(x, 10, "softmax"), name="resnet8")


def ds_cnn() -> keras.Model:
    """Keyword spotting: 49 frames x 10 coefficients, four depthwise-separable blocks of 64 channels."""
    start = x = keras.Input((49, 10, 1))
    x = _conv(x, 64, (10, 4), 2)
    for _ in range(4):
        x = _conv(_depthwise(x, 3), 64, 1)
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    return keras.Model(start, _dense(x, 12, "softmax"), name="ds_cnn")


def mobilenet() -> keras.Model:
    """Visual wake words: MobileNet v1 of width 0.25 on 96 x 96 x 3."""
    start = x = keras.Input((96, 96, 3))
    x = _conv(x, 8, 3, 2)
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *5 * ((128, 1),), (256, 2), (256, 1))
    for filters, stride in blocks:
        x = _conv(_depthwise(x, 3, stride), filters, 1)
    x = layers.Flatten()(layers.AveragePooling2D(3)(x))
    return keras.Model(start, _dense(x, 2, "softmax"), name="mobilenet")


def autoencoder() -> keras.Model:
    """Anomaly detection: ten dense layers, 640 values through a bottleneck of 8."""
    start = x = keras.Input((640,))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = _dense(x, units, "relu")
    return keras.Model(start, _dense(x, 640, None), name="autoencoder")


def wake_word() -> keras.Model:
    """Streaming wake word: 30 frames of 40 bands, depthwise along time without padding until one frame is left."""
    start = x = keras.Input((30, 1, 40))
    for filters, taps in ((128, 3), (64, 5), (64, 10), (32, 15)):
        x = _conv(_depthwise(x, (taps, 1), padding="valid"), filters, 1)
    return keras.Model(start, _dense(layers.Flatten()(x), 3, "softmax"), name="wake_word")


NETWORKS: Mapping[str, Callable[[], keras.Model]] = {
    make.__name__: make for make in (resnet8, ds_cnn, mobilenet, autoencoder, wake_word)
}
"""All networks by name."""


def build(name: str, seed: int = 0) -> tuple[keras.Model, NDArray[np.float32]]:
    """Build one of :data:`NETWORKS` with weights drawn from a seed.

    Returns
    -------
    tuple
        The network, and normally distributed calibration inputs, float32 (16, *input shape).
    """
    keras.utils.set_random_seed(seed)
    model = NETWORKS[name]()
    shape = (_CALIBRATION, *model.input_shape[1:])
    return model, np.random.default_rng(seed).standard_normal(shape, np.float32)
