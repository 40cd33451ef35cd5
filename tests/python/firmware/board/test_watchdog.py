"""The independent watchdog, and what is remembered over a reset by it: not in QEMU, so the C is asked here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cffi
import pytest

from scenelet.core import toolchain

HERE = Path(__file__).parent
PORT = toolchain.FIRMWARE / "lib" / "port"
TURNS = 100
FAULT, STACK, WATCHDOG = range(3)
PIN, SOFTWARE, INDEPENDENT, POWER = 1 << 26, 1 << 26 | 1 << 28, 1 << 26 | 1 << 29, 7 << 25


def load(name: str, declarations: str) -> Any:
    ffi = cffi.FFI()
    ffi.cdef(declarations)
    return ffi.dlopen(str(toolchain.shared_library(name, [HERE / f"{name}_probe.c"], [PORT, PORT / "stm32f4"])))


@pytest.fixture(scope="module")
def iwdg() -> Any:
    fields = "started, prescaler, reload, refreshed, accesses, errors, ended, cause, freeze"
    return load(
        "iwdg", f"typedef struct {{ uint32_t {fields}; }} probe_t; probe_t probe(uint32_t, uint32_t, uint32_t);"
    )


@pytest.fixture
def memory() -> Any:
    crash = "uint32_t count, cause, exception, pc, lr, cfsr, hfsr, address;"
    return load(
        "crash",
        f"typedef struct {{ {crash} }} crash_t; void power_on(uint8_t); crash_t reboot(uint32_t);"
        "bool flags_were_cleared(void); uint32_t crash(uint32_t); void damage(void); void scn_port_survived(void);",
    )


@pytest.mark.parametrize("busy", [0, 5, 1000])
def test_the_independent_watchdog_is_started_in_the_manuals_order(iwdg: Any, busy: int) -> None:
    seen = iwdg.probe(busy, 0, 0)
    assert seen.errors == 0, "a value was written while its register was locked or its oscillator off"
    assert (seen.started, seen.prescaler, seen.reload, seen.refreshed) == (1, 4, 1999, 1)
    assert seen.accesses > busy, "it waits until the values have arrived"
    assert seen.freeze == 1 << 12, "a debugger's halt stops it"


def test_its_patience_outlasts_systick_at_every_clock(iwdg: Any) -> None:
    seen = iwdg.probe(0, 0, 0)
    divider = 4 << seen.prescaler
    shortest, longest = ((seen.reload + 1) * divider / hertz for hertz in (47_000, 17_000))
    assert shortest > 2 * 2**24 / 16e6, "two turns of SysTick at the slowest clock"
    assert longest < 10


def test_registers_that_stay_busy_stop_nothing(iwdg: Any) -> None:
    seen = iwdg.probe(10**9, 3, 1)
    assert seen.accesses < 200_000
    assert seen.refreshed == 4


def test_a_program_that_goes_on_is_left_alone(iwdg: Any) -> None:
    seen = iwdg.probe(0, 1000, TURNS)
    assert (seen.ended, seen.refreshed) == (0, 1 + 1000)


def test_a_program_that_hangs_is_ended_and_no_longer_refreshed(iwdg: Any) -> None:
    assert iwdg.probe(0, TURNS, 0).ended == 0
    seen = iwdg.probe(0, 1000, 0)
    assert (seen.ended, seen.cause, seen.refreshed) == (1, WATCHDOG, 1 + TURNS)


@pytest.mark.parametrize("filling", [0x00, 0xFF, 0x5C])
def test_power_on_tells_no_crash(memory: Any, filling: int) -> None:
    memory.power_on(filling)
    assert memory.reboot(POWER).count == 0
    assert memory.flags_were_cleared()


def test_crashes_count_until_a_run_survives(memory: Any) -> None:
    memory.power_on(0)
    assert memory.crash(0x1234) == 1
    told = memory.reboot(SOFTWARE)
    assert (told.count, told.cause, told.pc) == (1, FAULT, 0x1234)
    assert memory.crash(0x5678) == 2
    memory.reboot(SOFTWARE)
    memory.scn_port_survived()
    assert memory.crash(0x9ABC) == 1


def test_a_damaged_record_is_no_record(memory: Any) -> None:
    memory.power_on(0)
    memory.crash(0x1234)
    memory.damage()
    assert memory.reboot(SOFTWARE).count == 0


def test_the_independent_watchdog_leaves_a_record_of_its_own(memory: Any) -> None:
    memory.power_on(0)
    told = memory.reboot(INDEPENDENT)
    assert (told.count, told.cause, told.pc) == (1, WATCHDOG, 0)
    told = memory.reboot(INDEPENDENT)
    assert (told.count, told.cause) == (2, WATCHDOG), "the row goes on"
    assert memory.reboot(PIN).count == 2, "the button does not end it: only a run that survives does"


def test_a_record_is_not_overwritten_by_the_watchdog_that_came_later(memory: Any) -> None:
    memory.power_on(0)
    memory.crash(0x1234)
    told = memory.reboot(INDEPENDENT)
    assert (told.count, told.cause, told.pc) == (1, FAULT, 0x1234)
