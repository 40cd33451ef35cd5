"""What estimates are made of: amounts that a kernel works through, and what one of each takes.

A kernel's estimate is a list of terms, such as so many products and so many outputs. What one of a term takes was
measured: ``cost_rates.json`` holds instructions, cycles without wait states, and cycles per wait state of flash for
each. ``tools/fit_cost_model.py`` writes that file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

RATES_FILE = Path(__file__).with_name("cost_rates.json")

FLASH_LINE = "flash/line"
"""A line of 16 bytes of constants, read in order or far apart: one cycle per wait state, nothing else."""

_LINE_BYTES = 16
_CYCLES, _WAITS = 1.47, 0.01
"""Of an instruction of the engine, on average."""


class Rate(NamedTuple):
    """What one of a term takes: instructions, cycles without wait states, cycles per wait state."""

    instructions: float
    cycles: float
    waits: float


class Term(NamedTuple):
    """So many of something.

    Attributes
    ----------
    name
        Kernel and part, such as "gemm/block".
    amount
        How many.
    guess
        Instructions of one, for a term that was not measured yet.
    """

    name: str
    amount: float
    guess: float = 1.0


Terms = tuple[Term, ...]


class Cost(NamedTuple):
    """An estimate for the Cortex-M4: instructions, cycles without wait states, and cycles per wait state."""

    instructions: float
    cycles: float
    waits: float

    def at(self, wait_states: int) -> float:
        """Modelled cycles with so many wait states."""
        return self.cycles + wait_states * self.waits


def guessed(instructions: float) -> Cost:
    """Cost of so many instructions of which nothing else is known."""
    return Cost(instructions, instructions * _CYCLES, instructions * _WAITS)


@cache
def rates() -> Mapping[str, Rate]:
    """Measured rates, by the terms' names."""
    measured = json.loads(RATES_FILE.read_text("utf-8"))["rates"]
    return {FLASH_LINE: Rate(0, 0, 1), **{name: Rate(*values) for name, values in measured.items()}}


def rate_of(term: Term) -> Rate:
    """What one of a term takes: as measured, else as guessed."""
    return rates().get(term.name) or Rate(*guessed(term.guess))


def cost_of(terms: Iterable[Term]) -> Cost:
    """Add up terms."""
    instructions = cycles = waits = 0.0
    for term in terms:
        rate = rate_of(term)
        instructions += term.amount * rate.instructions
        cycles += term.amount * rate.cycles
        waits += term.amount * rate.waits
    return Cost(instructions, cycles, waits)


def terms(kernel: str, /, **amounts: float | tuple[float, float]) -> Terms:
    """List a kernel's terms.

    Parameters
    ----------
    kernel
        The first half of their names.
    amounts
        How many, by the second half; with the instructions of one where it was not measured yet.
    """
    made = ((f"{kernel}/{name}", amount) for name, amount in amounts.items())
    return tuple(Term(name, *amount) if isinstance(amount, tuple) else Term(name, amount) for name, amount in made)


def lines(nbytes: float) -> Term:
    """Constants that are read in order from flash, so many bytes in all."""
    return Term(FLASH_LINE, nbytes / _LINE_BYTES)
