"""MAX_POOL_2D, AVERAGE_POOL_2D, MEAN and RESIZE_BILINEAR: their rules, and their lowering."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph import Tensor
from ..numerics.fixed_point import quantize_multiplier, rescale_factor
from ..program import Step, Struct, Table
from .checker import MAX_RANK, Checker
from .layer import Layer, dims, four, values, window

_MAX_MEAN = 1 << 23
"""Values whose sum fits int32."""

_ONE = 1 << 10
"""A pixel's distance from the next one in RESIZE_BILINEAR's integers."""


def check_pool(check: Checker) -> None:
    """Any window and stride; one scale."""
    check.inputs(1, 1)
    check.flow()
    check.image()
    check.fused()
    check.same_scale()
    kernel = int(check.attributes["filter_height"]), int(check.attributes["filter_width"])
    check.require(min(kernel) >= 1, f"window {kernel}")
    check.window(kernel, check.source.shape[3])


def check_mean(check: Checker) -> None:
    """Any axes of up to four dimensions."""
    check.inputs(2, 2)
    check.flow()
    rank = len(check.source.shape)
    check.require(1 <= rank <= MAX_RANK, f"{rank} dimensions", f"use at most {MAX_RANK}")
    listed = np.ravel(np.asarray(check.constant(1, "list of axes", "int32").data)).tolist()
    axes = {axis % rank for axis in listed if -rank <= axis < rank}
    check.require(len(axes) > 0 and len(listed) == len(axes), f"axes {listed}")
    kept = bool(check.attributes.get("keep_dims", False))
    sizes = [(1 if i in axes else size) for i, size in enumerate(check.source.shape) if kept or i not in axes]
    check.shape(tuple(sizes))
    check.factor(rescale_factor(check.source, check.target))
    count = math.prod(check.source.shape[axis] for axis in axes)
    check.require(count <= _MAX_MEAN, f"mean over {count:,} values", "use a smaller feature map")


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
    # With padding before the first input, an output can overwrite an input that a later window still reads.
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


def check_resize_bilinear(check: Checker) -> None:
    """A constant size; one scale; no pixel past the last, where the interpreter would read."""
    check.inputs(2, 2)
    check.flow()
    check.image()
    check.same_scale()
    size = np.ravel(np.asarray(check.constant(1, "size", "int32").data)).tolist()
    check.require(len(size) == 2 and min(size) >= 1, f"size {size}")
    aligned, centred = _options(check.attributes)
    check.require(not (aligned and centred), "align_corners and half_pixel_centers at once", "use one of them")
    batch, height, width, channels = check.source.shape
    check.shape((batch, *size, channels))
    for given, wanted in ((height, size[0]), (width, size[1])):
        past = _between(given, wanted, aligned, centred)[:, 0].max() >= given
        check.require(not past, f"resizes {given} to {wanted}, where TFLite reads past the last", "use another size")


def _options(attributes: Mapping[str, Any]) -> tuple[bool, bool]:
    return bool(attributes.get("align_corners", False)), bool(attributes.get("half_pixel_centers", False))


def resize_bilinear(layer: Layer) -> Step:
    """RESIZE_BILINEAR: where each row and column lies between two of the input's."""
    rows, columns = np.ravel(values(layer.input(1))).tolist()
    options = _options(layer.operator.attributes)
    _, height, width, _ = layer.source.shape
    fields = {"input": dims(layer.source), "output": dims(layer.target), "row": "row", "column": "column"}
    return layer.step(
        "scn_resize_bilinear_s8",
        Struct("scn_resize_bilinear_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(
            Table("row", "scn_between_t", _between(height, rows, *options)),
            Table("column", "scn_between_t", _between(width, columns, *options)),
        ),
    )


def _between(given: int, wanted: int, aligned: bool, centred: bool) -> NDArray[np.int32]:
    """scn_between_t of one axis, (wanted, 3), in the interpreter's integers: 1024ths of a pixel."""
    steps, spans = (given - 1, wanted - 1) if aligned and wanted > 1 else (given, wanted)
    scale = (_ONE * steps + spans // 2) // spans
    places = np.arange(wanted, dtype=np.int64) * scale
    if centred:
        places = places + scale // 2 - _ONE // 2
    low = np.maximum(np.trunc(places / _ONE).astype(np.int64), 0)
    high = np.minimum(np.trunc((places + _ONE - 1) / _ONE).astype(np.int64), given - 1)
    return np.stack([low, high, places - _ONE * low], axis=1).astype(np.int32)
