"""The first layers of YAMNet, up to 256 channels, with weights from a Keras file of version 2 (.h5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import read_bytes
from ..errors import InputError
from .backend import keras

layers = keras.layers

# Channels and stride of the depthwise separable layers after the first convolution of 32 channels, stride 2.
_SEPARABLE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
_FIRST = 32
_EPSILON = 1e-4


def _normalised(x: Any, name: str) -> Any:
    x = layers.BatchNormalization(epsilon=_EPSILON, scale=False, name=f"{name}/bn".replace("/", "_"))(x)
    return layers.ReLU()(x)


def _architecture() -> keras.Model:
    source = keras.Input((96, 64, 1))
    same: dict[str, Any] = {"padding": "same", "use_bias": False}
    x = layers.Conv2D(_FIRST, 3, 2, name="layer1_conv", **same)(source)
    x = _normalised(x, "layer1/conv")
    for number, (channels, stride) in enumerate(_SEPARABLE, 2):
        x = layers.DepthwiseConv2D(3, stride, name=f"layer{number}_depthwise_conv", **same)(x)
        x = _normalised(x, f"layer{number}/depthwise_conv")
        x = layers.Conv2D(channels, 1, name=f"layer{number}_pointwise_conv", **same)(x)
        x = _normalised(x, f"layer{number}/pointwise_conv")
    return keras.Model(source, layers.GlobalAveragePooling2D()(x), name="yamnet256")


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of the file by the last parts of their names: "layer1/conv/bn/beta"."""
    import h5py  # a package that Keras needs

    read_bytes(path)
    found: dict[str, NDArray[Any]] = {}

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "shape"):
            parts = name.split("/")
            start = next((place for place, part in enumerate(parts) if part.startswith("layer")), 0)
            found["/".join(parts[start:]).removesuffix(":0")] = np.asarray(item)

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except OSError:
        raise InputError(path, "is no HDF5 file", "give the weights of YAMNet as Keras saved them") from None
    return found


def load_yamnet256(path: Path) -> keras.Model:
    """Open the network: patches (n, 96, 64, 1) to embeddings (n, 256), ready for inference.

    Raises
    ------
    InputError
        The file cannot be read, or lacks one of the network's weights, or has it in another shape.
    """
    arrays, model = _arrays(path), _architecture()
    for layer in model.layers:
        wanted = {weight.path.split("/")[-1]: weight for weight in layer.weights}
        place = layer.name.replace("_", "/", 1).removesuffix("_bn") + ("/bn" if layer.name.endswith("_bn") else "")
        for kind, weight in wanted.items():
            name = f"{place}/{_old(kind, layer)}"
            values = arrays.get(name)
            if values is None or values.shape != tuple(weight.shape):
                has = "lacks" if values is None else f"has {values.shape} as"
                problem = f"{has} the weights {name} {tuple(weight.shape)}"
                raise InputError(path, problem, "give YAMNet's first layers up to 256 channels")
            weight.assign(values)
    return model


def _old(kind: str, layer: Any) -> str:
    """Keras 2's name of a weight."""
    return "depthwise_kernel" if isinstance(layer, layers.DepthwiseConv2D) else kind
