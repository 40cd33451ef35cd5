"""Where a model's time goes on the Cortex-M4: instructions by class, layer and source line, cycles by a model.

Instructions are counted in QEMU and repeat exactly. Cycles are estimated from them (see targets/disassembly.py) and are
never measured: flash wait states, bus contention and the pipeline are not in the model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..compiler.options import DEFAULT, Options
from ..compiler.program import Step
from ..core import toolchain
from ..targets.emulator.block_trace import BlockCount
from ..targets.qemu import QemuTarget
from .disassembly import CLASSES, Instruction, SourceLines, block_at, block_cycles, disassemble
from .instructions import describe

__all__ = ["CLASSES", "LineProfile", "Profile", "RowProfile", "profile"]

_NOT_OURS = (toolchain.FIRMWARE / "runner", toolchain.FIRMWARE / "lib" / "port")
_LIBC = "libc and compiler"


@dataclass(frozen=True)
class RowProfile:
    """A step of the network, or a stage of a depth-first segment.

    Attributes
    ----------
    name, kernel
        Of the layer; kernel is empty for a step that is no stage.
    macs
        Multiply-accumulates.
    instructions
        Counted.
    classes
        The same by class, all of :data:`CLASSES`.
    cycles
        Estimated.
    """

    name: str
    kernel: str
    macs: int
    instructions: int
    classes: dict[str, int]
    cycles: int

    def share(self, kind: str) -> float:
        """Part of a class in all instructions, 0 to 1."""
        return self.classes[kind] / self.instructions if self.instructions else 0.0


@dataclass(frozen=True)
class LineProfile:
    """A line of source: instructions counted and cycles estimated. ``line`` is 0 where the source is not known."""

    path: str
    line: int
    text: str
    instructions: int
    cycles: int


@dataclass(frozen=True)
class Profile:
    """One inference. ``lines`` are sorted by cycles, the most first."""

    model: str
    options: Options
    rows: tuple[RowProfile, ...]
    lines: tuple[LineProfile, ...]

    @property
    def instructions(self) -> int:
        """Of all rows."""
        return sum(row.instructions for row in self.rows)

    @property
    def cycles(self) -> int:
        """Of all rows, estimated."""
        return sum(row.cycles for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        totals = {"instructions": self.instructions, "estimated_cycles": self.cycles}
        return totals | asdict(self)

    def summary(self) -> Iterator[str]:
        """Lines of text below the tables."""
        macs = sum(row.macs for row in self.rows)
        yield f"{self.instructions:,} instructions, counted; about {self.cycles:,} cycles, estimated" + (
            f": {self.cycles / macs:.2f} a MAC" if macs else ""
        )
        yield (
            "Cycles are a model: LDR 2, 1 behind another load; STR 1; LDRD, STRD 3; N registers 1 + N; taken branch 3; "
            "divide 6; else 1. Flash without wait states."
        )


def profile(model: str | Path, options: Options = DEFAULT) -> Profile:
    """Build a model for the Cortex-M4, run one inference in QEMU and count all its instructions.

    Parameters
    ----------
    model
        Path of an INT8 .tflite.
    options
        How it is compiled.

    Raises
    ------
    ToolError
        A compiler or QEMU is missing, or QEMU runs no plugins.
    """
    with QemuTarget(model, options) as target:
        runs, elf = target.trace_blocks(), target.probing_elf
        named = {
            place: row
            for number, step in enumerate(target.compiled.program.steps)
            for place, row in _rows(number, step)
        }
    code, sources = disassemble(elf), SourceLines(elf)
    tally = _Tally(code, sources)
    for run in runs:
        # What comes behind the last step is the end of the program's own loop.
        if (run.step, run.place) in named:
            tally.add(run)
    rows = [
        RowProfile(*row, sum(tally.classes[place].values()), _complete(tally.classes[place]), tally.cycles[place])
        for place, row in named.items()
    ]
    return Profile(str(model), options, tuple(rows), tuple(_lines(tally)))


def _rows(number: int, step: Step) -> Iterator[tuple[tuple[int, int], tuple[str, str, int]]]:
    """Places of a step, with the name, kernel and MACs of each."""
    stages = step.segment.stages if step.segment else ()
    if len(stages) == 1:
        # One stage: what its schedule takes is its own.
        yield (number, 0), (f"{step.name}: schedule", "", 0)
    elif stages:
        yield (number, 0), (f"{step.name}: schedule", "", 0)
    else:
        yield (number, 0), (step.name, "", step.macs)
    for place, stage in enumerate(stages, 1):
        name, _, kernel, macs = describe(stage)
        yield (number, place), (name, kernel, macs)


def _complete(classes: Counter[str]) -> dict[str, int]:
    return {kind: classes[kind] for kind in CLASSES}


class _Tally:
    """Adds up what blocks ran."""

    def __init__(self, code: dict[int, Instruction], sources: SourceLines) -> None:
        self._code = code
        self._sources = sources
        self.classes: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        self.cycles: Counter[tuple[int, int]] = Counter()
        self.lines: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])

    def add(self, run: BlockCount) -> None:
        """Count a block, unless it belongs to the measuring program."""
        block = block_at(self._code, run.first, run.end)
        places = [self._sources.of(one.address) for one in block]
        if any(Path(path).is_relative_to(folder) for path, _ in places[:1] for folder in _NOT_OURS):
            return
        place = run.step, run.place
        costs = block_cycles(block, run.runs, run.jumps)
        self.cycles[place] += sum(costs)
        for one, where, cost in zip(block, places, costs, strict=True):
            self.classes[place][one.kind] += run.runs
            self.lines[where][0] += run.runs
            self.lines[where][1] += cost


def _lines(tally: _Tally) -> Iterator[LineProfile]:
    texts: dict[str, Sequence[str]] = {}
    for (path, line), (count, cost) in sorted(tally.lines.items(), key=lambda item: (-item[1][1], item[0])):
        if path not in texts:
            file = Path(path)
            texts[path] = file.read_text("utf-8", "replace").splitlines() if path and file.is_file() else ()
        text = texts[path][line - 1].strip() if 0 < line <= len(texts[path]) else ""
        yield LineProfile(Path(path).name if path else _LIBC, line, text, count, cost)
