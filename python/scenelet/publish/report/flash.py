"""Flash of the measured program: by origin, by section and by symbol."""

from __future__ import annotations

from ...benchmark.flash_symbols import sections, symbols
from ...frontend.flash_tables import device_tables
from ...frontend.tables import make_tables
from ...targets.qemu import QemuTarget
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Subject

_MOST_PARTS, _MOST_SYMBOLS = 16, 25


def part(subject: Subject) -> Part:
    """The part of the page; without a measurement, the constants that are known before linking."""
    measured = subject.bench
    if measured is None:
        return Part(
            "flash",
            "Flash",
            rendered(__package__, "flash_known", _known(subject)),
            "Give --measure to link and split it.",
        )
    with QemuTarget(subject.model, subject.request.options) as target:
        elf = target.runner_elf  # linked for the bench already
    every = symbols(elf)
    ordered = sorted(measured.flash.parts, key=lambda part: (-part.total, part.group, part.name))
    values = {
        "flash": measured.flash,
        "parts": ordered[:_MOST_PARTS],
        "others": ordered[_MOST_PARTS:],
        "sections": sections(elf),
        "symbols": every[:_MOST_SYMBOLS],
        "rest": every[_MOST_SYMBOLS:],
    }
    source = f"scenelet bench {word(subject.model)} --flash"
    return Part("flash", "Flash", rendered(__package__, "flash", values), source=source)


def _known(subject: Subject) -> dict[str, int]:
    info, options = subject.info, subject.request.options
    tables = device_tables(make_tables(info.frontend), options.frontend_form).table_bytes if info else 0
    return {"constants": subject.compiled.program.table_bytes, "tables": tables}
