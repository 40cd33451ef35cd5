"""Writes a graph as a .tflite file with the schema's builder functions; no TensorFlow.

Meant for generated test networks::

    network = GraphBuilder("one_conv")
    x = network.input((1, 8, 4, 3), 0.05, -3)
    w = network.constant(weights, scales, 0, axis=0)
    y = network.operator("CONV_2D", (x, w, -1), (1, 8, 4, 5), 0.1, 7, padding="SAME", stride_h=1, stride_w=1)
    model = write_model(network.graph(y))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import ArrayLike, NDArray

from scenelet.graph import Graph, Operator, Quantization, Tensor
from scenelet.tflite.variables import variable_tensor

# Version of each operator that takes INT8 (and dilation, per-channel scales, keep_num_dims where it has them).
_VERSIONS = {
    "ADD": 2,
    "AVERAGE_POOL_2D": 2,
    "BROADCAST_TO": 2,
    "CONCATENATION": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2,
    "EXPAND_DIMS": 1,
    "FILL": 3,
    "FULLY_CONNECTED": 5,
    "GATHER": 2,
    "HARD_SWISH": 1,
    "LEAKY_RELU": 2,
    "LOGISTIC": 2,
    "MAXIMUM": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "MINIMUM": 2,
    "MUL": 2,
    "PACK": 2,
    "PAD": 2,
    "PADV2": 2,
    "PRELU": 1,
    "QUANTIZE": 2,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "RELU": 2,
    "RELU6": 2,
    "RESHAPE": 1,
    "SLICE": 2,
    "SOFTMAX": 2,
    "SPLIT": 2,
    "SPLIT_V": 2,
    "STRIDED_SLICE": 4,
    "SUB": 2,
    "SUM": 2,
    "SVDF": 3,
    "TANH": 2,
    "TRANSPOSE": 4,
    "UNPACK": 2,
}
_OPTIONS = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "ASSIGN_VARIABLE": "AssignVariableOptions",
    "BATCH_MATMUL": "BatchMatMulOptions",
    "CALL_ONCE": "CallOnceOptions",
    "CAST": "CastOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
    "DIV": "DivOptions",
    "FILL": "FillOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions",
    "GELU": "GeluOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MIRROR_PAD": "MirrorPadOptions",
    "MUL": "MulOptions",
    "PACK": "PackOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "QUANTIZE": "QuantizeOptions",
    "READ_VARIABLE": "ReadVariableOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "RESHAPE": "ReshapeOptions",
    "SELECT_V2": "SelectV2Options",
    "SHAPE": "ShapeOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "SQUEEZE": "SqueezeOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUB": "SubOptions",
    "SUM": "ReducerOptions",
    "SVDF": "SVDFOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "TRANSPOSE": "TransposeOptions",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
    "UNPACK": "UnpackOptions",
    "VAR_HANDLE": "VarHandleOptions",
}
_TEXTS = ("container", "shared_name")
_ENUMERATIONS: dict[str, type] = {
    "mode": tflite.MirrorPadMode,
    "padding": tflite.Padding,
    "fused_activation_function": tflite.ActivationFunctionType,
    "weights_format": tflite.FullyConnectedOptionsWeightsFormat,
}
_TYPES = {
    "bool": "BOOL",
    "int8": "INT8",
    "uint8": "UINT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float32": "FLOAT32",
    "resource": "RESOURCE",
}
# TFLite wants every buffer aligned so.
_ALIGNMENT = 16


def lacking(shape: Sequence[int], stated: Sequence[int] | None = None) -> bytes:
    """A model of one operator that both interpreters run and the engine lacks: every second value, and -7 between them.

    ``stated`` is what the file says of its output, by default ``shape``.
    """
    network = GraphBuilder("lacking")
    x = network.input(shape, 0.05, 0)
    chosen = network.constant(np.arange(np.prod(shape)).reshape(shape) % 2 == 0)
    other = network.constant(np.full(shape, -7, np.int8), 0.05, 0)
    return write_model(network.graph(network.operator("SELECT_V2", (chosen, x, other), stated or shape, 0.05, 0)))


class GraphBuilder:
    """Collects tensors and operators; every method that makes a tensor returns its index."""

    def __init__(self, name: str = "generated") -> None:
        self.name = name
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.inputs: list[int] = []
        self.variables: set[int] = set()

    def input(self, shape: Sequence[int], scale: float | None, zero_point: int, dtype: str = "int8") -> int:
        """Add a tensor that the caller of the network fills; without a scale it is not quantised."""
        index = self._add(shape, dtype, None if scale is None else _quantization(scale, zero_point, 0))
        self.inputs.append(index)
        return index

    def constant(
        self, values: NDArray[Any], scale: ArrayLike | None = None, zero_point: ArrayLike = 0, axis: int = 0
    ) -> int:
        """Add a tensor that is stored in the file; without a scale it is not quantised."""
        quantization = None if scale is None else _quantization(scale, zero_point, axis)
        return self._add(values.shape, values.dtype.name, quantization, values)

    def operator(
        self,
        op: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        scale: float | None,
        zero_point: int,
        *,
        dtype: str = "int8",
        intermediates: tuple[int, ...] = (),
        **attributes: Any,
    ) -> int:
        """Add an operator with one output of a shape, scale, zero point and type; returns the output."""
        (target,) = self.operator_with_outputs(op, inputs, [shape], scale, zero_point, dtype=dtype, **attributes)
        self.operators[-1] = replace(self.operators[-1], intermediates=intermediates)
        return target

    def operator_with_outputs(
        self,
        op: str,
        inputs: Sequence[int],
        shapes: Sequence[Sequence[int]],
        scale: float | None,
        zero_point: int,
        *,
        dtype: str = "int8",
        **attributes: Any,
    ) -> tuple[int, ...]:
        """Add an operator with an output for each shape, all of one scale, zero point and type; returns them."""
        quantization = None if scale is None else _quantization(scale, zero_point, 0)
        targets = tuple(self._add(shape, dtype, quantization) for shape in shapes)
        self.operators.append(Operator(len(self.operators), op, tuple(inputs), targets, attributes))
        return targets

    def variable(self, shape: Sequence[int], scale: float, zero_point: int, dtype: str = "int8") -> int:
        """Add a variable tensor, which SVDF or an LSTM reads and writes."""
        index = self._add(shape, dtype, _quantization(scale, zero_point, 0))
        self.variables.add(index)
        return index

    def intermediate(self, scale: float | None, zero_point: int = 0) -> int:
        """Add a tensor that nothing computes, as converters write an LSTM's; without a scale it says nothing."""
        if scale is None:
            return self._add((0,), "float32", None)
        return self._add((0,), "int8", _quantization(scale, zero_point, 0))

    def handle(self, name: str) -> int:
        """Add VAR_HANDLE of a resource variable; returns the handle."""
        return self.operator("VAR_HANDLE", (), (), None, 0, dtype="resource", shared_name=name, container="")

    def read(self, handle: int, shape: Sequence[int], scale: float, zero_point: int) -> int:
        """Add READ_VARIABLE; returns the value."""
        return self.operator("READ_VARIABLE", (handle,), shape, scale, zero_point)

    def assign(self, handle: int, value: int) -> None:
        """Add ASSIGN_VARIABLE."""
        self.operator_with_outputs("ASSIGN_VARIABLE", (handle, value), (), None, 0)

    def call_once(self, subgraph: int = 1) -> None:
        """Add CALL_ONCE of another subgraph."""
        self.operator_with_outputs("CALL_ONCE", (), (), None, 0, init_subgraph_index=subgraph)

    def graph(self, *outputs: int) -> Graph:
        """Return what has been collected."""
        variables = {index: variable_tensor(self.tensors[index]) for index in self.variables}
        tensors, operators = dict(enumerate(self.tensors)), tuple(self.operators)
        return Graph(self.name, tensors, operators, tuple(self.inputs), outputs, variables)

    def _add(
        self, shape: Sequence[int], dtype: str, quantization: Quantization | None, data: NDArray[Any] | None = None
    ) -> int:
        index = len(self.tensors)
        constant = data is not None
        self.tensors.append(Tensor(index, f"t{index}", tuple(shape), dtype, constant, data, quantization))
        return index


