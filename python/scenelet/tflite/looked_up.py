"""Functions of one value that ``BUILTIN_REF`` lacks, rewritten as what it has: a lookup in a table of 256 values.

TFLite's default kernels and TensorFlow Lite Micro compute ELU by such a table; the reference kernels have no ELU. The
table comes from the default kernel itself, so what the reference says is TFLite's still.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from .object_model import Buffer, pack, unpack

_LACKING = (schema.BuiltinOperator.ELU,)
VALUES = 256

TableOf = Callable[[bytes], NDArray[np.int8]]
"""From a model of one operator, (1, 256) in and out, to what it makes of -128 .. 127."""


def rewritten(model: bytes, table_of: TableOf, source: object = "model") -> bytes:
    """Replace every INT8 ELU by CAST, ADD and GATHER.

    Parameters
    ----------
    model
        Content of a .tflite file with one subgraph.
    table_of
        Evaluates one operator.
    source
        Names the model in errors.

    Returns
    -------
    bytes
        Every tensor keeps its index, new ones are after them. The model itself where there is none.

    Raises
    ------
    ModelError
        The content is not a .tflite file.
    """
    tree = unpack(model, source)
    graph = tree.subgraphs[0]
    operators: list[Any] = []
    for operator in graph.operators:
        operators += _by_table(tree, operator, table_of) if _is_lacking(tree, operator) else [operator]
    if len(operators) == len(graph.operators):
        return model
    graph.operators = operators
    _drop_unused_codes(tree)
    return pack(tree)


def _drop_unused_codes(tree: Any) -> None:
    """An interpreter looks for the kernels of all codes that a file lists."""
    operators = tree.subgraphs[0].operators
    used = sorted({operator.opcodeIndex for operator in operators})
    tree.operatorCodes = [tree.operatorCodes[number] for number in used]
    for operator in operators:
        operator.opcodeIndex = used.index(operator.opcodeIndex)


def _is_lacking(tree: Any, operator: Any) -> bool:
    lacking = tree.operatorCodes[operator.opcodeIndex].builtinCode in _LACKING
    return bool(lacking and tree.subgraphs[0].tensors[operator.inputs[0]].type == schema.TensorType.INT8)


def _by_table(tree: Any, operator: Any, table_of: TableOf) -> list[Any]:
    source, target = operator.inputs[0], operator.outputs[0]
    table = table_of(_alone(tree, operator))
    wide, index = _computed(tree, source), _computed(tree, source)
    listed = _constant(tree, table, schema.TensorType.INT8, tree.subgraphs[0].tensors[target].quantization)
    offset = _constant(tree, np.array([VALUES // 2], np.int32), schema.TensorType.INT32, None)
    gather = _operator(tree, schema.BuiltinOperator.GATHER, (listed, index), target)
    gather.builtinOptionsType, gather.builtinOptions = schema.BuiltinOptions.GatherOptions, schema.GatherOptionsT()
    return [
        _operator(tree, schema.BuiltinOperator.CAST, (source,), wide),
        _operator(tree, schema.BuiltinOperator.ADD, (wide, offset), index),
        gather,
    ]


def _alone(tree: Any, operator: Any) -> bytes:
    """A model of nothing but an operator of one input and output, over 256 values."""
    made, graph, code = schema.ModelT(), schema.SubGraphT(), deepcopy(tree.operatorCodes[operator.opcodeIndex])
    tensors = [deepcopy(tree.subgraphs[0].tensors[index]) for index in (operator.inputs[0], operator.outputs[0])]
    for tensor in tensors:
        tensor.shape, tensor.shapeSignature, tensor.buffer = [1, VALUES], None, 0
    one = deepcopy(operator)
    one.opcodeIndex, one.inputs, one.outputs = 0, [0], [1]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [one], [0], [1]
    made.version, made.operatorCodes, made.subgraphs, made.buffers = 3, [code], [graph], [Buffer()]
    return pack(made)


def _computed(tree: Any, like: int) -> int:
    """Add an int32 tensor of another one's shape."""
    tensors = tree.subgraphs[0].tensors
    tensor = deepcopy(tensors[like])
    tensor.type, tensor.buffer, tensor.quantization = schema.TensorType.INT32, 0, None
    tensors.append(tensor)
    return len(tensors) - 1


def _constant(tree: Any, values: NDArray[Any], kind: int, quantization: Any) -> int:
    tree.buffers.append(Buffer(values.tobytes()))
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer = [values.size], kind, len(tree.buffers) - 1
    tensor.name, tensor.quantization = "", deepcopy(quantization)
    tree.subgraphs[0].tensors.append(tensor)
    return len(tree.subgraphs[0].tensors) - 1


def _operator(tree: Any, builtin: int, inputs: tuple[int, ...], output: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    tree.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(tree.operatorCodes) - 1
    operator.inputs, operator.outputs = list(inputs), [output]
    return operator
