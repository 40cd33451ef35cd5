"""The verdict: every quantity that has a limit, with the limit."""

from __future__ import annotations

from dataclasses import dataclass

from ...benchmark.budget import Budget
from ...graph import limits
from ...targets import boards
from ...tflite.metadata import limits_of
from ..page.figures import per_cent, width
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Subject


@dataclass(frozen=True)
class Quantity:
    """One quantity: what it is, how much, of how much, and whether it holds; ``allowed`` is None without a limit."""

    name: str
    value: int
    allowed: int | None
    unit: str

    @property
    def ok(self) -> bool:
        """Whether it is within its limit."""
        return self.allowed is None or self.value <= self.allowed

    @property
    def share(self) -> str:
        """Share of the limit in per cent; "" without one."""
        return per_cent(self.value / self.allowed) if self.allowed else ""

    @property
    def width(self) -> str:
        """Length of its bar, per cent; one over its limit is full."""
        return width(min(self.value, self.allowed), self.allowed) if self.allowed else "0"


def budget(subject: Subject) -> Budget:
    """Cost and violations of the model as it is compiled; flash is that of the linked program where it was measured."""
    compiled = subject.compiled
    board = boards.find(subject.request.board) if subject.request.board else boards.smallest()
    held = limits_of(compiled.info)
    found = limits.violations(
        compiled.cost,
        board,
        flash_bytes=_flash(subject),
        ram_bytes=compiled.ram_bytes,
        held=held,
    )
    return Budget(str(subject.model), compiled.cost, compiled.ram_bytes, board, tuple(found), held)


def _flash(subject: Subject) -> int | None:
    return subject.bench.flash.total if subject.bench else None


def quantities(subject: Subject, result: Budget) -> list[Quantity]:
    """What a limit can hold for, in the order of the page."""
    cost, board = result.cost, result.board
    assert board is not None
    flash, of_board = _flash(subject), result.held.of_board
    compiled = subject.compiled
    arena = "arena" if compiled.info is None or compiled.info.clip_head is None else "arena and clip head"
    return [
        Quantity("parameters", cost.params_bytes, result.held.params_bytes, "B"),
        Quantity("multiply-accumulates (MACs)", cost.macs, result.held.macs, ""),
        Quantity(f"RAM of {board.name}: {arena}", compiled.ram_bytes, board.ram_bytes if of_board else None, "B"),
        Quantity(
            f"flash of {board.name}: " + ("parameters" if flash is None else "network, engine and front end"),
            cost.params_bytes if flash is None else flash,
            board.flash_bytes if of_board else None,
            "B",
        ),
    ]


def part(subject: Subject) -> Part:
    """The part of the page."""
    result = budget(subject)
    shown = quantities(subject, result)
    plan, explanation = subject.compiled.plan, subject.explanation
    values = {
        "ok": result.ok, "held": str(result.held), "violations": list(map(str, result.violations)), "quantities": shown,
        "arena": plan.arena_bytes, "peak": result.cost.peak_activation_bytes,
        "left": boards.arena_bytes(subject.request.board), "board": result.board.name if result.board else "",
        "predicted": explanation.predicted_instructions, "cycles": explanation.predicted_cycles,
        "counted": subject.bench, "milliseconds": _milliseconds(subject),
    }  # fmt: skip
    board = f" --board {subject.request.board}" if subject.request.board else ""
    return Part(
        "verdict",
        "Verdict",
        rendered(__package__, "verdict", values),
        source=f"scenelet budget {word(subject.model)}{board}",
    )


def _milliseconds(subject: Subject) -> tuple[float, float]:
    """Time of an inference at the board's clock by modelled cycles, and the clock in MHz."""
    hertz = boards.clock_hz(subject.request.board)
    cycles = subject.bench.modelled_cycles if subject.bench else subject.explanation.predicted_cycles
    return cycles / hertz * 1e3, hertz / 1e6
