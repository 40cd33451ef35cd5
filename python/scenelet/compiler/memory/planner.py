"""Gives every tensor and every step's scratch memory its place in one arena, on the host, to the byte.

Two blocks that are alive in the same step may not overlap, except an output with its step's input: in place, or from
below, where the step has read what it overwrites.
The search (:mod:`scenelet.compiler.memory.placement`) stops when the arena is as small as the busiest step: no plan can
beat that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from .placement import ALIGNMENT, IN_PLACE, Distances, Extents, aligned, search

STATE_ALIGNMENT = 16
"""The bytes of all variables are a multiple of this, so that what follows them is aligned as the arena is."""


class Planned(Protocol):
    """What the planner must know of a step: see :class:`scenelet.compiler.program.Step`."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def reads(self) -> tuple[int, ...]:
        """Tensors that it takes."""

    @property
    def writes(self) -> tuple[int, ...]:
        """Tensors that it leaves."""

    @property
    def overwrites(self) -> tuple[int, ...]:
        """Those of ``reads`` that ``writes[0]`` may replace in place."""

    @property
    def leads(self) -> Mapping[int, int]:
        """Those of ``reads`` that ``writes[0]`` may overlap, each with the bytes that it starts after it, at least."""

    @property
    def scratch_bytes(self) -> int:
        """Working memory during the step."""


class Plannable(Protocol):
    """Steps in execution order, and the tensors that must be there before the first, after the last, and always."""

    @property
    def steps(self) -> Sequence[Planned]:
        """In execution order."""

    @property
    def sources(self) -> tuple[int, ...]:
        """The tensors that hold the network's inputs."""

    @property
    def targets(self) -> tuple[int, ...]:
        """The tensors that hold the network's outputs."""

    @property
    def states(self) -> tuple[int, ...]:
        """The tensors that keep their values from one inference to the next."""

    def nbytes(self, tensor: int) -> int:
        """Size of a tensor, bytes."""


@dataclass(frozen=True)
class Block:
    """A piece of the arena.

    Attributes
    ----------
    name
        For people: the step that writes the tensor ("input" for none), or whose scratch or state it is.
    tensor
        Index of the tensor, -1 for scratch.
    nbytes
        Size.
    first, last
        Steps at which it is alive, inclusive.
    offset
        Place in the arena, bytes from its start.
    """

    name: str
    tensor: int
    nbytes: int
    first: int
    last: int
    offset: int = 0

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.offset + self.nbytes

    def alive_with(self, other: Block) -> bool:
        """Whether both are alive in one step."""
        return self.first <= other.last and other.first <= self.last

    def overlaps(self, other: Block) -> bool:
        """Whether they share a byte."""
        return self.offset < other.end and other.offset < self.end


@dataclass(frozen=True)
class Plan:
    """The arena's memory map.

    Attributes
    ----------
    blocks
        Tensors and scratch with their offsets, in order of their first step.
    pairs
        (input, output) tensors that share bytes because the output replaces the input.
    lower_bound
        Bytes of the busiest step; no plan is smaller.
    state_bytes
        Of variables, which lie first and keep their values.
    """

    blocks: tuple[Block, ...]
    pairs: frozenset[tuple[int, int]] = frozenset()
    lower_bound: int = 0
    state_bytes: int = 0

    @cached_property
    def _offsets(self) -> Mapping[int, int]:
        return {block.tensor: block.offset for block in self.blocks if block.tensor >= 0}

    @cached_property
    def _scratch(self) -> Mapping[int, int]:
        return {block.first: block.offset for block in self.blocks if block.tensor < 0}

    @property
    def arena_bytes(self) -> int:
        """Size of the arena."""
        return _extent(self.blocks)

    @property
    def activation_bytes(self) -> int:
        """What the arena would need without scratch, in this map."""
        return _extent(block for block in self.blocks if block.tensor >= 0)

    @property
    def scratch_bytes(self) -> int:
        """Largest scratch of a step."""
        return max((block.nbytes for block in self.blocks if block.tensor < 0), default=0)

    def offset(self, tensor: int) -> int:
        """Where a tensor lies, bytes from the arena's start."""
        return self._offsets[tensor]

    def scratch_offset(self, step: int) -> int:
        """Where a step's scratch lies; 0 where it has none."""
        return self._scratch.get(step, 0)


@dataclass
class _Problem:
    blocks: list[Block]
    pairs: dict[tuple[int, int], Distances] = field(default_factory=dict)
    """Inputs that die in a step, each with that step's output: bytes from the output's start to the input's."""

    def distances(self, one: Block, other: Block) -> Distances | None:
        """Bytes from a block's start to another's at which both may overlap."""
        found = self.pairs.get((other.tensor, one.tensor))
        if found is None and (turned := self.pairs.get((one.tensor, other.tensor))):
            return -turned[1], -turned[0]
        return found

    def compatible(self, one: Block, other: Block) -> bool:
        """Whether two placed blocks leave each other's bytes alone while both are alive."""
        if not one.alive_with(other) or not one.overlaps(other):
            return True
        allowed = self.distances(one, other)
        return allowed is not None and allowed[0] <= other.offset - one.offset <= allowed[1]


