"""Reads a .tflite file into a :class:`~scenelet.graph.Graph`, with the light ``tflite`` bindings and no TensorFlow.

The bindings follow offsets without checking them, so a damaged file shows as one of several Python exceptions or as an
absurd length. Both are caught here: for any bytes, the result is a graph or a ModelError.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from flatbuffers import number_types
from numpy.typing import NDArray

from ..core.files import is_device
from ..errors import ModelError, UnsupportedError
from ..graph import Graph, Operator, Quantization, Tensor
from .builtin_options import DamagedError, read_attributes
from .variables import BARE, RESOURCE, Subgraph, variable_tensor, with_variables

_DTYPES = {
    tflite.TensorType.FLOAT32: "float32",
    tflite.TensorType.FLOAT16: "float16",
    tflite.TensorType.INT32: "int32",
    tflite.TensorType.UINT8: "uint8",
    tflite.TensorType.INT64: "int64",
    tflite.TensorType.BOOL: "bool",
    tflite.TensorType.INT16: "int16",
    tflite.TensorType.INT8: "int8",
    tflite.TensorType.RESOURCE: RESOURCE,
}
_TYPE_NAMES = {value: name.lower() for name, value in vars(tflite.TensorType).items() if name.isupper()}
_OPERATORS = {value: name for name, value in vars(tflite.BuiltinOperator).items() if name.isupper()}

# Exceptions of the bindings for a wrong offset, length or type in the file.
_DAMAGE = (
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RuntimeError,
    TypeError,
    UnicodeError,
    ValueError,
    struct.error,
)

_UNSCALED = ("int32", "int64")
"""Types whose scales nobody reads: a bias counts in steps of its operator's input and weights, an index in ones."""

# Operators that pass values on as they are; LiteRT copies a RESHAPE's bytes without a look at its types.
_PASSING = (
    "AVERAGE_POOL_2D", "CONCATENATION", "EXPAND_DIMS", "GATHER", "MAX_POOL_2D", "PACK", "PAD", "PADV2", "RESHAPE",
    "SLICE", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE",
)  # fmt: skip

_HEADER_BYTES = 8
_BUILTIN_CODE = 10
"""Place of OperatorCode.builtin_code in its table of offsets."""
_CONVERT_AGAIN = "convert or copy it again"
_GIVE = "give the path of a .tflite model"


def read_model(source: str | Path | bytes) -> Graph:
    """Read a .tflite model.

    Parameters
    ----------
    source
        Path of the file, or its bytes. The graph is named after the file ("model" for bytes).

    Returns
    -------
    Graph
        The first subgraph: every tensor by its index in the file, constants with their values (NHWC and the schema's
        weight layouts), operators in execution order, variables with their initial values. Types and operators that
        the engine lacks are refused later, by :func:`scenelet.compiler.operators.checker.require_supported`.

    Raises
    ------
    ModelError
        The file is missing, is not a .tflite file, is cut short, or contradicts itself.
    UnsupportedError
        It holds a custom operator, sparse tensors, control flow, or variables without a known value.
    """
    return parse(*load(source))


def load(source: str | Path | bytes) -> tuple[str, str, bytes]:
    """Read a model's bytes.

    Returns
    -------
    tuple
        The model's name in errors, the name of its graph, and its content, not checked yet.

    Raises
    ------
    ModelError
        The file is missing or cannot be read.
    """
    if isinstance(source, bytes):
        return "model", "model", source
    path = Path(source)
    try:
        if is_device(path):
            raise ModelError(path, "is a device", _GIVE)
        content = path.read_bytes()  # first: a link to itself cannot be resolved
        # The name becomes part of texts and sources in UTF-8, which not every name of a file is.
        return str(path), os.fsencode(path.resolve().stem).decode("utf-8", "replace"), content
    except FileNotFoundError:
        raise ModelError(path, "no such file", _GIVE) from None
    except IsADirectoryError:
        raise ModelError(path, "is a folder", _GIVE) from None
    except OSError as error:
        raise ModelError(path, f"cannot be read ({error.strerror})", _GIVE) from None


def parse(subject: str, name: str, data: bytes) -> Graph:
    """Do :func:`read_model`'s work on bytes; ``subject`` names them in errors, ``name`` becomes the graph's."""
    if not data:
        raise ModelError(subject, "is empty (0 bytes)", _CONVERT_AGAIN)
    if data[4:_HEADER_BYTES] != b"TFL3":
        raise ModelError(subject, "not a .tflite file", "convert the model to INT8 TFLite first")
    try:
        return _Reader(subject, data).graph(name)
    except _DAMAGE as error:
        problem = "damaged or cut short"
        detail = str(error) if isinstance(error, DamagedError) else ""
        raise ModelError(subject, f"{problem} ({detail})" if detail else problem, _CONVERT_AGAIN) from None


