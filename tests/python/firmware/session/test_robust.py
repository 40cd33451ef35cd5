"""Faults are injected on the emulated board, and reported as docs/PROTOCOL.md says."""

from __future__ import annotations

import re
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from last_words import last_words

from scenelet.core import toolchain
from scenelet.errors import ToolError
from scenelet.targets.build import platformio
from scenelet.targets.qemu import boot
from scenelet.targets.serial.client import fields
from scenelet.targets.serial.framing import Input

pytestmark = pytest.mark.qemu

QUICK_CLOCK = ("-icount", "shift=6")
"""64 ns of emulated time an instruction: a hang of 10 s is over in less than one, and no busy computer changes that."""


@pytest.fixture(scope="module")
def provoking(small: Any) -> Any:
    return platformio.build(small.sources(), "fault_injection")


def function_at(elf: Path, address: int) -> str:
    """Name of the function that holds an address."""
    said = toolchain.run(["arm-none-eabi-nm", "-S", elf])
    for start, size, name in re.findall(r"^(\w+) (\w+) [tT] (\w+)", said, re.MULTILINE):
        if int(start, 16) <= address < int(start, 16) + int(size, 16):
            return str(name)
    raise AssertionError(f"no function at {address:#x}")


def ask(device: Any, command: str) -> list[str]:
    device._stream.write(f"\0{command}\n".encode())
    return list(device.wait_ready())


def crash(device: Any, way: str) -> dict[str, str]:
    """Provoke a crash; what is told of it before the reset must be told after it, too."""
    told = ask(device, f"provoke {way}")
    words = [line for line in told if line.startswith("e-fault ")]
    record = [line for line in told if line.startswith("crash ")]
    assert (len(words), len(record)) == (1, 1)
    assert record[0] == f"crash count=1 {words[0].removeprefix('e-fault ')}"
    info = next(line for line in told if line.startswith("info "))
    assert fields(info)["crashes"] == "1"
    assert "selftest pass" in told
    return fields(record[0])


def test_a_fault_is_told_with_its_place(provoking: Path) -> None:
    with boot(provoking) as device:
        told = crash(device, "fault")
    assert told["cause"] == "fault"
    assert function_at(provoking, int(told["pc"], 16)) == "fault"
    assert int(told["cfsr"], 16) == 1 << 16, "undefined instruction"


def test_the_stack_guard_stops_an_overflow(provoking: Path) -> None:
    symbols = toolchain.run(["arm-none-eabi-nm", provoking])
    guard, bottom = (
        int(next(line for line in symbols.splitlines() if line.endswith(f" {name}")).split()[0], 16)
        for name in ("scn_stack_guard", "scn_stack_bottom")
    )
    with boot(provoking) as device:
        told = crash(device, "stack")
        assert int(device.info()["stack_peak_bytes"]) < int(device.info()["stack_bytes"]), "painted anew"
    assert told["cause"] == "stack"
    assert guard <= int(told["address"], 16) < bottom, "the access that the guard refused"
    assert int(told["cfsr"], 16) & 1 << 1, "DACCVIOL: the memory protection unit, not the bus"


def test_a_hang_ends_by_the_watchdog_and_names_its_place(provoking: Path) -> None:
    with boot(provoking, QUICK_CLOCK) as device:
        told = crash(device, "hang")
        assert device.info()["reset"] == "unknown", "QEMU has no reset flags"
    assert told["cause"] == "watchdog"
    assert told["exception"] == "0x0000000f", "SysTick"
    assert function_at(provoking, int(told["pc"], 16)) == "hang"


def test_a_clock_that_stops_is_told(provoking: Path) -> None:
    """The chip then raises NMI; here a command does."""
    with boot(provoking) as device:
        told = crash(device, "clock")
    assert (told["cause"], told["exception"]) == ("clock", "0x00000002")


def test_health_says_what_was_checked_and_what_crashed(provoking: Path) -> None:
    with boot(provoking, (*QUICK_CLOCK[:1], f"{QUICK_CLOCK[1]},sleep=off")) as device:
        assert device.health()["cause"] == "none"
        end = time.monotonic() + 60
        while device.health()["flash_passes"] == "0" and time.monotonic() < end:
            time.sleep(0.05)
        assert int(device.health()["flash_passes"]) > 0
        crash(device, "fault")
        assert {key: device.health()[key] for key in ("crashes", "cause")} == {"crashes": "1", "cause": "fault"}
        assert [line for line in ask(device, "health") if line.startswith("crash ")]


