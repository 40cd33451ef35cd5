"""The microphone's driver against a model of the chip: order and values of writes, bounded waits, lost blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cffi
import pytest
from chip import DMA_EN, I2SE, OVR, PLLI2SON, TCIF3, TEIF3, Chip

from scenelet.core import toolchain
from scenelet.targets import boards

PROBE = Path(__file__).with_name("microphone_probe.c")
CDEF = """
void probe_bus(uint32_t (*)(uint32_t), void (*)(uint32_t, uint32_t), void (*)(void));
int probe_start(uint32_t, int);
void probe_stop(void);
void probe_interrupt(void);
void probe_led(int);
int probe_kind(void);
uint32_t probe_heard(void);
uint32_t probe_lost(void);
uint32_t probe_first(void);
uint32_t probe_block_address(uint32_t);
"""


def macro(board: str, name: str) -> str | None:
    """Value of a macro of a board's scn_board.h."""
    text = (toolchain.FIRMWARE / "boards" / board / "scn_board.h").read_text("utf-8")
    found = re.search(rf"#define SCN_BOARD_{name} (\S+)", text)
    return found[1] if found else None


PDM = "2"  # of scn_port.h
BOARDS = [board for board in boards.names() if macro(board, "MICROPHONE")]


class Bench:
    """A board's driver wired to a chip."""

    def __init__(self, board: str, chip: Chip) -> None:
        self.board, self.chip, self.ffi = board, chip, cffi.FFI()
        self.ffi.cdef(CDEF)
        port = toolchain.FIRMWARE / "lib" / "port"
        includes = [port / "stm32f4", port, toolchain.FIRMWARE / "boards" / board]
        self.c: Any = self.ffi.dlopen(str(toolchain.shared_library(f"microphone-{board}", [PROBE], includes)))
        self.pdm = macro(board, "MICROPHONE") == PDM
        self.own_divider = macro(board, "PLLI2S_OWN_DIVIDER") == "1"
        self.hearing = lambda: None
        self._keep = (
            self.ffi.callback("uint32_t(uint32_t)", chip.read),
            self.ffi.callback("void(uint32_t, uint32_t)", chip.write),
            self.ffi.callback("void(void)", lambda: self.hearing()),
        )
        self.c.probe_bus(*self._keep)

    def start(self, rate: int = 16_000, emulated: bool = False) -> bool:
        return bool(self.c.probe_start(rate, emulated))


