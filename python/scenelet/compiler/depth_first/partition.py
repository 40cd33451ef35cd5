"""Which steps become depth-first segments: by the arena's size first, then by estimated instructions.

A run is consecutive steps of which only the last one's output is read behind it, and which read one tensor from before
it, or two. Of all partitions into runs and single steps, the one with the smallest busiest step is taken. Where the
arena is then larger than wanted, the busiest segment starts from its smallest form and speeds up as far as memory
allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...graph import Tensor
from ..kernels import cost_model
from ..memory.planner import plan
from ..program import Program, Step, Struct
from .segment import Segment, lowered, make, outside, slower
from .stage import KERNELS, slide
from .variant_search import fit

_MOST_STAGES = 16
_MOST_INPUTS = 2
_ALONE = 3
"""Longest run where steps stay alone: one, the map behind it, and a pool."""

_LAST = "scn_mean_s8"
_MOST_ROWS, _MOST_ROW_BYTES, _MOST_REACH = 0xFFFF, 0xFFFF, 0x7FFF


@dataclass(frozen=True)
class _Choice:
    """The best way to run the first so many steps: the busiest step's bytes, estimated cost, and the last one."""

    peak: int
    instructions: int
    start: int
    step: Step | None


def divide(program: Program, ram_bytes: int, expanded: frozenset[int]) -> Program:
    """Replace runs of steps by segments.

    Where the quickest steps do not fit, single steps first take a way that needs less scratch.

    Parameters
    ----------
    program
        Lowered and fused.
    ram_bytes
        Arena that is small enough. If the program fits as it is, only convolutions change, one by one.
    expanded
        Numbers of the operators whose weights may lie transformed in flash.

    Returns
    -------
    Program
        Segments are steps that know their ``segment``.
    """
    alone = replace(program, steps=_partition(program, None, expanded, longest=_ALONE))
    if plan(alone).arena_bytes <= ram_bytes:
        return alone
    lengths = (_ALONE, _MOST_STAGES)
    divided = [_partition(program, ram_bytes, expanded, longest=longest) for longest in lengths]
    divided.append(_in_one(program, expanded))
    different = {tuple(step.operators for step in steps): steps for steps in divided}
    made = [_shrink(replace(program, steps=steps), ram_bytes, expanded) for steps in different.values()]
    return min(made, key=lambda one: (max(plan(one).arena_bytes, ram_bytes), sum(map(cost_model.step, one.steps))))


def _in_one(program: Program, expanded: frozenset[int]) -> tuple[Step, ...]:
    """The longest run as one segment, and what is before and behind it by itself."""
    runs = _runs(program, expanded, _MOST_STAGES)
    if not runs:
        return program.steps
    start, end = max(runs, key=lambda run: (run[1] - run[0], -run[0]))
    return (*program.steps[:start], runs[start, end], *program.steps[end:])


def _partition(program: Program, ram_bytes: int | None, expanded: frozenset[int], longest: int) -> tuple[Step, ...]:
    """The quickest partition that fits ``ram_bytes`` (None: any does), or the smallest where none does."""
    beside = _beside(program)
    runs = _runs(program, expanded, longest)
    best = [_Choice(0, 0, 0, None)]
    for end in range(1, len(program.steps) + 1):
        options = [(end - 1, program.steps[end - 1])] if (end - 1, end) not in runs else []
        options += [(start, made) for (start, last), made in runs.items() if last == end]
        if ram_bytes is not None and longest == _ALONE:
            options += [(start, way) for start, made in options for way in _slower(program, made, expanded)]
        choices = []
        for start, made in options:
            waiting = max(beside(made, number) for number in range(start, end))
            peak = max(best[start].peak, _bytes(program, made) + waiting)
            choices.append(_Choice(peak, best[start].instructions + cost_model.step(made), start, made))
        over = 0 if ram_bytes is None else ram_bytes
        known = ram_bytes is not None
        best.append(min(choices, key=lambda c: (known and max(c.peak, over), c.instructions, c.peak)))
    kept: list[Step] = []
    end = len(program.steps)
    while (step := best[end].step) is not None:
        kept.append(step)
        end = best[end].start
    return tuple(reversed(kept))


def _bytes(program: Program, step: Step) -> int:
    held = {*step.reads, *step.writes} - set(step.overwrites)
    return sum(program.nbytes(tensor) for tensor in held) + step.scratch_bytes


def _beside(program: Program) -> Callable[[Step, int], int]:
    """Bytes of tensors that wait, during a step, for a later one; as a function of step and its number."""
    last = {tensor: number for number, step in enumerate(program.steps) for tensor in step.reads}
    made = {tensor: number for number, step in enumerate(program.steps) for tensor in step.writes}

    def beside(step: Step, number: int) -> int:
        inside = {tensor for part in step.segment.run for tensor in part.writes} if step.segment else set()
        known = inside.union(step.reads, step.writes)
        return sum(
            program.nbytes(tensor)
            for tensor, until in last.items()
            if made.get(tensor, -1) < number < until and tensor not in known
        )

    return beside


