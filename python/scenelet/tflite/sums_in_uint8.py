"""INT8 SUM rewritten as uint8 SUM, for a reference interpreter that mistakes the one for the other.

``BUILTIN_REF`` of LiteRT 2.3 and of TensorFlow 2.21 reads and writes the values of an INT8 SUM as if they were uint8,
and so adds 256 to every negative one. Their default kernels, TensorFlow Lite Micro and LiteRT's current sources do not.
Between two QUANTIZE, with zero points moved by 128, the same reference kernel computes what SUM means.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from .object_model import pack, unpack

_MOVED = 128
_UINT8_VERSION = 2
"""Of QUANTIZE between INT8 and uint8."""


def rewritten(model: bytes, source: object = "model") -> bytes:
    """Put every INT8 SUM between conversions to uint8 and back.

    Parameters
    ----------
    model
        Content of a .tflite file with one subgraph.
    source
        Names the model in errors.

    Returns
    -------
    bytes
        Every tensor keeps its index, new ones are after them. The model itself where there is no INT8 SUM.

    Raises
    ------
    ModelError
        The content is not a .tflite file.
    """
    tree = unpack(model, source)
    graph = tree.subgraphs[0]
    operators: list[Any] = []
    for operator in graph.operators:
        operators += _in_uint8(tree, operator) if _is_sum(tree, operator) else [operator]
    if len(operators) == len(graph.operators):
        return model
    graph.operators = operators
    return pack(tree)


def _is_sum(tree: Any, operator: Any) -> bool:
    is_sum = tree.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.SUM
    return bool(is_sum and tree.subgraphs[0].tensors[operator.inputs[0]].type == schema.TensorType.INT8)


def _in_uint8(tree: Any, operator: Any) -> list[Any]:
    (before, axes), (after,) = operator.inputs, operator.outputs
    given, made = _moved(tree, before), _moved(tree, after)
    summed = deepcopy(operator)
    summed.inputs, summed.outputs = [given, axes], [made]
    return [_quantize(tree, before, given), summed, _quantize(tree, made, after)]


def _moved(tree: Any, index: int) -> int:
    """Add a tensor that holds another one's values as uint8."""
    tensors = tree.subgraphs[0].tensors
    tensor = deepcopy(tensors[index])
    tensor.type = schema.TensorType.UINT8
    tensor.buffer = 0
    tensor.quantization.zeroPoint = [int(point) + _MOVED for point in tensor.quantization.zeroPoint]
    tensors.append(tensor)
    return len(tensors) - 1


def _quantize(tree: Any, before: int, after: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.QUANTIZE
    code.version = _UINT8_VERSION
    tree.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(tree.operatorCodes) - 1
    operator.inputs, operator.outputs = [before], [after]
    return operator
