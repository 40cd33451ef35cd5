"""The cycle counter counts on across the 24-bit timer's wrap, even where the wrap comes while it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cffi
import pytest

from scenelet.core import toolchain

PROBE = Path(__file__).with_name("systick_probe.c")
PERIOD = 1 << 24
NEVER = 0


@pytest.fixture(scope="module")
def library() -> Any:
    port = toolchain.FIRMWARE / "lib" / "port"
    path = toolchain.shared_library("systick", [PROBE], [port, port / "stm32f4"])
    ffi = cffi.FFI()
    ffi.cdef("uint64_t probe(uint32_t earlier_wraps, uint32_t value, uint32_t wrap_at, uint32_t after);")
    return ffi.dlopen(str(path))


@pytest.mark.parametrize("earlier", [0, 1, 300])
def test_cycles_are_wraps_and_what_the_timer_counted_down(library: Any, earlier: int) -> None:
    assert library.probe(earlier, PERIOD - 1, NEVER, 0) == earlier * PERIOD
    assert library.probe(earlier, PERIOD - 1 - 10, NEVER, 0) == earlier * PERIOD + 10
    assert library.probe(earlier, 0, NEVER, 0) == earlier * PERIOD + PERIOD - 1


@pytest.mark.parametrize("earlier", [0, 1, 300])
def test_a_wrap_between_the_two_reads_is_not_lost(library: Any, earlier: int) -> None:
    assert library.probe(earlier, 0, 1, PERIOD - 1 - 7) == (earlier + 1) * PERIOD + 7
