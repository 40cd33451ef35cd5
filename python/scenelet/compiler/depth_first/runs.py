"""Which consecutive steps can run depth first: each needs only a few rows of maps that nothing else reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...graph import Tensor
from ..kernels.registry import KERNELS
from ..program import Program, Step, Struct
from .segment import outside
from .stage import slide

_MOST_INPUTS = 2
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
    if "input" in step.fields:
        return _dims(step.fields["input"]) == maps[0].shape and slide(step).reach <= _MOST_REACH
    # Value by value: what comes in must lie in the rows that go out. A RESHAPE may have renamed the input, whose holder
    # then has other rows; ADD takes two whole maps, for a constant is a map by now, and a broadcast one has other rows.
    operands = 2 if step.kernel in ("scn_add_s8", "scn_add_lut_s8") else 1
    return len(step.reads) == operands and all(tensor.shape == maps[0].shape for tensor in maps)


def _pools_all(program: Program, step: Step) -> bool:
    """Whether MEAN sums height and width of one map, as it lies in memory: not as a RESHAPE has renamed it."""
    source, fields = program.graph.tensors[step.reads[0]], step.fields
    whole = fields["reduced"] == (False, True, True, False) and fields["size"] == source.shape
    return whole and source.shape[0] == 1 and _fits(source)


def _dims(fields: Mapping[str, int]) -> tuple[int, ...]:
    """Shape that a step's scn_dims_t says."""
    return tuple(fields.values())


def _fits(tensor: Tensor) -> bool:
    return tensor.shape[1] <= _MOST_ROWS and tensor.elements // tensor.shape[1] <= _MOST_ROW_BYTES
