"""The quickest variants of a segment's stages whose line buffers and scratch fit in so many bytes.

Scratch is shared, so its largest user decides. For every size that it can have, each stage keeps the variants that fit
in that; the rest of the memory is spent on rows per stripe, most cycles saved per byte first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..kernels.variant import Variant
from .segment import Frame, Segment


def fit(frame: Frame, ways: Sequence[Sequence[Variant]], budget: int, wait_states: int) -> Segment:
    """Choose variants.

    Parameters
    ----------
    frame
        The segment's stages and buffers.
    ways
        Variants of each stage.
    budget
        Bytes for counters, lines and scratch.
    wait_states
        Of the flash.

    Returns
    -------
    Segment
        The quickest found that fits, else the smallest.
    """
    every = [_choices(listed, wait_states) for listed in ways]
    tries = [
        (_least_cycles(choices), number, cap, choices)
        for number, cap in enumerate(sorted({one.scratch for listed in every for one in listed}))
        if all(choices := [_by_stripe(listed, cap) for listed in every])
    ]
    best: tuple[bool, float, float, int] | None = None
    chosen: list[Variant] = []
    for least, number, cap, choices in sorted(tries, key=lambda one: one[:2]):
        if best and not best[0] and least > best[1]:
            break
        rows = _spend(choices, frame.line_bytes, budget - cap)
        taken = [listed[row] for listed, row in zip(choices, rows, strict=True)]
        memory = frame.line_bytes(tuple(one.stripe for one in taken)) + max(one.scratch for one in taken)
        cycles = sum(one.cycles for one in taken)
        fits = memory <= budget
        key = (not fits, cycles if fits else memory, memory if fits else cycles, number)
        if best is None or key < best:
            best, chosen = key, [one.way for one in taken]
    return frame.segment([part.run_by(way) for part, way in zip(frame.parts, chosen, strict=True)])


@dataclass(frozen=True, slots=True)
class _Choice:
    """A variant with its rows per stripe, its scratch, bytes, and what it costs on the board."""

    stripe: int
    cycles: float
    scratch: int
    way: Variant


def _choices(ways: Sequence[Variant], wait_states: int) -> list[_Choice]:
    """Variants by rows per stripe, the quickest of each number first."""
    every = [_Choice(way.stripe, way.cost.at(wait_states), way.scratch_bytes, way) for way in ways]
    return sorted(every, key=lambda one: (one.stripe, one.cycles))


def _by_stripe(ordered: Sequence[_Choice], cap: int) -> list[_Choice]:
    """The variants of at most so much scratch that are quicker than all with fewer rows per stripe."""
    kept: list[_Choice] = []
    for one in ordered:
        if one.scratch <= cap and (not kept or one.cycles < kept[-1].cycles):
            kept.append(one)
    return kept


def _least_cycles(choices: Sequence[Sequence[_Choice]]) -> float:
    """What the stages take where memory is no limit."""
    return sum(listed[-1].cycles for listed in choices)


def _spend(choices: Sequence[Sequence[_Choice]], lines: Callable[[tuple[int, ...]], int], budget: int) -> list[int]:
    """Start from the fewest rows per stripe and take what saves most cycles per byte while it fits; places in lists."""
    chosen = [0] * len(choices)
    stripes = [listed[0].stripe for listed in choices]
    held = lines(tuple(stripes))
    while True:
        best: tuple[float, int, int, int] | None = None
        for number, listed in enumerate(choices):
            now = listed[chosen[number]]
            for place in range(chosen[number] + 1, len(listed)):
                stripes[number] = listed[place].stripe
                more = lines(tuple(stripes))
                gain = (now.cycles - listed[place].cycles) / max(more - held, 1)
                if more <= budget and (best is None or gain > best[0]):
                    best = (gain, number, place, more)
            stripes[number] = now.stripe
        if best is None:
            return chosen
        _, number, chosen[number], held = best
        stripes[number] = choices[number][chosen[number]].stripe
