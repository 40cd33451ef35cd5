"""The clock tree, which QEMU lacks: what is written for every crystal, and what follows where one does not start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cffi
import pytest

from scenelet.core import toolchain
from scenelet.targets import boards

PROBE = Path(__file__).with_name("clock_probe.c")
EXTERNAL, INTERNAL, EMULATED = 0, 1, 2
RUNNING = 0x83  # the internal oscillator, as after reset
HSE_READY, PLL_READY, ON_PLL = 1 << 17, 1 << 25, 2 << 2


def board_value(board: str, name: str) -> int:
    text = (toolchain.FIRMWARE / "boards" / board / "scn_board.h").read_text("utf-8")
    match = re.search(rf"#define {name} (\d+)", text)
    assert match
    return int(match[1])


def probe(board: str, cr: int, cfgr: int) -> Any:
    port = toolchain.FIRMWARE / "lib" / "port"
    includes = [port, port / "stm32f4", toolchain.FIRMWARE / "boards" / board]
    library = toolchain.shared_library(f"clock-{board}", [PROBE], includes)
    ffi = cffi.FFI()
    ffi.cdef(
        "typedef struct { uint32_t source, cpu_hz, apb1_hz, apb2_hz, cr, pllcfgr, cfgr, acr; } probe_t;"
        "probe_t probe(uint32_t cr, uint32_t cfgr);"
    )
    return ffi.dlopen(str(library)).probe(cr, cfgr)


def pll(configuration: int) -> tuple[int, int, int, int, bool]:
    """M, N, P, Q and whether the external clock feeds it (RM0090, 6.3.2)."""
    m, n, p = configuration & 63, configuration >> 6 & 511, (configuration >> 16 & 3) * 2 + 2
    return m, n, p, configuration >> 24 & 15, bool(configuration >> 22 & 1)


@pytest.mark.parametrize("board", boards.names())
def test_every_crystal_becomes_168_mhz(board: str) -> None:
    clock = probe(board, RUNNING | HSE_READY | PLL_READY, ON_PLL)
    m, n, p, q, external = pll(clock.pllcfgr)
    crystal = board_value(board, "SCN_BOARD_HSE_HZ")
    assert external
    assert crystal / m == 1e6, "the PLL's input must be 1 to 2 MHz"
    assert crystal / m * n / p == 168e6 == clock.cpu_hz
    assert crystal / m * n / q == 48e6
    assert (clock.source, clock.apb1_hz, clock.apb2_hz) == (EXTERNAL, 42e6, 84e6)
    assert clock.cfgr >> 10 & 7 == 5, "APB1 is the clock by 4"
    assert clock.cfgr >> 13 & 7 == 4, "APB2 is the clock by 2"
    assert clock.cfgr & 3 == 2, "switched to the PLL"
    assert clock.acr & 15 == 5, "wait states of 168 MHz"
    assert bool(clock.cr >> 18 & 1) == bool(board_value(board, "SCN_BOARD_HSE_BYPASS"))
    assert clock.cr >> 19 & 1, "a crystal that stops later raises NMI"


def test_a_dead_crystal_is_replaced_by_the_internal_oscillator() -> None:
    clock = probe("disco_f407vg", RUNNING | PLL_READY, ON_PLL)
    m, n, p, _, external = pll(clock.pllcfgr)
    assert not external
    assert 16e6 / m * n / p == 168e6 == clock.cpu_hz
    assert clock.source == INTERNAL
    assert not clock.cr >> 19 & 1, "there is no crystal to supervise"


def test_without_a_pll_it_stays_at_16_mhz_undivided() -> None:
    clock = probe("disco_f407vg", RUNNING, 0)
    assert (clock.source, clock.cpu_hz, clock.apb1_hz, clock.apb2_hz) == (INTERNAL, 16e6, 16e6, 16e6)
    assert clock.cfgr & 3 == 0


def test_a_switch_that_fails_goes_back_undivided() -> None:
    clock = probe("disco_f407vg", RUNNING | HSE_READY | PLL_READY, 0)
    assert (clock.source, clock.cpu_hz, clock.apb1_hz, clock.apb2_hz) == (INTERNAL, 16e6, 16e6, 16e6)
    assert clock.cfgr & 3 == 0
    assert clock.cfgr >> 10 & 63 == 0, "both APBs run at the processor's clock"


def test_what_a_boot_loader_left_is_undone_first() -> None:
    left = 2 | 5 << 10 | 4 << 13  # on the PLL, divided
    clock = probe("disco_f407vg", RUNNING | 1 << 24, left)
    assert (clock.source, clock.cpu_hz) == (INTERNAL, 16e6)
    assert clock.cfgr & 3 == 0
    assert clock.cfgr >> 10 & 63 == 0


def test_registers_that_read_zero_are_the_emulator() -> None:
    clock = probe("disco_f407vg", 0, 0)
    assert (clock.source, clock.cpu_hz) == (EMULATED, 168e6)
    assert clock.pllcfgr == 0, "nothing is written there"
