"""Depth-first order: which stage of a segment makes which rows when, and how many rows its line buffers must hold.

This is the algorithm of firmware/lib/engine/scn_segment.c, run on the host with endless buffers: of all stages that
have the input rows of their next stripe, the last one runs. What the buffers hold at most is the capacity they get.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Slide:
    """How a stage's window moves over rows: reach, stride, and rows of padding before the first."""

    reach: int = 1
    stride: int = 1
    pad_top: int = 0

    def first(self, row: int) -> int:
        """First input row that an output row needs."""
        return max(row * self.stride - self.pad_top, 0)

    def end(self, row: int, height: int) -> int:
        """One past the last input row that output rows before ``row`` need, of ``height``."""
        return min((row - 1) * self.stride - self.pad_top + self.reach, height)


@dataclass(frozen=True)
class StageRows:
    """A stage as the schedule sees it: numbers of the buffers it reads and writes, rows per stripe, and its window.

    The window moves over the first input; a second one, what ADD adds, is read row by row.
    """

    inputs: tuple[int, ...]
    output: int
    stripe: int
    slide: Slide

    @property
    def slides(self) -> tuple[tuple[int, Slide], ...]:
        """Each input and how its rows are read."""
        return tuple((buffer, Slide() if number else self.slide) for number, buffer in enumerate(self.inputs))


@dataclass(frozen=True)
class Schedule:
    """What a simulation found.

    Attributes
    ----------
    capacities
        Rows that each buffer must have room for; maps that lie whole elsewhere, inputs and output, their height.
    stripes
        Stage numbers in the order in which they run.
    """

    capacities: tuple[int, ...]
    stripes: tuple[int, ...]


def simulate(heights: Sequence[int], stages: Sequence[StageRows], *, second: bool = False) -> Schedule:
    """Run a segment's schedule.

    Parameters
    ----------
    heights
        Rows of each buffer's map; buffer 0 is the segment's input, 1 its output.
    stages
        Each after those that it reads; the last one writes buffer 1.
    second
        Whether buffer 2 is an input of the segment as well.

    Returns
    -------
    Schedule
        Complete: buffer 1 has all its rows.

    Raises
    ------
    ValueError
        No stage can run: the stages are no segment.
    """
    given = (0, 2) if second else (0,)
    made = [height if number in given else 0 for number, height in enumerate(heights)]
    capacities = [height if number in (1, *given) else 1 for number, height in enumerate(heights)]
    works = [_Work(number, stage, heights) for number, stage in enumerate(stages)]
    readers = [[work for work in reversed(works) if work.reads(buffer)] for buffer in range(len(heights))]
    stripes: list[int] = []
    work = works[-1]
    while made[1] < heights[1]:
        # What a stage has made can only make its readers ready: of the later stages, no other need be asked again.
        ready = next((one for one in readers[work.output] if one.ready(made)), None) if stripes else None
        while ready is None and not work.ready(made):
            if work.number == 0:
                raise ValueError(f"no stage can run after {len(stripes)} stripes")
            work = works[work.number - 1]
        work = ready or work
        end = work.end
        if work.output != 1:
            waiting = [row for one in readers[work.output] for row in one.first(work.output)]
            kept = min([made[work.output], *waiting])
            capacities[work.output] = max(capacities[work.output], end - kept)
        made[work.output] = end
        work.proceed()
        stripes.append(work.number)
    return Schedule(tuple(capacities), tuple(stripes))


class _Work:
    """A stage while the schedule runs: the rows of its next stripe, and what they need of each input."""

    __slots__ = ("_done", "_height", "_inputs", "_needs", "_stripe", "end", "number", "output")

    def __init__(self, number: int, stage: StageRows, heights: Sequence[int]) -> None:
        self.number, self.output = number, stage.output
        self._stripe, self._height = stage.stripe, heights[stage.output]
        self._inputs = [(buffer, slide, heights[buffer]) for buffer, slide in stage.slides]
        self._done = self.end = 0
        self.proceed()

    def proceed(self) -> None:
        """Go on to the next stripe."""
        self._done = self.end
        self.end = min(self._done + self._stripe, self._height)
        self._needs = [(buffer, slide.end(self.end, height)) for buffer, slide, height in self._inputs]

    def ready(self, made: Sequence[int]) -> bool:
        """Whether rows are left to make, and those that they need are there."""
        if self._done == self._height:
            return False
        for buffer, need in self._needs:  # noqa: SIM110 - a generator would take twice the time
            if made[buffer] < need:
                return False
        return True

    def reads(self, buffer: int) -> bool:
        """Whether a buffer is one of its inputs."""
        return any(one == buffer for one, _, _ in self._inputs)

    def first(self, buffer: int) -> Sequence[int]:
        """First row of a buffer that it will still read, for each time that it reads it; none where it is done."""
        if self._done == self._height:
            return ()
        return [slide.first(self._done) for one, slide, _ in self._inputs if one == buffer]
