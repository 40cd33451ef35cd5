"""Segments made to fit: memory first, then instructions; pools on sums only where the order of sums is kept."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from scenelet.compiler.depth_first import stage_parameters
from scenelet.compiler.depth_first.builder import SegmentBuilder
from scenelet.compiler.depth_first.segment import Segment
from scenelet.compiler.depth_first.variant_search import fit
from scenelet.compiler.kernels.fused_pool import pools_sums
from scenelet.compiler.kernels.winograd import tilings
from scenelet.compiler.operators import lower
from scenelet.compiler.options import WAIT_STATES
from scenelet.compiler.passes.fuse_maps import fuse
from scenelet.compiler.passes.graph_cleanup import drop_unread
from scenelet.compiler.program import Program, Step, Struct
from scenelet.core import toolchain
from scenelet.tflite.reader import read_model

NOTHING: dict[int, int] = {}


def fitted(program: Program, segment: Segment, budget: int) -> Segment:
    """The segment again, in so many bytes."""
    builder = SegmentBuilder(program.graph, NOTHING, WAIT_STATES)
    frame = builder.frame(segment.run)
    return fit(frame, [builder.variants(part) for part in frame.parts], budget, WAIT_STATES)


@pytest.fixture(scope="module")
def program() -> Program:
    return fuse(lower(drop_unread(read_model(toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"))))


@pytest.fixture(scope="module")
def segment(program: Program) -> Segment:
    end = next(n for n, step in enumerate(program.steps) if step.kernel == "scn_mean_s8")
    return SegmentBuilder(program.graph, NOTHING, WAIT_STATES).make(program.steps[: end + 1])


def after(program: Program, kernel: str) -> tuple[Step, Step, Step]:
    """The first pool, and the convolution and map in front of it."""
    number = next(n for n, step in enumerate(program.steps) if step.kernel == kernel)
    return program.steps[number - 2], program.steps[number - 1], program.steps[number]


def test_more_memory_is_never_slower_and_never_exceeded(program: Program, segment: Segment) -> None:
    budgets = (11_000, 13_000, 15_000, 17_000)
    made = [fitted(program, segment, budget) for budget in budgets]
    assert all(one.scratch_bytes <= budget for one, budget in zip(made, budgets, strict=True))
    costs = [one.cost.at(WAIT_STATES) for one in made]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_too_little_memory_gives_the_smallest(program: Program, segment: Segment) -> None:
    least = fitted(program, segment, 0)
    assert least.scratch_bytes < fitted(program, segment, 11_000).scratch_bytes


def test_mean_keeps_sums_and_no_map(segment: Segment) -> None:
    channels = 16
    assert (segment.lines[1].row_bytes, segment.lines[-1].nbytes) == (0, 4 * channels)
    assert segment.stages[-1].is_mean


def test_a_convolution_pools_its_sums_behind_a_monotone_map(program: Program) -> None:
    convolution, applied, pool = after(program, "scn_max_pool_s8")
    assert pools_sums(convolution, applied, pool)
    assert pools_sums(convolution, None, pool)
    values = applied.tables[0].values.copy()
    values[:3] = 0, 1, 0
    bent = replace(applied, tables=(replace(applied.tables[0], values=values),))
    assert not pools_sums(convolution, bent, pool)


@pytest.mark.parametrize(("field", "value"), [("stride_h", 3), ("pad_left", 1), ("width", 3)])
def test_other_pools_stay_apart(program: Program, field: str, value: int) -> None:
    convolution, applied, pool = after(program, "scn_max_pool_s8")
    assert isinstance(pool.params, Struct)
    fields = dict(pool.params.fields)
    fields["window"] = {**pool.params.fields["window"], field: value}  # type: ignore[dict-item]
    assert not pools_sums(convolution, applied, replace(pool, params=Struct("scn_pool_t", fields)))


def test_activation_lies_in_the_table() -> None:
    table = np.arange(-128, 128).astype(np.int8)
    made = stage_parameters.clamped(table, {"activation_min": -5, "activation_max": 90})
    np.testing.assert_array_equal(made, np.clip(np.arange(-128, 128), -5, 90))


def test_more_rows_cost_memory_and_save_instructions(program: Program) -> None:
    step = program.steps[1]
    ways = [way for way in tilings(step, expanded=False) if way.across and way.whole]
    assert [way.rows for way in ways] == sorted(way.rows for way in ways)
    assert len(ways) > 2
    assert all(a.scratch_bytes < b.scratch_bytes for a, b in itertools.pairwise(ways))
    assert all(a.instructions(140) > b.instructions(140) for a, b in itertools.pairwise(ways))
