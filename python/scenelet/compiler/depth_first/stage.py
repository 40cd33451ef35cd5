"""A stage of a segment: a step, what is fused into it, and the kernel that runs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...graph import Graph
from ..kernels import cost_model
from ..kernels.cost import Cost, Terms, cost_of
from ..kernels.fused_add import added_to
from ..kernels.fused_pool import pools_sums
from ..kernels.registry import variants
from ..kernels.variant import Variant, Work
from ..program import Step
from .row_schedule import Slide

_OPERANDS = 2


@dataclass(frozen=True, eq=False)
class Fused:
    """A step and what its kernel does along with it, value by value: a map, then a pool or an ADD."""

    step: Step
    map: Step | None = None
    pool: Step | None = None
    added: Step | None = None

    @property
    def followers(self) -> tuple[Step, ...]:
        """Steps that it does along with its own."""
        return tuple(step for step in (self.map, self.pool, self.added) if step)

    @property
    def reads(self) -> tuple[int, ...]:
        """Tensors that it reads, what its ADD adds last."""
        if self.added is None:
            return self.step.reads
        made = (self.map or self.step).writes[0]
        return (*self.step.reads, *(tensor for tensor in self.added.reads if tensor != made))

    @property
    def write(self) -> int:
        """The tensor that it makes."""
        return (self.step, *self.followers)[-1].writes[0]

    @property
    def pool_size(self) -> tuple[int, int]:
        """Rows and columns that become one."""
        return Work(self.step, self.pool).pool_size

    @property
    def slide(self) -> Slide:
        """How its window moves over rows."""
        own, rows = slide(self.step), self.pool_size[0]
        return Slide(own.reach + (rows - 1) * own.stride, own.stride * rows, own.pad_top)

    @property
    def is_convolution(self) -> bool:
        """Whether it is a CONV_2D."""
        return self.step.kernel == "scn_conv2d_s8"

    @property
    def is_mean(self) -> bool:
        """Whether it makes one pixel of all rows, and so ends a segment."""
        return self.step.kernel == "scn_mean_s8"

    @property
    def maps_itself(self) -> bool:
        """Whether the kernel applies the map as it stores: a convolution's, with a table for every channel."""
        if self.map is None or not self.is_convolution:
            return False
        return bool(self.map.fields["channels"] == self.step.fields["output"]["channels"])

    @property
    def overhead(self) -> Terms:
        """What its map and its ADD work through beside the kernel's own."""
        apart: Terms = ()
        if self.map:
            apart = cost_model.mapped(self.map) if self.maps_itself else cost_model.terms_of(self.map)
        return (*apart, *(cost_model.added(self.added) if self.added else ()))

    def run_by(self, variant: Variant) -> Stage:
        """Choose the variant that runs it."""
        return Stage(self.step, self.map, self.pool, self.added, variant=variant)

    def can_add(self, step: Step) -> bool:
        """Whether it can be a convolution that ends with an ADD: of another map to what it makes, exactly."""
        if not self.is_convolution or self.pool or self.added or (self.map and not self.maps_itself):
            return False
        if step.kernel != "scn_add_lut_s8" or self.write not in step.reads or len(step.reads) != _OPERANDS:
            return False
        return added_to(step, self.write) is not None

    def can_pool(self, pool: Step) -> bool:
        """Whether it can be a convolution that pools its sums."""
        if not self.is_convolution or self.pool or self.added or (self.map and not self.maps_itself):
            return False
        return pools_sums(self.step, self.map, pool) and bool(variants(Work(self.step, pool)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage(Fused):
    """A fused step and the variant of its kernel that runs it."""

    variant: Variant

    @cached_property
    def terms(self) -> Terms:
        """What it works through for the whole map."""
        return (*self.variant.terms, *self.overhead)

    @cached_property
    def cost(self) -> Cost:
        """Estimate for the whole map."""
        return cost_of(self.terms)


def input_shape(graph: Graph, step: Step) -> tuple[int, ...]:
    """Shape in which a step that can be a stage sees its inputs; their holders may have another after a RESHAPE."""
    if "input" in step.fields:
        return tuple(step.fields["input"].values())
    if "size" in step.fields:
        return tuple(step.fields["size"])
    return graph.tensors[step.writes[0]].shape


def slide(step: Step) -> Slide:
    """How a step's window moves over rows."""
    window = step.fields.get("window")
    if window is None:
        return Slide()
    reach = (window["height"] - 1) * window.get("dilation_h", 1) + 1
    return Slide(reach, window["stride_h"], window["pad_top"])
