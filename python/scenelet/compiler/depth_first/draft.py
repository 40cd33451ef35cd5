"""A program whose segments are chosen but not lowered: what the search compares and the memory planner can plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ..kernels import cost_model
from ..memory.planner import Plan, plan, state_bytes
from ..program import Program, Step
from .lowering import lowered
from .segment import Segment

Part = Step | Segment
"""A step that runs by itself, or a segment of several."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A program cut into steps and segments.

    Attributes
    ----------
    program
        Lowered, no segments in it.
    steps
        Its steps in order, some of them joined into segments.
    wait_states
        Of the flash.
    """

    program: Program
    steps: tuple[Part, ...]
    wait_states: int

    @property
    def sources(self) -> tuple[int, ...]:
        """The tensors that hold the network's inputs."""
        return self.program.sources

    @property
    def targets(self) -> tuple[int, ...]:
        """The tensors that hold the network's outputs."""
        return self.program.targets

    @property
    def states(self) -> tuple[int, ...]:
        """The tensors that keep their values from one inference to the next."""
        return self.program.states

    def nbytes(self, tensor: int) -> int:
        """Size of a tensor in the arena, bytes."""
        return self.program.nbytes(tensor)

    @cached_property
    def cycles(self) -> float:
        """Estimated cycles of one inference."""
        return sum(cycles(step, self.wait_states) for step in self.steps)

    def plan(self) -> Plan:
        """Plan its arena."""
        return plan(self)

    def exchanged(self, number: int, segment: Segment) -> Draft:
        """Put another segment in the place of one."""
        return replace(self, steps=(*self.steps[:number], segment, *self.steps[number + 1 :]))

    def lowered(self) -> Program:
        """Write every segment as a step."""
        graph = self.program.graph
        steps = (lowered(part, graph) if isinstance(part, Segment) else part for part in self.steps)
        return replace(self.program, steps=tuple(steps))


def cycles(part: Part, wait_states: int) -> float:
    """Estimate a part's cycles for one inference."""
    cost = part.cost if isinstance(part, Segment) else cost_model.estimate(part)
    return cost.at(wait_states)


def held_bytes(program: Program, part: Part) -> int:
    """Bytes that a part needs in the arena while it runs: what it reads, what it writes, scratch, and all state."""
    held = {tensor: program.nbytes(tensor) for tensor in {*part.reads, *part.writes} - set(program.states)}
    run = part.run if isinstance(part, Segment) else (part,)
    dying = [tensor for tensor in part.reads if tensor in held and program.last_reader(tensor) in run]
    return sum(held.values()) - shared_bytes(part, held, dying) + part.scratch_bytes + state_bytes(program)


def shared_bytes(part: Part, nbytes: Mapping[int, int], dying: Iterable[int]) -> int:
    """Bytes that a part's output saves by overlapping one of the inputs that die with it."""
    output = part.writes[0]
    if output not in nbytes:
        return 0
    starts = {**part.leads, **dict.fromkeys(part.overwrites, 0)}
    saved = (
        nbytes[tensor] + nbytes[output] - max(nbytes[output], max(starts[tensor], 0) + nbytes[tensor])
        for tensor in dying
        if tensor in starts
    )
    return max(saved, default=0)


def waiting_bytes(program: Program) -> Callable[[Part, int], int]:
    """Bytes of tensors that wait, during a part, for a later one; a function of the part and one of its steps."""
    last = {tensor: number for number, step in enumerate(program.steps) for tensor in step.reads}
    last |= dict.fromkeys(program.targets, len(program.steps))
    last = {tensor: number for tensor, number in last.items() if tensor not in program.states}
    made = {tensor: number for number, step in enumerate(program.steps) for tensor in step.writes}

    def waiting(part: Part, number: int) -> int:
        inside = {tensor for step in part.run for tensor in step.writes} if isinstance(part, Segment) else set()
        known = inside.union(part.reads, part.writes)
        return sum(
            program.nbytes(tensor)
            for tensor, until in last.items()
            if made.get(tensor, -1) < number < until and tensor not in known
        )

    return waiting
