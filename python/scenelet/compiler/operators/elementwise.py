"""ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE, MINIMUM, MAXIMUM and PRELU: two operands over one dense output.

Either operand may be broadcast, and one of them a constant.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...graph import Tensor
from ..kernels import fused_add
from ..numerics.elementwise import evaluate
from ..numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    add_factors,
    divide_factor,
    multiply_factor,
    quantize_multiplier,
    rescale_factor,
    squared_factors,
    zero_point_of,
)
from ..program import Step, Struct, Table
from .checker import MAX_RANK, Checker
from .layer import Layer, four, multiplier, table

_MOST_DIVIDED = 23
"""Bits of DIV's factor that the interpreter's shifts have room for."""


def check_elementwise(check: Checker) -> None:
    """Shapes that broadcast, at most one constant."""
    check.inputs(2, 2)
    check.fused()
    check.activation(check.target, "output")
    operands = [check.graph.tensors[index] for index in check.operator.inputs]
    for number, tensor in enumerate(operands, 1):
        check.activation(tensor, f"input {number}")
        check.require(tensor.data is not None or not tensor.constant, f"input {number} has no values")
    check.require(not all(tensor.constant for tensor in operands), "both inputs are constants", "fold them")
    try:
        expected = np.broadcast_shapes(*(tensor.shape for tensor in operands))
    except ValueError:
        check.refuse(f"input shapes {operands[0].shape} and {operands[1].shape} do not match", "convert again")
    check.shape(tuple(expected))
    if check.operator.op in ("ADD", "SUB"):
        check.factor(add_factors(operands[0], operands[1], check.target)[2], 1.0)
    elif check.operator.op == "MUL":
        check.factor(multiply_factor(operands[0], operands[1], check.target))
    elif check.operator.op == "SQUARED_DIFFERENCE":
        check.factor(squared_factors(operands[0], operands[1], check.target)[2], 1.0)
    elif check.operator.op == "DIV":
        _check_quotients(check, operands[0], operands[1])
    check.require(len(expected) <= MAX_RANK, f"{len(expected)} dimensions", f"use at most {MAX_RANK}")


def _check_quotients(check: Checker, dividend: Tensor, divisor: Tensor) -> None:
    """Require a factor with which the interpreter's shifts are defined, and constant divisors other than 0."""
    factor = divide_factor(dividend, divisor, check.target)
    check.factor(factor, 2.0**_MOST_DIVIDED)
    listed = np.arange(INT8_MIN, INT8_MAX + 1) if divisor.data is None else divisor.data.astype(np.int64)
    distances = np.abs(listed - zero_point_of(divisor))
    check.require(divisor.data is None or bool(np.all(distances)), "divides by 0", "use another constant")
    # Small quotients are shifted by more than 31 bits where the factor does not make up for the divisor's size.
    least = int(distances.max()).bit_length() - 1
    problem = f"scales its quotients by {factor:.3g}, less than the {2 ** (least - 1):,} that TFLite's kernel needs"
    check.require(quantize_multiplier(factor)[1] >= least, problem, "multiply by the reciprocal instead")


def check_prelu(check: Checker) -> None:
    """A constant slope that broadcasts to the input."""
    check.inputs(2, 2)
    check.flow()
    check.shape(check.source.shape)
    alpha = check.constant(1, "slope", "int8")
    check.activation(alpha, "slope")
    check.factor(rescale_factor(check.source, check.target))
    check.factor(multiply_factor(check.source, alpha, check.target))
    check.require(len(check.source.shape) <= MAX_RANK, f"shape {check.source.shape}", f"use at most {MAX_RANK}")
    try:
        fits = np.broadcast_shapes(check.source.shape, alpha.shape) == check.source.shape
    except ValueError:
        fits = False
    check.require(fits, f"slope of shape {alpha.shape} for input {check.source.shape}")


def add(layer: Layer) -> Step:
    """ADD: both inputs to twice the larger scale, sum, output scale."""
    params = Struct("scn_add_t", _sum_fields(layer))
    return _sum(layer, params, (1, -1)) or add_alone(layer)


def add_alone(layer: Layer) -> Step:
    """ADD by its own arithmetic, whatever its activation."""
    return _two_operands(layer, "scn_add_s8", Struct("scn_add_t", _sum_fields(layer)))


def subtract(layer: Layer) -> Step:
    """SUB: like ADD, the second input taken from the first."""
    params = Struct("scn_sub_t", _sum_fields(layer))
    return _sum(layer, params, (1,)) or _two_operands(layer, "scn_sub_s8", params)


def maximum(layer: Layer) -> Step:
    """MAXIMUM."""
    return _extremum(layer, largest=True)


def minimum(layer: Layer) -> Step:
    """MINIMUM."""
    return _extremum(layer, largest=False)


def _extremum(layer: Layer, *, largest: bool) -> Step:
    """MINIMUM or MAXIMUM of the INT8 values themselves: the interpreter looks at no scale."""
    fields = {"shape": broadcast(layer.input(0), layer.input(1), layer.target), "largest": largest}
    return _two_operands(layer, "scn_extremum_s8", Struct("scn_extremum_t", fields))


