"""Kernels that work row by row, on rolling buffers, against TFLite's reference interpreter, bit for bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from engine_library import Engine, build
from kernel_cases import Case, cases, expected
from numpy.typing import NDArray
from row_calls import RowCaller, axes, dense, one_image, pooling, weights

from scenelet.compiler.kernels.winograd_weights import LARGEST_TAPS, expand_winograd, pack_winograd

CONVOLUTIONS = [case for case in cases() if case.graph.operators[0].op == "CONV_2D" and one_image(case)]
DENSE = [case for case in CONVOLUTIONS if dense(case)]
WINOGRAD = [case for case in CONVOLUTIONS if axes(case)]
POOLS = [case for case in cases() if case.graph.operators[0].op.endswith("POOL_2D") and one_image(case)]
CHUNKS = (1, 3, 4, 16)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def largest(maps: NDArray[np.int8], size: tuple[int, int]) -> NDArray[np.int8]:
    """MAX_POOL_2D whose windows lie side by side, without padding."""
    height, width = maps.shape[1] // size[0], maps.shape[2] // size[1]
    tiles = maps[:, : height * size[0], : width * size[1]].reshape(1, height, size[0], width, size[1], -1)
    return tiles.max(axis=(2, 4))


def label(value: object) -> str | None:
    return value.name.replace(" ", "") if isinstance(value, Case) else None


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=label)
def test_convolution_equals_builtin_ref(engine: Engine, case: Case) -> None:
    for (image,), want, chunk in zip(case.runs, expected(case), itertools.cycle(CHUNKS), strict=False):
        np.testing.assert_array_equal(RowCaller(engine, case, chunk).convolution(image), want)


@pytest.mark.parametrize("case", WINOGRAD, ids=label)
@pytest.mark.parametrize("expanded", [False, True])
def test_winograd_equals_builtin_ref(engine: Engine, case: Case, expanded: bool) -> None:
    ways = itertools.cycle(((8, None), (16, None)) if expanded else ((8, None), (16, 1), (24, 2), (8, 2)))
    for across in axes(case):
        for (image,), want, chunk in zip(case.runs, expected(case), itertools.cycle(CHUNKS), strict=False):
            rows, part = next(ways)
            caller = RowCaller(engine, case, chunk)
            made = caller.winograd(image, across=across, expanded=expanded, rows=rows, part=part)
            np.testing.assert_array_equal(made, want)


@pytest.mark.parametrize("case", WINOGRAD, ids=label)
@pytest.mark.parametrize("expanded", [False, True])
def test_winograd_of_two_equals_builtin_ref(engine: Engine, case: Case, expanded: bool) -> None:
    ways = itertools.cycle(((4, None), (16, None)) if expanded else ((8, None), (4, 1), (12, 2), (16, 2)))
    for across in axes(case):
        for (image,), want, chunk in zip(case.runs, expected(case), itertools.cycle(CHUNKS), strict=False):
            rows, part = next(ways)
            caller = RowCaller(engine, case, chunk)
            made = caller.winograd(image, across=across, expanded=expanded, rows=rows, part=part, outputs=2)
            np.testing.assert_array_equal(made, want)


@pytest.mark.parametrize("rows", [4, 8, 12])
@pytest.mark.parametrize("case", WINOGRAD[:8], ids=label)
def test_winograd_of_few_rows_at_a_time(engine: Engine, case: Case, rows: int) -> None:
    (image,), want = case.runs[3], expected(case)[3]
    for across in axes(case):
        made = RowCaller(engine, case, 24).winograd(image, across=across, expanded=False, rows=rows if across else 8)
        np.testing.assert_array_equal(made, want)


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (2, 2)])
def test_winograd_pools_its_sums(engine: Engine, size: tuple[int, int]) -> None:
    """Against the convolution's outputs, pooled here; tables rise for one channel and fall for the next."""
    rng = np.random.default_rng(size)
    pooled = 0
    for case in (case for case in WINOGRAD if pooling(case, size)):
        channels = weights(case).shape[0]
        post = np.sort(rng.integers(-128, 128, (channels, 256)), axis=1).astype(np.int8)
        post[1::2] = post[1::2, ::-1]
        caller = RowCaller(engine, case, 4)
        want = expected(case)[3]
        if (caller.fields["activation_min"], caller.fields["activation_max"]) == (-128, 127):
            caller = RowCaller(engine, case, 4, post)
            want = post[np.arange(channels), want.astype(np.int64) + 128]
        for across in axes(case):
            for outputs in (4, 2):
                made = caller.winograd(case.runs[3][0], across=across, expanded=False, pool=size, outputs=outputs)
                np.testing.assert_array_equal(made, largest(want, size))
                pooled += made.size
    assert pooled > 1000


