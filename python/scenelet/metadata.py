"""What a .tflite file says about itself: labels, front end and origin, in one metadata entry named "scenelet".

The entry holds canonical JSON (sorted keys, no time stamp), so equal inputs give equal bytes.
"""

from __future__ import annotations

import json
import struct
from typing import Annotated, Any

import flatbuffers
import tflite
from ai_edge_litert import schema_py_generated as schema
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import __version__
from .errors import ModelError
from .recipe import FrontendConfig

ENTRY = "scenelet"
_FILE_IDENTIFIER = b"TFL3"
# The schema's force_align of Buffer.data, which the Python bindings forget; kernels may load int32 biases in place.
_BUFFER_ALIGNMENT = 16
# All that the flatbuffers package raises on offsets, lengths or strings that lead outside the file.
_BROKEN_FILE = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)

# A label becomes a C string and a line of the board's protocol: printable, and short enough for both.
Label = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ModelInfo(BaseModel):
    """What travels with a model.

    Attributes
    ----------
    labels
        Class names in the order of the scores.
    frontend
        Settings of the front end that made the training features.
    recipe, recipe_sha256
        Name and hash of the experiment.
    dataset
        Name of the data set it was trained on.
    version
        scenelet's version that wrote the model.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    labels: Annotated[tuple[Label, ...], Field(min_length=1)]
    frontend: FrontendConfig
    recipe: str
    recipe_sha256: str = ""
    dataset: str = ""
    version: str = __version__

    @property
    def frontend_sha256(self) -> str:
        """Hash of the front end's settings."""
        return self.frontend.sha256

    def to_json(self) -> bytes:
        """Canonical JSON of all fields."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """A buffer that packs its data at the schema's alignment."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 (the bindings' name)
        data = None
        if self.data is not None:
            content = bytes(self.data)
            builder.Prep(_BUFFER_ALIGNMENT, len(content))
            data = builder.CreateByteVector(content)
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def _aligned(data: Any) -> _AlignedBuffer:
    buffer = _AlignedBuffer()
    buffer.data = data
    return buffer


def _unpack(model: bytes) -> Any:
    if model[4:8] != _FILE_IDENTIFIER:
        raise ModelError("model", "is not a .tflite file", "give the converter's output")
    try:
        unpacked = schema.ModelT.InitFromPackedBuf(bytearray(model))
    except _BROKEN_FILE:
        raise ModelError("model", "is a damaged .tflite file", "convert or copy it again") from None
    if any(buffer.offset or buffer.size for buffer in unpacked.buffers or ()):
        raise ModelError("model", "keeps its buffers outside the flatbuffer", "convert it without that option")
    return unpacked


def attach(model: bytes, info: ModelInfo) -> bytes:
    """Put an entry into a .tflite file, in place of one that is there already.

    Parameters
    ----------
    model
        Content of a .tflite file.
    info
        What to say about it.

    Returns
    -------
    bytes
        The same network with the entry; a pure function of both arguments.

    Raises
    ------
    ModelError
        Where ``model`` is not a .tflite file.
    """
    unpacked = _unpack(model)
    buffers = [_aligned(buffer.data) for buffer in unpacked.buffers or []]
    entries = list(unpacked.metadata or [])
    ours = next((entry for entry in entries if entry.name in (ENTRY, ENTRY.encode())), None)
    if ours is None or ours.buffer >= len(buffers):
        entries = [entry for entry in entries if entry is not ours]
        ours = schema.MetadataT()
        ours.name, ours.buffer = ENTRY, len(buffers)
        entries.append(ours)
        buffers.append(_aligned(None))
    buffers[ours.buffer].data = info.to_json()
    unpacked.buffers, unpacked.metadata = buffers, entries
    builder = flatbuffers.Builder(len(model) + 4096)
    builder.Finish(unpacked.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())


def _find(model: bytes) -> bytes | None:
    root = tflite.Model.GetRootAs(model, 0)
    for position in range(root.MetadataLength()):
        entry = root.Metadata(position)
        if entry is not None and entry.Name() == ENTRY.encode():
            buffer = root.Buffers(entry.Buffer())
            return b"" if buffer is None or buffer.DataIsNone() else bytes(buffer.DataAsNumpy())
    return None


def read(model: bytes, source: object = "model") -> ModelInfo | None:
    """Read a .tflite file's entry.

    Parameters
    ----------
    model
        Content of a .tflite file.
    source
        Names it in errors.

    Returns
    -------
    ModelInfo or None
        None for a foreign model, which has no such entry.

    Raises
    ------
    ModelError
        Where the file or its entry is damaged.
    """
    if model[4:8] != _FILE_IDENTIFIER:
        raise ModelError(source, "is not a .tflite file", "give the path of a .tflite model")
    try:
        content = _find(model)
    except _BROKEN_FILE:
        raise ModelError(source, "is a damaged .tflite file", "convert or copy it again") from None
    if content is None:
        return None
    try:
        return ModelInfo.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or ENTRY
        raise ModelError(source, f"metadata '{where}': {first['msg']}", "quantize the run again") from None
