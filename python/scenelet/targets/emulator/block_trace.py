"""Runs programs under a plugin of QEMU that counts every block of instructions (firmware/profiler)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray

from ...core import toolchain
from ...errors import ToolError
from ..serial.client import Device
from . import process
from .runner import Runner, Sizes
from .serial_port import SerialBoard

_SOURCES = toolchain.FIRMWARE / "profiler"
_MARKS = "scn_probe_marks"
_FIRST_WITH_VERSION_2 = 9

T = TypeVar("T")


@dataclass(frozen=True)
class BlockCount:
    """How often a block of instructions ran for one place.

    Attributes
    ----------
    first, end
        Addresses of its first instruction, and behind its last.
    step, place
        Number of the model's step; 0 for its schedule or all of it, else 1 and up for a segment's stages.
    runs
        How often.
    jumps
        How many of them went on elsewhere than right behind the block.
    """

    first: int
    end: int
    step: int
    place: int
    runs: int
    jumps: int


def trace_inference(elf: Path, sizes: Sizes, one: NDArray[np.int8]) -> list[BlockCount]:
    """BlockCount one inference and count its blocks.

    Parameters
    ----------
    elf
        The measuring program with probes: :func:`scenelet.targets.build.cortex_m4.runner`.
    sizes
        Of its model.
    one
        The network's input.

    Returns
    -------
    list of BlockCount
        Of the inference alone; what the probes themselves take is in it.

    Raises
    ------
    ToolError
        There is no host compiler, or QEMU is missing or runs no plugins.
    """
    plugin = _plugin()
    argument = f"{plugin},marks={_address(elf, _MARKS):#x},out=blocks"
    with process.Pipes(elf, (*process.COUNT_INSTRUCTIONS, "-plugin", argument)) as pipes:
        Runner(pipes, sizes).profile(one)
        # The plugin writes when QEMU ends, which it does when its requests do; the folder goes only afterwards.
        pipes.finish()
        return list(_parse(pipes.folder / "blocks"))


def trace_product(elf: Path, talk: Callable[[Device], T]) -> tuple[T, list[BlockCount]]:
    """Boot a product firmware, talk to it, and count all its blocks from reset to the end of the talk.

    Parameters
    ----------
    elf
        Built for any board of the project.
    talk
        Called with the device, which has greeted and tested itself.

    Returns
    -------
    tuple
        What ``talk`` gave, and the counts.

    Raises
    ------
    ToolError
        There is no host compiler, QEMU is missing or runs no plugins, or the firmware does not come up.
    """
    with tempfile.TemporaryDirectory() as folder:
        blocks = Path(folder) / "blocks"
        with SerialBoard(elf, (*process.COUNT_INSTRUCTIONS, "-plugin", f"{_plugin()},out={blocks}")) as board:
            device = Device(board)
            device.wait_ready()
            told = talk(device)
            board.end()
        return told, list(_parse(blocks))


def _plugin() -> Path:
    told = toolchain.run([process.PROGRAM, "--version"])
    found = re.search(r"version (\d+)", told)
    if found is None:
        raise ToolError(process.PROGRAM, "does not tell its version", "install QEMU 7.2 or later")
    version = 2 if int(found[1]) >= _FIRST_WITH_VERSION_2 else 1
    flags = ("-Wall", "-Wextra", "-Werror", f"-DSCN_PLUGIN_VERSION={version}")
    return toolchain.shared_library("profiler", _SOURCES.glob("*.c"), [_SOURCES], flags)


def _address(elf: Path, name: str) -> int:
    with elf.open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(symbol["st_value"])


def _parse(path: Path) -> Iterator[BlockCount]:
    if not path.is_file():
        raise ToolError(process.PROGRAM, "ran no plugin", "install a QEMU with plugins, such as Debian's")
    for line in path.read_text("ascii").splitlines():
        first, end, *places = line.split()
        for place in places:
            yield BlockCount(int(first, 16), int(end, 16), *(int(number, 16) for number in place.split(":")))
