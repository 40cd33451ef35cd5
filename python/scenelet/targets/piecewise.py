"""LiteRT for all operators that it has in reference form, TFLite Micro for SVDF with INT8 state, which it lacks.

LiteRT takes such a state for int16 and reads past it; TFLite Micro runs it. The model is cut into runs of operators of
one kind, which hand their tensors on; each keeps the state of its own operators.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from numpy.typing import NDArray

from ..errors import UnsupportedError
from ..graph import Graph, Operator
from ..tflite import interior, object_model, reader
from .litert import LitertInterpreter
from .tflm import TflmInterpreter


def is_micros_own(graph: Graph, operator: Operator) -> bool:
    """Whether only TFLite Micro has an operator: SVDF whose state is INT8."""
    return operator.op == "SVDF" and graph.tensors[operator.inputs[-1]].dtype == "int8"


@dataclass(frozen=True)
class _Piece:
    """Consecutive operators, their interpreter, and the tensors that go in and out."""

    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    interpreter: Any

    @property
    def made(self) -> set[int]:
        """Tensors that the interpreter can show."""
        return {index for one in self.operators for index in (*one.outputs, *one.inputs)} - set(self.inputs)


def _micro(content: bytes) -> TflmInterpreter:
    return TflmInterpreter(object_model.repack(content), "kPreserveAllTensors")


class PiecewiseInterpreter:
    """A model as pieces; see :class:`.native.Interpreter`.

    Parameters
    ----------
    content
        Of a .tflite file.
    """

    def __init__(self, content: bytes) -> None:
        self._graph = reader.parse("model", "model", content)
        if any(variable.resource for variable in self._graph.variables.values()):
            problem = "SVDF with INT8 state beside resource variables: no interpreter has both"
            raise UnsupportedError("model", problem, "use int16 state")
        self._pieces = tuple(self._cut(content))
        self._values: dict[int, NDArray[Any]] = {}

    def _cut(self, content: bytes) -> Iterator[_Piece]:
        graph = self._graph
        for micro, group in groupby(graph.operators, lambda operator: is_micros_own(graph, operator)):
            operators = tuple(group)
            inside = {operator.index for operator in operators}
            made = dict.fromkeys(index for one in operators for index in one.outputs)
            read = dict.fromkeys(index for one in operators for index in one.inputs if index >= 0)
            given = tuple(
                index
                for index in read
                if index not in made and index not in graph.variables and not graph.tensors[index].constant
            )
            wanted = {i for one in graph.operators if one.index not in inside for i in one.inputs} | set(graph.outputs)
            left = tuple(index for index in made if index in wanted) or tuple(made)[-1:]
            dropped = {operator.index for operator in graph.operators} - inside
            part = interior.cut(content, dropped, given, left)
            yield _Piece(operators, given, left, _micro(part) if micro else LitertInterpreter(part))

    def set_input(self, number: int, values: NDArray[Any]) -> None:
        """See :class:`.native.Interpreter`."""
        self._values[self._graph.inputs[number]] = values

    def invoke(self) -> None:
        """See :class:`.native.Interpreter`."""
        for piece in self._pieces:
            for number, index in enumerate(piece.inputs):
                piece.interpreter.set_input(number, self._values[index])
            piece.interpreter.invoke()
            for number, index in enumerate(piece.outputs):
                self._values[index] = piece.interpreter.output(number)

    def output(self, number: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        return self._values[self._graph.outputs[number]]

    def value(self, index: int) -> NDArray[Any]:
        """See :class:`.native.Interpreter`."""
        if index in self._values:
            return self._values[index]
        made: NDArray[Any] = next(one for one in self._pieces if index in one.made).interpreter.value(index)
        return made

    def reset(self) -> None:
        """See :class:`.native.Interpreter`."""
        for piece in self._pieces:
            piece.interpreter.reset()
