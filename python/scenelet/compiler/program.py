"""What the compiler makes of a graph: steps over tensors in one arena.

A step is one call into the engine. Today it stands for one operator; a fused or a depth-first segment is a step too,
with several operators inside, more scratch, and weights laid out as its kernel wants them. Planner and emitter see only
steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..graph import Graph

IntArray = NDArray[np.int8] | NDArray[np.int16] | NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """A constant array in flash; ``kind`` names it within its step, such as "weights"."""

    kind: str
    values: IntArray

    @property
    def nbytes(self) -> int:
        """Size in flash, in bytes."""
        return int(self.values.nbytes)


@dataclass(frozen=True)
class Step:
    """One call into the engine.

    Attributes
    ----------
    name
        For people: operator number and layer.
    op
        TFLite name of the operator, or of the segment's first.
    operators
        Positions of the operators that it computes.
    reads, writes
        Tensors in the arena (after aliasing) that it takes and leaves.
    overwrites
        Those of ``reads`` that ``writes[0]`` may replace in place: its kernel reads each value before it writes the
        value of the same position.
    scratch_bytes
        Working memory during the step.
    macs
        Multiply-accumulates by the challenge's counting rules.
    kernel
        C function to call.
    params
        C type of its parameter struct and its fields in order: a number, a nested struct, or the name of one of
        ``tables``.
    tables
        Constants in flash.
    """

    name: str
    op: str
    operators: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    kernel: str
    params: Struct
    tables: tuple[Table, ...] = ()
    overwrites: tuple[int, ...] = ()
    scratch_bytes: int = 0
    macs: int = 0


@dataclass(frozen=True)
class Struct:
    """A C struct's initialiser; ``type`` is its typedef."""

    type: str
    fields: Mapping[str, int | str | Struct] = field(default_factory=dict)


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

    @property
    def source(self) -> int:
        """The tensor that holds the network's input."""
        return self.holder(self.graph.inputs[0])

    @property
    def target(self) -> int:
        """The tensor that holds the network's output."""
        return self.holder(self.graph.outputs[0])

    @property
    def table_bytes(self) -> int:
        """Constants in flash, as laid out for the kernels, bytes."""
        return sum(table.nbytes for step in self.steps for table in step.tables)
