"""Depth-first segments as steps: stages with line buffers of a few rows instead of whole feature maps.

A segment has one tensor coming in, or two, and one going out; inside, residual branches are allowed. Which steps become
a segment is decided in :mod:`scenelet.compiler.depth_first.partition`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...graph import Graph
from ..kernels.fused_pool import pools_sums
from ..program import SCRATCH, Records, Step, Struct, Table
from .row_schedule import Schedule, StageRows, simulate
from .stage import UNKNOWN, Stage, adds, claims, scratch_bytes, variants, whole
from .stage_parameters import emitted

_ALIGNMENT = 4
_STATE_BYTES = 4
_NO_INPUT = 0xFF
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


@dataclass(frozen=True)
class Segment:
    """Stages over line buffers.

    Attributes
    ----------
    run
        The steps that it replaces.
    stages
        In order; each behind those that it reads.
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
    def kept(self) -> tuple[Line, ...]:
        """The buffers in the segment's memory."""
        return self.lines[2 if self.second is None else 3 :]

    @property
    def scratch_offset(self) -> int:
        """Where the stages' scratch starts in the segment's memory, behind counters and lines."""
        return _STATE_BYTES * len(self.lines) + sum(line.nbytes for line in self.kept)

    @property
    def memory_bytes(self) -> int:
        """Counters, lines and the largest scratch of a stage."""
        return self.scratch_offset + max(scratch_bytes(stage) for stage in self.stages)

    @property
    def instructions(self) -> int:
        """Estimate for one inference."""
        return sum(stage.instructions for stage in self.stages)


def make(graph: Graph, run: Sequence[Step], expanded: frozenset[int], *, pooled: bool = True) -> Segment:
    """Make a segment whose stages run as quickly as they can.

    Parameters
    ----------
    graph
        Of the steps.
    run
        Consecutive steps with one tensor coming in, or two, and one going out.
    expanded
        Numbers of the operators whose weights may lie transformed in flash.
    pooled
        Whether convolutions may pool their sums.

    Returns
    -------
    Segment
        With the first variant of every stage.
    """
    stages: list[Stage] = []
    for step in run:
        readers = [other for other in run if stages and stages[-1].write in other.reads]
        before = stages[-1] if stages and readers == [step] else None
        if before and step.kernel == "scn_lut_s8" and not before.followers:
            stages[-1] = _quickest(replace(before, map=step), expanded)
        elif before and adds(before, step):
            stages[-1] = _quickest(replace(before, added=step), expanded)
        elif before and pooled and _pools(before, step):
            stages[-1] = _quickest(replace(before, pool=step), expanded)
        else:
            stages.append(_quickest(Stage(step, UNKNOWN), expanded))
    if len(stages) == 1:
        height = graph.tensors[run[-1].writes[0]].shape[1]
        stages = [replace(stages[0], variant=whole(stages[0].variant, height))]
    return arrange(graph, run, stages)


def _quickest(stage: Stage, expanded: frozenset[int]) -> Stage:
    return replace(stage, variant=variants(stage, stage.step.operators[0] in expanded)[0])


def _pools(stage: Stage, pool: Step) -> bool:
    """Whether a stage can be a convolution that pools its sums."""
    if not stage.is_convolution or stage.pool or stage.added or (stage.map and not stage.maps_itself):
        return False
    return pools_sums(stage.step, stage.map, pool) and bool(variants(replace(stage, pool=pool), expanded=False))


def slower(segment: Segment, graph: Graph, expanded: frozenset[int]) -> list[Segment]:
    """A single stage's other variants that need less memory than all quicker ones."""
    (stage,) = segment.stages
    height = graph.tensors[stage.write].shape[1]
    found, least = [], segment.memory_bytes
    for way in variants(stage, stage.step.operators[0] in expanded):
        tried = arrange(graph, segment.run, [replace(stage, variant=whole(way, height))])
        if tried.memory_bytes < least:
            found.append(tried)
            least = tried.memory_bytes
    return found


