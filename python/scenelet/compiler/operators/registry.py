"""The operators that the engine runs: one row for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import UnsupportedError
from ...graph import Graph, Operator
from ..program import Program, Step
from . import activation, convolution, data_movement, dense, elementwise, pooling
from .checker import FULL_INT8, Checker
from .layer import Layer


@dataclass(frozen=True)
class Row:
    """What the compiler knows of an operator.

    Attributes
    ----------
    accepts
        Options and limits, for docs/COMPILER.md.
    check
        Holds an operator to its rules; raises UnsupportedError.
    lower
        Makes the call of a kernel.
    tflm
        Method of TensorFlow Lite Micro's MicroMutableOpResolver that registers it.
    is_alias
        Whether an output is its input's bytes under a new shape or name, so that nothing need be computed; None: never.
    """

    accepts: str
    check: Callable[[Checker], None]
    lower: Callable[[Layer], Step]
    tflm: str
    is_alias: Callable[[Graph, Operator], bool] | None = None


_CONVOLUTION = "any kernel, stride, dilation; SAME, VALID; a scale per channel or per tensor; with or without bias"
_BROADCAST = "up to four dimensions, either operand broadcast, one of them perhaps a constant"
_POOL = "any window and stride; SAME, VALID"

OPERATORS: Mapping[str, Row] = {
    "ADD": Row(_BROADCAST, elementwise.check_elementwise, elementwise.add, "AddAdd"),
    "AVERAGE_POOL_2D": Row(_POOL, pooling.check_pool, pooling.average_pool, "AddAveragePool2D"),
    "CONV_2D": Row(f"{_CONVOLUTION}; no groups", convolution.check_convolution, convolution.convolution, "AddConv2D"),
    "DEPTHWISE_CONV_2D": Row(
        f"{_CONVOLUTION}; any depth multiplier",
        convolution.check_depthwise,
        convolution.depthwise,
        "AddDepthwiseConv2D",
    ),
    "FULLY_CONNECTED": Row(
        "a scale per channel or per tensor; with or without bias",
        dense.check_fully_connected,
        dense.fully_connected,
        "AddFullyConnected",
    ),
    "LOGISTIC": Row("output scale 1/256", activation.check_logistic, activation.logistic, "AddLogistic"),
    "MAX_POOL_2D": Row(_POOL, pooling.check_pool, pooling.max_pool, "AddMaxPool2D"),
    "MEAN": Row("any axes of up to four dimensions; `keep_dims` or not", pooling.check_mean, pooling.mean, "AddMean"),
    "MUL": Row(_BROADCAST, elementwise.check_elementwise, elementwise.multiply, "AddMul"),
    "PAD": Row(
        "up to four dimensions, constant paddings",
        data_movement.check_pad,
        data_movement.pad,
        "AddPad",
        data_movement.is_no_padding,
    ),
    "PRELU": Row(
        "up to four dimensions, a constant slope that broadcasts",
        elementwise.check_prelu,
        elementwise.prelu,
        "AddPrelu",
    ),
    "QUANTIZE": Row(
        "INT8 to INT8",
        data_movement.check_quantize,
        data_movement.quantize,
        "AddQuantize",
        data_movement.is_same_quantization,
    ),
    "RESHAPE": Row(
        "any shape of as many values",
        data_movement.check_reshape,
        data_movement.copy,
        "AddReshape",
        data_movement.is_rename,
    ),
    "SOFTMAX": Row(
        "last dimension, up to 511 classes (where TFLite gives up), any positive beta",
        activation.check_softmax,
        activation.softmax,
        "AddSoftmax",
    ),
}
"""By TFLite's name, sorted."""


def require_supported(graph: Graph) -> None:
    """Hold a graph to the engine's rules.

    Parameters
    ----------
    graph
        As read from a .tflite file, constants with their values.

    Raises
    ------
    UnsupportedError
        Naming the operator, its layer, what the engine cannot do with it, and the remedy.
    """
    _require_ends(graph)
    for operator in graph.operators:
        check = Checker(graph, operator)
        if operator.op not in OPERATORS:
            check.unknown(OPERATORS)
        OPERATORS[operator.op].check(check)


def lower(graph: Graph) -> Program:
    """Make a program of a graph.

    Parameters
    ----------
    graph
        Held to :func:`require_supported`, without dead operators.

    Returns
    -------
    Program
        One step per operator, but none for an operator whose output is an alias.
    """
    renamed = aliases(graph)
    steps = [
        OPERATORS[operator.op].lower(Layer(graph, operator, renamed))
        for operator in graph.operators
        if operator.outputs[0] not in renamed
    ]
    return Program(graph, tuple(steps), renamed)


def aliases(graph: Graph) -> Mapping[int, int]:
    """Tensors that are another tensor's bytes under a new shape or name.

    The network's output is never an alias of its input: the one may be filled anew while the other is still read.

    Returns
    -------
    Mapping
        Tensor -> the tensor that holds its bytes, which is never itself a key.
    """
    found: dict[int, int] = {}
    for operator in graph.operators:
        source, target = operator.inputs[0], operator.outputs[0]
        holder = found.get(source, source)
        is_alias = OPERATORS[operator.op].is_alias
        if is_alias and is_alias(graph, operator) and not (holder in graph.inputs and target in graph.outputs):
            found[target] = holder
    return found


def _require_ends(graph: Graph) -> None:
    for indices, role in ((graph.inputs, "input"), (graph.outputs, "output")):
        if len(indices) != 1:
            raise UnsupportedError(graph.name, f"{len(indices)} {role}s", f"export the model with one {role}")
        tensor = graph.tensors[indices[0]]
        if tensor.dtype != "int8":
            raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is {tensor.dtype}", FULL_INT8)
        if tensor.constant:
            raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is a constant", "convert the model again")
