"""Every board's clocks, pins and console against its chip's data sheet; what is flashed to one, in the emulator.

Limits: data sheets DS8626 (STM32F405/407) and DS10693 (STM32F446), reference manuals RM0090 and RM0390, at a supply of
2.7 to 3.6 V.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi
import pytest

from scenelet.compiler.options import PRODUCT_RAM_BYTES
from scenelet.core import cortex_m4, toolchain
from scenelet.targets import boards
from scenelet.targets.build import platformio
from scenelet.targets.qemu import boot

HERE = Path(__file__).parent
BOARDS = boards.names()
BAUD = 921_600
STARTED = 0x83 | 1 << 17 | 1 << 25  # internal oscillator, crystal and PLL run
ON_PLL = 2 << 2


@dataclass(frozen=True)
class Chip:
    """What a data sheet allows, Hz, and the pins that can be the console's (alternate function 7)."""

    cpu: float
    apb1: float
    apb2: float
    transmit: dict[int, frozenset[str]]
    receive: dict[int, frozenset[str]]
    pll_input: tuple[float, float] = (0.95e6, 2.10e6)
    vco: tuple[float, float] = (100e6, 432e6)
    crystal: tuple[float, float] = (4e6, 26e6)
    fed_clock: tuple[float, float] = (1e6, 50e6)
    a_wait_state: float = 30e6


TRANSMIT = {1: frozenset({"A9", "B6"}), 2: frozenset({"A2", "D5"}), 3: frozenset({"B10", "C10", "D8"})}
RECEIVE = {1: frozenset({"A10", "B7"}), 2: frozenset({"A3", "D6"}), 3: frozenset({"B11", "C11", "D9"})}
F405 = Chip(168e6, 42e6, 84e6, TRANSMIT, RECEIVE)
F446 = Chip(180e6, 45e6, 90e6, TRANSMIT, RECEIVE | {3: frozenset({"B11", "C5", "C11", "D9"})})
CHIPS = {"stm32f405": F405, "stm32f407": F405, "stm32f446": F446}

SIXTY_FOUR = {f"{port}{pin}" for port in "ABC" for pin in range(16)} | {"D2"}
PACKAGES = {
    "stm32f405rg": SIXTY_FOUR,
    "stm32f446re": SIXTY_FOUR - {"B11"},  # there is VCAP_1
    "stm32f407vg": {f"{port}{pin}" for port in "ABCDE" for pin in range(16)},
}
DEBUG_PINS = {"A13", "A14"}


def header(board: str) -> dict[str, str]:
    """Macros of a board's scn_board.h."""
    text = (toolchain.FIRMWARE / "boards" / board / "scn_board.h").read_text("utf-8")
    return dict(re.findall(r"^#define SCN_BOARD_(\w+) (\S+)", text, re.MULTILINE))


def pins(board: str) -> dict[str, str]:
    """Every pin that a board's header names, by its role."""
    macros = header(board)
    roles = [name.removesuffix("_PORT") for name in macros if name.endswith("_PORT")]
    return {role: macros[f"{role}_PORT"].strip("'") + macros[f"{role}_PIN"] for role in roles}


def mcu(board: str) -> str:
    return str(cortex_m4.board(board)["build"]["mcu"])


def chip(board: str) -> Chip:
    return CHIPS[mcu(board)[:-2]]


def load(name: str, board: str, declarations: str) -> Any:
    port = toolchain.FIRMWARE / "lib" / "port"
    includes = [port, port / "stm32f4", toolchain.FIRMWARE / "boards" / board]
    ffi = cffi.FFI()
    ffi.cdef(declarations)
    return ffi.dlopen(str(toolchain.shared_library(f"{name}-{board}", [HERE / f"{name}_probe.c"], includes)))


def started(board: str) -> Any:
    fields = "source, cpu_hz, apb1_hz, apb2_hz, cr, pllcfgr, cfgr, acr"
    declarations = f"typedef struct {{ uint32_t {fields}; }} probe_t; probe_t probe(uint32_t, uint32_t);"
    return load("clock", board, declarations).probe(STARTED, ON_PLL)


