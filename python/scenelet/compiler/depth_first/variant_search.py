"""The quickest variants of a segment's stages whose line buffers and scratch fit in so many bytes.

Scratch is shared, so its largest user decides. For every size that it can have, each stage keeps the variants that fit
in that; the rest of the memory is spent on rows per stripe, most cycles saved per byte first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    found: list[tuple[bool, float, float, tuple[Variant, ...]]] = []
    for cap in sorted({way.scratch_bytes for listed in ways for way in listed}):
        choices = [_by_stripe([way for way in listed if way.scratch_bytes <= cap], wait_states) for listed in ways]
        if not all(choices):
            continue
        chosen = _spend(choices, frame.line_bytes, budget - cap, wait_states)
        memory = frame.line_bytes(tuple(way.stripe for way in chosen)) + max(way.scratch_bytes for way in chosen)
        cycles = sum(way.cost.at(wait_states) for way in chosen)
        fits = memory <= budget
        found.append((not fits, cycles if fits else memory, memory if fits else cycles, chosen))
    best = min(found, key=lambda entry: entry[:3])[3]
    return frame.segment([part.run_by(way) for part, way in zip(frame.parts, best, strict=True)])


def _by_stripe(ways: Sequence[Variant], wait_states: int) -> Mapping[int, Variant]:
    """The quickest variant for each number of rows per stripe that is quicker than all with fewer rows."""
    kept: dict[int, Variant] = {}
    least = None
    for way in sorted(ways, key=lambda way: (way.stripe, way.cost.at(wait_states))):
        if least is None or way.cost.at(wait_states) < least:
            kept[way.stripe] = way
            least = way.cost.at(wait_states)
    return kept


def _spend(
    choices: Sequence[Mapping[int, Variant]], lines: Callable[[tuple[int, ...]], int], budget: int, wait_states: int
) -> tuple[Variant, ...]:
    """Start from the fewest rows per stripe and take what saves most cycles per byte while it fits."""
    chosen = [ways[min(ways)] for ways in choices]
    held = lines(tuple(way.stripe for way in chosen))
    while True:
        best: tuple[float, int, Variant, int] | None = None
        for number, ways in enumerate(choices):
            for way in ways.values():
                saved = chosen[number].cost.at(wait_states) - way.cost.at(wait_states)
                if saved <= 0:
                    continue
                stripes = tuple(way.stripe if n == number else other.stripe for n, other in enumerate(chosen))
                more = lines(stripes)
                gain = saved / max(more - held, 1)
                if more <= budget and (best is None or gain > best[0]):
                    best = (gain, number, way, more)
        if best is None:
            return tuple(chosen)
        _, number, way, held = best
        chosen[number] = way