def _quantization(scale: ArrayLike, zero_point: ArrayLike, axis: int) -> Quantization:
    scales = np.atleast_1d(np.asarray(scale, np.float32))
    zero_points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape)
    return Quantization(scales, zero_points.copy(), axis)


def write_model(graph: Graph, *others: Graph, metadata: Mapping[str, bytes] | None = None) -> bytes:
    """Write a graph as a .tflite file.

    Parameters
    ----------
    graph
        Its tensors' indices count from 0 without gaps; constants carry their data. Missing attributes take the
        schema's defaults.
    others
        Further subgraphs.
    metadata
        Named entries.

    Returns
    -------
    bytes
        The same for the same graph.
    """
    builder = flatbuffers.Builder(4096)
    graphs = (graph, *others)
    listed = [[one.tensors[index] for index in range(len(one.tensors))] for one in graphs]
    payloads = [b""] + [_payload(tensor) for tensors in listed for tensor in tensors if tensor.constant]
    entries = dict(metadata or {})
    payloads += entries.values()
    first_entry = len(payloads) - len(entries)
    codes = sorted({operator.op for one in graphs for operator in one.operators})

    buffers = _tables(builder, tflite.ModelStartBuffersVector, [_buffer(builder, data) for data in payloads])
    before = [sum(tensor.constant for some in listed[:number] for tensor in some) for number in range(len(graphs))]
    written = [_subgraph(builder, *one, codes) for one in zip(graphs, listed, before, strict=True)]
    subgraphs = _tables(builder, tflite.ModelStartSubgraphsVector, written)
    operator_codes = _tables(
        builder, tflite.ModelStartOperatorCodesVector, [_operator_code(builder, name) for name in codes]
    )
    described = [_metadata(builder, name, first_entry + i) for i, name in enumerate(entries)]
    metadata_vector = _tables(builder, tflite.ModelStartMetadataVector, described)
    description = builder.CreateString(graph.name)
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, operator_codes)
    tflite.ModelAddSubgraphs(builder, subgraphs)
    tflite.ModelAddDescription(builder, description)
    tflite.ModelAddBuffers(builder, buffers)
    tflite.ModelAddMetadata(builder, metadata_vector)
    builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _payload(tensor: Tensor) -> bytes:
    if tensor.data is None:
        raise ValueError(f"constant {tensor.index} ({tensor.name}) has no data")
    return np.ascontiguousarray(tensor.data, np.dtype(tensor.dtype).newbyteorder("<")).tobytes()