RXNE, ORE, NE, FE = 1 << 5, 1 << 3, 1 << 2, 1 << 1


@pytest.mark.parametrize(
    ("status", "byte", "given", "errors"),
    [
        (RXNE, 0x41, 0x41, 0),
        (RXNE | NE, 0x41, 0xFF, 1),
        (RXNE | FE, 0x41, 0xFF, 1),
        (RXNE | FE, 0x00, 0x00, 1),
        (RXNE | ORE, 0x41, 0x41, 1),
        (RXNE | ORE | FE | NE, 0x41, 0xFF, 1),
        (ORE, 0x41, 0x41, 1),
    ],
)
def test_noise_breaks_and_overruns_are_counted_and_not_believed(
    status: int, byte: int, given: int, errors: int
) -> None:
    """RM0090, 30.6.1: the flags belong to the byte that DR holds. A break is a delimiter."""
    receive = load("usart", BOARDS[0], "uint32_t receive(uint32_t status, uint32_t byte);").receive
    assert receive(status, byte) == 1 << 16 | errors << 8 | given


def console(board: str, apb1: float, apb2: float, *, emulated: bool = False) -> Any:
    declarations = """
        typedef struct { uint32_t moder, pupdr, afrl, afrh; } port_t;
        typedef struct {
            uint32_t ahb1enr, apb1enr, apb2enr, brr, cr1, number, priority, interrupts[4];
            port_t ports[9];
        } probe_t;
        probe_t probe(uint32_t apb1_hz, uint32_t apb2_hz, bool emulated);"""
    return load("usart", board, declarations).probe(int(apb1), int(apb2), emulated)


@pytest.mark.parametrize("board", BOARDS)
def test_clocks_stay_within_the_data_sheet(board: str) -> None:
    clock, allowed, macros = started(board), chip(board), header(board)
    crystal = float(macros["HSE_HZ"].rstrip("u"))
    least, most = allowed.fed_clock if macros["HSE_BYPASS"] == "1" else allowed.crystal
    assert least <= crystal <= most
    m, n = clock.pllcfgr & 63, clock.pllcfgr >> 6 & 511
    p, q = (clock.pllcfgr >> 16 & 3) * 2 + 2, clock.pllcfgr >> 24 & 15
    assert 2 <= m <= 63
    assert 50 <= n <= 432
    assert 2 <= q <= 15
    pll_input = crystal / m
    assert allowed.pll_input[0] <= pll_input <= allowed.pll_input[1]
    vco = pll_input * n
    assert allowed.vco[0] <= vco <= allowed.vco[1]
    assert clock.cpu_hz == vco / p <= allowed.cpu
    assert vco / q == 48e6, "USB and the random number generator stand 48 MHz"
    assert clock.acr & 15 >= -(-clock.cpu_hz // allowed.a_wait_state) - 1, "wait states at this speed"
    dividers = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}
    assert clock.apb1_hz == clock.cpu_hz / dividers[clock.cfgr >> 10 & 7] <= allowed.apb1
    assert clock.apb2_hz == clock.cpu_hz / dividers[clock.cfgr >> 13 & 7] <= allowed.apb2
    assert float(str(cortex_m4.board(board)["build"]["f_cpu"]).rstrip("L")) == clock.cpu_hz


@pytest.mark.parametrize("board", BOARDS)
def test_the_console_keeps_its_speed_within_two_percent(board: str) -> None:
    clock = started(board)
    seen = console(board, clock.apb1_hz, clock.apb2_hz)
    source = clock.apb2_hz if seen.number == 1 else clock.apb1_hz
    assert abs(source / seen.brr / BAUD - 1) < 0.02
    assert seen.cr1 == 1 << 13 | 1 << 5 | 1 << 3 | 1 << 2, "UE, RXNEIE, TE, RE: oversampled by 16, 8 bits, no parity"


