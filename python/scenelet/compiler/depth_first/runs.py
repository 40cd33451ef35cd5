"""Which consecutive steps can run depth first: each needs only a few rows of maps that nothing else reads."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..kernels.registry import KERNELS
from ..program import Program, Step, Struct
from .segment import outside
from .stage import input_shape, slide

_MOST_INPUTS = _OPERANDS = 2
_LAST = "scn_mean_s8"
_MOST_ROWS, _MOST_ROW_BYTES, _MOST_REACH = 0xFFFF, 0xFFFF, 0x7FFF


def runs(program: Program, longest: int) -> Iterator[tuple[int, int]]:
    """List the runs that can be a segment, each as its first step and one past its last.

    A run is consecutive steps that read one or two tensors from before it. Later steps read only what the last one
    writes. A MEAN over height and width can only be the last.

    Parameters
    ----------
    program
        Lowered and fused.
    longest
        Steps that a run may have.
    """
    for start in range(len(program.steps)):
        for end in range(start + 1, min(start + longest, len(program.steps)) + 1):
            if not _local(program, program.steps[end - 1]):
                break
            if any(step.kernel == _LAST for step in program.steps[start : end - 1]):
                break
            if _closed(program, start, end):
                yield start, end


def _closed(program: Program, start: int, end: int) -> bool:
    """Whether a run reads at most two tensors from before it, and later steps read only what it ends in."""
    run = program.steps[start:end]
    inner = {tensor for step in run for tensor in step.writes}
    hidden = inner - set(run[-1].writes)
    elsewhere = {tensor for step in (*program.steps[:start], *program.steps[end:]) for tensor in step.reads}
    shown = {*program.aliases.values(), *program.targets}
    if len(outside(run)) > _MOST_INPUTS or hidden & (elsewhere | shown):
        return False
    # What reads a variable row by row cannot assign it.
    if not set(outside(run)).isdisjoint(run[-1].writes):
        return False
    # A RESHAPE may have renamed what comes in. All steps of the run must see it in the same rows.
    seen = {(tensor, input_shape(program.graph, step)) for step in run for tensor in step.reads if tensor not in inner}
    return len(seen) == len(outside(run))


def _local(program: Program, step: Step) -> bool:
    """Whether a step needs a few rows of four-dimensional maps, and its kernel can make a few."""
    if step.kernel not in KERNELS or not isinstance(step.params, Struct):
        return False
    source, target = input_shape(program.graph, step), program.graph.tensors[step.writes[0]].shape
    if step.kernel == _LAST:
        return step.fields["reduced"] == (False, True, True, False) and _fits(source)
    if not _fits(source) or not _fits(target):
        return False
    if step.kernel in ("scn_add_s8", "scn_add_lut_s8"):
        # Two whole maps: a constant would be a map by now, and a broadcast one needs all its rows.
        return len(step.reads) == _OPERANDS and all(
            program.graph.tensors[tensor].elements == math.prod(target) for tensor in step.reads
        )
    return slide(step).reach <= _MOST_REACH


def _fits(shape: tuple[int, ...]) -> bool:
    """Whether a shape is one image whose rows the engine's records can count."""
    return len(shape) == 4 and shape[0] == 1 and shape[1] <= _MOST_ROWS and math.prod(shape[2:]) <= _MOST_ROW_BYTES
