"""SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION, the RELU family and HARD_SWISH: their rules, and their lowering."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..numerics import hard_swish
from ..numerics.elementwise import scaled
from ..numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    SOFTMAX_INTEGER_BITS,
    activation_bounds,
    scale_of,
    single_factor,
    softmax_factor,
    zero_point_of,
)
from ..program import Step, Struct
from .checker import INT32_MAX, MAX_RANK, Checker
from .layer import Layer, mapped, multiplier

# The interpreter keeps the sum of exponentials in 12 integer bits and gives up on more.
_MAX_CLASSES = 511
_MOST_LOG_CLASSES = 1023
"""Of LOG_SOFTMAX: sums of so many exponentials stay under 2^29 in the interpreter's format."""
_MOST_SQUARES = INT32_MAX // 255**2


def check_softmax(check: Checker) -> None:
    """The last dimension, any positive beta, and the output scale that TFLite fixes, of INT8 or int16."""
    check.inputs(1, 1)
    wide = check.target.dtype == "int16"
    check.source_flow() if wide else check.flow()
    check.shape(check.source.shape)
    check.require(1 <= len(check.source.shape) <= MAX_RANK, f"shape {check.source.shape}")
    quantization = check.target.quantization
    scale, zero_point = (2.0**-16, -(2**15)) if wide else (2.0**-8, -(2**7))
    fits = quantization is not None and quantization.zero_point.size == 1 and quantization.zero_point[0] == zero_point
    # TFLite takes an int16 scale that is 1/65536 to a thousandth, as some converters write 1/65535.
    near = fits and abs(float(quantization.scale[0]) - scale) <= (scale / 1000 if wide else 0)  # type: ignore[union-attr]
    check.require(near, f"output is not quantized to 1/{round(1 / scale)} with zero point {zero_point}")
    beta = float(check.attributes["beta"])
    check.require(math.isfinite(beta) and beta > 0, f"beta {beta}", "use a positive beta")
    _check_exponentials(check, beta, _MAX_CLASSES)


def _check_exponentials(check: Checker, beta: float, most: int) -> None:
    problem = f"input scale times beta {beta:.3g} is too small"
    check.require(softmax_factor(beta, check.source) > 1, problem, "calibrate with representative data")
    classes = check.source.shape[-1]
    check.require(classes <= most, f"{classes} classes", f"use at most {most}")


def check_log_softmax(check: Checker) -> None:
    """The last dimension, and the output's scale and zero point that TFLite fixes."""
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.require(len(check.source.shape) > 0, "has a scalar as input")
    fits = float(scale_of(check.target)) == 1 / 16 and zero_point_of(check.target) == INT8_MAX
    check.require(fits, "output is not quantized to 1/16 with zero point 127")
    _check_exponentials(check, 1.0, _MOST_LOG_CLASSES)


def softmax(layer: Layer) -> Step:
    """SOFTMAX over the last dimension."""
    scale, least = _exponentials(layer, float(layer.operator.attributes["beta"]))
    fields = {**_vectors(layer), "scale": scale, "diff_min": least}
    source = layer.held(layer.source)
    wide = layer.target.dtype == "int16"
    return layer.step(
        "scn_softmax_s8_s16" if wide else "scn_softmax_s8",
        Struct("scn_softmax_t", fields),
        (source, layer.target.index),
        overwrites=() if wide else (source,),
    )


def log_softmax(layer: Layer) -> Step:
    """LOG_SOFTMAX over the last dimension."""
    scale, least = _exponentials(layer, 1.0)
    inverse = multiplier(2.0 ** (31 - scale["shift"]) / scale["multiplier"])
    fields = {**_vectors(layer), "scale": scale, "inverse": inverse, "diff_min": least}
    source = layer.held(layer.source)
    return layer.step(
        "scn_log_softmax_s8",
        Struct("scn_log_softmax_t", fields),
        (source, layer.target.index),
        overwrites=(source,),
    )


