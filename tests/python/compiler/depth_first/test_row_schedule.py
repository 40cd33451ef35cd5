"""Depth-first schedules are complete, never read a row that is gone, and hold no row more than they need."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.compiler.depth_first.row_schedule import Slide, StageRows, simulate

SM1 = [Slide(7, 1, 3), Slide(7, 1, 3), Slide(), Slide(3, 1, 1), Slide(2, 2, 0), Slide(7, 1, 3)]


def chain(slides: list[Slide], stripes: list[int], height: int) -> tuple[list[int], list[StageRows]]:
    heights = [height, 0]
    stages = []
    for number, (slide, stripe) in enumerate(zip(slides, stripes, strict=True)):
        last = number == len(slides) - 1
        rows = -(-height // slide.stride) if slide.pad_top else (height - slide.reach) // slide.stride + 1
        stages.append(StageRows((0 if number == 0 else number + 1,), 1 if last else number + 2, stripe, slide))
        heights[1:2] = [rows] if last else heights[1:2]
        heights += [] if last else [rows]
        height = rows
    return heights, stages


def replay(heights: list[int], stages: list[StageRows], capacities: tuple[int, ...], stripes: tuple[int, ...]) -> int:
    """Run stripes on buffers that really hold numbered rows; returns how often a buffer was full."""
    held: list[list[int]] = [list(range(heights[0])), *[[] for _ in heights[1:]]]
    made = [heights[0], *([0] * (len(heights) - 1))]
    full = 0
    for number in stripes:
        stage = stages[number]
        rows = range(made[stage.output], min(made[stage.output] + stage.stripe, heights[stage.output]))
        for buffer in stage.inputs:
            for row in rows:
                start = row * stage.slide.stride - stage.slide.pad_top
                wanted = range(max(start, 0), min(start + stage.slide.reach, heights[buffer]))
                assert set(wanted) <= set(held[buffer]), "a row is missing"
        keep = [
            made[other.output] * other.slide.stride - other.slide.pad_top
            for other in stages
            if stage.output in other.inputs and made[other.output] < heights[other.output]
        ]
        lines = held[stage.output]
        if len(lines) + len(rows) > capacities[stage.output]:
            lines[:] = [row for row in lines if row >= min([made[stage.output], *keep])]
        lines += rows
        assert len(lines) <= capacities[stage.output], "a buffer overflows"
        full += len(lines) == capacities[stage.output]
        made[stage.output] += len(rows)
    assert made[1] == heights[1]
    return full


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[int], list[StageRows]]:
    count = draw(st.integers(1, 5))
    slides, stripes, height = [], [], draw(st.integers(6, 60))
    rows = height
    for _ in range(count):
        reach = draw(st.integers(1, min(5, rows)))
        slide: Any = Slide(reach, draw(st.integers(1, 3)), draw(st.sampled_from([0, (reach - 1) // 2])))
        rows = -(-rows // slide.stride) if slide.pad_top else (rows - reach) // slide.stride + 1
        slides.append(slide)
        stripes.append(draw(st.integers(1, 16)))
    return chain(slides, stripes, height)


@settings(max_examples=200, deadline=None)
@given(chains())
def test_every_row_is_there_when_it_is_read(made: tuple[list[int], list[StageRows]]) -> None:
    heights, stages = made
    found = simulate(heights, stages)
    replay(heights, stages, found.capacities, found.stripes)


@settings(max_examples=60, deadline=None)
@given(chains(), st.data())
def test_one_row_less_would_not_do(made: tuple[list[int], list[StageRows]], data: st.DataObject) -> None:
    heights, stages = made
    found = simulate(heights, stages)
    inner = [number for number in range(2, len(heights)) if found.capacities[number] > 1]
    if inner:
        number = data.draw(st.sampled_from(inner))
        fewer = tuple(c - (i == number) for i, c in enumerate(found.capacities))
        with pytest.raises(AssertionError, match="overflows"):
            replay(heights, stages, fewer, found.stripes)


def test_sm1_row_by_row_keeps_one_window_a_layer() -> None:
    heights, stages = chain(SM1, [1] * 6, 140)
    found = simulate(heights, stages)
    # Input and output whole; then what a window of the next layer reaches: 7, 1 (pool in a row), 3, 2, 7.
    assert found.capacities == (140, 70, 7, 1, 3, 2, 7)
    assert len(found.stripes) == 140 * 4 + 70 * 2


def test_a_skip_waits_for_its_branch() -> None:
    """0 -> a -> 3x -> 3x -> add(a): the skip keeps a row until two windows are past it."""
    wide = Slide(3, 1, 1)
    stages = [
        StageRows((0,), 2, 1, Slide()),
        StageRows((2,), 3, 1, wide),
        StageRows((3,), 4, 1, wide),
        StageRows((2, 4), 1, 1, Slide()),
    ]
    heights = [20, 20, 20, 20, 20]
    found = simulate(heights, stages)
    assert found.capacities[2] == 3
    replay(heights, stages, found.capacities, found.stripes)


def test_a_second_input_is_there_from_the_start_and_read_row_by_row() -> None:
    """0 -> 3x with 2 added -> 1: the window moves over the first input only."""
    stages = [StageRows((0,), 3, 1, Slide()), StageRows((3, 2), 1, 4, Slide(3, 2, 1))]
    found = simulate([20, 10, 10, 20], stages, second=True)
    assert found.capacities == (20, 10, 10, 9)
    assert found.stripes[-1] == 1
    with pytest.raises(ValueError, match="no stage can run"):
        simulate([20, 10, 10, 20], stages)


def test_stages_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="no stage can run"):
        simulate([4, 4, 4], [StageRows((2,), 1, 1, Slide()), StageRows((1,), 2, 1, Slide())])
