"""Profile of one inference on the Cortex-M4: instructions by class, layer and source line, with estimated cycles.

Instructions are counted in QEMU and repeat exactly. Cycles are estimated from them, never measured: the model of
:mod:`scenelet.benchmark.disassembly` has no flash wait states, no bus contention and no pipeline.
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
from ..core import toolchain
from ..targets.emulator.block_trace import BlockCount
from ..targets.qemu import QemuTarget
from .disassembly import CLASSES, Instruction, SourceLines, block_at, block_cycles, disassemble
from .instructions import describe

__all__ = ["CLASSES", "LineProfile", "Profile", "RowProfile", "profile"]

_NOT_OURS = (toolchain.FIRMWARE / "measure", toolchain.FIRMWARE / "lib" / "port")
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
        Estimated cycles.
    """

    name: str
    kernel: str
    macs: int
    instructions: int
    classes: dict[str, int]
    cycles: int

    def share(self, kind: str) -> float:
        """Share of a class in all instructions, 0 to 1."""
        return self.classes[kind] / self.instructions if self.instructions else 0.0


@dataclass(frozen=True)
class LineProfile:
    """A source line with its counted instructions and estimated cycles; ``line`` is 0 if the source is not known."""

    path: str
    line: int
    text: str
    instructions: int
    cycles: int


@dataclass(frozen=True)
class Profile:
    """Profile of one inference; ``lines`` are sorted by cycles, descending."""

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
        """Sum over all rows, estimated."""
        return sum(row.cycles for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        totals = {"instructions": self.instructions, "estimated_cycles": self.cycles}
        return totals | asdict(self)

    def summary(self) -> Iterator[str]:
        """Lines of text below the tables."""
        macs = sum(row.macs for row in self.rows)
        yield f"{self.instructions:,} instructions, counted; about {self.cycles:,} cycles, estimated" + (
            f": {self.cycles / macs:.2f} per MAC" if macs else ""
        )
        yield (
            "Cycles are a model: LDR 2, 1 after another load; STR 1; LDRD, STRD 3; N registers 1 + N; taken branch 3; "
            "divide 6; else 1. Flash without wait states."
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
        runs, elf = target.trace_blocks(), target.probing_elf
        named = {
            place: row
            for number, step in enumerate(target.compiled.program.steps)
            for place, row in _rows(number, step)
        }
    code, sources = disassemble(elf), SourceLines(elf)
    tally = _Tally(code, sources)
    for run in runs:
        # Blocks after the last step belong to the measuring program's loop.
        if (run.step, run.place) in named:
            tally.add(run)
    rows = [
        RowProfile(*row, sum(tally.classes[place].values()), _complete(tally.classes[place]), tally.cycles[place])
        for place, row in named.items()
    ]
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
    """Sums over blocks: by row and instruction class, and by source line."""

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
