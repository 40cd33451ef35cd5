"""Flash of a linked program by origin, from the linker's map: every section of every source, padding included."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core import toolchain
from ..errors import ToolError

_START = "Linker script and memory map"
_SECTION = re.compile(r"^ (\.(?:text|rodata|data)\S*|\*fill\*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?:\s+(\S.*))?$")
_HASH = re.compile(r"-[0-9a-f]{24}$")
_MODEL, _TABLES = "scn_model", "scn_frontend_tables"
_KINDS = (
    ("weights", ("weights", "packed", "expanded", "paired")),
    ("biases", ("bias",)),
    ("factors", ("scale", "requantize", "channels")),
    ("maps", ("map",)),
)


@dataclass(frozen=True)
class Part:
    """Bytes of flash of one origin.

    Attributes
    ----------
    group
        "model", "engine" or "front end".
    name
        A source file, or a kind of constants.
    code, constants
        Bytes of functions, and of constant data.
    """

    group: str
    name: str
    code: int
    constants: int

    @property
    def total(self) -> int:
        """Code and constants."""
        return self.code + self.constants


def flash_parts(link_map: Path) -> tuple[Part, ...]:
    """Split a program's flash by origin, without board code and libc.

    Parameters
    ----------
    link_map
        Map file of GNU ld (``-Map``).

    Returns
    -------
    tuple of Part
        Sorted by group and name.

    Raises
    ------
    ToolError
        The file is not a map of GNU ld.
    """
    groups = {path.stem: "engine" for path in toolchain.engine_sources()}
    groups |= {path.stem: "front end" for path in (toolchain.FIRMWARE / "lib" / "frontend").glob("*.c")}
    groups |= {_MODEL: "model", _TABLES: "front end"}
    sizes: Counter[tuple[str, str, bool]] = Counter()
    for section, size, source in _sections(link_map):
        if source in groups:
            sizes[groups[source], _name(source, section), section.startswith(".text")] += size
    if not sizes:
        raise ToolError(link_map, "names none of the engine's sources", "report this defect")
    rows = sorted({(group, name) for group, name, _ in sizes})
    return tuple(Part(*row, sizes[*row, True], sizes[*row, False]) for row in rows)


def _sections(link_map: Path) -> Iterator[tuple[str, int, str]]:
    """Name, size in bytes and source of every section in flash; padding counts for the section before it."""
    text = link_map.read_text("utf-8", "replace").partition(_START)[2]
    # A long section name stands on a line of its own.
    joined = re.sub(r"^( \.\S+)\n\s+0x", r"\1 0x", text, flags=re.MULTILINE)
    last = ("", "")
    for line in joined.splitlines():
        found = _SECTION.match(line)
        if found is None or int(found[2], 16) >> 24 != 0x08 or int(found[3], 16) == 0:
            continue
        if found[1] != "*fill*":
            last = found[1], _HASH.sub("", Path(found[4] or "").stem)
        yield last[0], int(found[3], 16), last[1]


def _name(source: str, section: str) -> str:
    """Name of a section's origin: the kind for the model's and the front end's constants, else the source file."""
    if source == _TABLES:
        array = section.removeprefix(".rodata.").removesuffix("_table")
        return "settings" if array == _TABLES else f"table: {array}"
    if source != _MODEL:
        return f"{source}.c"
    if section.startswith(".text"):
        return "calls"
    if ".str" in section:
        return "names and labels"
    kind = section.rpartition("_")[2]
    return next((name for name, endings in _KINDS if kind in endings), "structs")
