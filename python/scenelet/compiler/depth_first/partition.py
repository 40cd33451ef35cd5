"""Which steps become depth-first segments: by the arena's size first, then by estimated cycles.

Of all partitions into runs and single steps, the one with the smallest busiest step is taken. Where the arena is then
larger than wanted, the busiest segment starts from its smallest form and speeds up as far as memory allows. The search
compares segments as descriptions; only the chosen partition is lowered.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..options import Options
from ..program import Program
from .builder import SegmentBuilder
from .draft import Draft, Part, cycles, held_bytes, waiting_bytes
from .runs import runs
from .segment import Frame, Segment
from .variant_search import fit

_MOST_STAGES = 16
_SLACK_TENTHS = 11
_MOST_TRIES = 4
_SPARED = 0.02
"""Share of its cycles that a plan may lose for a smaller arena."""
_SPARED_BRIEF = 0.25
"""The same for networks that take less than :data:`_BRIEF_CYCLES`: RAM counts for more than a part of 6 ms."""
_BRIEF_CYCLES = 1_000_000
_BRIEF_BYTES = 4096
"""An arena so small is left as it is: no board lacks its RAM."""
_LESS = (3 / 4, 7 / 8)
"""Of the arena, what to try next, in large steps and then in small ones."""
_MOST_STEPS = 5
_ALONE = 3
"""Longest run where steps stay alone: one, the map after it, and a pool."""


@dataclass(frozen=True)
class _Choice:
    """The best way to run the first so many steps: the busiest step's bytes, estimated cycles, and the last part."""

    peak: int
    cycles: float
    start: int
    part: Part | None