@pytest.mark.parametrize("board", BOARDS)
def test_the_consoles_pins_are_its_uarts(board: str) -> None:
    number, used = int(header(board)["USART"]), pins(board)
    assert used["TX"] in chip(board).transmit[number]
    assert used["RX"] in chip(board).receive[number]
    seen = console(board, 42e6, 84e6)
    assert seen.number == number
    for pin in (used["TX"], used["RX"]):
        place, bit = "ABCDEFGHI".index(pin[0]), int(pin[1:])
        port = seen.ports[place]
        assert seen.ahb1enr >> place & 1, "the port has its clock"
        assert port.moder >> 2 * bit & 3 == 2, "alternate function"
        assert (port.afrl, port.afrh)[bit // 8] >> 4 * (bit % 8) & 15 == 7
        assert port.pupdr >> 2 * bit & 3 == 1, "pulled up: an open line is idle"
    assert bool(seen.apb2enr >> 4 & 1) == (number == 1)
    assert bool(seen.apb1enr >> 17 & 1) == (number == 2)
    assert bool(seen.apb1enr >> 18 & 1) == (number == 3)
    assert seen.interrupts[1] == 1 << (36 + number - 32), "USART1 is interrupt 37"
    assert seen.priority == 0x10, "below SysTick, whose watchdog ends an interrupt that hangs"


@pytest.mark.parametrize("board", BOARDS)
def test_pins_are_there_and_serve_one_purpose_each(board: str) -> None:
    used = pins(board)
    assert set(used.values()) <= PACKAGES[mcu(board)]
    assert not set(used.values()) & DEBUG_PINS, "the probe's"
    assert len(set(used.values())) == len(used)


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_known_everywhere(board: str) -> None:
    """Its header, PlatformIO's environments and the manual name it."""
    assert header(board)["NAME"] == f'"{board}"'
    configuration = (toolchain.REPOSITORY / "platformio.ini").read_text("utf-8")
    environment = "qemu" if board == toolchain.EMULATED_BOARD else board
    assert f"[env:{environment}]\nboard = {board}\n" in configuration
    (built,) = re.findall(r"^default_envs = (.*)$", configuration, re.MULTILINE)
    assert environment in built.split(", ")
    assert f"`{environment}`" in (toolchain.REPOSITORY / "docs" / "FIRMWARE.md").read_text("utf-8")


@pytest.mark.qemu
def test_the_emulator_boots_what_is_flashed_to_the_feather(tmp_path: Path) -> None:
    """The product for feather_f405 with the shipped model: its ELF, and the very bytes that a loader writes."""
    generated = toolchain.FIRMWARE / "generated"
    sources = {path.name: path.read_text("utf-8") for path in generated.glob("scn_*.[ch]")}
    elf, image = platformio.build(sources, "feather_f405"), tmp_path / "firmware.bin"
    toolchain.run(["arm-none-eabi-objcopy", "-O", "binary", elf, image])
    content = image.read_bytes()
    told = []
    for program in (elf, image):
        with boot(program) as device:
            assert device.selftest() == "pass"
            told.append(device.info())
    for info in told:
        assert (info["board"], info["clock"]) == ("feather_f405", "emulated")
        assert int(info["image_crc32"], 16) == int.from_bytes(content[-4:], "little")
        assert int(info["flash_bytes"]) == len(content)
    sizes = dict(re.findall(r"^(\.\w+)\s+(\d+)", toolchain.run(["arm-none-eabi-size", "-A", "-d", elf]), re.MULTILINE))
    taken = sum(int(sizes.get(section, 0)) for section in (".data", ".bss", ".noinit", ".stack"))
    arena = re.search(r"SCN_MODEL_ARENA_BYTES (\d+)", sources["scn_model.h"])
    assert arena is not None
    assert 0 < taken - int(arena[1]) <= PRODUCT_RAM_BYTES, "what the default arena leaves to the product"
    stack, start = (int.from_bytes(content[place : place + 4], "little") for place in (0, 4))
    held = boards.find("feather_f405")
    assert 0x2000_0000 < stack <= 0x2000_0000 + held.ram_bytes
    assert start & 1, "Thumb"
    assert 0x0800_0000 < start < 0x0800_0000 + len(content) <= 0x0800_0000 + held.flash_bytes