def test_a_model_that_hangs_is_ended_three_times_and_given_up(small: Any) -> None:
    """From power-on the self-test is watched, too."""
    sources = small.sources()
    start = "static void step0_run(uint8_t *arena) {"
    hang = f"{start} for (volatile int on = 1; on;) {{ }}"
    sources["scn_model.c"] = sources["scn_model.c"].replace(start, hang)
    status, said = last_words(platformio.build(sources), QUICK_CLOCK)
    assert status == 99
    assert said.count("cause=watchdog\n") == 3
    assert re.findall(r"^crash count=(\d)", said, re.MULTILINE) == ["1", "2"]
    assert "m-ready" not in said


def test_a_users_firmware_cannot_be_crashed_by_typing(product_elf: Path) -> None:
    with boot(product_elf) as device:
        for way in ("fault", "stack", "hang", "deaf"):
            assert ask(device, f"provoke {way}") == [f"e-[Unknown command: provoke {way}]"]
    assert "inject_fault" not in toolchain.run(["arm-none-eabi-nm", product_elf])


def place_of(elf: Path, symbol: str) -> int:
    """Offset in the ELF file of the first byte of a symbol of flash."""
    said = toolchain.run(["arm-none-eabi-nm", elf])
    address = int(next(line for line in said.splitlines() if line.endswith(f" {symbol}")).split()[0], 16) & ~1
    headers = toolchain.run(["arm-none-eabi-objdump", "-h", elf])
    for size, start, offset in re.findall(r"^ *\d+ \S+ +(\w+)  (\w+)  \w+  (\w+) ", headers, re.MULTILINE):
        if int(start, 16) <= address < int(start, 16) + int(size, 16):
            return int(offset, 16) + address - int(start, 16)
    raise AssertionError(symbol)


def damaged(elf: Path, offset: int, folder: Path) -> Path:
    """A copy of which one bit is different."""
    content = bytearray(elf.read_bytes())
    content[offset] ^= 0x10
    other = folder / "damaged.elf"
    other.write_bytes(content)
    return other


PARTS = {
    "weights": r"step\d\w*_(weights|packed|paired)",
    "front end": r"\w+_table",
    "code": "scn_commands_list",
    "names": "scn_model_labels",
}


@pytest.mark.parametrize("part", PARTS)
def test_one_bit_of_flash_and_the_device_decides_nothing(
    product_elf: Path, small: Any, tmp_path: Path, part: str
) -> None:
    known = {line.split()[-1] for line in toolchain.run(["arm-none-eabi-nm", product_elf]).splitlines()}
    symbol = next(name for name in sorted(known) if re.fullmatch(PARTS[part], name))
    with boot(damaged(product_elf, place_of(product_elf, symbol), tmp_path)) as device:
        assert device.selftest() == "fail: flash"
        with pytest.raises(ToolError, match="failed its self-test"):
            device.open_session(Input.TENSOR, small.compiled.identity.sha256, None)
        assert ask(device, "bench") == ["e-[the self-test failed: bench]"]
        assert ask(device, f"db load {16 * 9}") == [f"m-[Expecting {16 * 9} bytes]"]
        assert ask(device, "db " + "00" * 36) == []
        assert ask(device, "infer 1 0") == ["e-[the self-test failed: infer 1 0]"]
        assert device.info()["crashes"] == "0"


def test_the_seal_is_the_crc_of_all_that_is_flashed(product_elf: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    toolchain.run(["arm-none-eabi-objcopy", "-O", "binary", product_elf, image])
    content = image.read_bytes()
    with boot(product_elf) as device:
        info = device.info()
    assert int(info["flash_bytes"]) == len(content)
    assert int(info["image_crc32"], 16) == zlib.crc32(content[:-4]) == int.from_bytes(content[-4:], "little")


def test_a_program_that_was_not_sealed_decides_nothing(product_elf: Path, tmp_path: Path) -> None:
    unsealed, zero = tmp_path / "unsealed.elf", tmp_path / "zero"
    zero.write_bytes(bytes(4))
    toolchain.run(["arm-none-eabi-objcopy", f"--update-section=.seal={zero}", product_elf, unsealed])
    with boot(unsealed) as device:
        assert device.selftest() == "fail: flash"


def test_initialised_data_is_sealed_and_copied(small: Any) -> None:
    """The product has none; a program that gets some must still end in its seal."""
    sources = small.sources()
    start = "static void step0_run(uint8_t *arena) {"
    data = f"static volatile int loaded = 7;\n{start} if (loaded != 7) {{ __builtin_trap(); }}"
    sources["scn_model.c"] = sources["scn_model.c"].replace(start, data)
    with boot(platformio.build(sources)) as device:
        assert device.selftest() == "pass"