def _exponentials(layer: Layer, beta: float) -> tuple[Mapping[str, int], int]:
    """The factor of differences to a row's maximum, and the least difference whose exponential counts."""
    scale = multiplier(softmax_factor(beta, layer.source))
    radius = ((1 << SOFTMAX_INTEGER_BITS) - 1) * 2.0 ** (31 - SOFTMAX_INTEGER_BITS) / 2.0 ** scale["shift"]
    return scale, -math.floor(radius)


def _vectors(layer: Layer) -> Mapping[str, int]:
    depth = layer.source.shape[-1]
    return {"rows": layer.source.elements // depth, "depth": depth}


def check_l2_normalization(check: Checker) -> None:
    """The last dimension, and the output's scale and zero point that TFLite fixes."""
    check.inputs(1, 1)
    check.flow()
    check.fused()
    check.shape(check.source.shape)
    activation = check.attributes.get("fused_activation_function", "NONE")
    check.require(activation == "NONE", f"fused activation {activation}", "put it into an operator of its own")
    check.require(len(check.source.shape) > 0, "has a scalar as input")
    fits = float(scale_of(check.target)) == 1 / 128 and zero_point_of(check.target) == 0
    check.require(fits, "output is not quantized to 1/128 with zero point 0")
    depth = check.source.shape[-1]
    check.require(depth <= _MOST_SQUARES, f"sums of {depth:,} squares", "use a smaller last dimension")


def l2_normalization(layer: Layer) -> Step:
    """L2_NORMALIZATION over the last dimension."""
    depth = layer.source.shape[-1]
    fields = {
        "rows": layer.source.elements // depth,
        "depth": depth,
        "input_zero_point": zero_point_of(layer.source),
    }
    source = layer.held(layer.source)
    return layer.step(
        "scn_l2_normalization_s8",
        Struct("scn_l2_normalization_t", fields),
        (source, layer.target.index),
        overwrites=(source,),
    )


def check_map(check: Checker) -> None:
    """One INT8 input and output of one shape, any scales that the interpreter's factor can hold."""
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    if check.operator.op in ("LEAKY_RELU", "RELU", "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1"):
        check.factor(single_factor(check.source, check.target))
    if check.operator.op == "LEAKY_RELU":
        slope = float(check.attributes["alpha"])
        check.require(math.isfinite(slope) and slope >= 0, f"slope {slope:.3g}", "use a slope that is not negative")
        check.factor(single_factor(check.source, check.target, slope))
    if check.operator.op == "HARD_SWISH":
        check.factor(hard_swish.output_factor(check.source, check.target), 1.0)


def relu(layer: Layer) -> Step:
    """RELU, RELU6, RELU_0_TO_1 and RELU_N1_TO_1: rescaled, then clamped."""
    low, high = activation_bounds(layer.operator.op, layer.target)
    return mapped(layer, _rescaled(layer, low=low, high=high))


def leaky_relu(layer: Layer) -> Step:
    """LEAKY_RELU: one factor from the zero point on, another one below."""
    return mapped(layer, _rescaled(layer, slope=float(layer.operator.attributes["alpha"])))


def swish(layer: Layer) -> Step:
    """HARD_SWISH."""
    return mapped(layer, hard_swish.table(layer.source, layer.target))


def _rescaled(layer: Layer, *, slope: float = 1.0, low: int = INT8_MIN, high: int = INT8_MAX) -> NDArray[np.int8]:
    """What -128 .. 127 become, (256,), in the kernels' integers."""
    source, target = layer.source, layer.target
    values = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64) - zero_point_of(source)
    rising = scaled(values, multiplier(single_factor(source, target)))
    falling = scaled(values, multiplier(single_factor(source, target, slope)))
    moved = np.where(values >= 0, rising, falling) + zero_point_of(target)
    return np.asarray(np.clip(moved, low, high), np.int8)
