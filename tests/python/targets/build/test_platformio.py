"""What the firmware is built from: boards, flags, limits, and builds that must fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scenelet.core import cortex_m4, toolchain
from scenelet.core.files import write_folder
from scenelet.errors import ToolError
from scenelet.targets import boards
from scenelet.targets.build import platformio

pytestmark = pytest.mark.cross

BOARDS = boards.names()


# One configuration for all builds: PlatformIO empties its build folder where it changes.
VARIANTS = """
[env:cramped]
board = netduinoplus2
board_upload.maximum_ram_size = 12000

[env:gdb]
board = disco_f407vg
upload_protocol = gdb

[env:st-flash]
board = disco_f407vg
upload_protocol = st-flash

[env:telepathy]
board = disco_f407vg
upload_protocol = telepathy
"""


def pio(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `pio run` with the repository's configuration and the variants above."""
    config = Path(variables["PLATFORMIO_BUILD_DIR"]).parent / "platformio.ini"
    config.write_text((toolchain.REPOSITORY / "platformio.ini").read_text("utf-8") + VARIANTS, "utf-8")
    environment = {
        **os.environ,
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        **variables,
    }
    return subprocess.run(
        [toolchain.find("pio"), "run", "-d", str(toolchain.REPOSITORY), "-c", str(config), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def add(folders: dict[str, str], name: str, line: str) -> None:
    """Append a line to a generated source."""
    path = Path(folders["SCENELET_GENERATED"]) / name
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")


def define(folders: dict[str, str], name: str, value: int) -> None:
    """Give a macro of the generated model another value."""
    path = Path(folders["SCENELET_GENERATED"]) / "scn_model.h"
    text, count = re.subn(rf"#define {name} \d+", f"#define {name} {value}", path.read_text("utf-8"))
    assert count == 1
    path.write_text(text, "utf-8")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One place for all builds, so that each compiles only what it changes."""
    place = tmp_path_factory.mktemp("firmware")
    (place / "generated").mkdir()
    return place


@pytest.fixture
def folders(small: Any, workshop: Path) -> dict[str, str]:
    """Fresh generated sources and a folder to build in, as PlatformIO's environment."""
    write_folder(workshop / "generated", small.sources())
    return {"SCENELET_GENERATED": str(workshop / "generated"), "PLATFORMIO_BUILD_DIR": str(workshop / "build")}


def test_boards_have_the_memory_of_their_chips() -> None:
    """The last letter of the part gives the flash in kiB; DMA reaches 128 kiB of SRAM (RM0090, RM0390)."""
    flash = {"e": 512, "g": 1024}
    expected = {name: (flash[cortex_m4.board(name)["build"]["mcu"][-1]], 128) for name in BOARDS}
    found = {name: boards.find(name) for name in boards.names()}
    assert {name: (board.flash_bytes / 1024, board.ram_bytes / 1024) for name, board in found.items()} == expected


@pytest.mark.parametrize("name", BOARDS)
def test_a_boards_clocks_and_console_can_be_made(name: str, tmp_path: Path) -> None:
    """Their static assertions hold: clock in range, console speed within tolerance."""
    port = toolchain.FIRMWARE / "lib" / "port"
    board = toolchain.FIRMWARE / "boards" / name
    assert f'"{name}"' in (board / "scn_board.h").read_text("utf-8")
    flags = [*cortex_m4.flags()["cortex-m4"], *cortex_m4.flags()["c"], *cortex_m4.flags()["warnings"]]
    for source in ("clock.c", "usart.c", "port.c"):
        toolchain.run(
            [
                cortex_m4.COMPILER,
                *flags,
                f"-I{port}",
                f"-I{board}",
                "-c",
                port / "stm32f4" / source,
                "-o",
                tmp_path / "o",
            ]
        )


def test_an_impossible_crystal_does_not_compile(tmp_path: Path) -> None:
    text = (toolchain.FIRMWARE / "boards" / "disco_f407vg" / "scn_board.h").read_text("utf-8")
    (tmp_path / "scn_board.h").write_text(text.replace("8000000u", "8500000u"), "utf-8")
    port = toolchain.FIRMWARE / "lib" / "port"
    with pytest.raises(ToolError, match="whole number of MHz"):
        toolchain.run(
            [cortex_m4.COMPILER, f"-I{port}", f"-I{tmp_path}", "-c", port / "stm32f4" / "clock.c", "-o", tmp_path / "o"]
        )


def test_platformio_and_the_measuring_program_compile_alike(folders: dict[str, str]) -> None:
    """One file of flags: what PlatformIO passes holds every flag that the measuring program is compiled with."""
    said = pio("-e", "qemu", "-v", **folders)
    assert said.returncode == 0, said.stderr
    line = next(line for line in said.stdout.splitlines() if " -c " in line and "scn_conv2d_s8" in line).split()
    assert set(cortex_m4._compile_flags()) <= set(line)


def test_too_much_ram_fails_the_build(folders: dict[str, str]) -> None:
    define(folders, "SCN_MODEL_ARENA_BYTES", 125_000)  # below the board's RAM, but not with all that is there too
    said = pio("-e", "qemu", **folders)
    assert said.returncode != 0
    assert "region `RAM' overflowed by" in said.stdout + said.stderr


def test_too_much_flash_fails_the_build(folders: dict[str, str]) -> None:
    add(folders, "scn_model.c", '__attribute__((used, section(".vectors"))) static const char blob[1100000] = {1};')
    said = pio("-e", "qemu", **folders)
    assert said.returncode != 0
    assert "region `FLASH' overflowed by" in said.stdout + said.stderr


def test_a_smaller_limit_than_the_chips_fails_too(folders: dict[str, str]) -> None:
    said = pio("-e", "cramped", **folders)
    assert said.returncode != 0
    assert "region `RAM' overflowed by" in said.stdout + said.stderr


def test_a_model_over_the_limits_does_not_compile_into_the_product(folders: dict[str, str]) -> None:
    define(folders, "SCN_MODEL_MACS", 30_000_001)
    said = pio("-e", "qemu", **folders)
    assert said.returncode != 0
    assert "more than 30000000 multiply-accumulates" in said.stdout + said.stderr


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    said = pio("-e", "qemu", SCENELET_GENERATED=str(tmp_path), PLATFORMIO_BUILD_DIR=str(tmp_path / "build"))
    assert said.returncode != 0
    assert f"{tmp_path} contains no model; write one with" in said.stdout + said.stderr


def test_without_a_probe_upload_fails_and_says_so(folders: dict[str, str], tmp_path: Path) -> None:
    said = pio("-e", "disco_f407vg", "-t", "upload", **folders)
    told = said.stdout + said.stderr
    assert said.returncode != 0
    assert "Error: open failed" in told, "OpenOCD's own message"
    assert "upload with stlink failed" in told
    assert "connect the board's debug probe" in told
    image = Path(folders["PLATFORMIO_BUILD_DIR"]) / "disco_f407vg" / "firmware.bin"
    assert image.is_file()
    assert f"then type: dfu-util -a 0 -s 0x08000000:leave -D {image}\n" in told
    program = tmp_path / "openocd"  # one that finds a probe
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    said = pio("-e", "disco_f407vg", "-t", "nobuild", "-t", "upload", **folders, **found)
    assert said.returncode == 0
    assert "Its console: pio device monitor -e disco_f407vg\n" in said.stderr


@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        ("gdb", "start the GDB server, or give its address with --upload-port"),
        ("st-flash", "st-flash"),
        ("telepathy", "upload_protocol 'telepathy' is not one of: blackmagic,"),
    ],
)
def test_every_upload_that_cannot_work_says_why(folders: dict[str, str], protocol: str, told: str) -> None:
    built = Path(folders["PLATFORMIO_BUILD_DIR"])
    assert pio("-e", "disco_f407vg", **folders).returncode == 0
    shutil.copytree(built / "disco_f407vg", built / protocol, dirs_exist_ok=True)
    said = pio("-e", protocol, "-t", "nobuild", "-t", "upload", **folders)
    assert said.returncode != 0
    assert told in said.stdout + said.stderr


