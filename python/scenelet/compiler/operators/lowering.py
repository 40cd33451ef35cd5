"""From a graph to a program: every operator held to its rules, and made a step by its row of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...errors import UnsupportedError
from ...graph import Graph
from ..program import Program, Step
from . import state
from .checker import FULL_INT8, Checker
from .layer import Layer
from .registry import OPERATORS

_NARROW = "convert the model to INT8 activations, or use the operators that docs/OPERATORS.md lists with int16"


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
        row = OPERATORS[operator.op]
        if not check.wide:
            row.check(check)
        elif row.wide is None:
            check.refuse("computes with int16 activations, for which the engine has no kernel", _NARROW)
        else:
            (row.wide.check or row.check)(check)


def lower(graph: Graph) -> Program:
    """Make a program of a graph.

    Parameters
    ----------
    graph
        Held to :func:`require_supported`, without dead operators.

    Returns
    -------
    Program
        One step per operator, or one for each of its outputs; none for an operator whose output is an alias.
    """
    renamed = aliases(graph)
    steps: list[Step] = []
    for operator in graph.operators:
        if operator.outputs[0] not in renamed:
            row, layer = OPERATORS[operator.op], Layer(graph, operator, renamed)
            made = row.wide.lower(layer) if row.wide and Checker(graph, operator).wide else row.lower(layer)
            steps += (made,) if isinstance(made, Step) else made
    return Program(_inputs_as_read(graph, renamed), tuple(steps), renamed)


def _inputs_as_read(graph: Graph, renamed: Mapping[int, int]) -> Graph:
    """Give an input that is only read under another shape, by RESHAPE, that one: its rows can then be streamed."""
    tensors = dict(graph.tensors)
    computing = [operator for operator in graph.operators if operator.outputs[0] not in renamed]
    for source in graph.inputs:
        names = {source, *(alias for alias, holder in renamed.items() if holder == source)}
        shapes = {tensors[index].shape for operator in computing for index in operator.inputs if index in names}
        if len(shapes) == 1:
            tensors[source] = replace(tensors[source], shape=shapes.pop())
    return replace(graph, tensors=tensors)


def aliases(graph: Graph) -> Mapping[int, int]:
    """Tensors that are another tensor's bytes under a new shape or name.

    The network's output is never an alias of its input: the one may be filled anew while the other is still read. A
    variable's value is one of the variable as long as it is not assigned before the value is last read.

    Returns
    -------
    Mapping
        Tensor -> the tensor that holds its bytes, which is never itself a key.
    """
    found = _aliases(graph, frozenset())
    copied = state.outlived(graph, found)
    return _aliases(graph, copied) if copied else found


def _aliases(graph: Graph, copied: frozenset[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for operator in graph.operators:
        source, target = operator.inputs[0], operator.outputs[0]
        holder = found.get(source, source)
        is_alias = None if target in copied else OPERATORS[operator.op].is_alias
        if is_alias and is_alias(graph, operator) and not (holder in graph.inputs and target in graph.outputs):
            found[target] = holder
    return found


def _require_ends(graph: Graph) -> None:
    for indices, role in ((graph.inputs, "input"), (graph.outputs, "output")):
        for index in indices:
            tensor = graph.tensors[index]
            if tensor.dtype not in ("int8", "int16"):
                raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is {tensor.dtype}", FULL_INT8)
            if tensor.constant:
                raise UnsupportedError(graph.name, f"{role} '{tensor.name}' is a constant", "convert the model again")
