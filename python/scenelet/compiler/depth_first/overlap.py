"""How far a segment's input must start after its output where both overlap: the segment has read what it overwrites.

Rows are read and written from the first on. An output that starts far enough before its input never catches up with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..kernels.variant import Rows
from .row_schedule import Schedule, StageRows
from .stage import Stage


def lead(
    buffer: int, heights: Sequence[int], row_bytes: Sequence[int], stages: Sequence[Stage], plan: Sequence[StageRows],
    schedule: Schedule,
) -> int:  # fmt: skip
    """Find the least distance from the output's start to an input's at which both may overlap.

    Parameters
    ----------
    buffer
        Of the input.
    heights, row_bytes
        Of each buffer's map.
    stages, plan, schedule
        As chosen, as the schedule sees them, and in which order they run.

    Returns
    -------
    int
        In bytes; the output's size where they may not overlap at all.
    """
    return max(_leads(buffer, heights, row_bytes, stages, plan, schedule), default=0)


def _leads(
    buffer: int, heights: Sequence[int], row_bytes: Sequence[int], stages: Sequence[Stage], plan: Sequence[StageRows],
    schedule: Schedule,
) -> Iterator[int]:  # fmt: skip
    """Of every stripe of output and everything that reads the input then or later: what keeps both apart."""
    done = [0] * len(plan)
    for number in schedule.stripes:
        part = plan[number]
        end = min(done[number] + part.stripe, heights[part.output])
        if part.output == 1:
            rows = Rows(done[number], end, row_bytes[part.inputs[0]], row_bytes[1])
            for other, slot, first in _readers(buffer, plan, done, heights):
                if other != number:
                    yield end * row_bytes[1] - first * row_bytes[buffer]
                elif slot:
                    yield end * row_bytes[1] - rows.start * row_bytes[buffer]
                else:
                    yield from stages[number].variant.leads(rows, part.slide.first, heights[1])
        done[number] = end


def _readers(
    buffer: int, plan: Sequence[StageRows], done: Sequence[int], heights: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """Stages that have rows left to make and read a buffer: number, which input it is, and the first row needed."""
    for number, part in enumerate(plan):
        if done[number] < heights[part.output]:
            for slot, (read, slide) in enumerate(part.slides):
                if read == buffer:
                    yield number, slot, slide.first(done[number])
