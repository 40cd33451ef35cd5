"""Pools, MEAN and SOFTMAX."""

from __future__ import annotations

import math

import numpy as np

from ...graph import Tensor
from ..numerics.fixed_point import SOFTMAX_INTEGER_BITS, quantize_multiplier, rescale_factor, softmax_factor
from ..program import Step, Struct
from .convolution import window
from .layer import Layer, dims, four, values


def max_pool(layer: Layer) -> Step:
    """MAX_POOL_2D."""
    return _pool(layer, "scn_max_pool_s8")


def average_pool(layer: Layer) -> Step:
    """AVERAGE_POOL_2D; padding does not count."""
    return _pool(layer, "scn_average_pool_s8")


def _pool(layer: Layer, kernel: str) -> Step:
    attributes = layer.operator.attributes
    slide = window(layer, int(attributes["filter_height"]), int(attributes["filter_width"]))
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": slide,
        **layer.activation(),
    }
    source = layer.held(layer.source)
    # With padding in front, an output can lie behind an input that a later window still reads.
    in_place = slide["pad_top"] == slide["pad_left"] == 0 and layer.target.elements <= layer.source.elements
    return layer.step(
        kernel,
        Struct("scn_pool_t", fields),
        (source, layer.target.index),
        overwrites=(source,) if in_place else (),
    )


def mean(layer: Layer) -> Step:
    """MEAN over any axes."""
    source, target = layer.source, layer.target
    rank = len(source.shape)
    axes = {int(axis) % rank for axis in np.ravel(values(layer.input(1)))}
    reduced = tuple(bool(i - (4 - rank) in axes) for i in range(4))
    count = math.prod(source.shape[axis] for axis in axes)
    fields = {
        "size": four(source.shape),
        "reduced": reduced,
        **layer.zero_points(),
        "scale": _mean_scale(source, target, count),
    }
    return layer.step("scn_mean_s8", Struct("scn_mean_t", fields), (layer.held(source), target.index))


def _mean_scale(source: Tensor, target: Tensor, count: int) -> dict[str, int]:
    """Input scale / output scale / count, the division taken from the multiplier as the interpreter takes it."""
    multiplier, shift = quantize_multiplier(rescale_factor(source, target))
    spare = min(count.bit_length() - 1, 32, 31 + shift)
    return {"multiplier": (multiplier << spare) // count, "shift": shift - spare}


def softmax(layer: Layer) -> Step:
    """SOFTMAX over the last dimension."""
    depth = layer.source.shape[-1]
    factor = softmax_factor(float(layer.operator.attributes["beta"]), layer.source)
    multiplier, shift = quantize_multiplier(factor)
    radius = ((1 << SOFTMAX_INTEGER_BITS) - 1) * 2.0 ** (31 - SOFTMAX_INTEGER_BITS) / 2.0**shift
    fields = {
        "rows": layer.source.elements // depth,
        "depth": depth,
        "scale": {"multiplier": multiplier, "shift": shift},
        "diff_min": -math.floor(radius),
    }
    source = layer.held(layer.source)
    return layer.step(
        "scn_softmax_s8", Struct("scn_softmax_t", fields), (source, layer.target.index), overwrites=(source,)
    )
