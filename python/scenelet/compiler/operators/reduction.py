"""SUM, REDUCE_MAX and REDUCE_MIN: their rules, and their lowering."""

from __future__ import annotations

import math

import numpy as np

from ..numerics.fixed_point import rescale_factor
from ..program import Step, Struct
from .checker import MAX_RANK, Checker
from .layer import Layer, four, multiplier, values

_MAX_SUM = 1 << 23
"""Values whose sum fits int32."""


def check_sum(check: Checker) -> None:
    """Any axes of up to four dimensions; sums that fit int32."""
    axes = _axes(check)
    check.factor(rescale_factor(check.source, check.target))
    count = math.prod(check.source.shape[axis] for axis in axes)
    check.require(count <= _MAX_SUM, f"sum over {count:,} values", "use a smaller feature map")


def check_extremum(check: Checker) -> None:
    """Any axes of up to four dimensions; one scale, which the interpreter demands too."""
    _axes(check)
    check.same_scale()


def _axes(check: Checker) -> frozenset[int]:
    """Require constant axes and the shape that follows from them; returns the axes, counted from the first."""
    check.inputs(2, 2)
    check.flow()
    rank = len(check.source.shape)
    check.require(1 <= rank <= MAX_RANK, f"{rank} dimensions", f"use at most {MAX_RANK}")
    listed = np.ravel(np.asarray(check.constant(1, "list of axes", "int32").data)).tolist()
    check.require(all(-rank <= axis < rank for axis in listed), f"axes {listed} of {rank} dimensions")
    axes = frozenset(axis % rank for axis in listed)
    kept = bool(check.attributes.get("keep_dims", False))
    sizes = [(1 if i in axes else size) for i, size in enumerate(check.source.shape) if kept or i not in axes]
    check.shape(tuple(sizes))
    return axes


def _reduced(layer: Layer) -> tuple[bool, ...]:
    rank = len(layer.source.shape)
    axes = {int(axis) % rank for axis in np.ravel(values(layer.input(1)))}
    return tuple(i - (4 - rank) in axes for i in range(4))


def total(layer: Layer) -> Step:
    """SUM: the kernel of MEAN, whose factor then does not divide."""
    fields = {
        "size": four(layer.source.shape),
        "reduced": _reduced(layer),
        **layer.zero_points(),
        "scale": multiplier(rescale_factor(layer.source, layer.target)),
    }
    arguments = layer.held(layer.source), layer.target.index
    return layer.step("scn_mean_s8", Struct("scn_mean_t", fields), arguments)


def maximum(layer: Layer) -> Step:
    """REDUCE_MAX."""
    return _extremum(layer, largest=True)


def minimum(layer: Layer) -> Step:
    """REDUCE_MIN."""
    return _extremum(layer, largest=False)


def _extremum(layer: Layer, *, largest: bool) -> Step:
    fields = {"size": four(layer.source.shape), "reduced": _reduced(layer), "largest": largest}
    arguments = layer.held(layer.source), layer.target.index
    return layer.step("scn_reduce_extremum_s8", Struct("scn_reduce_extremum_t", fields), arguments)
