"""The kernels' arithmetic against plain statements of it in Python's unbounded integers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cffi
import pytest
from engine_library import source
from hypothesis import example, given
from hypothesis import strategies as st

from scenelet.core import toolchain

PROBE = Path(__file__).resolve().parent / "engine_probe.c"
Scale = Callable[[int, int, int], int]


@pytest.fixture(scope="module")
def probe() -> tuple[cffi.FFI, Any]:
    ffi = cffi.FFI()
    ffi.cdef("int32_t probe_scale(int32_t, int32_t, int32_t);")
    ffi.cdef("int32_t probe_scale_quick(int32_t, int32_t, int32_t);")
    ffi.cdef("int32_t probe_scale_small(int32_t, int32_t, int32_t);")
    ffi.cdef("int32_t probe_apply(int32_t, int32_t, int32_t, int32_t);")
    ffi.cdef("int32_t probe_scale_once(int32_t, int32_t, int32_t, int32_t);")
    ffi.cdef("void probe_span(int32_t, int32_t, int32_t, int32_t, int32_t *);")
    return ffi, ffi.dlopen(
        str(toolchain.shared_library("engine_probe", [PROBE, source("scn_fixedpoint.c")], toolchain.engine_folders()))
    )


def wrap(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def scaled(x: int, multiplier: int, shift: int) -> int:
    """Shift left modulo 2^32; x * multiplier / 2^31 rounded half up; divided by 2^-shift, halves away from zero."""
    high = (wrap(x << max(shift, 0)) * multiplier + 2**30) >> 31
    divisor = 2 ** max(-shift, 0)
    magnitude = (2 * abs(high) + divisor) // (2 * divisor)
    return magnitude if high >= 0 else -magnitude


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(-31, 30))
@example(-(2**31), 2**31 - 1, -1)
@example(2**31 - 1, 2**31 - 1, -1)
@example(-(2**31), 2**31 - 1, 0)
@example(-3, 2**30, -1)
@example(3, 2**30, -1)
@example(2**31 - 1, 2**31 - 1, -31)
def test_scale_rounds_twice(probe: tuple[cffi.FFI, Any], x: int, multiplier: int, shift: int) -> None:
    assert probe[1].probe_scale(x, multiplier, shift) == scaled(x, multiplier, shift)
    assert probe[1].probe_scale_quick(x, multiplier, shift) == scaled(x, multiplier, shift)


@given(st.integers(-(2**30) + 1, 2**30 - 1), st.integers(0, 2**31 - 1), st.integers(-31, 0))
@example(-(2**30) + 1, 2**31 - 1, 0)
@example(2**30 - 1, 2**31 - 1, -31)
@example(-3, 2**30, -1)
def test_scaler_is_the_same_for_small_values(probe: tuple[cffi.FFI, Any], x: int, multiplier: int, shift: int) -> None:
    assert probe[1].probe_scale_small(x, multiplier, shift) == scaled(x, multiplier, shift)


@given(st.integers(-(2**30) + 1, 2**30 - 1), st.integers(0, 2**31 - 1), st.integers(-20, -1), st.integers(-128, 127))
@example(-(2**30) + 1, 2**31 - 1, -20, -128)
@example(2**30 - 1, 2**31 - 1, -20, 127)
@example(2**30 - 1, 2**31 - 1, -1, 127)
@example(-3, 2**30, -1, 0)
def test_stage_is_the_same_with_a_zero_point(
    probe: tuple[cffi.FFI, Any], x: int, multiplier: int, shift: int, zero_point: int
) -> None:
    assert probe[1].probe_apply(x, multiplier, shift, zero_point) == scaled(x, multiplier, shift) + zero_point


@given(
    st.integers(-(2**31) + 1, 2**31 - 1), st.integers(2**30, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(-31, 30)
)
@example(1, 2**30, 0, 0)
@example(-1, 2**30, 0, 0)
def test_scale_once_rounds_once_and_is_limited(
    probe: tuple[cffi.FFI, Any], x: int, multiplier: int, fraction: int, shift: int
) -> None:
    exact = abs(x) * (multiplier * 2**31 + fraction)
    magnitude = min((exact + 2 ** (61 - shift)) >> (62 - shift), 2**30)
    assert probe[1].probe_scale_once(x, multiplier, fraction, shift) == (magnitude if x >= 0 else -magnitude)


@given(st.integers(-20, 20), st.integers(1, 15), st.integers(1, 9), st.integers(1, 6))
def test_span_holds_exactly_the_taps_inside(
    probe: tuple[cffi.FFI, Any], start: int, size: int, taps: int, dilation: int
) -> None:
    found = probe[0].new("int32_t[2]")
    probe[1].probe_span(start, size, taps, dilation, found)
    inside = [tap for tap in range(taps) if 0 <= start + tap * dilation < size]
    assert list(range(*found)) == inside
    assert not inside or 0 <= found[0] < found[1] <= taps
