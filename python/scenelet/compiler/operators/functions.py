"""Functions of one value: for each operator, what the 256 INT8 values become.

The interpreter evaluates most of them in float32, once for each value; some have integer kernels of their own, whose
roundings are followed. Whatever the function, the step is scn_lut_s8.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Tensor
from ..numerics.elementwise import scaled
from ..numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    quantize_multiplier,
    scale_of,
    single_factor,
    zero_point_of,
)
from ..numerics.inverses import inverse_sqrt
from ..program import Step
from .checker import Checker
from .layer import Layer, mapped, multiplier

_VALUES = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
_CALIBRATE = "calibrate with representative data"
_RSQRT_BITS = 20
"""Fraction bits that the interpreter gives a reciprocal root before it rescales it."""

Floats = NDArray[np.float32]
TableOf = Callable[[Tensor, Tensor, Mapping[str, Any]], NDArray[np.int8]]
"""From input, output and options to what -128 .. 127 become."""


class _UnfitError(ValueError):
    """A table that the interpreter cannot make; its arguments are problem and remedy."""


def check_function(check: Checker) -> None:
    """One INT8 input and output of one shape, and scales with which the function is defined."""
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    try:
        FUNCTIONS[check.operator.op](check.source, check.target, check.attributes)
    except _UnfitError as error:
        check.refuse(*error.args)


def function(layer: Layer) -> Step:
    """A function of one value as one table for all channels."""
    return mapped(layer, FUNCTIONS[layer.operator.op](layer.source, layer.target, layer.operator.attributes))


def _clamped(values: NDArray[Any]) -> NDArray[np.int8]:
    return np.asarray(np.clip(values, INT8_MIN, INT8_MAX), np.int8)


def _real(source: Tensor) -> Floats:
    """The real numbers that the 256 values stand for."""
    return np.asarray(scale_of(source) * (_VALUES - zero_point_of(source)).astype(np.float32), np.float32)


def _require_steps(steps: Floats) -> None:
    """Refuse results that the interpreter's cast to int32 leaves undefined."""
    if not np.all(np.abs(steps.astype(np.float64)) < 2**31):
        raise _UnfitError("its results reach more than 2^31 steps of its output", _CALIBRATE)


def _evaluated(source: Tensor, target: Tensor, apply: Callable[[Floats], Floats]) -> NDArray[np.int8]:
    """Every operation in float32, halves rounded away from zero, as TFLite does."""
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.asarray(apply(_real(source)) * (np.float32(1) / scale_of(target)), np.float32)
    _require_steps(steps)
    rounded = np.copysign(np.floor(np.abs(steps.astype(np.float64)) + 0.5), steps)
    return _clamped(rounded + zero_point_of(target))


def _in_float32(apply: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> TableOf:
    """A function of the C library: through float64, it is as near to the real result as float32 can be."""

    def once(values: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return apply(values.astype(np.float64)).astype(np.float32)

    return lambda source, target, _options: _evaluated(source, target, once)


def _logistic(source: Tensor, target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    scale = float(scale_of(target))
    if scale != 1 / 256:
        raise _UnfitError(f"output has scale {scale:.6g}, not 1/256", "convert the model again")

    def sigmoid(values: Floats) -> Floats:
        falling = np.exp(-values.astype(np.float64)).astype(np.float32)
        return np.asarray(np.float32(1) / (np.float32(1) + falling), np.float32)

    return _evaluated(source, target, sigmoid)


def _log(source: Tensor, target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    least = np.float32(INT8_MIN - zero_point_of(target)) * scale_of(target)

    def log(values: Floats) -> Floats:
        positive = np.where(values > 0, values, 1).astype(np.float64)
        return np.where(values > 0, np.log(positive).astype(np.float32), least).astype(np.float32)

    return _evaluated(source, target, log)


def _gelu(source: Tensor, target: Tensor, options: Mapping[str, Any]) -> NDArray[np.int8]:
    half, root = np.float32(0.5), np.float32(math.sqrt(0.5))

    def through_erfc(values: Floats) -> Floats:
        tails = [math.erfc(float(value)) for value in np.asarray(values * -root, np.float32)]
        return np.asarray(half * values * np.array(tails, np.float32), np.float32)

    def through_tanh(values: Floats) -> Floats:
        cubic = np.asarray(np.float32(0.044715) * values * values * values, np.float32)
        inner = np.asarray(np.float32(math.sqrt(2 / math.pi)) * (values + cubic), np.float32)
        return np.asarray(half * values * (np.float32(1) + np.tanh(inner.astype(np.float64)).astype(np.float32)))

    return _evaluated(source, target, through_tanh if options.get("approximate", False) else through_erfc)


def _absolute(source: Tensor, target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    distances = np.abs(_VALUES - zero_point_of(source))
    if scale_of(source) != scale_of(target):
        distances = scaled(distances, multiplier(_factor(single_factor(source, target))))
    return _clamped(distances + zero_point_of(target))


def _negative(_source: Tensor, _target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    return (-_VALUES).astype(np.int8)


def _root(source: Tensor, target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    _require_positive(source)
    steps = np.asarray(np.sqrt(_real(source)) / scale_of(target), np.float32)
    _require_steps(steps)
    return _clamped(steps.astype(np.int64) + zero_point_of(target))


def _reciprocal_root(source: Tensor, target: Tensor, _options: Mapping[str, Any]) -> NDArray[np.int8]:
    _require_positive(source)
    factor = 1.0 / float(np.sqrt(scale_of(source)) * scale_of(target))
    value, shift = quantize_multiplier(_factor(factor))
    if shift - _RSQRT_BITS < -31:
        raise _UnfitError(f"scales its result by {factor:.3g}", _CALIBRATE)
    rescale = {"multiplier": value, "shift": shift - _RSQRT_BITS}
    roots = [inverse_sqrt(int(distance)) for distance in _VALUES - zero_point_of(source)]
    one = np.ones(1, np.int64)
    fine = [scaled(one, {"multiplier": root, "shift": left + _RSQRT_BITS}) for root, left in roots]
    made = _clamped(scaled(np.concatenate(fine), rescale) + zero_point_of(target))
    return np.where(zero_point_of(source) == _VALUES, np.int8(INT8_MAX), made)


def _require_positive(source: Tensor) -> None:
    zero_point = zero_point_of(source)
    if zero_point != INT8_MIN:
        problem = f"its input has zero point {zero_point} and can be negative, where TFLite stops"
        raise _UnfitError(problem, "put a RELU before it, and convert the model again")


def _factor(value: float) -> float:
    if not value < 2.0**30:
        raise _UnfitError(f"scales its result by {value:.3g}", _CALIBRATE)
    return value


FUNCTIONS: Mapping[str, TableOf] = {
    "ABS": _absolute,
    "ELU": _in_float32(lambda values: np.where(values < 0, np.expm1(np.minimum(values, 0)), values)),
    "EXP": _in_float32(np.exp),
    "GELU": _gelu,
    "LOG": _log,
    "LOGISTIC": _logistic,
    "NEG": _negative,
    "RSQRT": _reciprocal_root,
    "SQRT": _root,
    "TANH": _in_float32(np.tanh),
}
"""By TFLite's name."""
