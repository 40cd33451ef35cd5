"""What the compiler makes of a graph: steps over tensors in one arena.

A step is one call into the engine. It stands for one operator, for several that were fused, or for a depth-first
segment with its line buffers in scratch and its stages' parameters as records. Planner and emitter see only steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ..graph import Graph

SCRATCH = "scratch"
"""The argument that stands for a step's scratch memory."""


Argument = int | str | tuple[int | str, ...]
"""What a kernel is called with: a tensor's index, the kind of a table, :data:`SCRATCH`, or an array of inputs."""


class Name(str):
    """A name of the engine, such as a function, that is written as it is."""


@dataclass(frozen=True)
class Table:
    """A constant array in flash.

    Attributes
    ----------
    kind
        Its name within its step, such as "weights".
    type
        C type of an element: int8_t, int32_t, or a struct of int32_t such as scn_multiplier_t.
    values
        Flat integers, or (elements, members) for a struct.
    """

    kind: str
    type: str
    values: NDArray[Any]

    @property
    def nbytes(self) -> int:
        """Size in flash, in bytes."""
        return int(self.values.nbytes)


@dataclass(frozen=True)
class Struct:
    """A parameter struct in flash.

    ``fields`` are its members in order: a bool, an int, a tuple of either, a mapping for a nested struct, the kind of
    one of the step's tables or records, a :class:`Name`, or None for a null pointer.
    """

    type: str
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Records:
    """A constant array of structs in flash; the members may name tables and earlier records of the step by ``kind``."""

    kind: str
    type: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, eq=False)
class Step:
    """One call into the engine. Steps are equal where they are one: a search remembers what it found of each.

    Attributes
    ----------
    name
        For people: operator number and layer.
    op
        TFLite name of the operator, or of the segment's first.
    operators
        Numbers of the operators that it computes.
    reads, writes
        Tensors in the arena (after aliasing) that it takes and leaves.
    kernel
        C function to call.
    params
        Its first argument: a struct by address, or a number.
    arguments
        The others in order: a tensor's index, the kind of one of ``tables``, :data:`SCRATCH`, or several indices and
        kinds for one array of pointers to inputs.
    tables
        Constants in flash.
    overwrites
        Those of ``reads`` that ``writes[0]`` may replace in place, starting at the same byte.
    leads
        Those of ``reads`` that ``writes[0]`` may overlap, each with the bytes that it must start after it at least:
        then the step has read what it overwrites.
    scratch_bytes
        Working memory during the step; the planner aligns it.
    static_asserts
        C expressions that must hold at compile time: what the host assumed of the engine's macros.
    macs
        Multiply-accumulates by the challenge's counting rules.
    records
        Structs that ``params`` refers to, in order.
    terms
        What it works through in one inference, where the maker of the step knows better than its kernel's row in
        :mod:`scenelet.compiler.kernels.cost_model`; else None. See :class:`scenelet.compiler.kernels.cost.Term`.
    assigns
        Whether ``writes[0]`` is a variable that an ASSIGN_VARIABLE of its ``operators`` assigns.
    """

    name: str
    op: str
    operators: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    kernel: str
    params: Struct | int
    arguments: tuple[Argument, ...]
    tables: tuple[Table, ...] = ()
    overwrites: tuple[int, ...] = ()
    leads: Mapping[int, int] = field(default_factory=dict)
    scratch_bytes: int = 0
    static_asserts: tuple[str, ...] = ()
    macs: int = 0
    records: tuple[Records, ...] = ()
    terms: tuple[tuple[str, float, float], ...] | None = None
    assigns: bool = False

    @property
    def fields(self) -> Mapping[str, Any]:
        """Members of the parameter struct; empty where the first argument is a number."""
        return self.params.fields if isinstance(self.params, Struct) else {}


@dataclass(frozen=True)
class Program:
    """A network as steps.

    ``aliases`` maps a tensor that is another one under a new shape (RESHAPE) to the one that holds its bytes; ``reads``
    and ``writes`` never name an alias.
    """

    graph: Graph
    steps: tuple[Step, ...]
    aliases: Mapping[int, int] = field(default_factory=dict)

    def holder(self, tensor: int) -> int:
        """Find the tensor whose bytes a tensor shares."""
        return self.aliases.get(tensor, tensor)

    def nbytes(self, tensor: int) -> int:
        """Size of a tensor in the arena, bytes."""
        return self.graph.tensors[tensor].nbytes

    def shown_by(self, step: Step) -> tuple[int, ...]:
        """Tensors that lie whole in the arena after a step: those it writes, under all their names, sorted.

        A variable's value that is read in place is shown by the first step that reads it.
        """
        hidden = {tensor for tensor, variable in self.graph.variables.items() if variable.resource}
        read = self._values_read
        renamed = [alias for alias, holder in self.aliases.items() if holder in step.writes and alias not in read]
        values = [value for value, reader in read.items() if reader is step]
        return tuple(sorted({*step.writes, *renamed, *values} - hidden))

    def last_reader(self, tensor: int) -> Step | None:
        """Find the step after which a tensor is not needed any more; None for one that must last."""
        return self._last_readers.get(tensor)

    @cached_property
    def _last_readers(self) -> Mapping[int, Step]:
        kept = {*self.targets, *self.states}
        return {tensor: step for step in self.steps for tensor in step.reads if tensor not in kept}

    @cached_property
    def _values_read(self) -> Mapping[int, Step | None]:
        """Tensors that are a variable's bytes, each with the first step that reads it under any name."""
        first = values_of_variables(self.graph, self.aliases)
        operators = {operator.index: operator for operator in self.graph.operators}
        readers: dict[int, Step] = {}
        for step in self.steps:
            for tensor in (tensor for number in step.operators for tensor in operators[number].inputs):
                if tensor in first:
                    readers.setdefault(first[tensor], step)
        return {tensor: readers.get(read) for tensor, read in first.items()}

    @cached_property
    def states(self) -> tuple[int, ...]:
        """Variables that its steps use, in the order of their first use."""
        used = (tensor for step in self.steps for tensor in (*step.reads, *step.writes))
        return tuple(dict.fromkeys(tensor for tensor in used if tensor in self.graph.variables))

    @property
    def sources(self) -> tuple[int, ...]:
        """The tensors that hold the network's inputs, in the file's order."""
        return tuple(map(self.holder, self.graph.inputs))

    @property
    def targets(self) -> tuple[int, ...]:
        """The tensors that hold the network's outputs, in the file's order."""
        return tuple(map(self.holder, self.graph.outputs))

    @property
    def table_bytes(self) -> int:
        """Constants in flash, as laid out for the kernels, and initial values of variables, bytes."""
        tables = [table for step in self.steps for table in step.tables]
        return sum(table.nbytes for table in (*tables, *self.initial_values.values()))

    @property
    def initial_values(self) -> Mapping[int, Table]:
        """Initial values of variables whose bytes are not all the same, by tensor."""
        values = {tensor: self.graph.variables[tensor].initial for tensor in self.states}
        return {
            tensor: Table(f"state{tensor}", f"{one.dtype.name}_t", one.ravel())
            for tensor, one in values.items()
            if len(set(one.tobytes())) > 1
        }


def values_of_variables(graph: Graph, aliases: Mapping[int, int]) -> dict[int, int]:
    """Tensors that are a variable's bytes because they were read from it, each with READ_VARIABLE's output."""
    found: dict[int, int] = {}
    for operator in graph.operators:
        target, source = operator.outputs[0], operator.inputs[0]
        if target in aliases and (operator.op == "READ_VARIABLE" or source in found):
            found[target] = found.get(source, target)
    return found