def plan(program: Plannable) -> Plan:
    """Plan the arena of a program.

    Parameters
    ----------
    program
        Steps in execution order.

    Returns
    -------
    Plan
        The same for the same program, on every machine.
    """
    problem = _Problem(_blocks(program), _pairs(program))
    bound = _lower_bound(problem, len(program.steps))
    states, kept = _states(program), state_bytes(program)
    offsets_of = zip(problem.blocks, search(_extents(problem), bound), strict=True)
    placed = [*states, *(replace(block, offset=kept + offset) for block, offset in offsets_of)]
    ordered = sorted(placed, key=lambda block: (block.first, block.tensor < 0, block.offset))
    tensors = {block.tensor: block for block in placed}
    shared = frozenset(pair for pair in problem.pairs if tensors[pair[0]].overlaps(tensors[pair[1]]))
    return Plan(tuple(ordered), shared, bound + kept, kept)


def state_bytes(program: Plannable) -> int:
    """Bytes of all variables of a program, with what aligns the bytes after them."""
    return -(-_extent(_states(program)) // STATE_ALIGNMENT) * STATE_ALIGNMENT


def _states(program: Plannable) -> list[Block]:
    """Place variables one after the other at the arena's start, where they stay."""
    names = {tensor: step.name for step in program.steps for tensor in step.writes}
    blocks: list[Block] = []
    for tensor in program.states:
        offset = aligned(_extent(blocks))
        name = f"state of {names.get(tensor, 'the network')}"
        blocks.append(Block(name, tensor, program.nbytes(tensor), 0, len(program.steps) - 1, offset))
    return blocks


def check(program: Plannable, made: Plan) -> None:
    """Hold a plan to the rule in this module's first paragraph.

    Raises
    ------
    ValueError
        Naming two blocks that collide, or a step that finds a tensor missing.
    """
    problem = _Problem(list(made.blocks), _pairs(program))
    for position, block in enumerate(made.blocks):
        if block.offset % ALIGNMENT:
            raise ValueError(f"{block.name} lies at {block.offset}, which is not a multiple of {ALIGNMENT}")
        for other in made.blocks[:position]:
            if not problem.compatible(block, other):
                raise ValueError(f"{block.name} and {other.name} collide")
    alive = {block.tensor: block for block in made.blocks}
    for number, step in enumerate(program.steps):
        for tensor in (*step.reads, *step.writes):
            if not alive[tensor].first <= number <= alive[tensor].last:
                raise ValueError(f"{step.name} finds tensor {tensor} gone")


def _blocks(program: Plannable) -> list[Block]:
    # Variables are placed before, and never die.
    alive = dict.fromkeys((*program.sources, *program.states), (0, 0))
    scratch = []
    for number, step in enumerate(program.steps):
        for tensor in step.writes:
            alive[tensor] = (number, number)
        for tensor in step.reads:
            alive[tensor] = (alive[tensor][0], number)
        if step.scratch_bytes:
            scratch.append(Block(f"scratch of {step.name}", -1, step.scratch_bytes, number, number))
    for tensor in program.targets:
        alive[tensor] = (alive[tensor][0], len(program.steps) - 1)
    alive = {tensor: steps for tensor, steps in alive.items() if tensor not in program.states}
    names = {} if len(program.sources) == 1 else {t: f"input {n}" for n, t in enumerate(program.sources)}
    names |= {tensor: step.name for step in program.steps for tensor in step.writes}
    tensors = [Block(names.get(i, "input"), i, program.nbytes(i), first, last) for i, (first, last) in alive.items()]
    return tensors + scratch


def _pairs(program: Plannable) -> dict[tuple[int, int], Distances]:
    """List inputs that die in the step that may overwrite them, each with that step's output and their distances."""
    last_read = {tensor: number for number, step in enumerate(program.steps) for tensor in step.reads}
    kept = {*program.targets, *program.states}
    found: dict[tuple[int, int], Distances] = {}
    for number, step in enumerate(program.steps):
        followed = {tensor: (lead, program.nbytes(step.writes[0])) for tensor, lead in step.leads.items()}
        for tensor, distances in {**followed, **dict.fromkeys(step.overwrites, IN_PLACE)}.items():
            if last_read[tensor] == number and tensor not in kept and step.writes[0] not in program.states:
                found[tensor, step.writes[0]] = distances
    return found


def _extent(blocks: Iterable[Block]) -> int:
    return max((block.end for block in blocks), default=0)


def _lower_bound(problem: _Problem, steps: int) -> int:
    """Bytes of the busiest step, each output counted into the one input it can replace that saves the most.

    Every block takes a multiple of the alignment, but for the one on top.
    """
    busiest = 0
    for number in range(steps):
        live = [block for block in problem.blocks if block.first <= number <= block.last]
        total = sum(aligned(block.nbytes) for block in live)
        for block in live:
            partners = [other for other in live if (other.tensor, block.tensor) in problem.pairs]
            total -= max((_shared(problem, block, other) for other in partners), default=0)
        busiest = max(busiest, total - max((aligned(block.nbytes) - block.nbytes for block in live), default=0))
    return busiest


def _shared(problem: _Problem, output: Block, source: Block) -> int:
    """Bytes that an output saves at most by lying where its input does."""
    start = max(problem.pairs[source.tensor, output.tensor][0], 0)
    together = max(aligned(output.nbytes), aligned(start) + aligned(source.nbytes))
    return max(aligned(output.nbytes) + aligned(source.nbytes) - together, 0)


def _extents(problem: _Problem) -> Extents:
    blocks = problem.blocks
    rivals = [[n for n, other in enumerate(blocks) if other is not one and other.alive_with(one)] for one in blocks]
    partners = [
        {n: allowed for n in near if (allowed := problem.distances(one, blocks[n]))}
        for one, near in zip(blocks, rivals, strict=True)
    ]
    sizes, lives = [block.nbytes for block in blocks], [(block.first, block.last) for block in blocks]
    return Extents(sizes, lives, rivals, partners)
