"""The boards that the firmware is built for: one per JSON file in firmware/boards."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from ..compiler.options import PRODUCT_RAM_BYTES, RAM_BYTES
from ..core.toolchain import EMULATED_BOARD, FIRMWARE
from ..errors import InputError
from ..graph.limits import Board

FOLDER = FIRMWARE / "boards"


def read(path: Path) -> Board:
    """Read memory and clock of a board from its PlatformIO description.

    ``maximum_ram_size`` is the SRAM that DMA can reach. The 64 kB of CCM of an STM32F40x are not part of it and stay
    free.
    """
    described = json.loads(path.read_text("utf-8"))
    build, upload = described["build"], described["upload"]
    memory = int(upload["maximum_size"]), int(upload["maximum_ram_size"])
    return Board(path.stem, *memory, int(build["f_cpu"].rstrip("L")), int(build["flash_wait_states"]))


@cache
def names() -> tuple[str, ...]:
    """Names of the boards, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def find(name: str) -> Board:
    """Look up a board by its name.

    Raises
    ------
    InputError
        No file in firmware/boards has this name; the message lists the boards.
    """
    if name not in names():
        raise InputError(f"board '{name}'", "unknown", f"choose one of: {', '.join(names())}")
    return read(FOLDER / f"{name}.json")


def smallest() -> Board:
    """Memory that every board has, for where none is named: the least flash and the least RAM of them."""
    every = [find(name) for name in names()]
    flash, ram = min(board.flash_bytes for board in every), min(board.ram_bytes for board in every)
    return Board("the smallest board", flash, ram)


def arena_bytes(name: str | None = None) -> int:
    """RAM of a board, or of any that there is, that the product firmware leaves to the arena, bytes.

    Raises
    ------
    InputError
        As :func:`find`.
    """
    return RAM_BYTES if name is None else find(name).ram_bytes - PRODUCT_RAM_BYTES


def clock_hz(name: str | None = None) -> int:
    """Processor clock of a board, by default of the emulated one.

    Raises
    ------
    InputError
        As :func:`find`.
    """
    return find(name or EMULATED_BOARD).clock_hz


def wait_states(name: str | None = None) -> int:
    """Wait states of a board's flash, by default of the emulated one.

    Raises
    ------
    InputError
        As :func:`find`.
    """
    return find(name or EMULATED_BOARD).wait_states