@pytest.mark.parametrize("case", DENSE, ids=label)
def test_narrow_convolution_equals_builtin_ref(engine: Engine, case: Case) -> None:
    for (image,), want, chunk in zip(case.runs, expected(case), itertools.cycle(CHUNKS), strict=False):
        np.testing.assert_array_equal(RowCaller(engine, case, chunk).narrow(image), want)


@pytest.mark.parametrize("case", POOLS, ids=label)
def test_pool_equals_builtin_ref(engine: Engine, case: Case) -> None:
    for (image,), want, chunk in zip(case.runs, expected(case), itertools.cycle(CHUNKS), strict=False):
        np.testing.assert_array_equal(RowCaller(engine, case, chunk).pool(image), want)


@pytest.mark.parametrize("case", WINOGRAD, ids=label)
def test_post_map_replaces_each_value_by_channel(engine: Engine, case: Case) -> None:
    channels = weights(case).shape[0]
    post = np.random.default_rng(channels).integers(-128, 128, (channels, 256)).astype(np.int8)
    want = post[np.arange(channels), expected(case)[0].astype(np.int64) + 128]
    caller = RowCaller(engine, case, 4, post)
    np.testing.assert_array_equal(caller.convolution(case.runs[0][0]), want)
    np.testing.assert_array_equal(caller.narrow(case.runs[0][0]), want)
    np.testing.assert_array_equal(caller.winograd(case.runs[0][0], across=axes(case)[0], expanded=False), want)


@pytest.mark.parametrize("case", WINOGRAD, ids=label)
def test_affine_steps_follow_each_value_by_channel(engine: Engine, case: Case) -> None:
    channels = weights(case).shape[0]
    chance = np.random.default_rng(channels)
    steps = np.stack([chance.integers(-low, low, channels) for low in (2**19, 2**25) * 2], axis=1).astype(np.int32)
    values = expected(case)[0].astype(np.int64)
    for multiplier, added in ((steps[:, 0], steps[:, 1]), (steps[:, 2], steps[:, 3])):
        values = np.clip((values * multiplier + added) >> 16, -128, 127)
    caller = RowCaller(engine, case, 4, steps)
    np.testing.assert_array_equal(caller.convolution(case.runs[0][0]), values)
    np.testing.assert_array_equal(caller.narrow(case.runs[0][0]), values)
    np.testing.assert_array_equal(caller.winograd(case.runs[0][0], across=axes(case)[0], expanded=False), values)


def test_winograd_cases_reach_both_axes() -> None:
    assert {across for case in WINOGRAD for across in axes(case)} == {False, True}


def test_winograd_needs_three_taps() -> None:
    with pytest.raises(ValueError, match="2 taps"):
        pack_winograd(np.zeros((4, 3, 2, 4), np.int8), across=True)


def test_winograd_operands_and_sums_keep_their_bounds() -> None:
    # Extreme weights reach what the header states; sums stay under 2^28 up to the stated number of taps.
    ends = np.array(list(itertools.product((-128, 127), repeat=3)), np.int8).reshape(-1, 1, 3, 1)
    assert np.abs(expand_winograd(ends, across=True)).max() == 7 * 128
    assert np.abs(expand_winograd(ends, across=True, outputs=2)).max() == 3 * 128
    assert LARGEST_TAPS[4] * 255 * 128 < 2**28
    assert LARGEST_TAPS[2] * 255 * 128 < 2**30
