"""Chooses the layers whose weights lie in flash larger than INT8, already transformed or widened, for speed."""

from __future__ import annotations

from dataclasses import replace

from ..kernels import cost_model, dense
from ..kernels.registry import variants
from ..kernels.variant import Work
from ..options import FLASH_BYTES, Options
from ..program import Program, Step


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
        cycles saved per byte, while the constants stay within :data:`scenelet.compiler.options.FLASH_BYTES`.
    """
    if options.weights == "packed":
        return frozenset()
    chosen = set()
    total = program.table_bytes
    for _, extra, step in sorted(
        _offers(program, options.wait_states), key=lambda offer: (-offer[0], offer[1], offer[2].operators)
    ):
        if options.weights == "expanded" or total + extra <= FLASH_BYTES:
            chosen.add(step.operators[0])
            total += extra
    return frozenset(chosen)


def widened(program: Program, expanded: frozenset[int]) -> Program:
    """Expand the weights of the dense layers that were picked to int16."""
    steps = tuple(
        dense.expanded(step) if step.kernel == "scn_dense_s8" and step.operators[0] in expanded else step
        for step in program.steps
    )
    return replace(program, steps=steps)


def _offers(program: Program, wait_states: int) -> list[tuple[float, int, Step]]:
    """List what expanding gains: cycles saved per byte, bytes, and the step."""
    found = []
    for step in program.steps:
        if step.kernel == "scn_dense_s8":
            costs = (cost_model.estimate(one).at(wait_states) for one in (step, dense.expanded(step)))
            saved = next(costs) - next(costs)
            if saved > 0:
                found.append((saved / step.tables[0].nbytes, step.tables[0].nbytes, step))
        if step.kernel != "scn_conv2d_s8":
            continue
        before, after = (variants(Work(step, None, expanded, wait_states))[0] for expanded in (False, True))
        saved = before.cost.at(wait_states) - after.cost.at(wait_states)
        if after.expanded and saved > 0:
            extra = after.weight_bytes - next(t.nbytes for t in step.tables)
            found.append((saved / max(extra, 1), extra, step))
    return found
