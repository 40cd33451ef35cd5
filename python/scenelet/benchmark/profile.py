"""Profile of one inference on the Cortex-M4: instructions by class, layer and source line, with modelled cycles.

Instructions are counted in QEMU and repeat exactly. Cycles are modelled, never measured: see
:mod:`scenelet.benchmark.modelled_cycles`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..compiler.depth_first.lowering import stages_of
from ..compiler.options import DEFAULT, Options
from ..compiler.program import Step
from ..targets.qemu import QemuTarget
from .disassembly import CLASSES
from .instructions import describe
from .modelled_cycles import Spent, TracedBlock, trace

__all__ = ["CLASSES", "LineProfile", "Profile", "RowProfile", "profile"]

_LIBC = "libc and compiler"


@dataclass(frozen=True)
class RowProfile:
    """A step of the network, or a stage of a depth-first segment.

    Attributes
    ----------
    name, kernel
        Name and kernel of the layer; the kernel is "" for a step without stages.
    macs
        Multiply-accumulates.
    instructions
        Counted instructions.
    classes
        The same by class, with every key of :data:`CLASSES`.
    cycles
        Modelled cycles without wait states.
    wait_cycles
        Modelled cycles of waiting for flash.
    """

    name: str
    kernel: str
    macs: int
    instructions: int
    classes: dict[str, int]
    cycles: int
    wait_cycles: int

    @property
    def modelled_cycles(self) -> int:
        """With wait states."""
        return self.cycles + self.wait_cycles

    def share(self, kind: str) -> float:
        """Share of a class in all instructions, 0 to 1."""
        return self.classes[kind] / self.instructions if self.instructions else 0.0


@dataclass(frozen=True)
class LineProfile:
    """A source line with its counted instructions and modelled cycles; ``line`` is 0 if the source is not known.

    ``cycles`` are without wait states, ``wait_cycles`` those of waiting for flash.
    """

    path: str
    line: int
    text: str
    instructions: int
    cycles: int
    wait_cycles: int

    @property
    def modelled_cycles(self) -> int:
        """With wait states."""
        return self.cycles + self.wait_cycles


@dataclass(frozen=True)
class Profile:
    """Profile of one inference; ``lines`` are sorted by modelled cycles, descending."""

    model: str
    options: Options
    rows: tuple[RowProfile, ...]
    lines: tuple[LineProfile, ...]

    @property
    def instructions(self) -> int:
        """Sum over all rows."""
        return sum(row.instructions for row in self.rows)

    @property
    def cycles(self) -> int:
        """Sum over all rows, modelled, without wait states."""
        return sum(row.cycles for row in self.rows)

    @property
    def modelled_cycles(self) -> int:
        """Sum over all rows, with wait states."""
        return sum(row.modelled_cycles for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary; ``estimated_cycles`` are without wait states, ``modelled_cycles`` with them."""
        totals = {"instructions": self.instructions, "estimated_cycles": self.cycles}
        return totals | {"modelled_cycles": self.modelled_cycles} | asdict(self)

    def summary(self) -> Iterator[str]:
        """Lines of text below the tables."""
        macs = sum(row.macs for row in self.rows)
        per_mac = f": {self.modelled_cycles / macs:.2f} per MAC" if macs else ""
        yield f"{self.instructions:,} instructions, counted; {self.modelled_cycles:,} cycles, modelled{per_mac}"
        waits = self.modelled_cycles - self.cycles
        yield f"{waits:,} of the cycles wait for flash, {self.options.wait_states} for each line that is not kept"
        yield (
            "Cycles are a model: LDR 2, 1 after another load; STR 1; LDRD, STRD 3; N registers 1 + N; taken branch 3; "
            "divide 6; else 1; flash as docs/results/cycles.md says."
        )


def profile(model: str | Path, options: Options = DEFAULT) -> Profile:
    """Build a model for the Cortex-M4, run one inference in QEMU and count all its instructions.

    Parameters
    ----------
    model
        Path of an INT8 .tflite.
    options
        Compiler options.

    Raises
    ------
    ToolError
        A compiler or QEMU is missing, or QEMU has no plugin support.
    """
    with QemuTarget(model, options) as target:
        blocks = list(trace(target))
        named = {
            place: row
            for number, step in enumerate(target.compiled.program.steps)
            for place, row in _rows(number, step)
        }
    tally = _Tally()
    for block in blocks:
        # Blocks after the last step belong to the measuring program's loop, or to the front end's frame.
        if (block.count.step, block.count.place) in named:
            tally.add(block)
    rows = []
    for place, row in named.items():
        spent = tally.spent[place]
        rows.append(RowProfile(*row, spent.instructions, _complete(tally.classes[place]), spent.cycles, spent.waits))
    return Profile(str(model), options, tuple(rows), tuple(_lines(tally)))


def _rows(number: int, step: Step) -> Iterator[tuple[tuple[int, int], tuple[str, str, int]]]:
    """(step, place) of every row of a step, with its name, kernel and MACs; see :class:`BlockCount`."""
    stages = stages_of(step)
    if stages:
        yield (number, 0), (f"{step.name}: schedule", "", 0)
    else:
        yield (number, 0), (step.name, "", step.macs)
    for place, stage in enumerate(stages, 1):
        name, _, kernel, macs = describe(stage)
        yield (number, place), (name, kernel, macs)


def _complete(classes: Counter[str]) -> dict[str, int]:
    return {kind: classes[kind] for kind in CLASSES}


class _Tally:
    """Sums over blocks: by row, by row and instruction class, and by source line."""

    def __init__(self) -> None:
        self.spent: defaultdict[tuple[int, int], Spent] = defaultdict(Spent)
        self.classes: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        self.lines: defaultdict[tuple[str, int], Spent] = defaultdict(Spent)

    def add(self, block: TracedBlock) -> None:
        """Count a block."""
        place, runs = (block.count.step, block.count.place), block.count.runs
        self.spent[place] += block.spent
        for one, where, cost, wait in zip(block.instructions, block.places, block.cycles, block.waits, strict=True):
            self.classes[place][one.kind] += runs
            self.lines[where] += Spent(runs, cost, wait)


def _lines(tally: _Tally) -> Iterator[LineProfile]:
    texts: dict[str, Sequence[str]] = {}
    for (path, line), spent in sorted(tally.lines.items(), key=lambda item: (-item[1].modelled_cycles, item[0])):
        if path not in texts:
            file = Path(path)
            texts[path] = file.read_text("utf-8", "replace").splitlines() if path and file.is_file() else ()
        text = texts[path][line - 1].strip() if 0 < line <= len(texts[path]) else ""
        name = Path(path).name if path else _LIBC
        yield LineProfile(name, line, text, spent.instructions, spent.cycles, spent.waits)
