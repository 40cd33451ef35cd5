"""The kernels that can run a stage: one row for each kernel of a lowered step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from . import depthwise_planar, depthwise_quads, direct, gemm, narrow, row_wise, winograd
from .variant import Variant, Work
from .winograd_2d import variants as winograd_2d

Ways = Callable[[Work], Iterator[Variant]]
"""From a step to the ways in which one kernel can run it; none where it does not apply."""

KERNELS: Mapping[str, tuple[Ways, ...]] = {
    "scn_add_lut_s8": (row_wise.ways,),
    "scn_add_s8": (row_wise.ways,),
    "scn_average_pool_s8": (row_wise.ways,),
    "scn_conv2d_s8": (winograd_2d.ways, winograd.ways, gemm.ways, narrow.ways, direct.ways),
    "scn_depthwise_conv2d_s8": (depthwise_planar.ways, depthwise_quads.ways, row_wise.ways),
    "scn_lut_s8": (row_wise.ways,),
    "scn_max_pool_s8": (row_wise.ways,),
    "scn_mean_s8": (row_wise.mean_ways,),
}
"""Of equally quick ways the first one listed is taken."""


def variants(work: Work) -> tuple[Variant, ...]:
    """List the ways to run a step as a stage, quickest first.

    Parameters
    ----------
    work
        Its step's kernel is one of :data:`KERNELS`.
    """
    listed = [
        variant
        for ways in KERNELS[work.step.kernel]
        for variant in ways(work)
        if not variant.expanded or variant.weight_bytes <= work.most_bytes
    ]
    return tuple(sorted(listed, key=lambda variant: variant.cost.at(work.wait_states)))
