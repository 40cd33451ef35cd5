"""LOGISTIC, TANH and SOFTMAX with int16 activations: interpolated in tables whose values are chosen as TFLite's are.

A table's values are raised or lowered by half of what interpolation is wrong by in the middle between two of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ....graph import Tensor
from ...numerics.fixed_point import quantize_multiplier, scale_of
from ...program import Step, Struct, Table
from ..checker import MAX_RANK, Checker
from ..layer import Layer, Wide

Floats = NDArray[np.float64]

_SIGMOID_VALUES, _PER_UNIT = 256, 24
_MOST_UINT16 = 2**16 - 1
_INTEGER_BITS = 3
_FRACTION = 15
_MOST_SCALE = 5.0
"""Of an input, whose products with 12,288 times it fit int32."""
_SOFTMAX_VALUES, _SOFTMAX_REACH = 513, 10.0
_LARGEST_MULTIPLIER, _MOST_SHIFT = 32767.0 / 2, 31


def sigmoid_table() -> NDArray[np.uint16]:
    """Logistic function of i / 24 in units of 2^-16, for i = 0 .. 255; the last is the most that there is."""
    places = np.arange(2 * _SIGMOID_VALUES + 1) / (2 * _PER_UNIT)
    exact = 2.0**16 / (1 + np.exp(-places))
    wrong = (exact[:-2:2] + exact[2::2]) / 2 - exact[1::2]
    made = np.rint(exact[:-1:2] - wrong / 2)
    made[-1] = _MOST_UINT16
    return np.minimum(made, _MOST_UINT16).astype(np.uint16)


def softmax_table(function: Callable[[Floats], Floats], start: float, reach: float) -> NDArray[np.int16]:
    """Values of a function in units of 1 / 32767.5, at 513 places from ``start`` to ``start + reach``."""
    step = reach / (_SOFTMAX_VALUES - 1)
    places: Floats = start + np.arange(_SOFTMAX_VALUES - 1, dtype=np.float64) * step
    unit = 2.0**16 / 2.0
    value, middle, following = (function(places + offset) * unit for offset in (0, step / 2, step))
    between = _rounded((following + _rounded(value)) / 2)
    made = _rounded(value) - _rounded((between - _rounded(middle)) / 2)
    last = _rounded(function(np.array([start + reach])) * unit)
    clamped = np.clip(np.concatenate([made, last]), -(2**15), 2**15 - 1)
    return np.asarray(clamped, np.int16)


def _rounded(values: Floats) -> Floats:
    """Round halves away from zero."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)


def _check_function(check: Checker) -> None:
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.require(float(scale_of(check.target)) == 2.0**-_FRACTION, "output is not quantized to 1/32768")
    least = 2.0 ** -(_MOST_SHIFT - 1)
    check.require(
        float(scale_of(check.source)) > least, "input scale is too small", "calibrate with representative data"
    )
    check.factor(float(scale_of(check.source)), _MOST_SCALE)


def _argument(source: Tensor, most_shift: int) -> dict[str, int]:
    """Multiplier and shift from the input to units of 1 / (3 * 4096), three quarters of which the tables take."""
    scale = float(scale_of(source))
    power = np.log2(scale)
    shift = _FRACTION - _INTEGER_BITS + round(power)
    if abs(power - round(power)) < 1e-3 and 0 <= shift <= most_shift:
        return {"multiplier": 3 << shift, "right": 0}
    multiplier, right = scale * 4096.0 * 3.0, 0
    while multiplier <= _LARGEST_MULTIPLIER and right < _MOST_SHIFT:
        multiplier, right = multiplier * 2, right + 1
    return {"multiplier": int(multiplier), "right": right}


def _function(layer: Layer, kernel: str, most_shift: int) -> Step:
    fields = {"elements": layer.source.elements, **_argument(layer.source, most_shift), "sigmoid": "sigmoid"}
    source = layer.held(layer.source)
    return layer.step(
        kernel,
        Struct("scn_wide_function_t", fields),
        (source, layer.target.index),
        tables=(Table("sigmoid", "uint16_t", sigmoid_table()),),
        overwrites=(source,),
    )


def _logistic(layer: Layer) -> Step:
    return _function(layer, "scn_logistic_s16", 0)


def _tanh(layer: Layer) -> Step:
    return _function(layer, "scn_tanh_s16", 1)


def _check_softmax(check: Checker) -> None:
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.require(1 <= len(check.source.shape) <= MAX_RANK, f"shape {check.source.shape}")
    check.require(check.source.shape[-1] <= _MOST_UINT16, f"{check.source.shape[-1]:,} classes")
    near = abs(float(scale_of(check.target)) * 2.0**_FRACTION - 1) <= 1e-3
    check.require(near, "output is not quantized to 1/32768")
    beta = float(check.attributes["beta"])
    check.require(math.isfinite(beta) and beta > 0, f"beta {beta}", "use a positive beta")
    check.factor(_softmax_factor(check.source, beta), 2.0**14)


def _softmax_factor(source: Tensor, beta: float) -> float:
    return float(np.float64(scale_of(source) * np.float32(beta)) / (_SOFTMAX_REACH / 65535.0))


def _softmax(layer: Layer) -> Step:
    depth = layer.source.shape[-1]
    multiplier, shift = quantize_multiplier(_softmax_factor(layer.source, float(layer.operator.attributes["beta"])))
    fields = {
        "rows": layer.source.elements // depth,
        "depth": depth,
        "scale": {"multiplier": multiplier, "shift": shift},
        "exponential": "exponential",
        "inverse": "inverse",
    }
    source = layer.held(layer.source)
    exponential = softmax_table(np.exp, -_SOFTMAX_REACH, _SOFTMAX_REACH)
    inverse = softmax_table(lambda x: 1 / (1 + x), 0.0, 1.0)
    return layer.step(
        "scn_softmax_s16",
        Struct("scn_wide_softmax_t", fields),
        (source, layer.target.index),
        tables=(Table("exponential", "int16_t", exponential), Table("inverse", "int16_t", inverse)),
        overwrites=(source,),
    )


LOGISTIC, TANH, SOFTMAX = Wide(_logistic, _check_function), Wide(_tanh, _check_function), Wide(_softmax, _check_softmax)
