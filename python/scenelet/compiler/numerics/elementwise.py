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


def scaled(values: Integers, factor: Mapping[str, Any]) -> Integers:
    """Multiply by a factor like the engine's ``scn_scale``: both of TFLite's roundings.

    Parameters
    ----------
    values
        int32 values.
    factor
        scn_multiplier_t: "multiplier" 0..2^31-1 and "shift" -31..30, one for all values or one for each.

    Returns
    -------
    Integers
        int32 values, wrapped where the engine's wrap.
    """
    left, right = np.maximum(factor["shift"], 0), np.maximum(-factor["shift"], 0)
    high = (_wrapped(values << left) * factor["multiplier"] + (1 << 30)) >> 31
    rounded = (((high - (high < 0)) >> np.maximum(right - 1, 0)) + 1) >> 1
    made: Integers = np.where(right == 0, high, rounded)
    return made


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
    """Quotients times a factor, as scn_div_s8 computes them."""
    dividends, divisors = np.broadcast_arrays(one - fields["zero_point1"], other - fields["zero_point2"])
    divisors = np.where(divisors == 0, 1, divisors)
    sizes, which = np.unique(np.abs(divisors), return_inverse=True)
    inverses, rights = np.array([reciprocal(size) for size in sizes.tolist()], np.int64).T[
        :, which.reshape(divisors.shape)
    ]
    dividends = np.where(divisors < 0, -dividends, dividends)
    _, bits = np.frexp(np.where(dividends >= 0, dividends, ~dividends).astype(np.float64))
    headrooms = 31 - bits.astype(np.int64)
    high = ((dividends << headrooms) * inverses + (1 << 30)) >> 31
    factor = {"multiplier": fields["scale"]["multiplier"], "shift": fields["scale"]["shift"] - rights - headrooms}
    return _clamped(np.where(dividends == 0, 0, scaled(high, factor)), fields)


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