def _tables(builder: flatbuffers.Builder, start: Callable[..., Any], offsets: Sequence[int]) -> int:
    start(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _vector(builder: flatbuffers.Builder, values: Sequence[int], dtype: str) -> int:
    return int(builder.CreateNumpyVector(np.asarray(values, dtype)))


def _buffer(builder: flatbuffers.Builder, data: bytes) -> int:
    vector = None
    if data:
        # CreateByteVector aligns to one byte only; kernels read int32 biases in place.
        builder.StartVector(1, len(data), _ALIGNMENT)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
    tflite.BufferStart(builder)
    if vector is not None:
        tflite.BufferAddData(builder, vector)
    return int(tflite.BufferEnd(builder))


def _subgraph(
    builder: flatbuffers.Builder, graph: Graph, tensors: Sequence[Tensor], buffer: int, codes: Sequence[str]
) -> int:
    """Write a subgraph; ``buffer`` is the number of the last buffer that is taken."""
    written = []
    for tensor in tensors:
        buffer += tensor.constant
        is_variable = tensor.index in graph.variables
        written.append(_tensor(builder, tensor, buffer if tensor.constant else 0, is_variable=is_variable))
    tensor_vector = _tables(builder, tflite.SubGraphStartTensorsVector, written)
    operators = [_operator(builder, operator, codes.index(operator.op)) for operator in graph.operators]
    operator_vector = _tables(builder, tflite.SubGraphStartOperatorsVector, operators)
    inputs = _vector(builder, graph.inputs, "int32")
    outputs = _vector(builder, graph.outputs, "int32")
    name = builder.CreateString("main")
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensor_vector)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, operator_vector)
    tflite.SubGraphAddName(builder, name)
    return int(tflite.SubGraphEnd(builder))


