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
        Each behind those that it reads; the last one writes buffer 1.
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
    stripes: list[int] = []
    while made[1] < heights[1]:
        number = next((n for n in reversed(range(len(stages))) if _ready(stages[n], made, heights)), None)
        if number is None:
            raise ValueError(f"no stage can run after {len(stripes)} stripes")
        stage = stages[number]
        end = _stripe_end(stage, made, heights)
        if stage.output != 1:
            kept = _needed(stage.output, stages, made, heights)
            capacities[stage.output] = max(capacities[stage.output], end - kept)
        made[stage.output] = end
        stripes.append(number)
    return Schedule(tuple(capacities), tuple(stripes))


def _stripe_end(stage: StageRows, made: Sequence[int], heights: Sequence[int]) -> int:
    return min(made[stage.output] + stage.stripe, heights[stage.output])


def _ready(stage: StageRows, made: Sequence[int], heights: Sequence[int]) -> bool:
    end = _stripe_end(stage, made, heights)
    if end == made[stage.output]:
        return False
    return all(made[buffer] >= slide.end(end, heights[buffer]) for buffer, slide in stage.slides)


def _needed(buffer: int, stages: Sequence[StageRows], made: Sequence[int], heights: Sequence[int]) -> int:
    """First row of a buffer that any stage will still read; the next one to be made where none will."""
    waiting = [
        slide.first(made[stage.output])
        for stage in stages
        for read, slide in stage.slides
        if read == buffer and made[stage.output] < heights[stage.output]
    ]
    return min([made[buffer], *waiting])
