"""Unpacks a .tflite file into an object tree, and packs the tree again."""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from ..errors import ModelError

IDENTIFIER = b"TFL3"
# Exceptions of the flatbuffers package for offsets, lengths or strings that point outside the file.
BROKEN_FILE = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)
# The schema's force_align of Buffer.data, which the Python bindings ignore; kernels may load int32 biases in place.
_BUFFER_ALIGNMENT = 16


class Buffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data is packed at the schema's alignment."""

    def __init__(self, data: Any = None) -> None:
        super().__init__()
        self.data = data

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 (the bindings' name)
        """Write the buffer; called by the bindings."""
        data = None
        if self.data is not None:
            content = bytes(self.data)
            builder.Prep(_BUFFER_ALIGNMENT, len(content))
            data = builder.CreateByteVector(content)
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def require_identifier(model: bytes, source: object) -> None:
    """Raise a ModelError unless the content has the identifier of a .tflite file."""
    if model[4:8] != IDENTIFIER:
        raise ModelError(source, "is not a .tflite file", "give the path of a .tflite model")


def damaged(source: object) -> ModelError:
    """Error for a file with invalid offsets."""
    return ModelError(source, "is a damaged .tflite file", "convert or copy it again")


def unpack(model: bytes, source: object = "model") -> Any:
    """Unpack a .tflite file.

    Returns
    -------
    schema.ModelT
        The bindings' object tree, with buffers that pack aligned.

    Raises
    ------
    ModelError
        The content is not a .tflite file, or its buffers lie outside the flatbuffer.
    """
    require_identifier(model, source)
    try:
        tree = schema.ModelT.InitFromPackedBuf(bytearray(model))
    except BROKEN_FILE:
        raise damaged(source) from None
    buffers = tree.buffers or []
    if any(buffer.offset or buffer.size for buffer in buffers):
        raise ModelError(source, "stores its buffers outside the flatbuffer", "convert it without that option")
    tree.buffers = [Buffer(buffer.data) for buffer in buffers]
    return tree


def pack(tree: Any) -> bytes:
    """Pack an object tree; equal trees give equal bytes."""
    builder = flatbuffers.Builder(65536)
    builder.Finish(tree.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def repack(model: bytes, source: object = "model") -> bytes:
    """Write a .tflite file anew: the same network, with every offset where the bindings put it.

    Raises
    ------
    ModelError
        The content is not a .tflite file, or something in it lies outside.
    """
    try:
        return pack(unpack(model, source))
    except BROKEN_FILE:
        raise damaged(source) from None
