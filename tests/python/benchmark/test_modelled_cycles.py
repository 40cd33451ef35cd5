"""The model of waiting for flash: lines that are kept, lines fetched ahead, and what boards say of their clocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from cffi import FFI

from scenelet.benchmark.disassembly import Instruction, kind_of
from scenelet.benchmark.instructions import Bench
from scenelet.benchmark.modelled_cycles import _waits
from scenelet.benchmark.product_load import WAIT_STATES
from scenelet.compiler.options import Options
from scenelet.core import toolchain
from scenelet.errors import InputError
from scenelet.targets import boards
from scenelet.targets.emulator.block_trace import BlockCount

SOURCES = toolchain.FIRMWARE / "measure" / "qemu_plugin"
FLASH = 0x0800_0000
LINE = FLASH // 16

_C = """
typedef struct { uint64_t fetch[4]; uint64_t data_lines; } scn_flash_waits_t;
void scn_flash_begin(uint64_t first, uint64_t end, const unsigned *wait_states, int count);
void scn_flash_fetch(uint64_t line, unsigned cycles, scn_flash_waits_t *waits);
void scn_flash_load(uint64_t address, scn_flash_waits_t *waits);
"""


class Flash:
    """The plugin's model, as C."""

    def __init__(self, *wait_states: int) -> None:
        self._ffi = FFI()
        self._ffi.cdef(_C)
        library = toolchain.shared_library("flash", [SOURCES / "scn_flash.c"], [SOURCES], ("-Wall", "-Werror"))
        self._c: Any = self._ffi.dlopen(str(library))
        self._c.scn_flash_begin(FLASH, FLASH + (1 << 20), list(wait_states), len(wait_states))

    def fetch(self, lines: Iterable[int], cycles: int) -> tuple[int, ...]:
        """Waits of each clock while a program runs through lines, so many cycles in each."""
        waits = self._ffi.new("scn_flash_waits_t *")
        for line in lines:
            self._c.scn_flash_fetch(LINE + line, cycles, waits)
        return tuple(waits.fetch[0:2])

    def load(self, addresses: Iterable[int]) -> int:
        """Lines that loads from these addresses read from flash."""
        waits = self._ffi.new("scn_flash_waits_t *")
        for address in addresses:
            self._c.scn_flash_load(address, waits)
        return int(waits.data_lines)


def test_a_jump_waits_and_a_loop_that_is_kept_does_not() -> None:
    flash = Flash(2, 5)
    assert flash.fetch([100], 4) == (2, 5)
    assert flash.fetch([100, 7, 100, 7], 4) == (2, 5), "line 7 alone is new"
    assert flash.fetch([7, 100, 7, 100], 1) == (0, 0)


def test_the_next_line_is_fetched_while_this_one_runs() -> None:
    # Fetching takes one cycle more than the wait states; four of them pass in the line before.
    assert Flash(2, 5).fetch(range(10), 4) == (2, 5 + 9 * 2)
    assert Flash(2, 5).fetch(range(10), 6) == (2, 5)
    assert Flash(2, 5).fetch(range(10), 1) == (2 + 9 * 2, 5 + 9 * 5)


def test_64_lines_of_instructions_are_kept_the_oldest_goes() -> None:
    flash = Flash(2, 5)
    jumps = [2 * line for line in range(64)]
    assert flash.fetch(jumps, 8) == (2 * 64, 5 * 64)
    assert flash.fetch(jumps, 8) == (0, 0)
    assert flash.fetch([1000], 8) == (2, 5)
    assert flash.fetch([0], 8) == (2, 5), "the line that was used longest ago made room"


def test_8_lines_of_data_are_kept_and_ram_is_none() -> None:
    flash = Flash(5)
    lines = [FLASH + 16 * line for line in range(8)]
    assert flash.load([address + offset for address in lines for offset in (0, 4, 8, 12)]) == 8
    assert flash.load(lines) == 0
    assert flash.load([FLASH + 16 * 8, lines[1], lines[0]]) == 2
    assert flash.load([0x2000_0000, FLASH + (1 << 20)]) == 0


def test_waits_are_spread_over_a_block_and_none_is_lost() -> None:
    block = [Instruction(2 * n, name, kind_of(name), 0) for n, name in enumerate(["add", "ldr", "smlad", "ldrd"])]
    count = BlockCount(0, 8, 0, 0, 10, 0, data_lines=3, fetch_waits=(4, 7))
    assert _waits(block, count, 1, 5) == [7, 8, 0, 7]
    assert sum(_waits(block[:1], count, 0, 2)) == 4 + 3 * 2
    assert _waits([], count, 0, 2) == []


def test_boards_state_the_wait_states_that_their_firmware_sets() -> None:
    port = toolchain.FIRMWARE / "lib" / "port" / "stm32f4"
    clock = (port / "clock.c").read_text("utf-8")
    (latency,) = re.findall(r"SCN_FLASH_ACR = SCN_FLASH_ACR_LATENCY_(\d+) \| SCN_FLASH_ACR_PREFETCH", clock)
    (hertz,) = re.findall(r"CPU_HZ == (\d+)u", clock)
    for name in boards.names():
        board = boards.find(name)
        assert (board.clock_hz, board.wait_states) == (int(hertz), int(latency))
        assert WAIT_STATES[board.clock_hz] == board.wait_states
    assert Options().wait_states == boards.wait_states()


@pytest.mark.parametrize("wait_states", [-1, 16])
def test_wait_states_that_no_flash_has_are_refused(wait_states: int) -> None:
    with pytest.raises(InputError, match=f"{wait_states} wait states: impossible; give 0 to 15"):
        Options(wait_states=wait_states)


@pytest.mark.qemu
def test_expanded_weights_take_fewer_instructions_and_wait_for_flash(sm1: Any, benched: Any) -> None:
    packed, expanded = (benched(sm1, Options(weights=weights, ram_bytes=16_384)) for weights in ("packed", "expanded"))
    assert isinstance(packed, Bench)
    assert expanded.instructions < packed.instructions
    assert json.loads(json.dumps(expanded.to_json()))["wait_cycles"] == expanded.wait_cycles
    assert packed.wait_cycles < expanded.wait_cycles
