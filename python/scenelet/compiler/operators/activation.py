"""SOFTMAX: its rules, and its lowering."""

from __future__ import annotations

import math

from ..numerics.fixed_point import SOFTMAX_INTEGER_BITS, quantize_multiplier, softmax_factor
from ..program import Step, Struct
from .checker import MAX_RANK, Checker
from .layer import Layer

# The interpreter keeps the sum of exponentials in 12 integer bits and gives up on more.
_MAX_CLASSES = 511


def check_softmax(check: Checker) -> None:
    """The last dimension, any positive beta, and the output scale that TFLite fixes."""
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.require(1 <= len(check.source.shape) <= MAX_RANK, f"shape {check.source.shape}")
    quantization = check.target.quantization
    fits = quantization is not None and quantization.scale[0] == 1 / 256 and quantization.zero_point[0] == -128
    check.require(fits, "output is not quantized to 1/256 with zero point -128")
    beta = float(check.attributes["beta"])
    check.require(math.isfinite(beta) and beta > 0, f"beta {beta}", "use a positive beta")
    told = f"input scale times beta {beta:.3g} is too small"
    check.require(softmax_factor(beta, check.source) > 1, told, "calibrate with representative data")
    classes = check.source.shape[-1]
    check.require(classes <= _MAX_CLASSES, f"{classes} classes", f"use at most {_MAX_CLASSES}")


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
