"""Makes segments of a program's steps, and remembers what it has made: a search asks for the same ones many times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...graph import Graph
from ..kernels.registry import variants
from ..kernels.variant import Variant, Work
from ..program import Step
from .draft import shared_bytes
from .segment import Frame, Segment
from .stage import Fused

_FEWER_ROWS = (8, 4, 2, 1)


class SegmentBuilder:
    """Segments of one program.

    Parameters
    ----------
    graph
        Of the program.
    expanded
        Flash that transformed weights may take, by the numbers of the operators whose weights may be.
    wait_states
        Of the flash.
    """

    def __init__(self, graph: Graph, expanded: Mapping[int, int], wait_states: int) -> None:
        self._graph, self._expanded, self._wait_states = graph, expanded, wait_states
        self._frames: dict[tuple[tuple[Step, ...], bool], Frame] = {}
        self._segments: dict[Frame, Segment] = {}
        self._variants: dict[tuple[Step, Step | None], tuple[Variant, ...]] = {}

    @property
    def looked_at(self) -> int:
        """Segments that were laid out so far, by their steps: how long a search was, on any computer."""
        return len(self._frames)

    def make(self, run: Sequence[Step]) -> Segment:
        """Make a segment whose stages run as quickly as they can, convolutions pooling their sums.

        Parameters
        ----------
        run
            Consecutive steps with one tensor coming in, or two, and one going out.

        Returns
        -------
        Segment
            With the first variant of every stage; of a single stage, for its whole map at once.
        """
        return self.quickest(self.frame(run))

    def quickest(self, frame: Frame) -> Segment:
        """Lay out a frame's segment with the first variant of every stage; returns like :meth:`make`."""
        if frame not in self._segments:
            ways = [self.variants(part)[0] for part in frame.parts]
            if len(ways) == 1:
                ways = [self.whole(ways[0], frame.run)]
            stages = [part.run_by(way) for part, way in zip(frame.parts, ways, strict=True)]
            self._segments[frame] = frame.segment(stages)
        return self._segments[frame]

    def with_fewer_rows(self, segment: Segment) -> Iterator[Segment]:
        """Lay out a segment of several stages with ever fewer rows per stripe: the quickest variants that have them."""
        frame = self.frame(segment.run)
        for most in _FEWER_ROWS:
            ways = [self.variants(part) for part in frame.parts]
            found = [next((way for way in listed if way.stripe <= most), None) for listed in ways]
            chosen = [way or min(listed, key=lambda way: way.stripe) for way, listed in zip(found, ways, strict=True)]
            yield frame.segment([part.run_by(way) for part, way in zip(frame.parts, chosen, strict=True)])

    def frame(self, run: Sequence[Step], *, pooled: bool = True) -> Frame:
        """Fuse a run, pools into convolutions or not, and set up its buffers; parameters like :meth:`make`."""
        key = (tuple(run), pooled)
        if key not in self._frames:
            parts = self._fused(run, pooled=pooled)
            other = self._frames.get((key[0], not pooled))
            # Where there is no pool to fuse, both are one.
            same = other is not None and len(other.parts) == len(parts)
            self._frames[key] = other if other and same else Frame(self._graph, run, parts)
        return self._frames[key]

    def variants(self, part: Fused) -> tuple[Variant, ...]:
        """List the ways to run a fused step, quickest first."""
        key = (part.step, part.pool)
        if key not in self._variants:
            number = part.step.operators[0]
            expanded, most = number in self._expanded, self._expanded.get(number, 0)
            self._variants[key] = variants(Work(part.step, part.pool, expanded, self._wait_states, most))
        return self._variants[key]

    def slower(self, segment: Segment) -> list[Segment]:
        """A single stage's other variants that need less memory than all quicker ones."""
        (stage,) = segment.stages
        frame = Frame(self._graph, segment.run, segment.stages)
        listed = self.variants(stage)
        # A few rows at a time, the output may overlap the input.
        ways = dict.fromkeys((*(self.whole(way, segment.run) for way in listed), *listed))
        tried = [frame.segment([stage.run_by(way)]) for way in ways]
        found, least = [], self._bytes(segment)
        for one in sorted(tried, key=lambda one: one.cost.at(self._wait_states)):
            if self._bytes(one) < least:
                found.append(one)
                least = self._bytes(one)
        return found

    def _bytes(self, segment: Segment) -> int:
        """Bytes of a segment's input, output and memory, where the input is not needed any more."""
        nbytes = {tensor: self._graph.tensors[tensor].nbytes for tensor in (*segment.reads, *segment.writes)}
        return sum(nbytes.values()) + segment.scratch_bytes - shared_bytes(segment, nbytes, nbytes)

    def whole(self, way: Variant, run: Sequence[Step]) -> Variant:
        """A variant of a run's only stage that makes all rows at once, where that is quicker."""
        return way.whole(self._graph.tensors[run[-1].writes[0]].shape[1])

    def _fused(self, run: Sequence[Step], *, pooled: bool) -> list[Fused]:
        """Join each step to the one before it where that one's kernel can do both."""
        parts: list[Fused] = []
        for step in run:
            readers = [other for other in run if parts and parts[-1].write in other.reads]
            before = parts[-1] if parts and readers == [step] else None
            joined = before and _joined(before, step, pooled=pooled)
            if joined:
                parts[-1] = joined
            else:
                parts.append(Fused(step))
        return parts


def _joined(before: Fused, step: Step, *, pooled: bool) -> Fused | None:
    if step.kernel == before.step.kernel == "scn_lut_s8":
        return None  # a stage has one map
    if step.kernel == "scn_lut_s8" and not before.followers:
        return Fused(before.step, step)
    if before.can_add(step):
        return Fused(before.step, before.map, added=step)
    if pooled and before.can_pool(step):
        return Fused(before.step, before.map, pool=step)
    return None
