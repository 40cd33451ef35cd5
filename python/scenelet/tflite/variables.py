"""State that a network keeps from one inference to the next: resource variables and variable tensors.

A converter writes a streaming layer's state as a resource variable: VAR_HANDLE names it, READ_VARIABLE and
ASSIGN_VARIABLE copy its value out and in, and CALL_ONCE runs, before the first inference, a subgraph that assigns the
initial values. In the graph the variable is a tensor in the place of its first handle, READ_VARIABLE reads it and
ASSIGN_VARIABLE writes it. Handles and CALL_ONCE compute nothing and are left out.

SVDF and LSTM keep their state in variable tensors, which they read and write; TFLite sets these to their zero point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedError
from ..graph import Graph, Operator, Tensor, Variable
from .builtin_options import DamagedError

RESOURCE = "resource"
"""Type of the tensors that VAR_HANDLE makes."""

CONTROL_FLOW = frozenset({"CALL", "IF", "STABLEHLO_CASE", "STABLEHLO_WHILE", "WHILE"})
BARE = frozenset({"CALL_ONCE", "VAR_HANDLE", "ASSIGN_VARIABLE"})
"""Operators that lack inputs or outputs."""

Key = tuple[str, str]
"""Container and name of a resource variable."""


@dataclass(frozen=True)
class Subgraph:
    """Tensors and operators of one subgraph, as the file has them."""

    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]


def with_variables(subject: str, graph: Graph, count: int, subgraph: Callable[[int], Subgraph]) -> Graph:
    """Make tensors of a network's variables.

    Parameters
    ----------
    subject
        Names the file in errors.
    graph
        The first subgraph as the file has it, with its variable tensors among ``variables``.
    count
        Number of the file's subgraphs.
    subgraph
        Reads another one.

    Returns
    -------
    Graph
        Without CALL_ONCE and VAR_HANDLE.

    Raises
    ------
    DamagedError
        Handles, or the number of a subgraph, contradict the file.
    UnsupportedError
        There is control flow, a variable is set up otherwise than by constants, it is read before it has a value, or
        its value changes type or shape.
    """
    return _Resolver(subject, graph, count, subgraph).resolved()


class _Resolver:
    def __init__(self, subject: str, graph: Graph, count: int, subgraph: Callable[[int], Subgraph]) -> None:
        self._subject, self._graph, self._count, self._subgraph = subject, graph, count, subgraph
        self._keys = _keys(graph.operators)
        self._places: dict[Key, int] = {}
        for handle, key in self._keys.items():
            self._places.setdefault(key, handle)
        self._initial: dict[Key, NDArray[Any]] = {}
        self._values: dict[Key, Tensor] = {}
        """What each variable holds, as it is known from the operators so far."""

    def _refuse(self, problem: str, remedy: str) -> NoReturn:
        raise UnsupportedError(self._subject, problem, remedy)

    def resolved(self) -> Graph:
        self._check_flow()
        kept = []
        for operator in self._graph.operators:
            if operator.op == "CALL_ONCE":
                self._set_up(operator)
            elif operator.op == "READ_VARIABLE":
                kept.append(self._read(operator))
            elif operator.op == "ASSIGN_VARIABLE":
                kept.append(self._assigned(operator))
            elif operator.op != "VAR_HANDLE":
                kept.append(operator)
        tensors = dict(self._graph.tensors)
        variables = dict(self._graph.variables)
        for key, tensor in self._values.items():
            place = self._places[key]
            name = key[1] or tensors[place].name
            tensors[place] = replace(tensor, index=place, name=name, constant=False, data=None)
            initial = self._initial.get(key, np.zeros(tensor.shape, tensor.dtype))
            variables[place] = Variable(name, initial, resource=True)
        return replace(self._graph, tensors=tensors, operators=tuple(kept), variables=variables)

    def _check_flow(self) -> None:
        """Refuse whatever decides while it runs which operators run."""
        for operator in self._graph.operators:
            if operator.op in CONTROL_FLOW:
                problem = f"operator {operator.index} is {operator.op}, control flow"
                self._refuse(problem, "export a model in which every operator and every assignment always runs")
        called = {self._called(one) for one in self._graph.operators if one.op == "CALL_ONCE"}
        spare = sorted(set(range(1, self._count)) - called)
        if spare:
            problem = f"{self._count} subgraphs, and no operator of the first one runs subgraph {spare[0]}"
            self._refuse(problem, "export one signature")

    def _called(self, operator: Operator) -> int:
        number = int(operator.attributes["init_subgraph_index"])
        if not 0 < number < self._count:
            raise DamagedError(f"operator {operator.index}, CALL_ONCE, runs subgraph {number} of {self._count}")
        return number

    def _set_up(self, operator: Operator) -> None:
        """Take the initial values from the subgraph that CALL_ONCE runs before the first inference."""
        number = self._called(operator)
        if self._values:
            problem = f"operator {operator.index}, CALL_ONCE, sets variables up after others have used them"
            self._refuse(problem, "export the model with its initialisation first")
        once = self._subgraph(number)
        keys = _keys(once.operators)
        for step in once.operators:
            if step.op not in ("VAR_HANDLE", "ASSIGN_VARIABLE"):
                problem = f"subgraph {number}, which sets variables up, computes {step.op}"
                self._refuse(problem, "initialise them with constants")
            if step.op == "ASSIGN_VARIABLE":
                handle, value = _two(step)
                values = once.tensors[value].data
                if values is None or handle not in keys:
                    self._refuse(f"subgraph {number} sets a variable to no constant", "initialise it with a constant")
                self._initial[keys[handle]] = values

    def _read(self, operator: Operator) -> Operator:
        if len(operator.inputs) != 1 or len(operator.outputs) != 1:
            raise DamagedError(f"operator {operator.index}, READ_VARIABLE, has {len(operator.inputs)} inputs")
        key = self._key(operator, operator.inputs[0])
        if key not in self._values and key not in self._initial:
            self._refuse(f"variable '{key[1]}' is read before it has a value", "initialise it, or assign it first")
        self._hold(operator, key, self._graph.tensors[operator.outputs[0]])
        return replace(operator, inputs=(self._places[key],))

    def _assigned(self, operator: Operator) -> Operator:
        handle, value = _two(operator)
        key = self._key(operator, handle)
        self._hold(operator, key, self._graph.tensors[value])
        return replace(operator, inputs=(value,), outputs=(self._places[key],))

    def _key(self, operator: Operator, handle: int) -> Key:
        if handle not in self._keys:
            raise DamagedError(f"operator {operator.index}, {operator.op}, has no variable")
        return self._keys[handle]

    def _hold(self, operator: Operator, key: Key, tensor: Tensor) -> None:
        """Require that a variable keeps its type and shape."""
        initial = self._initial.get(key)
        known = self._values.get(key, tensor)
        shapes = [known.shape] if initial is None else [initial.shape, known.shape]
        types = [known.dtype] if initial is None else [initial.dtype.name, known.dtype]
        for shape, dtype in zip(shapes, types, strict=True):
            if shape != tensor.shape or dtype != tensor.dtype:
                problem = f"variable '{key[1]}' is {dtype} {shape} and, for operator {operator.index}, "
                self._refuse(f"{problem}{tensor.dtype} {tensor.shape}", "keep its type and shape")
        self._values.setdefault(key, tensor)


def _keys(operators: Sequence[Operator]) -> dict[int, Key]:
    """Variables by the tensors that VAR_HANDLE makes."""
    return {
        operator.outputs[0]: (str(operator.attributes["container"]), str(operator.attributes["shared_name"]))
        for operator in operators
        if operator.op == "VAR_HANDLE" and operator.outputs
    }


def _two(operator: Operator) -> tuple[int, int]:
    """Handle and value of ASSIGN_VARIABLE."""
    if len(operator.inputs) != 2 or operator.outputs or -1 in operator.inputs:
        raise DamagedError(f"operator {operator.index}, ASSIGN_VARIABLE, has {len(operator.inputs)} inputs")
    return operator.inputs[0], operator.inputs[1]


def variable_tensor(tensor: Tensor) -> Variable:
    """Variable of a variable tensor, which TFLite sets to its zero point if it is INT8, else to 0."""
    zero_point = 0
    if tensor.dtype == "int8" and tensor.quantization is not None and tensor.quantization.zero_point.size:
        zero_point = int(tensor.quantization.zero_point[0])
    return Variable(tensor.name, np.full(tensor.shape, np.int64(zero_point).astype(np.int8), tensor.dtype))
