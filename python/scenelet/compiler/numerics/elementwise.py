"""What the element-wise kernels compute, for arrays, from the same integer parameters: see scn_elementwise_ops.h.

With a constant per channel as its second operand, each of them is a map from 256 values to 256 values. The host
evaluates it here once instead of the board at every value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..program import Struct
from .fixed_point import ADD_LEFT_SHIFT, INT8_MAX, INT8_MIN, SQUARE_LEFT_SHIFT
from .inverses import reciprocal

Integers = NDArray[np.int64]


def scaled(values: Integers, factor: Mapping[str, int]) -> Integers:
    """Multiply by a factor like the engine's ``scn_scale``: both of TFLite's roundings.

    Parameters
    ----------
    values
        int32 values.
    factor
        scn_multiplier_t: "multiplier" 0..2^31-1 and "shift" -31..30.

    Returns
    -------
    Integers
        int32 values, wrapped where the engine's wrap.
    """
    left, right = max(factor["shift"], 0), max(-factor["shift"], 0)
    high = (_wrapped(values << left) * factor["multiplier"] + (1 << 30)) >> 31
    if right == 0:
        return high
    return (((high - (high < 0)) >> (right - 1)) + 1) >> 1


def _wrapped(values: Integers) -> Integers:
    return (values + 2**31) % 2**32 - 2**31


def _clamped(values: Integers, fields: Mapping[str, Any]) -> Integers:
    moved = _wrapped(values + fields["output_zero_point"])
    return np.clip(moved, fields.get("activation_min", INT8_MIN), fields.get("activation_max", INT8_MAX))


def _multiply(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    product = (one - fields["zero_point1"]) * (other - fields["zero_point2"])
    return _clamped(scaled(product, fields["scale"]), fields)


def _add(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    first = scaled((one - fields["zero_point1"]) << ADD_LEFT_SHIFT, fields["scale1"])
    second = scaled((other - fields["zero_point2"]) << ADD_LEFT_SHIFT, fields["scale2"])
    return _clamped(scaled(first + second, fields["output_scale"]), fields)


def _subtract(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    first = scaled((one - fields["zero_point1"]) << ADD_LEFT_SHIFT, fields["scale1"])
    second = scaled((other - fields["zero_point2"]) << ADD_LEFT_SHIFT, fields["scale2"])
    return _clamped(scaled(first - second, fields["output_scale"]), fields)


def _squared_difference(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    first = scaled((one - fields["zero_point1"]) << SQUARE_LEFT_SHIFT, fields["scale1"])
    second = scaled((other - fields["zero_point2"]) << SQUARE_LEFT_SHIFT, fields["scale2"])
    return _clamped(scaled((first - second) ** 2, fields["output_scale"]), fields)


def _divide(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    dividends, divisors = np.broadcast_arrays(one - fields["zero_point1"], other - fields["zero_point2"])
    pairs = zip(dividends.ravel().tolist(), divisors.ravel().tolist(), strict=True)
    made = [_quotient(dividend, divisor or 1, fields["scale"]) for dividend, divisor in pairs]
    return _clamped(np.array(made, np.int64).reshape(dividends.shape), fields)


def _quotient(dividend: int, divisor: int, factor: Mapping[str, int]) -> int:
    """One quotient times a factor, as scn_div_s8 computes it."""
    if dividend == 0:
        return 0
    dividend = -dividend if divisor < 0 else dividend
    inverse, right = reciprocal(abs(divisor))
    headroom = 31 - (dividend if dividend >= 0 else ~dividend).bit_length()
    high = ((dividend << headroom) * inverse + (1 << 30)) >> 31
    by = {"multiplier": factor["multiplier"], "shift": factor["shift"] - right - headroom}
    return int(scaled(np.array([high], np.int64), by)[0])


def _extremum(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    return np.maximum(one, other) if fields["largest"] else np.minimum(one, other)


def _prelu(fields: Mapping[str, Any], one: Integers, other: Integers) -> Integers:
    value, slope = one - fields["zero_point"], other - fields["alpha_zero_point"]
    falling = scaled(value * slope, fields["alpha_scale"])
    return _clamped(np.where(value >= 0, scaled(value, fields["scale"]), falling), fields)


def _quantize(fields: Mapping[str, Any], one: Integers, _other: Integers) -> Integers:
    return _clamped(scaled(one - fields["input_zero_point"], fields["scale"]), fields)


_EVALUATORS: dict[str, Callable[[Mapping[str, Any], Integers, Integers], Integers]] = {
    "scn_add_t": _add,
    "scn_div_t": _divide,
    "scn_extremum_t": _extremum,
    "scn_mul_t": _multiply,
    "scn_prelu_t": _prelu,
    "scn_quantize_t": _quantize,
    "scn_squared_difference_t": _squared_difference,
    "scn_sub_t": _subtract,
}

MAPS = frozenset(_EVALUATORS)
"""Parameter structs that :func:`evaluate` knows."""


def evaluate(params: Struct, one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.int8]:
    """Compute an element-wise kernel's output.

    Parameters
    ----------
    params
        The kernel's struct, one of :data:`MAPS`.
    one, other
        INT8 operands in the kernel's order, broadcast to each other; QUANTIZE reads only ``one``.

    Returns
    -------
    NDArray[np.int8]
        In the operands' common shape.
    """
    made = _EVALUATORS[params.type](params.fields, np.asarray(one, np.int64), np.asarray(other, np.int64))
    return made.astype(np.int8)
