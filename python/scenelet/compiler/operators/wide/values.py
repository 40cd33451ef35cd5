"""Pools, MEAN, ADD, MUL, QUANTIZE and the RELU family with int16 activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    INT16_MAX,
    INT16_MIN,
    activation_bounds,
    rescale_factor,
    single_factor,
    zero_point_of,
)
from ...program import Step, Struct
from .. import elementwise, pooling
from ..checker import FULL_INT8, Checker
from ..layer import Layer, Wide, multiplier

_MOST_SUMMED = 2**16 - 1
"""Values whose sum fits int32."""

_TYPES = ("int8", "int16")


def _check_pool(check: Checker) -> None:
    pooling.check_pool(check)
    count = int(check.attributes["filter_height"]) * int(check.attributes["filter_width"])
    check.require(count <= _MOST_SUMMED, f"pools {count:,} values", "use a smaller window")


def _check_mean(check: Checker) -> None:
    pooling.check_mean(check)
    count = check.source.elements // check.target.elements
    check.require(count <= _MOST_SUMMED, f"mean over {count:,} values", "use a smaller feature map")


def _check_add(check: Checker) -> None:
    elementwise.check_elementwise(check)
    # Where all scales are powers of two, the interpreter shifts instead; converters ask for the general form.
    shifted = bool(check.attributes.get("pot_scale_int16", True))
    tensors = [check.graph.tensors[index] for index in (*check.operator.inputs, check.target.index)]
    scales = np.log2([float(tensor.quantization.scale[0]) for tensor in tensors if tensor.quantization])
    powers = bool(np.all(np.abs(scales - np.round(scales)) < 1e-3))
    check.require(not (shifted and powers), "adds by shifts (pot_scale_int16)", "convert the model again")


def _check_quantize(check: Checker) -> None:
    check.inputs(1, 1)
    check.require(not check.source.constant, "its input is a constant", "fold constants when converting")
    check.shape(check.source.shape)
    for tensor, role in ((check.source, "input"), (check.target, "output")):
        check.require(tensor.dtype in _TYPES, f"{role} is {tensor.dtype}", FULL_INT8)
        quantization = tensor.quantization
        if quantization is None or quantization.per_channel or not quantization.scale[0] > 0:
            check.refuse(f"{role} has no scale", FULL_INT8)
        zero_point = zero_point_of(tensor)
        fits = zero_point == 0 if tensor.dtype == "int16" else INT8_MIN <= zero_point <= INT8_MAX
        check.require(fits, f"{role} has zero point {zero_point}")
    check.factor(rescale_factor(check.source, check.target))


def _renamed(step: Step, kernel: str, params: str | None = None) -> Step:
    """Make an INT8 kernel's call one of another kernel; structs of other names are no maps of INT8 values."""
    return replace(step, kernel=kernel, params=Struct(params, step.fields) if params else step.params)


def _max_pool(layer: Layer) -> Step:
    return _renamed(pooling.max_pool(layer), "scn_max_pool_s16")


def _average_pool(layer: Layer) -> Step:
    return _renamed(pooling.average_pool(layer), "scn_average_pool_s16")


def _mean(layer: Layer) -> Step:
    return _renamed(pooling.mean(layer), "scn_mean_s16")


def _add(layer: Layer) -> Step:
    return _renamed(elementwise.add_alone(layer), "scn_add_s16", "scn_wide_add_t")


def _multiply(layer: Layer) -> Step:
    return _renamed(elementwise.multiply(layer), "scn_mul_s16", "scn_wide_mul_t")


def _quantize(layer: Layer) -> Step:
    least, most = (INT16_MIN, INT16_MAX) if layer.target.dtype == "int16" else (INT8_MIN, INT8_MAX)
    kernel = {"int8": "scn_rescale_s8_s16", "int16": "scn_rescale_s16"}[layer.source.dtype]
    kernel = "scn_rescale_s16_s8" if layer.target.dtype == "int8" else kernel
    return _rescale(layer, kernel, rescale_factor(layer.source, layer.target), least, most)


def _relu(layer: Layer) -> Step:
    bounds = activation_bounds(layer.operator.op, layer.target)
    return _rescale(layer, "scn_rescale_s16", single_factor(layer.source, layer.target), *bounds)


def _rescale(layer: Layer, kernel: str, factor: float, least: int, most: int) -> Step:
    fields = {
        "elements": layer.source.elements,
        **layer.zero_points(),
        "scale": multiplier(factor),
        "activation_min": least,
        "activation_max": most,
    }
    source = layer.held(layer.source)
    in_place = layer.source.dtype == layer.target.dtype
    return layer.step(
        kernel,
        Struct("scn_rescale_t", fields),
        (source, layer.target.index),
        overwrites=(source,) if in_place else (),
    )


MAX_POOL, AVERAGE_POOL, MEAN = Wide(_max_pool, _check_pool), Wide(_average_pool, _check_pool), Wide(_mean, _check_mean)
ADD, MUL = Wide(_add, _check_add), Wide(_multiply)
QUANTIZE, RELU = Wide(_quantize, _check_quantize), Wide(_relu)
