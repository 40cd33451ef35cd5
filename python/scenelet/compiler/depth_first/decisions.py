"""What a search for segments decided, as numbers: enough to lay out the same segments again without the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated

from pydantic import ConfigDict, Field

from ...core.json_files import Checked
from ..kernels.variant import Variant
from ..program import Program
from .builder import SegmentBuilder
from .draft import Draft, Part
from .runs import runs
from .segment import Segment
from .stage import Stage

Count = Annotated[int, Field(ge=0)]


class Joined(Checked):
    """A run of steps that became a segment.

    Attributes
    ----------
    start, end
        Its first step, and one past its last.
    pooled
        Whether convolutions pool their sums where they can.
    ways
        The variant of each stage, by its place in the list of the stage's variants.
    whole
        Whether its only stage makes all rows at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Count
    end: Count
    pooled: bool
    ways: tuple[Count, ...]
    whole: bool


class Decisions(Checked):
    """The segments of a program; steps that none of them holds run by themselves.

    Attributes
    ----------
    expanded
        Flash that transformed weights may take, by the numbers of the operators whose weights may be.
    segments
        In the order of the steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    expanded: dict[int, Count]
    segments: tuple[Joined, ...]


def recorded(draft: Draft, builder: SegmentBuilder, expanded: Mapping[int, int]) -> Decisions:
    """Write down how a draft was cut.

    Parameters
    ----------
    draft
        What the search chose.
    builder
        What made its segments.
    expanded
        Flash that transformed weights may take.
    """
    places = {step: number for number, step in enumerate(draft.program.steps)}
    joined = [_joined(part, places[part.run[0]], builder) for part in draft.steps if isinstance(part, Segment)]
    return Decisions(expanded=dict(expanded), segments=tuple(joined))


def restored(decisions: Decisions, program: Program, builder: SegmentBuilder, wait_states: int) -> Draft:
    """Lay out the segments of an earlier search.

    Parameters
    ----------
    decisions
        Of the same program under the same options.
    program
        Lowered and fused.
    builder
        Of the program, with the decisions' ``expanded``.
    wait_states
        Of the flash.

    Raises
    ------
    ValueError
        The decisions are of another program.
    """
    parts: list[Part] = []
    position = 0
    possible = set(runs(program, max((one.end - one.start for one in decisions.segments), default=0)))
    for joined in decisions.segments:
        if joined.start < position or (joined.start, joined.end) not in possible:
            raise ValueError(f"steps {joined.start} to {joined.end} cannot be a segment")
        parts += program.steps[position : joined.start]
        parts.append(_segment(joined, program, builder))
        position = joined.end
    return Draft(program, (*parts, *program.steps[position:]), wait_states)


def _joined(segment: Segment, start: int, builder: SegmentBuilder) -> Joined:
    pooled = len(builder.frame(segment.run).parts) == len(segment.stages)
    found = [_place(stage, segment, builder) for stage in segment.stages]
    ways, whole = tuple(number for number, _ in found), any(whole for _, whole in found)
    return Joined(start=start, end=start + len(segment.run), pooled=pooled, ways=ways, whole=whole)


def _place(stage: Stage, segment: Segment, builder: SegmentBuilder) -> tuple[int, bool]:
    """A variant's place in its list, and whether it was asked to make all rows at once."""
    listed = builder.variants(stage)
    if stage.variant in listed:
        return listed.index(stage.variant), False
    made = (builder.whole(way, segment.run) for way in listed)
    return next(number for number, way in enumerate(made) if _same(way, stage.variant)), True


def _same(one: Variant, other: Variant) -> bool:
    """Whether two variants run one step in one way."""
    return type(one) is type(other) and all(getattr(one, f.name) == getattr(other, f.name) for f in fields(one))


def _segment(joined: Joined, program: Program, builder: SegmentBuilder) -> Segment:
    run = program.steps[joined.start : joined.end]
    frame = builder.frame(run, pooled=joined.pooled)
    listed = [builder.variants(part) for part in frame.parts]
    if len(listed) != len(joined.ways) or any(n >= len(ways) for n, ways in zip(joined.ways, listed, strict=True)):
        raise ValueError(f"steps {joined.start} to {joined.end} have other stages")
    chosen = [ways[number] for number, ways in zip(joined.ways, listed, strict=True)]
    if joined.whole:
        chosen = [builder.whole(way, run) for way in chosen]
    return frame.segment([part.run_by(way) for part, way in zip(frame.parts, chosen, strict=True)])