def _tensor(builder: flatbuffers.Builder, tensor: Tensor, buffer: int, *, is_variable: bool) -> int:
    quantization = None if tensor.quantization is None else _quantization_table(builder, tensor.quantization)
    shape = _vector(builder, tensor.shape, "int32")
    name = builder.CreateString(tensor.name)
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, getattr(tflite.TensorType, _TYPES[tensor.dtype]))
    tflite.TensorAddBuffer(builder, buffer)
    tflite.TensorAddName(builder, name)
    tflite.TensorAddIsVariable(builder, is_variable)
    if quantization is not None:
        tflite.TensorAddQuantization(builder, quantization)
    return int(tflite.TensorEnd(builder))


def _quantization_table(builder: flatbuffers.Builder, quantization: Quantization) -> int:
    scale = builder.CreateNumpyVector(quantization.scale.astype(np.float32))
    zero_point = builder.CreateNumpyVector(quantization.zero_point.astype(np.int64))
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scale)
    tflite.QuantizationParametersAddZeroPoint(builder, zero_point)
    tflite.QuantizationParametersAddQuantizedDimension(builder, quantization.axis)
    return int(tflite.QuantizationParametersEnd(builder))


def _operator(builder: flatbuffers.Builder, operator: Operator, code: int) -> int:
    options = _options(builder, operator)
    intermediates = _vector(builder, operator.intermediates, "int32") if operator.intermediates else None
    inputs = _vector(builder, operator.inputs, "int32")
    outputs = _vector(builder, operator.outputs, "int32")
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, code)
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if intermediates is not None:
        tflite.OperatorAddIntermediates(builder, intermediates)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, _OPTIONS[operator.op]))
        tflite.OperatorAddBuiltinOptions(builder, options)
    return int(tflite.OperatorEnd(builder))


def _options(builder: flatbuffers.Builder, operator: Operator) -> int | None:
    table = _OPTIONS.get(operator.op)
    if table is None:
        return None
    values = {name: _option(builder, name, value) for name, value in operator.attributes.items()}
    getattr(tflite, f"{table}Start")(builder)
    for name, value in values.items():
        field = "".join(part.capitalize() for part in name.split("_"))
        number = getattr(_ENUMERATIONS[name], value) if name in _ENUMERATIONS else value
        getattr(tflite, f"{table}Add{field}")(builder, number)
    return int(getattr(tflite, f"{table}End")(builder))


def _option(builder: flatbuffers.Builder, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return _vector(builder, value, "int32")
    return builder.CreateString(value) if name in _TEXTS else value


def _operator_code(builder: flatbuffers.Builder, op: str) -> int:
    code = getattr(tflite.BuiltinOperator, op)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(code, 127))
    tflite.OperatorCodeAddVersion(builder, _VERSIONS.get(op, 1))
    tflite.OperatorCodeAddBuiltinCode(builder, code)
    return int(tflite.OperatorCodeEnd(builder))


def _metadata(builder: flatbuffers.Builder, name: str, buffer: int) -> int:
    text = builder.CreateString(name)
    tflite.MetadataStart(builder)
    tflite.MetadataAddName(builder, text)
    tflite.MetadataAddBuffer(builder, buffer)
    return int(tflite.MetadataEnd(builder))