def divide(program: Program, options: Options, builder: SegmentBuilder) -> Draft:
    """Choose the runs of steps that become segments.

    Where the quickest steps do not fit, single steps first take a way that needs less scratch.

    Parameters
    ----------
    program
        Lowered and fused.
    options
        ``ram_bytes`` is an arena that is small enough. If the program fits as it is, only convolutions change, one by
        one; with ``spares_ram``, a smaller arena is taken where it costs next to no cycles. If nothing fits, the
        fastest plan within a tenth of the smallest arena is taken; for 0, the smallest.
    builder
        Of the program's segments.
    """
    best = _Search(program, options, builder).best()
    arena = best.plan().arena_bytes
    if arena > options.ram_bytes > 0:
        # It cannot be had: a tenth more than the smallest arena buys much speed.
        best = _Search(program, replace(options, ram_bytes=arena * _SLACK_TENTHS // 10), builder).best()
    elif options.spares_ram and arena > _BRIEF_BYTES:
        best = _spared(best, program, options, builder)
    return best


def _spared(fastest: Draft, program: Program, options: Options, builder: SegmentBuilder) -> Draft:
    """Find the smallest arena among plans that are nearly as fast."""
    most = fastest.cycles * (1 + (_SPARED_BRIEF if fastest.cycles < _BRIEF_CYCLES else _SPARED))
    best, arena = fastest, fastest.plan().arena_bytes
    steps = list(_LESS)
    for _ in range(_MOST_STEPS):
        limit = int(arena * steps[0])
        tried = _Search(program, replace(options, ram_bytes=limit), builder).best()
        taken = tried.plan().arena_bytes
        if taken <= limit and tried.cycles <= most:
            best, arena = tried, taken
        elif not steps[1:]:
            break
        else:
            steps.pop(0)
    return best


class _Search:
    def __init__(self, program: Program, options: Options, builder: SegmentBuilder) -> None:
        self._program, self._builder = program, builder
        self._ram_bytes, self._wait_states = options.ram_bytes, options.wait_states
        self._waiting = waiting_bytes(program)

    def best(self) -> Draft:
        """The quickest draft whose arena is small enough, else the smallest; of equally quick ones, the smallest."""
        drafts = [draft for longest in (_ALONE, _MOST_STAGES) for draft in self._fitting(longest)]
        drafts.append(self._in_one())
        different = {self._form(draft): draft for draft in drafts}
        made = [self._partition(_ALONE), *(self._shrunk(draft) for draft in different.values())]
        arenas = {draft: draft.plan().arena_bytes for draft in made}
        return min(made, key=lambda one: (max(arenas[one], self._ram_bytes), one.cycles, arenas[one]))

    def _form(self, draft: Draft) -> tuple[object, ...]:
        """What tells drafts apart: the memory of a part counts where it is not made smaller afterwards."""
        return tuple((part.operators, 0 if _shrinks(part) else held_bytes(self._program, part)) for part in draft.steps)

    def _in_one(self) -> Draft:
        """The longest run as one segment, and what is before and after it by itself."""
        steps, segments = self._program.steps, self._segments(_MOST_STAGES)
        if not segments:
            return Draft(self._program, steps, self._wait_states)
        start, end = max(segments, key=lambda run: (run[1] - run[0], -run[0]))
        return Draft(self._program, (*steps[:start], segments[start, end], *steps[end:]), self._wait_states)

    def _fitting(self, longest: int) -> Iterator[Draft]:
        """Partitions whose busiest step fits; ever smaller ones while gaps between tensors make the arena too large."""
        limit = self._ram_bytes
        for _ in range(_MOST_TRIES):
            draft = self._partition(longest, limit)
            yield draft
            over = draft.plan().arena_bytes - self._ram_bytes
            if over <= 0 or max(held_bytes(self._program, part) for part in draft.steps) > limit:
                break
            limit = max(limit - over, 0)

    def _partition(self, longest: int, limit: int | None = None) -> Draft:
        """The quickest partition whose busiest step takes at most so many bytes, or the smallest where none does."""
        segments = self._segments(longest)
        best = [_Choice(0, 0, 0, None)]
        for end in range(1, len(self._program.steps) + 1):
            options: list[tuple[int, Part]] = []
            if (end - 1, end) not in segments:
                options.append((end - 1, self._program.steps[end - 1]))
            options += [(start, made) for (start, last), made in segments.items() if last == end]
            if limit is not None and longest == _ALONE:
                options += [(start, way) for start, made in options for way in self._slower(made)]
            elif limit is not None:
                options += [(start, way) for start, made in options for way in self._fewer_rows(made, limit)]
            best.append(self._least(best, options, end, limit))
        kept: list[Part] = []
        end = len(self._program.steps)
        while (part := best[end].part) is not None:
            kept.append(part)
            end = best[end].start
        return Draft(self._program, tuple(reversed(kept)), self._wait_states)

    def _least(self, best: list[_Choice], options: list[tuple[int, Part]], end: int, limit: int | None) -> _Choice:
        choices = []
        for start, made in options:
            waiting = max(self._waiting(made, number) for number in range(start, end))
            peak = max(best[start].peak, held_bytes(self._program, made) + waiting)
            choices.append(_Choice(peak, best[start].cycles + cycles(made, self._wait_states), start, made))
        return min(choices, key=lambda c: (limit is not None and max(c.peak, limit), c.cycles, c.peak))

    def _segments(self, longest: int) -> Mapping[tuple[int, int], Segment]:
        """Every run that gains as a segment."""
        steps = self._program.steps
        made = {(start, end): self._builder.make(steps[start:end]) for start, end in runs(self._program, longest)}
        return {run: segment for run, segment in made.items() if _pays(segment, longest)}

    def _slower(self, part: Part) -> list[Segment]:
        """Other ways to run a single stage, each smaller than all that are quicker."""
        return self._builder.slower(part) if isinstance(part, Segment) else []

    def _fewer_rows(self, part: Part, limit: int) -> list[Segment]:
        """A segment that takes too much memory, with so few rows at a time that it fits; none where none does."""
        if not isinstance(part, Segment) or not _shrinks(part) or held_bytes(self._program, part) <= limit:
            return []
        fitting = (one for one in self._builder.with_fewer_rows(part) if held_bytes(self._program, one) <= limit)
        return list(itertools.islice(fitting, 1))

    def _shrunk(self, draft: Draft) -> Draft:
        """Make the busiest segments smaller until the arena is small enough, or none is left to be made smaller."""
        tried: set[int] = set()
        while draft.plan().arena_bytes > self._ram_bytes:
            sizes = {n: held_bytes(self._program, part) for n, part in enumerate(draft.steps) if _shrinks(part)}
            left = [number for number in sizes if number not in tried]
            if not left:
                break
            number = max(left, key=lambda n: sizes[n])
            tried.add(number)
            draft = self._fitted(draft, number)
        return draft

    def _fitted(self, draft: Draft, number: int) -> Draft:
        """Give a segment the memory that the arena has left, in the form that is then the quickest, or the smallest."""
        segment = draft.steps[number]
        assert isinstance(segment, Segment)
        frames = dict.fromkeys(self._builder.frame(segment.run, pooled=pooled) for pooled in (True, False))
        made = [self._squeezed(draft, number, frame) for frame in frames]
        return min(made, key=lambda one: (max(one.plan().arena_bytes, self._ram_bytes), one.cycles))

    def _squeezed(self, draft: Draft, number: int, frame: Frame) -> Draft:
        """Take from a segment's memory what the arena exceeds the limit by, while that helps."""
        budget = self._builder.quickest(frame).scratch_bytes
        while True:
            fitted = fit(frame, [self._builder.variants(part) for part in frame.parts], budget, self._wait_states)
            made = draft.exchanged(number, fitted)
            over = made.plan().arena_bytes - self._ram_bytes
            if over <= 0 or fitted.scratch_bytes > budget:
                return made
            budget = fitted.scratch_bytes - over


def _pays(made: Segment, longest: int) -> bool:
    """Single stages that have something to gain; anything of several stages where memory is wanted."""
    if len(made.stages) == 1:
        stage = made.stages[0]
        mapped = stage.is_convolution and stage.map is not None
        return mapped or stage.added is not None or stage.variant.name not in ("direct", "rows")
    return longest > _ALONE


def _shrinks(part: Part) -> bool:
    return isinstance(part, Segment) and len(part.stages) > 1
