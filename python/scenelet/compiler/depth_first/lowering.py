"""Writes a segment as a step: everything that its kernel call needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...graph import Graph
from ..program import SCRATCH, Records, Step, Struct, Table
from .row_schedule import StageRows
from .segment import STATE_BYTES, Segment
from .stage import Stage
from .stage_parameters import stage_constants

_NO_INPUT = 0xFF


@dataclass(frozen=True, eq=False)
class SegmentStep(Step):
    """A step that knows the segment that it runs."""

    segment: Segment = field(kw_only=True)


def lowered(segment: Segment, graph: Graph) -> SegmentStep:
    """Write a segment as a step.

    Parameters
    ----------
    segment
        As chosen.
    graph
        Holds the weights.
    """
    records: list[Records] = []
    tables: list[Table] = []
    rows: list[Mapping[str, object]] = []
    for number, (stage, part) in enumerate(zip(segment.stages, segment.rows, strict=True)):
        made = stage_constants(stage, f"s{number}", graph)
        tables += made.tables
        records += made.records
        rows.append(dict(made.members) | _stage_fields(part))
    lines = tuple(
        {"offset": line.offset, "row_bytes": line.row_bytes, "height": line.height, "capacity": line.capacity}
        for line in segment.lines
    )
    fields = {
        "stages": "stages",
        "buffers": "lines",
        "scratch_offset": segment.scratch_offset,
        "stage_count": len(segment.stages),
        "buffer_count": len(lines),
    }
    state = f"SCN_SEGMENT_STATE_BYTES({len(lines)}) == {STATE_BYTES * len(lines)}"
    return SegmentStep(
        name=segment.name,
        op="+".join(step.op for step in segment.run),
        operators=segment.operators,
        reads=segment.reads,
        writes=segment.writes,
        kernel="scn_segment_run" if segment.second is None else "scn_segment_run_two",
        params=Struct("scn_segment_t", fields),
        arguments=(*segment.reads, *segment.writes, SCRATCH),
        tables=tuple(tables),
        overwrites=segment.overwrites,
        leads=segment.leads,
        scratch_bytes=segment.scratch_bytes,
        static_asserts=(*(held for stage in segment.stages for held in stage.variant.static_asserts), state),
        macs=sum(step.macs for step in segment.run),
        records=(*records, Records("stages", "scn_stage_t", tuple(rows)), Records("lines", "scn_line_buffer_t", lines)),
        terms=segment.terms,
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


def stages_of(step: Step) -> tuple[Stage, ...]:
    """List the stages of a step that is a segment; none for any other."""
    return step.segment.stages if isinstance(step, SegmentStep) else ()