@pytest.fixture(params=BOARDS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    chip = Chip()
    chip.value["RCC_PLLCFGR"] = 8  # a crystal of 8 MHz
    place = Bench(request.param, chip)
    yield place
    assert chip.faults == []


def pin(board: str, name: str) -> tuple[str, int] | None:
    port, number = macro(board, f"{name}_PORT"), macro(board, f"{name}_PIN")
    return (port.strip("'"), int(number)) if port and number else None


# Alternate function 5 of SPI2's pins: datasheets of the F405/F407 (table 9) and of the F446 (table 11).
I2S2_PINS = {
    "I2S_CK": {("B", 10), ("B", 13)},
    "I2S_SD": {("B", 15), ("C", 3)},
    "I2S_WS": {("B", 9), ("B", 12)},
}


@pytest.mark.parametrize("board", BOARDS)
def test_the_pins_have_the_function_and_are_not_the_consoles(board: str) -> None:
    used = [pin(board, name) for name in ("TX", "RX", "LED")]
    for name, possible in I2S2_PINS.items():
        there = pin(board, name)
        assert there in possible or (name == "I2S_WS" and macro(board, "MICROPHONE") == PDM and there is None)
        assert there not in used


def test_the_bit_clock_is_exact(bench: Bench) -> None:
    for rate in (16_000,) if bench.pdm else (16_000, 32_000, 48_000):
        assert bench.start(rate)
        configuration, prescaler = bench.chip.get("RCC_PLLI2SCFGR"), bench.chip.get("SPI2_I2SPR")
        vco = 1_000_000 * (configuration >> 6 & 511)
        r, divider = configuration >> 28 & 7, 2 * (prescaler & 255) + (prescaler >> 8 & 1)
        assert 100e6 <= vco <= 432e6, "the PLL's range (RM0090, 7.3.23)"
        assert 2 <= r <= 7
        assert (prescaler & 255) >= 2, "I2SDIV 0 and 1 are forbidden (28.5.9)"
        assert not prescaler & 1 << 9, "no master clock"
        assert vco / r <= 192e6
        assert vco / r / divider == rate * 64 == (1_024_000 if bench.pdm else rate * 64)


def test_the_f446_has_a_divider_of_its_own(bench: Bench) -> None:
    assert bench.start()
    assert bench.chip.get("RCC_PLLI2SCFGR") & 63 == (8 if bench.own_divider else 0)
    assert ("RCC_DCKCFGR" in dict(bench.chip.log)) == bench.own_divider


def test_order_and_values_of_the_start(bench: Bench) -> None:
    chip = bench.chip
    chip.value |= {"DMA1_LISR": 0x3D << 22, "RCC_CFGR": 1 << 23}
    assert bench.start()
    pll, format_, stream, enabled = chip.order("RCC_PLLI2SCFGR", "SPI2_I2SPR", "DMA1_S3NDTR", "SPI2_I2SCFGR")
    assert pll < format_ < stream < enabled == len(chip.log) - 1, "I2S is enabled last of all"
    assert chip.get("DMA1_S3PAR") == 0x4000_380C
    addresses = [bench.c.probe_block_address(which) for which in (0, 1)]
    assert [chip.get("DMA1_S3M0AR"), chip.get("DMA1_S3M1AR")] == addresses
    assert addresses[1] - addresses[0] == 512
    assert chip.get("DMA1_S3NDTR") == 256
    assert chip.get("DMA1_S3FCR") == 0
    control = chip.get("DMA1_S3CR")
    assert control >> 25 & 7 == 0, "channel 0"
    assert control >> 18 & 1, "double buffer"
    assert control >> 11 & 15 == 0b0101, "halfwords on both sides"
    assert control >> 10 & 1, "memory is counted up"
    assert control >> 6 & 15 == 0, "from the peripheral; the double buffer implies circular"
    assert control & 0b10101 == 0b10101, "interrupts at the end and on errors; enabled"
    assert chip.get("SPI2_CR2") == 1
    assert chip.get("enabled") == 1 << 14
    assert chip.get("NVIC_IPR3") >> 16 & 255 == 0x20, "below the console"
    expected = 0b1111_0010_1000 if bench.pdm else 0b1111_0000_0011
    assert chip.get("SPI2_I2SCFGR") == expected
    if not bench.own_divider:
        assert not chip.get("RCC_CFGR") & 1 << 23, "the PLL for I2S, not a pin, gives the clock"


def test_pins_are_alternate_5(bench: Bench) -> None:
    assert bench.start()
    for name in ("I2S_CK", "I2S_SD", "I2S_WS"):
        there = pin(bench.board, name)
        if there is None:
            continue
        port, number = there
        half = "AFRH" if number > 7 else "AFRL"
        assert bench.chip.get(f"GPIO{port}_{half}") >> number % 8 * 4 & 15 == 5
        assert bench.chip.get(f"GPIO{port}_MODER") >> number * 2 & 3 == 2
        written = [
            register for register, _ in bench.chip.log if register in (f"GPIO{port}_{half}", f"GPIO{port}_MODER")
        ]
        assert written[0].endswith(half), "the function is chosen before the pin is handed over"


@pytest.mark.parametrize("on", [0, 1])
def test_the_led_is_dark_before_it_is_driven(bench: Bench, on: int) -> None:
    there = pin(bench.board, "LED")
    assert there is not None
    port, number = there
    bench.c.probe_led(on)
    written = [(name, value) for name, value in bench.chip.log if name.startswith("GPIO")]
    assert written[0] == (f"GPIO{port}_BSRR", 1 << number + 16)
    assert written[1] == (f"GPIO{port}_MODER", 1 << 2 * number), "an output only after that"
    assert written[2] == (f"GPIO{port}_BSRR", 1 << (number if on else number + 16))


@pytest.mark.parametrize("broken", [{"locks": False}, {"stops": False}])
def test_what_does_not_come_is_not_waited_for(broken: dict[str, bool]) -> None:
    chip = Chip(**broken)
    bench = Bench("feather_f405", chip)
    chip.value |= {"RCC_AHB1ENR": 1 << 21, "DMA1_S3CR": DMA_EN}
    assert not bench.start()
    assert 50_000 <= chip.reads < 51_000, "bounded, and the bound is used"
    assert not chip.get("SPI2_I2SCFGR") & I2SE
    assert chip.faults == []


def test_no_clock_tree_no_microphone(bench: Bench) -> None:
    """The emulator: nothing is touched."""
    assert not bench.start(emulated=True)
    bench.c.probe_stop()
    assert bench.c.probe_kind() == 0
    assert bench.chip.log == []
    assert bench.chip.reads == 0


def test_an_unknown_rate_is_refused() -> None:
    bench = Bench("feather_f405", Chip())
    assert not bench.start(44_100)
    assert bench.chip.log == []


def test_blocks_come_in_turn_and_their_flag_is_cleared(bench: Bench) -> None:
    assert bench.start()
    for turn in range(6):
        bench.chip.complete(turn % 2)
        bench.c.probe_interrupt()
        assert bench.c.probe_heard() == turn + 1
        assert bench.c.probe_first() == 100 + turn % 2, "the block that is full, not the one that fills"
        assert not bench.chip.get("DMA1_LISR") & TCIF3
    assert bench.c.probe_lost() == 0


def test_an_interrupt_without_a_cause_is_no_block(bench: Bench) -> None:
    assert bench.start()
    bench.c.probe_interrupt()
    assert (bench.c.probe_heard(), bench.c.probe_lost()) == (0, 0)


@pytest.mark.parametrize("cause", ["transfer error", "overrun", "late"])
def test_a_lost_block_stops_everything_and_is_told(bench: Bench, cause: str) -> None:
    chip = bench.chip
    assert bench.start()
    if cause == "transfer error":
        chip.value["DMA1_LISR"] = TEIF3
    elif cause == "overrun":
        chip.complete(0)
        chip.value["SPI2_SR"] = OVR
    else:
        chip.complete(0)
        bench.hearing = lambda: chip.complete(1)
    bench.c.probe_interrupt()
    assert bench.c.probe_lost() == 1
    assert bench.c.probe_heard() == (cause == "late")
    assert not chip.get("SPI2_I2SCFGR") & I2SE
    bench.hearing = lambda: None
    assert bench.start(), "and it can be started again"
    assert chip.get("SPI2_I2SCFGR") & I2SE
    assert not chip.get("SPI2_SR"), "what was left of the overrun is gone"
    chip.complete(0)
    bench.c.probe_interrupt()
    assert bench.c.probe_lost() == 1


def test_stop_ends_interrupts_first(bench: Bench) -> None:
    assert bench.start()
    start = len(bench.chip.log)
    bench.c.probe_stop()
    assert bench.chip.log[start][0] == "NVIC_ICER0"
    assert bench.chip.get("enabled") == 0
    assert not bench.chip.get("SPI2_I2SCFGR") & I2SE
    assert not bench.chip.get("RCC_CR") & PLLI2SON
