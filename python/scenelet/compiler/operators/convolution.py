"""CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV: their rules, and their lowering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...graph import Operator
from ..kernels.direct import pack_conv2d
from ..numerics.ranges import output_extent, padding_before
from ..program import SCRATCH, Step, Struct, Table
from .checker import Checker
from .layer import Layer, bias_tables, common_fields, convolution_weights, dims, scale_table, table, window

_MOST_STRIDE = 0x7FFF


def check_convolution(check: Checker) -> None:
    """Any kernel, stride and dilation; no groups."""
    check.inputs(2, 3)
    check.flow()
    check.image()
    check.fused()
    weights = check.weights(1, 4, 0)
    channels, height, width, depth = weights.shape
    grouped = f"weights take {depth} channels, input has {check.source.shape[3]}"
    check.require(depth == check.source.shape[3], grouped, "use a convolution without groups")
    check.window((height, width), channels)
    check.sums(weights, 0, channels)


def check_depthwise(check: Checker) -> None:
    """Like CONV_2D, with any depth multiplier: that of the shapes, as TFLite takes it, whatever the options say."""
    check.inputs(2, 3)
    check.flow()
    check.image()
    check.fused()
    weights = check.weights(1, 4, 3)
    one, height, width, channels = weights.shape
    fits = one == 1 and channels % check.source.shape[3] == 0
    check.require(fits, f"weights {weights.shape} do not fit {check.source.shape[3]} channels")
    check.window((height, width), channels)
    check.sums(weights, 3, channels)


def convolution(layer: Layer) -> Step:
    """CONV_2D: weights in channel pairs, scratch for four widened windows."""
    weights = convolution_weights(layer.graph, layer.operator)
    channels, height, width, depth = weights.shape
    packed = pack_conv2d(weights)
    slide = window(layer, height, width)
    columns = _columns_seen(layer, slide)
    scratch = 8 * height * (-(-columns * depth // 2) * 2)
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": slide,
        **common_fields(layer),
    }
    return layer.step(
        "scn_conv2d_s8",
        Struct("scn_conv2d_t", fields),
        (layer.held(layer.source), layer.target.index, SCRATCH),
        tables=(Table("weights", "int8_t", packed.ravel()), *bias_tables(layer), scale_table(layer, channels)),
        scratch_bytes=scratch,
        static_asserts=(
            f"SCN_CONV2D_SCRATCH_BYTES({height}, {columns}, {depth}) == {scratch}",
            f"SCN_CONV2D_WEIGHT_BYTES({height}, {width}, {depth}, {channels}) == {packed.size}",
        ),
    )


def _columns_seen(layer: Layer, slide: dict[str, int]) -> int:
    """Columns of a window that count for any of four positions, as far as the kernel leaves out the others."""
    _, _, width, depth = layer.source.shape
    plain = slide["stride_w"] == slide["dilation_w"] == 1 and depth % 2 == 0
    return min(slide["width"], width + min(layer.target.shape[2], 4) - 1) if plain else slide["width"]


def depthwise(layer: Layer) -> Step:
    """DEPTHWISE_CONV_2D: weights as in the .tflite, no scratch; of one input channel, the CONV_2D that it equals."""
    if layer.source.shape[3] == 1 < layer.target.shape[3]:
        return convolution(layer)
    weights = layer.input(1)
    _, height, width, channels = weights.shape
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": window(layer, height, width),
        "depth_multiplier": channels // layer.source.shape[3],
        **common_fields(layer),
    }
    return layer.step(
        "scn_depthwise_conv2d_s8",
        Struct("scn_depthwise_conv2d_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(table("weights", weights), *bias_tables(layer), scale_table(layer, channels)),
    )


def _as_convolution(operator: Operator) -> Operator:
    """The operator with its inputs in CONV_2D's order: feature map, weights, bias; without the output's shape."""
    _shape, weights, source, *bias = operator.inputs
    return replace(operator, inputs=(source, weights, *bias))


def check_transpose_conv(check: Checker) -> None:
    """A constant output shape, whose convolution of the same kernel and stride has the input's shape."""
    check.inputs(3, 4)
    stated = check.constant(0, "output shape", "int32")
    check.shape(tuple(np.ravel(np.asarray(stated.data)).tolist()))
    inner = Checker(check.graph, _as_convolution(check.operator))
    inner.flow()
    inner.image()
    inner.fused()
    weights = inner.weights(1, 4, 0)
    channels, height, width, depth = weights.shape
    inner.require(depth == inner.source.shape[3], f"weights take {depth} channels, input has {inner.source.shape[3]}")
    strides = int(check.attributes["stride_h"]), int(check.attributes["stride_w"])
    inner.require(all(1 <= stride <= _MOST_STRIDE for stride in strides), f"strides {strides}")
    extents = [
        output_extent(size, kernel, stride, 1, check.attributes["padding"])
        for size, kernel, stride in zip(inner.target.shape[1:3], (height, width), strides, strict=True)
    ]
    expected = (inner.target.shape[0], *extents, depth)
    problem = f"input shape {inner.source.shape} where {expected} follows from the output's"
    inner.require(inner.source.shape == expected and inner.target.shape[3] == channels, problem)
    inner.sums(weights, 0, channels)


def transpose_conv(layer: Layer) -> Step:
    """TRANSPOSE_CONV: weights as in the .tflite, no scratch."""
    inner = Layer(layer.graph, _as_convolution(layer.operator), layer.aliases)
    weights = inner.input(1)
    channels, height, width, _ = weights.shape
    fields = {
        "input": dims(inner.source),
        "output": dims(inner.target),
        "window": _window(inner, height, width),
        **common_fields(inner),
    }
    return layer.step(
        "scn_transpose_conv_s8",
        Struct("scn_transpose_conv_t", fields),
        (layer.held(inner.source), layer.target.index),
        tables=(table("weights", weights), *bias_tables(inner), scale_table(inner, channels)),
    )


def _window(inner: Layer, height: int, width: int) -> dict[str, int]:
    """scn_window_t of the convolution that makes the input's size of the output's."""
    attributes = inner.operator.attributes
    stride_h, stride_w = int(attributes["stride_h"]), int(attributes["stride_w"])
    _, rows, columns, _ = inner.source.shape
    _, out_rows, out_columns, _ = inner.target.shape
    same = attributes["padding"] == "SAME"
    return {
        "height": height,
        "width": width,
        "stride_h": stride_h,
        "stride_w": stride_w,
        "dilation_h": 1,
        "dilation_w": 1,
        "pad_top": padding_before(out_rows, height, stride_h, 1, rows) if same else 0,
        "pad_left": padding_before(out_columns, width, stride_w, 1, columns) if same else 0,
    }
