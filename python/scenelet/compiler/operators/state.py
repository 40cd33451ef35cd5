"""READ_VARIABLE and ASSIGN_VARIABLE: copies out of a variable and into it, and which reads need no copy."""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Graph, Tensor
from ..program import Step, Table, values_of_variables
from .checker import Checker
from .layer import Layer, table

_QUANTIZED = "convert with converter._experimental_variable_quantization = True"


def check_read(check: Checker) -> None:
    """An INT8 variable; its bytes are taken as they are, whatever the scales, as TFLite does."""
    _require_int8(check, check.source, check.target)


def check_assign(check: Checker) -> None:
    """An INT8 value for a variable."""
    _require_int8(check, check.target, check.source)


def _require_int8(check: Checker, variable: Tensor, value: Tensor) -> None:
    check.inputs(1, 1)
    check.require(variable.index in check.graph.variables, "reads or assigns no variable")
    check.require(variable.dtype == "int8", f"variable '{variable.name}' is {variable.dtype}", _QUANTIZED)
    if not value.constant:
        check.activation(value, "value")


def read(layer: Layer) -> Step:
    """READ_VARIABLE as a copy."""
    return layer.step("scn_reshape_s8", layer.source.nbytes, (layer.held(layer.source), layer.target.index))


def assign(layer: Layer) -> Step:
    """ASSIGN_VARIABLE as a copy."""
    value = layer.source
    tables: tuple[Table, ...] = (table("value", value),) if value.constant else ()
    given = "value" if value.constant else layer.held(value)
    return layer.step("scn_reshape_s8", value.nbytes, (given, layer.target.index), tables=tables)


def outlived(graph: Graph, aliases: Mapping[int, int]) -> frozenset[int]:
    """Find what READ_VARIABLE gives that needs a copy: outputs, and what is still read when the variable is assigned.

    Parameters
    ----------
    graph
        Operators in execution order.
    aliases
        Tensors that share another one's bytes, if no read needs a copy.

    Returns
    -------
    frozenset
        Outputs of READ_VARIABLE.
    """
    return frozenset(
        operator.outputs[0]
        for number, operator in enumerate(graph.operators)
        if operator.op == "READ_VARIABLE" and _outlives(graph, aliases, number)
    )


def _outlives(graph: Graph, aliases: Mapping[int, int], number: int) -> bool:
    variable, first = graph.operators[number].inputs[0], graph.operators[number].outputs[0]
    same = {tensor for tensor, read in values_of_variables(graph, aliases).items() if read == first}
    if same.intersection(graph.outputs):
        return True
    last = max((place for place, one in enumerate(graph.operators) if same.intersection(one.inputs)), default=number)
    return any(variable in one.outputs for one in graph.operators[number + 1 : last])
