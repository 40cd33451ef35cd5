"""Shapes that a model computes: evaluated at compile time, because every tensor's shape is known then.

Converters write a RESHAPE to a batch of unknown size as SHAPE, STRIDED_SLICE, PACK and RESHAPE. With a fixed input all
of it is constants. A file then also records wrong shapes after such a RESHAPE, with 1 for what the converter did not
know: those that follow from their inputs are inferred again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...graph import Graph, Operator, Tensor
from ..numerics.views import VIEWS, moved_input

_INTEGERS = ("int32", "int64", "bool")

Values = NDArray[Any]
_Found = TypeVar("_Found")
_Evaluate = Callable[[list[Values], Mapping[str, Any]], Values]

# What a damaged file's options and indices raise in NumPy; the operator then stays, and is refused for its type.
_UNFIT = (ValueError, IndexError, KeyError, TypeError, OverflowError, ZeroDivisionError)


def _reduced(function: Callable[..., Any]) -> _Evaluate:
    def evaluate(inputs: list[Values], options: Mapping[str, Any]) -> Values:
        axes = tuple(np.ravel(inputs[1]).tolist())
        return np.asarray(function(inputs[0], axis=axes, keepdims=bool(options.get("keep_dims", False))))

    return evaluate


def _gathered(inputs: list[Values], options: Mapping[str, Any]) -> Values:
    if int(options.get("batch_dims", 0)) != 0:
        raise ValueError("batch_dims")
    return np.take(inputs[0], inputs[1], axis=int(options.get("axis", 0)))


def _two(function: Callable[..., Any]) -> _Evaluate:
    def evaluate(inputs: list[Values], options: Mapping[str, Any]) -> Values:
        if options.get("fused_activation_function", "NONE") != "NONE":
            raise ValueError("fused activation")
        return np.asarray(function(*inputs))

    return evaluate


_EVALUATORS: Mapping[str, _Evaluate] = {
    "ADD": _two(np.add),
    "CAST": lambda inputs, _options: inputs[0],
    "CONCATENATION": lambda inputs, options: np.concatenate(inputs, axis=int(options.get("axis", 0))),
    "EXPAND_DIMS": lambda inputs, _options: np.expand_dims(inputs[0], int(np.ravel(inputs[1]).item())),
    "GATHER": _gathered,
    "MAXIMUM": _two(np.maximum),
    "MINIMUM": _two(np.minimum),
    "MUL": _two(np.multiply),
    "PACK": lambda inputs, options: np.stack(inputs, axis=int(options.get("axis", 0))),
    "REDUCE_MAX": _reduced(np.max),
    "REDUCE_MIN": _reduced(np.min),
    "REDUCE_PROD": _reduced(np.prod),
    "RESHAPE": lambda inputs, _options: inputs[0].reshape(np.ravel(inputs[1]).tolist()),
    "SUB": _two(np.subtract),
    "SUM": _reduced(np.sum),
}

FOLDED = frozenset({"SHAPE", "SQUEEZE", *_EVALUATORS, *VIEWS})
"""Operators that are evaluated where all their inputs are known integers."""

_SAME_SHAPE = frozenset(
    {"ABS", "ELU", "EXP", "GELU", "HARD_SWISH", "L2_NORMALIZATION", "LEAKY_RELU", "LOG", "LOGISTIC", "NEG", "PRELU",
     "QUANTIZE", "DEQUANTIZE", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RSQRT", "SOFTMAX", "SQRT", "TANH"}
)  # fmt: skip
_BROADCAST = frozenset({"ADD", "DIV", "MAXIMUM", "MINIMUM", "MUL", "SQUARED_DIFFERENCE", "SUB"})


@dataclass
class _Known:
    """What is known of a graph's tensors so far: their shapes, and the values of some."""

    graph: Graph
    shapes: dict[int, tuple[int, ...]]
    values: dict[int, Values]

    def evaluate(self, operator: Operator) -> list[Values] | None:
        """Give an operator's outputs, None where they are not known."""
        if operator.op == "SHAPE":
            return [np.array(self.shapes[operator.inputs[0]])]
        inputs = [self.values.get(index) for index in operator.inputs]
        if operator.op not in FOLDED or any(values is None for values in inputs):
            return None
        if operator.op in VIEWS:
            moved = inputs[moved_input(operator.op)]
            assert moved is not None
            return VIEWS[operator.op](moved, inputs, operator.attributes, len(operator.outputs))
        known = [values for values in inputs if values is not None]
        if operator.op == "SQUEEZE":
            return [known[0].reshape(self.graph.tensors[operator.outputs[0]].shape)]
        return [_EVALUATORS[operator.op](known, operator.attributes)]

    def learn(self, operator: Operator) -> bool:
        """Take in an operator; returns whether its outputs are known integers.

        One that lacks inputs, or whose inputs do not fit, is left as the file has it: its rules refuse it later.
        """
        targets = [self.graph.tensors[index] for index in operator.outputs]
        if targets and all(target.dtype in _INTEGERS for target in targets):
            outputs = _unless_unfit(self.evaluate, operator)
            if outputs is not None and len(outputs) == len(targets):
                for target, values in zip(targets, outputs, strict=True):
                    self.values[target.index] = np.asarray(values).astype(target.dtype)
                    self.shapes[target.index] = np.asarray(values).shape
                return True
        shape = _unless_unfit(self.shape, operator)
        if shape is not None and targets:
            self.shapes[operator.outputs[0]] = shape
        return False

    def shape(self, operator: Operator) -> tuple[int, ...] | None:
        """Infer the output's shape of an operator after a RESHAPE; None leaves it as the file has it."""
        source = self.shapes.get(operator.inputs[0], ())
        if operator.op == "RESHAPE" and len(operator.inputs) > 1:
            return _reshaped(source, self.values.get(operator.inputs[1]))
        if operator.op in _SAME_SHAPE:
            return source
        if operator.op in _BROADCAST:
            return np.broadcast_shapes(*(self.shapes[index] for index in operator.inputs))
        if operator.op == "FULLY_CONNECTED" and operator.inputs[1] in self.values:
            weights = self.shapes[operator.inputs[1]]
            if len(weights) != 2 or math.prod(source) % weights[1]:
                return None
            if operator.attributes.get("keep_num_dims", False):
                return (*source[:-1], weights[0])
            return (math.prod(source) // weights[1], weights[0])
        return None


def _unless_unfit(find: Callable[[Operator], _Found | None], operator: Operator) -> _Found | None:
    """Ask for what follows from an operator's inputs; None where they are missing or do not fit."""
    try:
        return find(operator)
    except _UNFIT:
        return None


def _reshaped(source: tuple[int, ...], listed: Values | None) -> tuple[int, ...] | None:
    """Shape of as many values that a list with at most one -1 gives."""
    if listed is None or listed.ndim != 1:
        return None
    sizes = [int(size) for size in listed]
    rest = math.prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and rest > 0 and math.prod(source) % rest == 0:
        sizes[sizes.index(-1)] = math.prod(source) // rest
    return tuple(sizes) if min(sizes, default=1) > 0 and math.prod(sizes) == math.prod(source) else None


def _known(graph: Graph) -> tuple[_Known, frozenset[int]]:
    """What is known of a graph, and the numbers of the operators that are evaluated."""
    values = {index: tensor.data for index, tensor in graph.tensors.items() if tensor.data is not None}
    known = _Known(graph, {index: tensor.shape for index, tensor in graph.tensors.items()}, values)
    return known, frozenset([operator.index for operator in graph.operators if known.learn(operator)])


def with_shapes(graph: Graph) -> Graph:
    """Correct the shapes that follow from computed shapes.

    Parameters
    ----------
    graph
        As read from a .tflite file.

    Returns
    -------
    Graph
        The same operators and constants.
    """
    known, _ = _known(graph)
    return replace(graph, tensors=_reshape_tensors(graph, known))


def fold(graph: Graph) -> Graph:
    """Make constants of all integers that are known at compile time.

    Parameters
    ----------
    graph
        As read from a .tflite file.

    Returns
    -------
    Graph
        Without the operators that compute them, shapes corrected as by :func:`with_shapes`. An output of the network
        stays computed.
    """
    known, evaluated = _known(graph)
    folded = {
        index
        for operator in graph.operators
        if operator.index in evaluated and not set(operator.outputs) & set(graph.outputs)
        for index in operator.outputs
    }
    tensors = {
        index: replace(tensor, constant=True, data=known.values[index]) if index in folded else tensor
        for index, tensor in _reshape_tensors(graph, known).items()
    }
    kept = tuple(operator for operator in graph.operators if operator.outputs[0] not in folded)
    return replace(graph, tensors=tensors, operators=kept)


def _reshape_tensors(graph: Graph, known: _Known) -> dict[int, Tensor]:
    return {
        index: tensor if tensor.shape == known.shapes[index] else replace(tensor, shape=known.shapes[index])
        for index, tensor in graph.tensors.items()
    }
