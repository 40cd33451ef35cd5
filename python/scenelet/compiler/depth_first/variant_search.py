"""The quickest variants of a segment's stages whose line buffers and scratch fit in so many bytes.

Scratch is shared, so its largest user decides. For every size that it can have, each stage keeps the variants that fit
in that; the rest of the memory is spent on rows per stripe, most instructions saved a byte first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...graph import Graph
from .segment import Segment, arrange
from .stage import Stage, Variant, scratch_bytes, variants

_Stripes = tuple[int, ...]


def fit(segment: Segment, graph: Graph, expanded: frozenset[int], budget: int) -> Segment:
    """Choose variants.

    Parameters
    ----------
    segment
        Whose stages run in any way.
    graph
        Of the steps.
    expanded
        Numbers of the operators whose weights may lie transformed in flash.
    budget
        Bytes for counters, lines and scratch.

    Returns
    -------
    Segment
        The quickest found that fits, else the smallest.
    """
    ways = [variants(stage, stage.step.operators[0] in expanded) for stage in segment.stages]
    scratch = {id(way): scratch_bytes(_with(s, way)) for s, w in zip(segment.stages, ways, strict=True) for way in w}
    lines = _line_bytes(segment, graph)
    found: list[tuple[bool, int, int, tuple[Variant, ...]]] = []
    for cap in sorted(set(scratch.values())):
        choices = [_by_stripe([way for way in w if scratch[id(way)] <= cap]) for w in ways]
        if not all(choices):
            continue
        chosen = _spend(choices, lines, budget - cap)
        memory = lines(tuple(way.stripe for way in chosen)) + max(scratch[id(way)] for way in chosen)
        instructions = sum(way.instructions for way in chosen)
        fits = memory <= budget
        found.append((not fits, instructions if fits else memory, memory if fits else instructions, chosen))
    best = min(found, key=lambda entry: entry[:3])[3]
    return arrange(graph, segment.run, [_with(s, way) for s, way in zip(segment.stages, best, strict=True)])


def _with(stage: Stage, way: Variant) -> Stage:
    return replace(stage, variant=way)


def _by_stripe(ways: Sequence[Variant]) -> Mapping[int, Variant]:
    """The quickest variant for each number of rows per stripe that is quicker than all with fewer rows."""
    kept: dict[int, Variant] = {}
    least = None
    for way in sorted(ways, key=lambda way: (way.stripe, way.instructions)):
        if least is None or way.instructions < least:
            kept[way.stripe] = way
            least = way.instructions
    return kept


def _line_bytes(segment: Segment, graph: Graph) -> Callable[[_Stripes], int]:
    """Bytes of counters and lines as a function of the stages' rows per stripe; a schedule is simulated once."""
    known: dict[_Stripes, int] = {}

    def lines(stripes: _Stripes) -> int:
        if stripes not in known:
            stages = [
                _with(stage, Variant("rows", stripe)) for stage, stripe in zip(segment.stages, stripes, strict=True)
            ]
            known[stripes] = arrange(graph, segment.run, stages).scratch_offset
        return known[stripes]

    return lines


def _spend(
    choices: Sequence[Mapping[int, Variant]], lines: Callable[[_Stripes], int], budget: int
) -> tuple[Variant, ...]:
    """Start from the fewest rows per stripe and take what saves most instructions a byte while it fits."""
    chosen = [ways[min(ways)] for ways in choices]
    held = lines(tuple(way.stripe for way in chosen))
    while True:
        best: tuple[float, int, Variant, int] | None = None
        for number, ways in enumerate(choices):
            for way in ways.values():
                saved = chosen[number].instructions - way.instructions
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