def squared_difference(layer: Layer) -> Step:
    """SQUARED_DIFFERENCE: both inputs to twice the larger scale, difference, square, output scale."""
    scale1, scale2, output = squared_factors(layer.input(0), layer.input(1), layer.target)
    fields = {
        **_shape_and_zero_points(layer),
        "scale1": multiplier(scale1),
        "scale2": multiplier(scale2),
        "output_scale": multiplier(output),
    }
    return _two_operands(layer, "scn_squared_difference_s8", Struct("scn_squared_difference_t", fields))


def divide(layer: Layer) -> Step:
    """DIV: the first input times the second one's reciprocal."""
    factor = divide_factor(layer.input(0), layer.input(1), layer.target)
    fields = {**_shape_and_zero_points(layer), "scale": multiplier(factor), **layer.activation()}
    return _two_operands(layer, "scn_div_s8", Struct("scn_div_t", fields))


def _sum_fields(layer: Layer) -> dict[str, object]:
    scale1, scale2, output = add_factors(layer.input(0), layer.input(1), layer.target)
    return {
        **_shape_and_zero_points(layer),
        "scale1": multiplier(scale1),
        "scale2": multiplier(scale2),
        "output_scale": multiplier(output),
        **layer.activation(),
    }


def _sum(layer: Layer, params: Struct, orders: tuple[int, ...]) -> Step | None:
    """ADD or SUB of two whole maps, one of them multiplied; None where that is not exact.

    ``orders`` is 1 for the first of them, -1 for the second, which a SUB would have to multiply by less than 0.
    """
    one, other = layer.input(0), layer.input(1)
    whole = layer.activation() == {"activation_min": INT8_MIN, "activation_max": INT8_MAX}
    if not whole or one.constant or other.constant or one.shape != other.shape:
        return None
    wanted = evaluate(params, fused_add.VALUES[:, None], fused_add.VALUES[None, :])
    operands = layer.input(0), layer.input(1)
    for order in orders:
        multiplied, tabled = operands[::order]
        found = fused_add.exact(wanted if order == 1 else wanted.T)
        if found is None:
            continue
        held = layer.held(multiplied), layer.held(tabled)
        step = layer.step(
            "scn_add_lut_s8",
            Struct("scn_add_lut_t", {"elements": layer.target.elements, "table": "table", "multiplier": found[0]}),
            (*held, layer.target.index),
            tables=(Table("table", "int32_t", found[1]),),
            overwrites=tuple(dict.fromkeys(held)),
        )
        return replace(step, reads=tuple(dict.fromkeys(held)))  # a segment hands rows in in this order
    return None


def multiply(layer: Layer) -> Step:
    """MUL: product of the offset inputs, one scale."""
    factor = multiply_factor(layer.input(0), layer.input(1), layer.target)
    fields = {**_shape_and_zero_points(layer), "scale": multiplier(factor), **layer.activation()}
    return _two_operands(layer, "scn_mul_s8", Struct("scn_mul_t", fields))


def prelu(layer: Layer) -> Step:
    """PRELU: slope from a constant, per channel or broadcast."""
    source, alpha, target = layer.source, layer.input(1), layer.target
    fields = {
        "shape": broadcast(source, alpha, target),
        "zero_point": zero_point_of(source),
        "alpha_zero_point": zero_point_of(alpha),
        "output_zero_point": zero_point_of(target),
        "scale": multiplier(rescale_factor(source, target)),
        "alpha_scale": multiplier(multiply_factor(source, alpha, target)),
    }
    return _two_operands(layer, "scn_prelu_s8", Struct("scn_prelu_t", fields))


def broadcast(one: Tensor, other: Tensor, target: Tensor) -> dict[str, tuple[int, ...]]:
    """scn_broadcast_t: the output's size, and how far each operand moves along each dimension."""
    return {
        "size": four(target.shape),
        "stride1": _strides(one.shape),
        "stride2": _strides(other.shape),
    }


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    sizes = four(shape)
    distances = [1]
    for size in reversed(sizes[1:]):
        distances.insert(0, distances[0] * size)
    return tuple(0 if size == 1 else distance for size, distance in zip(sizes, distances, strict=True))


def _shape_and_zero_points(layer: Layer) -> dict[str, object]:
    one, other = layer.input(0), layer.input(1)
    return {
        "shape": broadcast(one, other, layer.target),
        "zero_point1": zero_point_of(one),
        "zero_point2": zero_point_of(other),
        "output_zero_point": zero_point_of(layer.target),
    }


def _two_operands(layer: Layer, kernel: str, params: Struct) -> Step:
    operands = [layer.input(0), layer.input(1)]
    tables = tuple(table(f"operand{i}", tensor) for i, tensor in enumerate(operands, 1) if tensor.constant)
    arguments = tuple(f"operand{i}" if t.constant else layer.held(t) for i, t in enumerate(operands, 1))
    # A broadcast operand has fewer elements than the output: writing in place would destroy what is read again.
    whole = [t for t in operands if not t.constant and t.elements == layer.target.elements]
    return layer.step(
        kernel,
        params,
        (*arguments, layer.target.index),
        tables=tables,
        overwrites=tuple(dict.fromkeys(layer.held(tensor) for tensor in whole)),
    )
