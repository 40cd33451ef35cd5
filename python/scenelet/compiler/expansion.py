"""Chooses the convolutions whose weights lie in flash already transformed, four times as large, for speed."""

from __future__ import annotations

from . import stages
from .options import FLASH_BYTES, Options
from .program import Program, Step


def expanded_operators(program: Program, options: Options) -> frozenset[int]:
    """Pick operators for expanded weights.

    Parameters
    ----------
    program
        Lowered and fused.
    options
        ``weights`` decides.

    Returns
    -------
    frozenset of int
        Operator numbers: none for "packed", all that gain for "expanded"; for "auto" those with the most estimated
        instructions saved a byte, while the constants stay within :data:`scenelet.compiler.options.FLASH_BYTES`.
    """
    if options.weights == "packed":
        return frozenset()
    chosen = set()
    total = program.table_bytes
    for _, extra, step in sorted(_offers(program), key=lambda offer: (-offer[0], offer[1], offer[2].operators)):
        if options.weights == "expanded" or total + extra <= FLASH_BYTES:
            chosen.add(step.operators[0])
            total += extra
    return frozenset(chosen)


def _offers(program: Program) -> list[tuple[float, int, Step]]:
    """Instructions saved a byte, bytes, and the step, of every convolution that would gain."""
    found = []
    for step in program.steps:
        if step.kernel != "scn_conv2d_s8":
            continue
        stage = stages.Stage(step, stages.UNKNOWN)
        before, after = (stages.variants(stage, expanded)[0] for expanded in (False, True))
        if after.transform and after.expanded and after.instructions < before.instructions:
            extra = after.transform.weight_bytes - next(t.nbytes for t in step.tables)
            found.append(((before.instructions - after.instructions) / max(extra, 1), extra, step))
    return found
