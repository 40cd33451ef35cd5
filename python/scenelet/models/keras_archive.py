"""What a .keras file says of its layers, read without Keras: most refusals need none of the seconds of its import."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import Field

from ..core.files import read_bytes
from ..core.json_files import Checked, checked, parse_object
from ..errors import DamagedFileError, ModelError

REMEDY = "save it with Keras 3: model.save('NAME.keras')"
HONOURED: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "data_format": (("channels_last",), "use channels_last, the layout of TFLite"),
    "keepdims": ((False,), "use keepdims=False"),
    "dilation_rate": (((1, 1),), "use a plain convolution"),
    "groups": ((1,), "use a convolution without groups"),
    "depth_multiplier": ((1,), "use one filter per channel"),
    "negative_slope": ((0, None), "use a plain ReLU"),
    "threshold": ((0, None), "use a plain ReLU"),
    "max_value": ((None, 6), "use a plain ReLU or ReLU6"),
}
"""Option of a layer -> its values that the counted operators follow, and what to do about any other."""
ACTIVATIONS = ("linear", "relu", "softmax")
COUNTED = (
    "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "DepthwiseConv2D", "Dropout",
    "Flatten", "GlobalAveragePooling2D", "MaxPooling2D", "ReLU",
)  # fmt: skip
"""Classes of layers that are counted."""

_CONFIG = "config.json"
_MOST_CONFIG_BYTES = 16_000_000
_HDF5 = b"\x89HDF\r\n\x1a\n"


class _Layer(Checked):
    """A layer's entry; its name and options are in ``config``."""

    class_name: str
    module: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"layer {self.config.get('name', self.class_name)}"


class _Network(Checked):
    """The ``config`` of a Sequential or a Functional model."""

    layers: list[_Layer]
    input_layers: Any = None
    output_layers: Any = None


def _refuse(subject: object, problem: str, remedy: str) -> NoReturn:
    raise ModelError(subject, problem, remedy)


def require_countable(path: str | Path) -> None:
    """Refuse a .keras file that is damaged, or whose own description shows that its cost cannot be counted.

    What passes may still be refused by :func:`scenelet.models.from_keras.graph_of_model`, which knows the shapes.

    Raises
    ------
    ModelError
        Where a layer or one of its options is not counted, an input has open sizes or there are several, or the file
        is of another format.
    InputError
        Where it is missing, or the system does not let it be read.
    """
    content = read_bytes(path)
    try:
        config = parse_object(_member(content, path), path, REMEDY)
        network = checked(_Network, config.get("config"), path, REMEDY)
    except DamagedFileError as error:
        raise ModelError(path, f"is not a Keras model: {error.problem}", REMEDY) from None
    if "keras" not in sys.modules and config.get("class_name") not in ("Sequential", "Functional"):
        kind = config.get("class_name", "object")
        _refuse(path, f"holds a {kind} of one's own", "give a Sequential or a functional model")
    inputs = [layer for layer in network.layers if layer.class_name == "InputLayer"]
    for ends, many in (("inputs", network.input_layers), ("outputs", network.output_layers)):
        if _count(many) > 1:
            _refuse(path, f"has {_count(many)} {ends}", "give a classifier with one input and one output")
    for layer in inputs:
        _require_closed(layer)
    for layer in network.layers:
        if layer not in inputs:
            _require_counted(layer)


def _member(content: bytes, path: str | Path) -> bytes:
    """The description of the layers; every member's checksum is looked at."""
    if content.startswith(_HDF5):
        _refuse(path, "is an HDF5 file, the format of earlier versions", REMEDY)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.getinfo(_CONFIG).file_size > _MOST_CONFIG_BYTES:
                raise DamagedFileError(path, f"{_CONFIG} is larger than 16 MB")
            broken = archive.testzip()
            if broken is not None:
                raise DamagedFileError(path, f"its {broken} is damaged")
            return archive.read(_CONFIG)
    except KeyError:
        raise DamagedFileError(path, f"an archive without {_CONFIG}") from None
    except DamagedFileError:
        raise
    except Exception as error:  # zipfile's own, and whatever its fields make struct, zlib and the codecs raise
        reason = "not a zip archive" if isinstance(error, zipfile.BadZipFile) else "a damaged zip archive"
        raise DamagedFileError(path, reason) from None


def _count(ends: Any) -> int:
    """How many layers stand in a model's list of inputs or outputs, which for one may be its entry alone."""
    if isinstance(ends, dict):
        return len(ends)
    return len(ends) if isinstance(ends, list) and all(isinstance(end, list) for end in ends) else 1


def _require_closed(layer: _Layer) -> None:
    """Refuse an input with open sizes, or with a batch."""
    shape = layer.config.get("batch_shape")
    if isinstance(shape, list):
        require_closed(layer.name, shape)


def require_closed(name: str, shape: Sequence[int | None]) -> None:
    """Refuse an input's shape, batch first, that leaves other sizes open than the batch's, or has a batch.

    Raises
    ------
    ModelError
        Of the layer ``name``.
    """
    if None in shape[1:]:
        _refuse(name, f"takes {tuple(shape)}, which leaves sizes open", "give every size but the batch's")
    if shape and shape[0] not in (None, 1):
        _refuse(name, f"takes a batch of {shape[0]}", "build it with a batch size of 1, or none")


def require_honoured(name: str, option: str, value: Any) -> None:
    """Refuse an option of a layer that its operators would not follow.

    Raises
    ------
    ModelError
        Of the layer ``name``.
    """
    allowed, remedy = HONOURED[option]
    value = tuple(value) if isinstance(value, list) else value
    if value not in allowed:
        _refuse(name, f"has {option}={value!r}, which is not counted", remedy)


def _require_counted(layer: _Layer) -> None:
    if not (layer.module or "").startswith("keras"):
        if "keras" in sys.modules:  # where a program may have registered the class
            return
        _refuse(layer.name, f"{layer.class_name} is a class of one's own", "use the layers of the recipes")
    for option in (name for name in HONOURED if name in layer.config):
        require_honoured(layer.name, option, layer.config[option])
    if layer.class_name not in COUNTED:
        _refuse(layer.name, f"{layer.class_name} is not supported", "use the layers of the recipes")
    activation = layer.config.get("activation", ACTIVATIONS[0])
    if isinstance(activation, str) and activation not in ACTIVATIONS:
        _refuse(layer.name, f"activation {activation} is not supported", "use relu")
