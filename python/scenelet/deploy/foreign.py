"""A front end for a model from elsewhere: settings matched to its input, and written into the file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from ..compiler.passes import ends
from ..config import frontend_file
from ..config.frontend_file import FrontendFile, Layout
from ..errors import ModelError
from ..graph import Graph, Tensor
from ..tflite import interior, metadata, reader
from ..tflite.metadata import ModelInfo
from ..tflite.object_model import Buffer, pack, unpack

_TRANSPOSE_VERSION = 2
"""Of TRANSPOSE of INT8."""


def with_frontend(model: Path, name: str) -> bytes:
    """Give a model that carries no front end the settings of a TOML file.

    Parameters
    ----------
    model
        An INT8 .tflite file without metadata of scenelet.
    name
        A recipe, or a TOML file with a front end's keys; see :class:`scenelet.config.frontend_file.FrontendFile`.

    Returns
    -------
    bytes
        The same network with the settings in its metadata. Where it takes frames of bands, it begins with a TRANSPOSE
        of the bands of frames that the front end makes.

    Raises
    ------
    ModelError
        The model has a front end, or its input is not what the front end makes.
    RecipeError
        The TOML file is missing or invalid.
    """
    settings = frontend_file.load(name)
    subject, _, content = reader.load(model)
    if metadata.read(content, subject) is not None:
        raise ModelError(subject, "has a front end in its metadata", "leave out --frontend")
    whole = reader.parse(subject, subject, content)
    graph = ends.interior(whole)
    if graph is not whole:
        kept = {operator.index for operator in graph.operators}
        dropped = {operator.index for operator in whole.operators} - kept
        content = interior.cut(content, dropped, graph.inputs, graph.outputs, subject)
    if len(graph.inputs) != 1:
        raise ModelError(subject, f"has {len(graph.inputs)} inputs, the front end fills one", "leave out --frontend")
    source = graph.tensors[graph.inputs[0]]
    if source.dtype == "int16":
        problem = "its input is int16, and front ends make INT8 features"
        raise ModelError(subject, problem, "convert it with INT8 activations, or leave out --frontend")
    if source.dtype != "int8" or source.quantization is None:
        raise ModelError(subject, f"input is {source.dtype} without a scale", "convert the model to full INT8")
    if _layout(subject, source, settings) == "frames_first":
        content = _turned(content, settings, subject)
    quantization = source.quantization
    info = ModelInfo(
        labels=_labels(graph),
        frontend=settings.settings(float(quantization.scale[0]), int(quantization.zero_point[0])),
        recipe=Path(name).stem,
        limits="board",
    )
    return metadata.attach(content, info)


def _labels(graph: Graph) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(graph.tensors[graph.outputs[0]].shape[-1]))


def _layout(subject: str, source: Tensor, settings: FrontendFile) -> Layout:
    """Order of the input's values; raises a ModelError where its shape is not the front end's."""
    bands, frames = settings.n_mels, settings.frames
    sizes = tuple(size for size in source.shape if size != 1)
    fits: dict[tuple[int, ...], Layout] = {(bands, frames): "bands_first", (frames, bands): "frames_first"}
    shape = "x".join(map(str, source.shape[1:]))
    flat = sizes == (math.prod((bands, frames)),)
    if not flat and sizes not in fits:
        problem = f"takes {shape} values, the front end gives {bands} bands of {frames} frames"
        raise ModelError(subject, problem, "choose n_mels, hop_length and clip_seconds so that they fit")
    if settings.layout is None and (flat or bands == frames):
        problem = f"takes {shape} values, which do not say whether bands or frames come first"
        raise ModelError(subject, problem, 'add layout = "bands_first" or "frames_first" to the front end')
    found = fits.get(sizes) if bands != frames else None
    if settings.layout is not None and found is not None and settings.layout != found:
        raise ModelError(subject, f"takes {shape} values, which are not {settings.layout}", "leave out the layout")
    chosen = settings.layout or found
    assert chosen is not None, "an input without an order was refused"
    return chosen


def _turned(content: bytes, settings: FrontendFile, subject: str) -> bytes:
    """Put TRANSPOSE from bands of frames to frames of bands, and RESHAPE to the input's shape, before a network."""
    bands, frames = settings.n_mels, settings.frames
    tree = unpack(content, subject)
    graph = tree.subgraphs[0]
    source = int(graph.inputs[0])
    order = _constant(tree, np.array([0, 2, 1, 3], np.int32))
    first = _like(tree, source, [1, bands, frames, 1])
    second = _like(tree, source, [1, frames, bands, 1])
    shape = [int(size) for size in graph.tensors[source].shape]
    transpose = _operator(tree, schema.BuiltinOperator.TRANSPOSE, [first, order], second, _TRANSPOSE_VERSION)
    transpose.builtinOptionsType = schema.BuiltinOptions.TransposeOptions
    transpose.builtinOptions = schema.TransposeOptionsT()
    reshape = _operator(
        tree, schema.BuiltinOperator.RESHAPE, [second, _constant(tree, np.array(shape, np.int32))], source, 1
    )
    reshape.builtinOptionsType, reshape.builtinOptions = schema.BuiltinOptions.ReshapeOptions, schema.ReshapeOptionsT()
    reshape.builtinOptions.newShape = shape
    graph.operators = [transpose, reshape, *graph.operators]
    graph.inputs = [first]
    tree.signatureDefs = None
    return pack(tree)


def _like(tree: Any, index: int, shape: list[int]) -> int:
    tensors = tree.subgraphs[0].tensors
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer = shape, tensors[index].type, 0
    tensor.quantization, tensor.name = tensors[index].quantization, f"front end {len(tensors)}"
    tensors.append(tensor)
    return len(tensors) - 1


def _constant(tree: Any, values: np.ndarray[Any, np.dtype[np.int32]]) -> int:
    tree.buffers.append(Buffer(values.tobytes()))
    tensors = tree.subgraphs[0].tensors
    tensor = schema.TensorT()
    tensor.shape, tensor.type = [values.size], schema.TensorType.INT32
    tensor.buffer, tensor.name = len(tree.buffers) - 1, f"front end {len(tensors)}"
    tensors.append(tensor)
    return len(tensors) - 1


def _operator(tree: Any, builtin: int, inputs: list[int], output: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    tree.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(tree.operatorCodes) - 1
    operator.inputs, operator.outputs = inputs, [output]
    return operator
