"""Chooses the layers whose weights lie in flash larger than INT8, already transformed or widened, for speed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..kernels import cost_model, dense
from ..kernels.registry import variants
from ..kernels.variant import Work
from ..options import FLASH_BYTES, Options
from ..program import Program

_SCRATCH_SHARE = 2 / 3
"""Of the arena, what scratch may take: line buffers and maps need the rest."""
_LEAST_RAM = 16_384
"""What the smallest arenas are counted as, in bytes."""


@dataclass(frozen=True)
class _Offer:
    """A larger form of a layer's weights: bytes more than INT8, cycles that it saves, and bytes of the form."""

    operator: int
    extra: int
    saved: float
    nbytes: int


def expanded_operators(program: Program, options: Options) -> Mapping[int, int]:
    """Pick operators for expanded weights.

    Parameters
    ----------
    program
        Lowered and fused.
    options
        ``weights`` decides.

    Returns
    -------
    Mapping of int to int
        Bytes that expanded weights may take, by operator number: none for "packed", all that gain for "expanded"; for
        "auto" those with the most estimated cycles saved per byte, while the constants stay within
        :data:`scenelet.compiler.options.FLASH_BYTES`.
    """
    if options.weights == "packed":
        return {}
    offers = list(_offers(program, options))
    if options.weights == "expanded":
        return {one.operator: max(o.nbytes for o in offers if o.operator == one.operator) for one in offers}
    chosen: dict[int, _Offer] = {}
    left = FLASH_BYTES - program.table_bytes
    while True:
        # What each offer adds to the form that its layer has so far.
        more = [(one, *_added(one, chosen.get(one.operator))) for one in offers]
        fitting = [(saved / max(extra, 1), -extra, -one.operator, one) for one, extra, saved in more if extra <= left]
        best = max((entry for entry in fitting if entry[0] > 0), key=lambda entry: entry[:3], default=None)
        if best is None:
            return {number: offer.nbytes for number, offer in chosen.items()}
        left += best[1]
        chosen[best[3].operator] = best[3]


def _added(offer: _Offer, before: _Offer | None) -> tuple[int, float]:
    """Bytes and cycles of an offer beyond those of another for the same layer."""
    return (offer.extra - before.extra, offer.saved - before.saved) if before else (offer.extra, offer.saved)


def widened(program: Program, expanded: Mapping[int, int]) -> Program:
    """Expand the weights of the dense layers that were picked to int16."""
    steps = tuple(
        dense.expanded(step) if step.kernel == "scn_dense_s8" and step.operators[0] in expanded else step
        for step in program.steps
    )
    return replace(program, steps=steps)


def _offers(program: Program, options: Options) -> Iterator[_Offer]:
    """List what every larger form of weights gains that is quicker than all smaller ones, in scratch that fits."""
    wait_states, most = options.wait_states, max(options.ram_bytes, _LEAST_RAM) * _SCRATCH_SHARE
    for step in program.steps:
        number = step.operators[0]
        if step.kernel == "scn_dense_s8":
            costs = (cost_model.estimate(one).at(wait_states) for one in (step, dense.expanded(step)))
            saved = next(costs) - next(costs)
            if saved > 0:
                yield _Offer(number, step.tables[0].nbytes, saved, 2 * step.tables[0].nbytes)
        if step.kernel != "scn_conv2d_s8":
            continue
        held = next(table.nbytes for table in step.tables)
        packed = variants(Work(step, wait_states=wait_states))
        fitting = [way for way in packed if way.scratch_bytes <= most] or [min(packed, key=lambda w: w.scratch_bytes)]
        least = fitting[0].cost.at(wait_states)
        smallest = sys.maxsize
        # From the quickest on, those that are quicker than all smaller ones.
        for way in variants(Work(step, None, True, wait_states)):
            saved = least - way.cost.at(wait_states)
            small = way.weight_bytes < smallest and way.scratch_bytes <= most
            if way.expanded and small and saved > 0:
                smallest = way.weight_bytes
                yield _Offer(number, way.weight_bytes - held, saved, way.weight_bytes)
