"""Depth-first segments: stages with line buffers of a few rows instead of whole feature maps.

A segment has one tensor coming in, or two, and one going out; inside, residual branches are allowed. Which steps become
a segment is decided in :mod:`scenelet.compiler.depth_first.partition`; this module lays one out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...graph import Graph
from ..kernels.cost import Cost, Terms, cost_of, terms
from ..program import Step
from .overlap import lead
from .row_schedule import Schedule, StageRows, simulate
from .stage import Fused, Stage, input_shape

STATE_BYTES = 4
"""Counters of a line buffer."""

_ALIGNMENT = 4
_SUM_BYTES = 4
_SUMS = -1
"""Of the buffer of MEAN's sums, which is no tensor."""


@dataclass(frozen=True)
class Line:
    """A line buffer: whose rows, how many of them, how long each is, and where they lie in the segment's memory.

    MEAN's output has rows of no bytes; its sums are a buffer of no rows, and all ``more_bytes``.
    """

    tensor: int
    capacity: int
    row_bytes: int
    height: int
    offset: int
    more_bytes: int = 0

    @property
    def nbytes(self) -> int:
        """Size, rounded up to the next buffer's start."""
        return -(-self.capacity * self.row_bytes // _ALIGNMENT) * _ALIGNMENT + self.more_bytes


@dataclass(frozen=True, eq=False)
class Segment:
    """Stages over line buffers.

    It has what the memory planner asks of a step, so that a search can compare segments without lowering them.

    Attributes
    ----------
    run
        The steps that it replaces.
    stages
        In order; each after those that it reads.
    lines
        Buffer 0 is the input, 1 the output, 2 the second input if there is one, all of them whole and elsewhere; the
        others lie in the segment's memory.
    rows, schedule
        What the simulation was given, and what it found.
    second
        The second input's tensor.
    """

    run: tuple[Step, ...]
    stages: tuple[Stage, ...]
    lines: tuple[Line, ...]
    rows: tuple[StageRows, ...]
    schedule: Schedule
    second: int | None = None

    @property
    def name(self) -> str:
        """Layers, for people."""
        return self.run[0].name if len(self.stages) == 1 else f"{self.run[0].name} .. {self.run[-1].name}"

    @property
    def operators(self) -> tuple[int, ...]:
        """Numbers of the operators that it computes."""
        return tuple(number for step in self.run for number in step.operators)

    @property
    def reads(self) -> tuple[int, ...]:
        """Tensors that come in."""
        return (self.lines[0].tensor,) if self.second is None else (self.lines[0].tensor, self.second)

    @property
    def writes(self) -> tuple[int, ...]:
        """The tensor that goes out."""
        return (self.lines[1].tensor,)

    @property
    def overwrites(self) -> tuple[int, ...]:
        """The input, where its only stage runs in place."""
        whole = len(self.stages) == 1 and self.calls == 1 and self.stages[0].added is None
        return self.reads[:1] if whole and self.stages[0].variant.in_place else ()

    @cached_property
    def leads(self) -> Mapping[int, int]:
        """Inputs that the output may overlap, each with the bytes that it starts after it, at least."""
        if self.stages[-1].is_mean:
            return {}
        heights = [line.height for line in self.lines]
        row_bytes = [line.row_bytes for line in self.lines]
        found = {
            tensor: lead(buffer, heights, row_bytes, self.stages, self.rows, self.schedule)
            for tensor, buffer in zip(self.reads, (0, 2), strict=False)
        }
        return {tensor: least for tensor, least in found.items() if least < heights[1] * row_bytes[1]}

    @property
    def kept(self) -> tuple[Line, ...]:
        """The buffers in the segment's memory."""
        return self.lines[2 if self.second is None else 3 :]

    @property
    def scratch_offset(self) -> int:
        """Where the stages' scratch starts in the segment's memory, after counters and lines."""
        return STATE_BYTES * len(self.lines) + sum(line.nbytes for line in self.kept)

    @property
    def scratch_bytes(self) -> int:
        """Counters, lines and the largest scratch of a stage: what the segment needs of the arena while it runs."""
        return self.scratch_offset + max(stage.variant.scratch_bytes for stage in self.stages)

    @property
    def calls(self) -> int:
        """Stripes that its schedule runs, all stages together."""
        heights = (self.lines[part.output].height for part in self.rows)
        return sum(-(-height // part.stripe) for height, part in zip(heights, self.rows, strict=True))

    @cached_property
    def terms(self) -> Terms:
        """What it works through in one inference."""
        own = terms("schedule", call=(self.calls, 60.0)) if self.calls > 1 else ()
        return (*own, *(term for stage in self.stages for term in stage.terms))

    @cached_property
    def cost(self) -> Cost:
        """Estimate for one inference."""
        return cost_of(self.terms)


class Frame:
    """Fused steps as a segment whose variants are open: buffers, and their rows for any choice of stripes.

    Parameters
    ----------
    graph
        Of the steps.
    run
        Consecutive steps with one tensor coming in, or two, and one going out.
    parts
        The run, fused.
    """

    def __init__(self, graph: Graph, run: Sequence[Step], parts: Sequence[Fused]) -> None:
        self.run, self.parts = tuple(run), tuple(parts)
        writes = [part.write for part in parts]
        source, *self._others = outside(run)
        sums = (_SUMS,) if parts[-1].is_mean else ()
        self._buffers = (source, writes[-1], *self._others, *writes[:-1], *sums)
        self._shapes = {tensor: graph.tensors[tensor].shape for tensor in self._buffers if tensor != _SUMS}
        self._shapes |= {tensor: input_shape(graph, step) for step in run for tensor in step.reads}
        self._sum_bytes = 0
        if sums:
            # As many rows as are summed, each of no bytes.
            _, height, _, channels = self._shapes[parts[-1].step.reads[0]]
            self._shapes |= {writes[-1]: (1, height, 0, 0), _SUMS: (1, 0, 0, 0)}
            self._sum_bytes = _SUM_BYTES * channels
        numbers = {tensor: number for number, tensor in enumerate(self._buffers)}
        self._inputs = [
            tuple(numbers[tensor] for tensor in (*part.reads, *(sums if part.is_mean else ()))) for part in parts
        ]
        self._outputs = [numbers[write] for write in writes]
        self._slides = [part.slide for part in parts]
        self._heights = [self._shapes[tensor][1] for tensor in self._buffers]
        self._known: dict[tuple[int, ...], tuple[tuple[StageRows, ...], Schedule, tuple[Line, ...]]] = {}
        self._line_bytes: dict[tuple[int, ...], int] = {}

    def line_bytes(self, stripes: tuple[int, ...]) -> int:
        """Counters and line buffers for a choice of output rows per stripe, one for each stage."""
        known = self._line_bytes.get(stripes)
        if known is None:
            lines = self._laid_out(stripes)[2]
            known = STATE_BYTES * len(lines) + sum(line.nbytes for line in lines[2 + len(self._others) :])
            self._line_bytes[stripes] = known
        return known

    def segment(self, stages: Sequence[Stage]) -> Segment:
        """Lay out the segment that these stages make."""
        rows, schedule, lines = self._laid_out(tuple(stage.variant.stripe for stage in stages))
        return Segment(self.run, tuple(stages), lines, rows, schedule, self._others[0] if self._others else None)

    def _laid_out(self, stripes: tuple[int, ...]) -> tuple[tuple[StageRows, ...], Schedule, tuple[Line, ...]]:
        """Simulate a schedule, once for each choice of stripes, and place its line buffers."""
        if stripes not in self._known:
            each = zip(self._inputs, self._outputs, stripes, self._slides, strict=True)
            rows = tuple(StageRows(*one) for one in each)
            schedule = simulate(self._heights, rows, second=bool(self._others))
            self._known[stripes] = rows, schedule, self._placed(schedule)
        return self._known[stripes]

    def _placed(self, schedule: Schedule) -> tuple[Line, ...]:
        lines: list[Line] = []
        offset = STATE_BYTES * len(self._buffers)
        for number, tensor in enumerate(self._buffers):
            _, height, width, depth = self._shapes[tensor]
            inside = number >= 2 + len(self._others)
            more = self._sum_bytes if tensor == _SUMS else 0
            lines.append(
                Line(tensor, schedule.capacities[number], width * depth, height, offset if inside else 0, more)
            )
            offset += lines[-1].nbytes if inside else 0
        return tuple(lines)


def outside(run: Sequence[Step]) -> tuple[int, ...]:
    """Tensors that a run reads and does not write, in the order in which they are read."""
    written = {tensor for step in run for tensor in step.writes}
    return tuple(dict.fromkeys(tensor for step in run for tensor in step.reads if tensor not in written))
