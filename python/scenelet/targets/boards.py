"""The boards that the firmware is built for: one row for each file of firmware/boards."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from ..core.toolchain import FIRMWARE
from ..errors import InputError
from ..graph.limits import Board

FOLDER = FIRMWARE / "boards"


def read(path: Path) -> Board:
    """Read the memory of a board from its PlatformIO description.

    ``maximum_ram_size`` is the SRAM that DMA and stack can share; the 64 kB of CCM of an STM32F40x come on top and are
    left to the user.
    """
    upload = json.loads(path.read_text("utf-8"))["upload"]
    return Board(path.stem, int(upload["maximum_size"]), int(upload["maximum_ram_size"]))


@cache
def names() -> tuple[str, ...]:
    """Names of the boards, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def find(name: str) -> Board:
    """Look up a board by its name.

    Raises
    ------
    InputError
        For a name that no file of firmware/boards has; lists those that there are.
    """
    if name not in names():
        raise InputError(f"board '{name}'", "unknown", f"choose one of: {', '.join(names())}")
    return read(FOLDER / f"{name}.json")
