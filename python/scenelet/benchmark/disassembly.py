"""Instructions of a linked program: their class, modelled cycles on a Cortex-M4, and source line.

The model is of single instructions, not a pipeline: no wait states, no contention, no early termination. The cycles
are those of ARM's technical reference manual (DDI 0439, 3.3), which gives a divide 2 to 12 and a branch 2 to 4.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from ..core import toolchain

CLASSES = ("load", "store", "multiply", "arithmetic", "branch", "divide", "float")
_TAKEN = 2
"""Additional cycles of a taken branch: 3 instead of 1."""

_LINE = re.compile(r"^\s*([0-9a-f]+):\t(\S+)(?:\t([^@;]*))?")
_SUFFIX = re.compile(r"(\.[wn])$")
_CONDITIONS = "(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo)?"
_KINDS = (
    ("divide", re.compile(rf"[us]div{_CONDITIONS}$")),
    ("float", re.compile(r"v[a-z]")),
    ("load", re.compile(rf"(ldr|ldm|pop|ldrex)(b|h|sb|sh|d|t|ia|db)*{_CONDITIONS}$")),
    ("store", re.compile(rf"(str|stm|push)(b|h|d|t|ia|db)*{_CONDITIONS}$")),
    ("branch", re.compile(rf"(b|bl|bx|blx|cbz|cbnz|tbb|tbh){_CONDITIONS}$")),
    ("multiply", re.compile(r"(mul|mla|mls|[us]m(u|l|m|us)|umaal)")),
)
_DOUBLE, _SINGLE_LOAD, _NEXT_LOAD, _DIVIDE = 3, 2, 1, 6


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes
    ----------
    address
        Its address.
    mnemonic
        objdump's mnemonic, without the width suffix.
    kind
        One of :data:`CLASSES`.
    registers
        Number of registers of a load or store multiple, else 0.
    """

    address: int
    mnemonic: str
    kind: str
    registers: int


def disassemble(elf: Path) -> dict[int, Instruction]:
    """All instructions of a program, by address.

    Raises
    ------
    ToolError
        objdump is missing.
    """
    listing = toolchain.run(["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf])
    found = {}
    for line in listing.splitlines():
        matched = _LINE.match(line)
        if matched and not matched[2].startswith("."):
            address, mnemonic = int(matched[1], 16), _SUFFIX.sub("", matched[2])
            found[address] = Instruction(address, mnemonic, kind_of(mnemonic), _registers(mnemonic, matched[3] or ""))
    return found


def kind_of(mnemonic: str) -> str:
    """Class of an instruction; any other than the named ones is "arithmetic"."""
    return next((kind for kind, pattern in _KINDS if pattern.match(mnemonic)), "arithmetic")


def _registers(mnemonic: str, operands: str) -> int:
    """Number of registers of a load or store multiple, else 0."""
    if not mnemonic.startswith(("ldm", "stm", "push", "pop")):
        return 0
    count = 0
    for part in operands[operands.find("{") + 1 : operands.find("}")].split(","):
        first, dash, last = (text.strip() for text in part.partition("-"))
        count += int(last[1:]) - int(first[1:]) + 1 if dash and last[1:].isdigit() and first[1:].isdigit() else 1
    return count


def cycles(block: Sequence[Instruction]) -> list[int]:
    """Model the cycles of each instruction of a sequence, without taken branches.

    LDR takes 2, or 1 directly after another load; STR 1; LDRD and STRD 3; a load or store of N registers 1 + N;
    a divide 6; any other instruction 1.
    """
    return [_cycles(one, before) for before, one in pairwise([None, *block]) if one is not None]


def block_at(code: Mapping[int, Instruction], first: int, end: int) -> list[Instruction]:
    """Instructions of the addresses from ``first`` to before ``end``."""
    return [code[address] for address in range(first, end, 2) if address in code]


def block_cycles(block: Sequence[Instruction], runs: int, jumps: int) -> list[int]:
    """Model the cycles of each instruction of a block over ``runs`` executions, ``jumps`` with the branch taken."""
    costs = [cost * runs for cost in cycles(block)]
    if costs:
        costs[-1] += _TAKEN * jumps
    return costs


def _cycles(one: Instruction, before: Instruction | None) -> int:
    if one.registers:
        return 1 + one.registers
    if one.mnemonic.startswith(("ldrd", "strd")):
        return _DOUBLE
    if one.kind == "load":
        return _NEXT_LOAD if before is not None and before.kind == "load" else _SINGLE_LOAD
    return _DIVIDE if one.kind == "divide" else 1


class SourceLines:
    """Source file and line of an address, from the program's DWARF.

    Parameters
    ----------
    elf
        Program, built with -g.
    """

    def __init__(self, elf: Path) -> None:
        with elf.open("rb") as file:
            rows = sorted(set(self._rows(ELFFile(file).get_dwarf_info())))
        self._addresses = [row[0] for row in rows]
        self._places = [row[1:] for row in rows]

    def of(self, address: int) -> tuple[str, int]:
        """Path and line; ("", 0) if they are not known, as in libc."""
        position = bisect_right(self._addresses, address) - 1
        return self._places[position] if position >= 0 else ("", 0)

    def _rows(self, dwarf: Any) -> Iterator[tuple[int, str, int]]:
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            for entry in program.get_entries():
                if (state := entry.state) is None:
                    continue
                if state.end_sequence:
                    yield state.address, "", 0
                elif state.line:
                    yield state.address, _file(program.header, state.file), state.line


def _file(header: Any, number: int) -> str:
    # DWARF 5 counts files and folders from 0; older versions count from 1, with 0 as the unit's own folder.
    newer = header["version"] >= 5
    entry = header["file_entry"][number if newer else number - 1]
    if not newer and entry.dir_index == 0:
        return os.fsdecode(entry.name)
    folder = header["include_directory"][entry.dir_index if newer else entry.dir_index - 1]
    return str(Path(os.fsdecode(folder)) / os.fsdecode(entry.name))