def _runs(program: Program, expanded: frozenset[int], longest: int) -> Mapping[tuple[int, int], Step]:
    """Every run that can be a segment, (first step, one past the last), as a step; none with more than ``longest``."""
    found = {}
    for start in range(len(program.steps)):
        for end in range(start + 1, min(start + longest, len(program.steps)) + 1):
            if not _local(program, program.steps[end - 1]):
                break
            run = program.steps[start:end]
            if any(step.kernel == _LAST for step in run[:-1]):
                break
            if not _closed(program, start, end):
                continue
            made = make(program.graph, run, expanded)
            if _pays(made, longest):
                found[start, end] = lowered(made, program.graph)
    return found


def _pays(made: Segment, longest: int) -> bool:
    """Single stages that have something to gain; anything of several stages where memory is wanted."""
    if len(made.stages) == 1:
        stage = made.stages[0]
        mapped = stage.is_convolution and stage.map is not None
        return mapped or stage.added is not None or stage.variant.kernel not in ("direct", "rows")
    return longest > _ALONE


def _slower(program: Program, made: Step, expanded: frozenset[int]) -> list[Step]:
    """Other ways to run a single step, each smaller than all that are quicker."""
    if made.segment is None:
        return []
    return [lowered(way, program.graph) for way in slower(made.segment, program.graph, expanded)]


def _closed(program: Program, start: int, end: int) -> bool:
    """Whether a run reads at most two tensors from before it, and nothing behind it reads but what it ends in."""
    run = program.steps[start:end]
    inner = {tensor for step in run for tensor in step.writes}
    hidden = inner - set(run[-1].writes)
    elsewhere = {tensor for step in (*program.steps[:start], *program.steps[end:]) for tensor in step.reads}
    shown = {*program.aliases.values(), program.target}
    return len(outside(run)) <= _MOST_INPUTS and not hidden & (elsewhere | shown)


def _local(program: Program, step: Step) -> bool:
    """Whether a step needs a few rows of four-dimensional maps, and its kernel can make a few."""
    if step.kernel not in KERNELS or not isinstance(step.params, Struct):
        return False
    if step.kernel == _LAST:
        return _pools_all(program, step)
    maps = [program.graph.tensors[tensor] for tensor in (*step.reads, *step.writes)]
    if any(len(tensor.shape) != 4 or tensor.shape[0] != 1 or not _fits(tensor) for tensor in maps):
        return False
    if step.kernel in ("scn_add_s8", "scn_add_lut_s8"):
        # Two whole maps: a constant would be a map by now, and a broadcast one needs all its rows.
        return len(step.reads) == 2 and all(tensor.shape == maps[0].shape for tensor in maps)
    shape: Any = step.params.fields.get("input")
    return shape is None or (tuple(shape.values()) == maps[0].shape and slide(step).reach <= _MOST_REACH)


def _pools_all(program: Program, step: Step) -> bool:
    """Whether MEAN sums height and width of one map."""
    assert isinstance(step.params, Struct)
    fields: Mapping[str, Any] = step.params.fields
    source = program.graph.tensors[step.reads[0]]
    return fields["reduced"] == (False, True, True, False) and source.shape[0] == 1 and _fits(source)


def _fits(tensor: Tensor) -> bool:
    return tensor.shape[1] <= _MOST_ROWS and tensor.elements // tensor.shape[1] <= _MOST_ROW_BYTES


def _shrink(program: Program, ram_bytes: int, expanded: frozenset[int]) -> Program:
    """Make the busiest segments smaller until the arena is small enough, or none is left to be made smaller."""
    tried: set[int] = set()
    while plan(program).arena_bytes > ram_bytes:
        left = [n for n, step in enumerate(program.steps) if _shrinks(step) and n not in tried]
        if not left:
            break
        number = max(left, key=lambda n: _bytes(program, program.steps[n]))
        tried.add(number)
        program = _fitted(program, number, ram_bytes, expanded)
    return program


def _shrinks(step: Step) -> bool:
    return step.segment is not None and len(step.segment.stages) > 1


def _fitted(program: Program, number: int, ram_bytes: int, expanded: frozenset[int]) -> Program:
    """Give a segment the memory that the arena has left, in the form that is then the quickest, or the smallest."""
    segment = program.steps[number].segment
    assert segment is not None
    forms = [make(program.graph, segment.run, expanded, pooled=pooled) for pooled in (True, False)]
    made = [_squeezed(program, number, form, ram_bytes, expanded) for form in forms]
    arenas = [max(plan(one).arena_bytes, ram_bytes) for one in made]
    costs = [cost_model.step(one.steps[number]) for one in made]
    return made[min(range(len(made)), key=lambda n: (arenas[n], costs[n]))]


def _squeezed(program: Program, number: int, form: Segment, ram_bytes: int, expanded: frozenset[int]) -> Program:
    """Take from a segment's memory what the arena exceeds the limit by, while that helps."""
    budget = form.memory_bytes
    while True:
        made = _with(program, number, fit(form, program.graph, expanded, budget))
        over = plan(made).arena_bytes - ram_bytes
        segment = made.steps[number].segment
        assert segment is not None
        if over <= 0 or segment.memory_bytes > budget:
            return made
        budget = segment.memory_bytes - over


def _with(program: Program, number: int, segment: Segment) -> Program:
    step = lowered(segment, program.graph)
    return replace(program, steps=(*program.steps[:number], step, *program.steps[number + 1 :]))
