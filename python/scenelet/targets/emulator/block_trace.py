"""Counts the executions of every basic block of a program, by a plugin of QEMU (firmware/measure/qemu_plugin).

The plugin also models the STM32F4's flash accelerator: what the program would wait for instructions and constants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from elftools.elf.elffile import ELFFile
from numpy.typing import NDArray

from ...core import cortex_m4, toolchain
from ...core.files import scratch
from ...errors import ToolError
from ..serial.client import Device
from . import process
from .runner import Runner, Sizes
from .serial_port import SerialBoard

_SOURCES = toolchain.FIRMWARE / "measure" / "qemu_plugin"
_MARKS = "scn_probe_marks"
_FIRST_WITH_VERSION_2 = 9
_FLASH = 0x0800_0000
_PROGRAM_SECONDS = 600.0
FRAME_STEP = 0xFFFFFFFF
"""Step of a frame of the front end."""

T = TypeVar("T")


@dataclass(frozen=True)
class BlockCount:
    """Executions of one basic block in one stage of the model.

    Attributes
    ----------
    first, end
        Address of its first instruction, and the address after its last.
    step, place
        Number of the model's step, and of the stage in it: 0 for the step's schedule or a step without stages, from 1
        on for the stages of a segment.
    runs
        Number of executions.
    jumps
        Executions after which a branch was taken.
    data_lines
        Lines of constants that were read from flash and not kept from before; each takes the wait states.
    fetch_waits
        Cycles that it waited for its own instructions, for each clock of the :class:`FlashModel`.
    """

    first: int
    end: int
    step: int
    place: int
    runs: int
    jumps: int
    data_lines: int = 0
    fetch_waits: tuple[int, ...] = ()


@dataclass(frozen=True)
class FlashModel:
    """What the model of the flash accelerator must know.

    Attributes
    ----------
    costs
        Cycles of each instruction without wait states, by address.
    wait_states
        Of one or more clocks, at most four.
    """

    costs: Mapping[int, int]
    wait_states: tuple[int, ...]


def trace_inference(
    elf: Path, sizes: Sizes, one: NDArray[np.int8], flash: FlashModel, frame: NDArray[np.int32] | None = None
) -> list[BlockCount]:
    """Run one inference, and one frame of the front end, and count their blocks.

    Parameters
    ----------
    elf
        The measuring program with probes: :func:`scenelet.core.cortex_m4.runner`.
    sizes
        Sizes of its model.
    one
        The network's input.
    flash
        Model of the flash accelerator.
    frame
        n_fft samples, or None for a model without a front end.

    Returns
    -------
    list of BlockCount
        Blocks of the inference, those of the probes included, and of the frame under :data:`FRAME_STEP`.

    Raises
    ------
    ToolError
        The host compiler or QEMU is missing, or QEMU has no plugin support.
    """
    with (
        _watching(flash, f"marks={_address(elf, _MARKS):#x},out=blocks") as argument,
        process.Pipes(elf, (*process.COUNT_INSTRUCTIONS, "-plugin", argument)) as pipes,
    ):
        runner = Runner(pipes, sizes)
        runner.profile(one)
        if frame is not None:
            runner.profile_frame(frame)
        # The plugin writes its file when QEMU exits, after the last request; the folder is removed only afterwards.
        pipes.finish()
        return list(_parse(pipes.folder / "blocks"))


def trace_program(elf: Path, flash: FlashModel) -> list[BlockCount]:
    """Run a program for the emulated board, which marks what is counted, to its end; its blocks by step.

    Parameters
    ----------
    elf
        The program, with scn_probe_marks: see ``firmware/measure/runner/stage_timer.h``.
    flash
        Model of the flash accelerator.

    Raises
    ------
    ToolError
        The host compiler or QEMU is missing, QEMU has no plugin support, or the program fails.
    """
    with scratch() as folder:
        blocks = folder / "blocks"
        marks = f"marks={_address(elf, _MARKS):#x},out={process.value(blocks)}"
        with (
            _watching(flash, marks) as argument,
            process.Emulator(elf, (*process.COUNT_INSTRUCTIONS, "-plugin", argument)) as board,
        ):
            board.wait(_PROGRAM_SECONDS)
        return list(_parse(blocks))


def trace_product(elf: Path, flash: FlashModel, use: Callable[[Device], T]) -> tuple[T, list[BlockCount]]:
    """Boot a product firmware, use it, and count all its blocks from reset to the end of that use.

    Parameters
    ----------
    elf
        Program, built for any board of the project.
    flash
        Model of the flash accelerator.
    use
        Called with the device after its boot lines and self-test.

    Returns
    -------
    tuple
        Result of ``use``, and the counts.

    Raises
    ------
    ToolError
        The host compiler or QEMU is missing, QEMU has no plugin support, or the firmware does not start.
    """
    with scratch() as folder:
        blocks = folder / "blocks"
        with (
            _watching(flash, f"out={process.value(blocks)}") as argument,
            SerialBoard(elf, (*process.COUNT_INSTRUCTIONS, "-plugin", argument)) as board,
        ):
            device = Device(board)
            device.wait_ready()
            result = use(device)
            board.end()
        return result, list(_parse(blocks))


@contextmanager
def _watching(flash: FlashModel, more: str) -> Iterator[str]:
    """QEMU's argument that loads the plugin with a model of flash, and with more options."""
    first, end = _FLASH, _FLASH + int(cortex_m4.board()["upload"]["maximum_size"])
    waits = ":".join(map(str, flash.wait_states))
    with scratch() as folder:
        costs = folder / "costs"
        costs.write_text("".join(f"{address:x} {cycles}\n" for address, cycles in flash.costs.items()), "ascii")
        model = f"costs={process.value(costs)},flash={first:#x}:{end:#x},waits={waits}"
        yield f"{process.value(_plugin())},{more},{model}"


def _plugin() -> Path:
    printed = toolchain.run([process.PROGRAM, "--version"])
    found = re.search(r"version (\d+)", printed)
    if found is None:
        raise ToolError(process.PROGRAM, "does not print its version", "install QEMU 7.2 or later")
    version = 2 if int(found[1]) >= _FIRST_WITH_VERSION_2 else 1
    flags = ("-Wall", "-Wextra", "-Werror", f"-DSCN_PLUGIN_VERSION={version}")
    return toolchain.shared_library("profiler", _SOURCES.glob("*.c"), [_SOURCES], flags)


def _address(elf: Path, name: str) -> int:
    with elf.open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return int(symbol["st_value"])


def _parse(path: Path) -> Iterator[BlockCount]:
    if not path.is_file():
        raise ToolError(process.PROGRAM, "has no plugin support", "install a QEMU with plugins, such as Debian's")
    for line in path.read_text("ascii").splitlines():
        first, end, *places = line.split()
        for place in places:
            step, stage, runs, jumps, lines, *waits = (int(number, 16) for number in place.split(":"))
            yield BlockCount(int(first, 16), int(end, 16), step, stage, runs, jumps, lines, tuple(waits))