def _builtin_code(code: Any) -> int:
    """Number of an operator as the interpreters read it: the larger of two fields.

    The bindings' own accessor returns the deprecated field wherever the other one is below 127.
    """
    table = code._tab
    offset = table.Offset(_BUILTIN_CODE)
    stated = table.Get(number_types.Int32Flags, offset + table.Pos) if offset else 0
    return max(int(stated), int(code.DeprecatedBuiltinCode()))


class _Reader:
    """One file's bytes, with the bindings' model table on them."""

    def __init__(self, subject: str, data: bytes) -> None:
        self._subject = subject
        self._data = data
        self._model = tflite.Model.GetRootAsModel(data, 0)

    def graph(self, name: str) -> Graph:
        """Convert the file, with checks for consistency."""
        self._check_buffers()
        count = self._length(self._model, "Subgraphs")
        if not count:
            raise DamagedError("no subgraphs")
        table = self._model.Subgraphs(0)
        first = self._subgraph(0)
        variables = {
            i: variable_tensor(first.tensors[i])
            for i, entry in enumerate(self._entries(table, "Tensors"))
            if entry.IsVariable()
        }
        inputs, outputs = (self._indices(table, field, first.tensors) for field in ("Inputs", "Outputs"))
        whole = Graph(name, first.tensors, first.operators, inputs, outputs, variables)
        graph = with_variables(self._subject, whole, count, self._subgraph)
        self._check_order(graph)
        return graph

    def _subgraph(self, number: int) -> Subgraph:
        table = self._model.Subgraphs(number)
        # Tensors that nothing computes, in which converters leave the shape at 0.
        unheld = {int(i) for one in self._entries(table, "Operators") for i in self._vector(one, "Intermediates")}
        tensors = {
            i: self._tensor(i, entry, held=i not in unheld) for i, entry in enumerate(self._entries(table, "Tensors"))
        }
        operators = tuple(
            self._operator(i, entry, tensors) for i, entry in enumerate(self._entries(table, "Operators"))
        )
        return Subgraph(tensors, operators)

    def _length(self, table: Any, field: str) -> int:
        """Length of a vector; one longer than the file is damage, and would loop for hours."""
        length = int(getattr(table, f"{field}Length")())
        if not 0 <= length <= len(self._data):
            raise DamagedError(f"{field} claims {length} entries")
        return length

    def _entries(self, table: Any, field: str) -> Iterator[Any]:
        get: Callable[[int], Any] = getattr(table, field)
        return (get(i) for i in range(self._length(table, field)))

    def _vector(self, table: Any, field: str) -> NDArray[Any]:
        if not self._length(table, field):
            return np.empty(0, np.int64)
        values: NDArray[Any] = getattr(table, f"{field}AsNumpy")()
        return values

    def _indices(self, table: Any, field: str, tensors: Mapping[int, Tensor]) -> tuple[int, ...]:
        indices = tuple(int(value) for value in self._vector(table, field))
        for index in indices:
            if index != -1 and index not in tensors:
                raise DamagedError(f"{field} name tensor {index} of {len(tensors)}")
        return indices

    def _check_buffers(self) -> None:
        """Check that every buffer ends inside the file; this detects a truncated file whose graph is intact."""
        for position, buffer in enumerate(self._entries(self._model, "Buffers")):
            if buffer.Offset() > 1:
                raise UnsupportedError(self._subject, "weights are stored after the model", "export it below 2 GB")
            held = self._vector(buffer, "Data").size
            if held != buffer.DataLength():
                raise DamagedError(f"buffer {position} holds {held} bytes of {buffer.DataLength()}")

    def _tensor(self, index: int, entry: Any, *, held: bool) -> Tensor:
        name = (entry.Name() or b"").decode("utf-8", "replace")
        label = f"tensor {index} '{name}'"
        if entry.Sparsity() is not None:
            raise UnsupportedError(self._subject, f"{label} is stored sparse", "export it dense")
        shape = tuple(int(size) for size in self._vector(entry, "Shape"))
        if any(size < (1 if held else 0) for size in shape):
            raise DamagedError(f"{label} has shape {shape}")
        if entry.Type() not in _DTYPES:
            kind = _TYPE_NAMES.get(entry.Type(), str(entry.Type()))
            raise UnsupportedError(self._subject, f"{label} is {kind}", "convert the model to full INT8")
        dtype = _DTYPES[entry.Type()]
        data = self._constant(label, entry, shape, dtype)
        if entry.IsVariable() and data is not None:
            raise UnsupportedError(self._subject, f"{label} is a variable with values", "leave its buffer empty")
        flexible = bool(np.any(self._vector(entry, "ShapeSignature") < 0))
        return Tensor(
            index, name, shape, dtype, data is not None, data, self._quantization(label, entry, dtype), flexible
        )

    def _constant(self, label: str, entry: Any, shape: tuple[int, ...], dtype: str) -> NDArray[Any] | None:
        position = entry.Buffer()
        if not 0 <= position < self._length(self._model, "Buffers"):
            raise DamagedError(f"{label} lies in buffer {position}, which does not exist")
        raw = self._vector(self._model.Buffers(position), "Data")
        if not raw.size:
            return None
        values = np.frombuffer(raw.tobytes(), np.dtype(dtype).newbyteorder("<"))
        expected = int(np.prod(shape, dtype=object))
        if values.size != expected:
            raise DamagedError(f"{label} holds {values.size} values for shape {shape}")
        return values.reshape(shape)

    def _quantization(self, label: str, entry: Any, dtype: str) -> Quantization | None:
        """Scales and zero points; which axis they fit, if any, is for the operator to say that reads the tensor."""
        table = entry.Quantization()
        if table is None:
            return None
        scale = self._vector(table, "Scale").astype(np.float32)
        zero_point = self._vector(table, "ZeroPoint").astype(np.int64)
        axis = int(table.QuantizedDimension())
        if dtype in _UNSCALED and np.any(zero_point):
            return Quantization(scale, zero_point, axis)
        if not scale.size:
            return None
        if dtype not in _UNSCALED and zero_point.size not in (1, scale.size):
            raise DamagedError(f"{label} has {scale.size} scales and {zero_point.size} zero points")
        if dtype not in _UNSCALED and (not np.all(np.isfinite(scale)) or np.any(scale < 0)):
            raise DamagedError(f"{label} has a scale that is negative or not a number")
        whole = zero_point if zero_point.size in (1, scale.size) else np.zeros(1, np.int64)
        return Quantization(scale, np.ascontiguousarray(np.broadcast_to(whole, scale.shape)), axis)

    def _operator(self, index: int, entry: Any, tensors: Mapping[int, Tensor]) -> Operator:
        position = entry.OpcodeIndex()
        if not 0 <= position < self._length(self._model, "OperatorCodes"):
            raise DamagedError(f"operator {index} has code {position}, which does not exist")
        code = self._model.OperatorCodes(position)
        number = _builtin_code(code)
        if number == tflite.BuiltinOperator.CUSTOM:
            name = (code.CustomCode() or b"").decode("utf-8", "replace")
            raise UnsupportedError(self._subject, f"operator {index} is the custom operator '{name}'", "remove it")
        if number not in _OPERATORS:
            raise DamagedError(f"operator {index} has the unknown code {number}")
        inputs, outputs = self._indices(entry, "Inputs", tensors), self._indices(entry, "Outputs", tensors)
        op = _OPERATORS[number]
        if -1 in outputs or (op not in BARE and not (inputs and outputs)):
            raise DamagedError(f"operator {index} lacks inputs or outputs")
        types = [tensors[indices[0]].dtype for indices in (inputs, outputs) if indices and indices[0] >= 0]
        if op in _PASSING and len(set(types)) > 1:
            raise DamagedError(f"operator {index}, {op}, makes {types[1]} of {types[0]}")
        intermediates = self._indices(entry, "Intermediates", tensors)
        return Operator(index, op, inputs, outputs, read_attributes(op, entry), intermediates)

    @staticmethod
    def _check_order(graph: Graph) -> None:
        """Check that every tensor but variables is written once, before it is read."""
        if not graph.operators or not graph.inputs or not graph.outputs:
            raise DamagedError("no operators, inputs or outputs")
        if -1 in graph.inputs or -1 in graph.outputs:
            raise DamagedError("an absent tensor as input or output")
        constants = {index for index, tensor in graph.tensors.items() if tensor.constant}
        known = constants | set(graph.inputs) | set(graph.variables)
        for operator in graph.operators:
            for index in operator.inputs:
                if index >= 0 and index not in known:
                    raise DamagedError(f"operator {operator.index} reads tensor {index} before it is written")
            for index in operator.outputs:
                if index in known and index not in graph.variables:
                    raise DamagedError(f"operator {operator.index} writes tensor {index}, which already has a value")
                known.add(index)
        if not known.issuperset(graph.outputs):
            raise DamagedError("an output that no operator writes")