def arrange(graph: Graph, run: Sequence[Step], stages: Sequence[Stage]) -> Segment:
    """Simulate stages and lay out their line buffers."""
    writes = [stage.write for stage in stages]
    source, *others = outside(run)
    sums = (_SUMS,) if stages[-1].is_mean else ()
    buffers = (source, writes[-1], *others, *writes[:-1], *sums)
    first = 2 + len(others)
    shapes = {tensor: graph.tensors[tensor].shape for tensor in buffers if tensor != _SUMS}
    if sums:
        # As many rows as are summed, each of no bytes.
        _, height, _, channels = shapes[stages[-1].step.reads[0]]
        shapes |= {writes[-1]: (1, height, 0, 0), _SUMS: (1, 0, 0, 0)}
    rows = tuple(
        StageRows(
            (*map(buffers.index, stage.reads), *(map(buffers.index, sums) if stage.is_mean else ())),
            buffers.index(stage.write),
            stage.variant.stripe,
            stage.slide,
        )
        for stage in stages
    )
    schedule = simulate([shapes[tensor][1] for tensor in buffers], rows, second=bool(others))
    lines: list[Line] = []
    offset = _STATE_BYTES * len(buffers)
    for number, tensor in enumerate(buffers):
        _, height, width, depth = shapes[tensor]
        more = _SUM_BYTES * channels if tensor == _SUMS else 0
        place = offset if number >= first else 0
        lines.append(Line(tensor, schedule.capacities[number], width * depth, height, place, more))
        offset += lines[-1].nbytes if number >= first else 0
    return Segment(tuple(run), tuple(stages), tuple(lines), rows, schedule, *others)


def outside(run: Sequence[Step]) -> tuple[int, ...]:
    """Tensors that a run of steps reads and none of them writes, in the order in which they are read."""
    written = {tensor for step in run for tensor in step.writes}
    return tuple(dict.fromkeys(tensor for step in run for tensor in step.reads if tensor not in written))


def lowered(segment: Segment, graph: Graph) -> Step:
    """Write a segment as a step: everything that its kernel call needs."""
    records: list[Records] = []
    tables: list[Table] = []
    rows: list[Mapping[str, object]] = []
    for number, (stage, part) in enumerate(zip(segment.stages, segment.rows, strict=True)):
        made, structs, members = emitted(stage, f"s{number}", graph)
        tables += made
        records += structs
        rows.append(dict(members) | _stage_fields(part))
    lines = tuple(
        {"offset": line.offset, "row_bytes": line.row_bytes, "height": line.height, "capacity": line.capacity}
        for line in segment.lines
    )
    run, source, target = segment.run, segment.lines[0].tensor, segment.lines[1].tensor
    sources = (source,) if segment.second is None else (source, segment.second)
    fields = {
        "stages": "stages",
        "buffers": "lines",
        "scratch_offset": segment.scratch_offset,
        "stage_count": len(segment.stages),
        "buffer_count": len(lines),
    }
    state = f"SCN_SEGMENT_STATE_BYTES({len(lines)}) == {_STATE_BYTES * len(lines)}"
    return Step(
        name=run[0].name if len(segment.stages) == 1 else f"{run[0].name} .. {run[-1].name}",
        op="+".join(step.op for step in run),
        operators=tuple(number for step in run for number in step.operators),
        reads=sources,
        writes=(target,),
        kernel="scn_segment_run" if segment.second is None else "scn_segment_run_two",
        params=Struct("scn_segment_t", fields),
        arguments=(*sources, target, SCRATCH),
        tables=tuple(tables),
        scratch_bytes=segment.memory_bytes,
        claims=(*(claim for stage in segment.stages for claim in claims(stage)), state),
        macs=sum(step.macs for step in run),
        records=(*records, Records("stages", "scn_stage_t", tuple(rows)), Records("lines", "scn_line_buffer_t", lines)),
        segment=segment,
    )


def _stage_fields(part: StageRows) -> dict[str, object]:
    return {
        "inputs": (part.inputs[0], part.inputs[1] if len(part.inputs) > 1 else _NO_INPUT),
        "output": part.output,
        "stripe": part.stripe,
        "reach": part.slide.reach,
        "stride": part.slide.stride,
        "pad_top": part.slide.pad_top,
    }
