"""Flash of a linked program by section and symbol, from its ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

_FLASH = 0x08  # upper byte of every address in the flash of an STM32F4
_KINDS = {"STT_FUNC": "code", "STT_OBJECT": "constants"}


@dataclass(frozen=True)
class Section:
    """A section that lies in flash, or is copied from it at the start; ``bytes`` of flash."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Symbol:
    """A function ("code") or an array or struct ("constants") in flash."""

    name: str
    kind: str
    bytes: int


def sections(elf: Path) -> tuple[Section, ...]:
    """Sections of a program whose bytes take flash, in the order of their addresses.

    Initial values of variables lie in flash until the start, so their section counts too.
    """
    with elf.open("rb") as file:
        parts = ELFFile(file)
        loaded = [one for one in parts.iter_segments("PT_LOAD") if one["p_paddr"] >> 24 == _FLASH and one["p_filesz"]]
        return tuple(
            Section(section.name, section["sh_size"])
            for section in parts.iter_sections()
            if section["sh_size"] and section["sh_type"] != "SHT_NOBITS"
            if any(segment.section_in_segment(section) for segment in loaded)
        )


def symbols(elf: Path) -> tuple[Symbol, ...]:
    """Functions and constants in flash, the largest first; those of one address count once, under their first name."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        found: dict[int, Symbol] = {}
        for one in sorted(table.iter_symbols(), key=lambda symbol: symbol.name):
            kind = _KINDS.get(one["st_info"]["type"])
            if kind and one["st_size"] and one["st_value"] >> 24 == _FLASH:
                found.setdefault(one["st_value"] & ~1, Symbol(one.name, kind, one["st_size"]))
    return tuple(sorted(found.values(), key=lambda symbol: (-symbol.bytes, symbol.name)))
