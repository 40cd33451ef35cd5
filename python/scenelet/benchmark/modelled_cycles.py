"""Modelled cycles of a traced program: those of its instructions, and what it waits for flash.

Instructions are counted. Their cycles come from :mod:`scenelet.benchmark.disassembly`, waits from the model of the
STM32F4's flash accelerator in ``firmware/measure/qemu_plugin/scn_flash.h``. How far both are from published cycles of
real boards is measured in ``docs/results/cycles.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core import toolchain
from ..targets.emulator.block_trace import BlockCount, FlashModel
from ..targets.qemu import QemuTarget
from .disassembly import Instruction, SourceLines, block_at, block_cycles, cycles, disassemble

_NOT_OURS = (toolchain.FIRMWARE / "measure", toolchain.FIRMWARE / "lib" / "port")


@dataclass(frozen=True)
class Spent:
    """What a part of a program took.

    Attributes
    ----------
    instructions
        Counted.
    cycles
        Modelled, without wait states.
    waits
        Modelled cycles of waiting for flash.
    """

    instructions: int = 0
    cycles: int = 0
    waits: int = 0

    @property
    def modelled_cycles(self) -> int:
        """With wait states."""
        return self.cycles + self.waits

    def __add__(self, other: Spent) -> Spent:
        waits = self.waits + other.waits
        return Spent(self.instructions + other.instructions, self.cycles + other.cycles, waits)


@dataclass(frozen=True)
class TracedBlock:
    """A basic block of the product's own code, with what each of its instructions took in all its runs.

    Attributes
    ----------
    count
        Its runs.
    instructions
        In order.
    places
        Source file and line of each.
    cycles, waits
        Of each, without wait states, and of waiting for flash.
    """

    count: BlockCount
    instructions: Sequence[Instruction]
    places: Sequence[tuple[str, int]]
    cycles: Sequence[int]
    waits: Sequence[int]

    @property
    def spent(self) -> Spent:
        """Sum of the block."""
        return Spent(self.count.runs * len(self.instructions), sum(self.cycles), sum(self.waits))


class Program:
    """A linked program: its instructions, their cycles, and their sources.

    Parameters
    ----------
    elf
        Program, built with -g.
    """

    def __init__(self, elf: Path) -> None:
        self._code, self._sources = disassemble(elf), SourceLines(elf)

    def flash_model(self, *wait_states: int) -> FlashModel:
        """Model of the flash accelerator for clocks with these wait states."""
        addresses = sorted(self._code)
        costs = cycles([self._code[address] for address in addresses])
        return FlashModel(dict(zip(addresses, costs, strict=True)), wait_states)

    def source(self, address: int) -> str:
        """Path of the source of an instruction; "" if it is not known."""
        return self._sources.of(address)[0]

    def block(self, count: BlockCount, clock: int, wait_states: int) -> TracedBlock:
        """Spread the cycles of a block over its instructions.

        Parameters
        ----------
        count
            Of this program.
        clock, wait_states
            Number of the clock in the :class:`FlashModel` of the trace, and its wait states.
        """
        block = block_at(self._code, count.first, count.end)
        places = [self._sources.of(one.address) for one in block]
        spent = block_cycles(block, count.runs, count.jumps)
        return TracedBlock(count, block, places, spent, _waits(block, count, clock, wait_states))


def _waits(block: Sequence[Instruction], count: BlockCount, clock: int, wait_states: int) -> list[int]:
    """Waits of each instruction: for code at the block's first, for data evenly at its loads."""
    waits = [0] * len(block)
    if block:
        waits[0] = count.fetch_waits[clock]
        loads = [number for number, one in enumerate(block) if one.kind in ("load", "float")] or [0]
        each, rest = divmod(count.data_lines * wait_states, len(loads))
        for number in loads:
            waits[number] += each
        waits[loads[0]] += rest
    return waits


def trace(target: QemuTarget) -> Iterator[TracedBlock]:
    """Run one inference, and one frame of the front end, and model the cycles of every block of the product's own code.

    The measuring program's code and the board's are left out.

    Parameters
    ----------
    target
        A model; its options name the wait states.

    Raises
    ------
    ToolError
        A compiler or QEMU is missing, or QEMU has no plugin support.
    """
    program, wait_states = Program(target.probing_elf), target.compiled.options.wait_states
    for count in target.trace_blocks(program.flash_model(wait_states)):
        block = program.block(count, 0, wait_states)
        if not any(Path(path).is_relative_to(folder) for path, _ in block.places[:1] for folder in _NOT_OURS):
            yield block