@pytest.mark.qemu
def test_upload_through_gdb_writes_flash_and_boots(folders: dict[str, str]) -> None:
    said = pio("-e", "qemu", "-t", "upload", **folders)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Section .text" in said.stdout
    assert "MIS-MATCHED" not in said.stdout
    assert "selftest pass" in said.stdout
    assert "m-ready" in said.stdout


@pytest.mark.qemu
def test_upload_of_a_program_that_does_not_boot_fails(folders: dict[str, str]) -> None:
    tables = Path(folders["SCENELET_GENERATED"]) / "scn_frontend_tables.c"
    nowhere = ".sine = (const int32_t *)0x60000000"
    tables.write_text(tables.read_text("utf-8").replace(".sine = sine_table", nowhere), "utf-8")
    said = pio("-e", "qemu", "-t", "upload", **folders)
    assert said.returncode != 0
    assert "e-fault exception=" in said.stdout
    assert "upload with qemu-gdb failed" in said.stderr


def test_without_a_compiler_it_says_at_once_what_to_install(folders: dict[str, str], tmp_path: Path) -> None:
    """Before PlatformIO's client, which says nothing for a minute where there is no network."""
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    nowhere = "http://127.0.0.1:9"
    variables = {"PATH": str(tmp_path), "PLATFORMIO_CORE_DIR": str(tmp_path / "core"), "HTTPS_PROXY": nowhere}
    command = [toolchain.find("pio"), "run", "-e", "qemu", "-d", str(toolchain.REPOSITORY)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true", **folders, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = process.stderr.readline()
    process.kill()
    process.wait()
    process.stderr.close()
    assert told.startswith("arm-none-eabi-gcc is not on PATH")
    assert "apt-get install gcc-arm-none-eabi" in told


def test_flags_and_boards_are_json() -> None:
    for path in (toolchain.FIRMWARE / "flags.json", *(toolchain.FIRMWARE / "boards").glob("*.json")):
        assert json.loads(path.read_text("utf-8"))


def test_the_product_is_built_once_per_content(small: Any, product_elf: Path) -> None:
    written = product_elf.stat().st_mtime_ns
    assert platformio.build(small.sources()) == product_elf
    assert product_elf.stat().st_mtime_ns == written
