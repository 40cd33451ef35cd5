"""ADD, MUL and PRELU: two operands over one dense output, either of them broadcast, one of them perhaps a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...graph import Tensor
from ..arithmetic import scaled
from ..finishing import MOST_SHIFT
from ..fixedpoint import (
    ADD_LEFT_SHIFT,
    INT8_MAX,
    INT8_MIN,
    add_factors,
    multiply_factor,
    rescale_factor,
    zero_point_of,
)
from ..program import Step, Struct, Table
from .layer import Layer, four, multiplier, table

_HALF = 0.5
"""Factor of ADD's input with the larger scale."""


def add(layer: Layer) -> Step:
    """ADD: both inputs to twice the larger scale, sum, output scale."""
    one, other = layer.input(0), layer.input(1)
    scale1, scale2, output = add_factors(one, other, layer.target)
    if not one.constant and not other.constant and one.shape == other.shape:
        step = _sum(layer, (one, other) if scale1 == _HALF else (other, one), min(scale1, scale2), output)
        if step:
            return step
    fields = {
        **_shape_and_zero_points(layer),
        "scale1": multiplier(scale1),
        "scale2": multiplier(scale2),
        "output_scale": multiplier(output),
        **layer.activation(),
    }
    return _two_operands(layer, "scn_add_s8", Struct("scn_add_t", fields))


def _sum(layer: Layer, operands: tuple[Tensor, Tensor], factor: float, output: float) -> Step | None:
    """ADD of two whole maps, the one with the larger scale first; None where the quick rounding is not TFLite's."""
    coarse, fine = operands
    scale = multiplier(output)
    whole = layer.activation() == {"activation_min": INT8_MIN, "activation_max": INT8_MAX}
    right = -scale["shift"]
    if not whole or not 1 <= right <= MOST_SHIFT:
        return None
    values = (np.arange(INT8_MIN, INT8_MAX + 1) - zero_point_of(fine)) << ADD_LEFT_SHIFT
    table = 2 * scaled(values, multiplier(factor)) - (zero_point_of(coarse) << ADD_LEFT_SHIFT)
    fields = {
        "elements": layer.target.elements,
        "table": "table",
        "multiplier": scale["multiplier"],
        "added": (1 << (right - 1)) + zero_point_of(layer.target) * (1 << right),
        "right": right,
    }
    held = layer.held(coarse), layer.held(fine)
    step = layer.step(
        "scn_sum_s8",
        Struct("scn_sum_t", fields),
        (*held, layer.target.index),
        tables=(Table("table", "int32_t", table.astype(np.int32)),),
        overwrites=tuple(dict.fromkeys(held)),
    )
    return replace(step, reads=tuple(dict.fromkeys(held)))  # a segment hands rows in in this order


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
