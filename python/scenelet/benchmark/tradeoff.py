"""What more RAM buys: plans of one model for growing arenas, with flash, instructions and cycles by the cost model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..compiler.kernels import cost_model
from ..compiler.options import Options
from ..compiler.pipeline import compile_model

_STEPS_PER_OCTAVE = 3


@dataclass(frozen=True)
class Choice:
    """One plan: its arena and constants in bytes; instructions and modelled cycles of one inference, predicted."""

    arena_bytes: int
    constant_bytes: int
    predicted_instructions: int
    predicted_cycles: int


@dataclass(frozen=True)
class Tradeoff:
    """Plans by growing arena, each faster than all smaller ones, and the one at the knee of the curve.

    The knee is the plan farthest below the straight line from the smallest plan to the fastest: from there on, more RAM
    buys less than on average.
    """

    model: str
    weights: str
    wait_states: int
    choices: tuple[Choice, ...]
    knee: int

    def to_json(self) -> dict[str, Any]:
        """As a dictionary; ``knee`` is a position in ``choices``."""
        return asdict(self)


def tradeoff(model: str | Path, options: Options) -> Tradeoff:
    """Compile a model for growing arenas.

    Parameters
    ----------
    model
        Path of an INT8 .tflite.
    options
        ``ram_bytes`` is the largest acceptable arena.

    Raises
    ------
    ModelError, UnsupportedError
        As :func:`scenelet.compiler.pipeline.compile_model`.
    """
    options = replace(options, spare_ram=False)
    found = [_choice(model, replace(options, ram_bytes=0))]
    for limit in _limits(found[0].arena_bytes, options.ram_bytes):
        found.append(_choice(model, replace(options, ram_bytes=limit)))
    kept: list[Choice] = []
    for one in sorted(found, key=lambda choice: (choice.arena_bytes, choice.predicted_cycles)):
        if not kept or one.predicted_cycles < kept[-1].predicted_cycles:
            kept.append(one)
    return Tradeoff(str(model), options.weights, options.wait_states, tuple(kept), _knee(kept))


def _limits(smallest: int, most: int) -> Iterator[int]:
    """Arenas to ask for: a few per octave above the smallest, and the largest."""
    step = 2 ** (1 / _STEPS_PER_OCTAVE)
    limit = smallest * step
    while limit < most:
        yield int(limit)
        limit *= step
    yield max(most, smallest)


def _choice(model: str | Path, options: Options) -> Choice:
    compiled = compile_model(model, options)
    costs = [cost_model.estimate(step) for step in compiled.program.steps]
    instructions, cycles = (sum(one.instructions for one in costs), sum(one.at(options.wait_states) for one in costs))
    return Choice(compiled.plan.arena_bytes, compiled.program.table_bytes, round(instructions), round(cycles))


def _knee(choices: Sequence[Choice]) -> int:
    first, last = choices[0], choices[-1]
    width = last.arena_bytes - first.arena_bytes or 1
    height = first.predicted_cycles - last.predicted_cycles or 1

    def below(choice: Choice) -> float:
        gained = (first.predicted_cycles - choice.predicted_cycles) / height
        return gained - (choice.arena_bytes - first.arena_bytes) / width

    return max(range(len(choices)), key=lambda number: below(choices[number]))
