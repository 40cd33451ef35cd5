"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels import dense
from ..kernels.direct import pack_conv2d
from ..numerics.fixed_point import (
    INT8_MAX,
    INT8_MIN,
    channel_factors,
    fine_multiplier,
    quantize_multipliers,
    zero_point_of,
)
from ..numerics.ranges import padding_before
from ..program import SCRATCH, Step, Struct, Table
from .layer import Layer, dims, table, values


def convolution(layer: Layer) -> Step:
    """CONV_2D: weights in channel pairs, scratch for four widened windows."""
    weights = layer.input(1)
    channels, height, width, depth = weights.shape
    packed = pack_conv2d(values(weights))
    slide = window(layer, height, width)
    columns = _columns_seen(layer, slide)
    scratch = 8 * height * (-(-columns * depth // 2) * 2)
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": slide,
        **_common(layer),
    }
    return layer.step(
        "scn_conv2d_s8",
        Struct("scn_conv2d_t", fields),
        (layer.held(layer.source), layer.target.index, SCRATCH),
        tables=(Table("weights", "int8_t", packed.ravel()), *_bias(layer), _scale(layer, channels)),
        scratch_bytes=scratch,
        claims=(
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
    """DEPTHWISE_CONV_2D: weights as in the .tflite, no scratch."""
    weights = layer.input(1)
    _, height, width, channels = weights.shape
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": window(layer, height, width),
        "depth_multiplier": int(layer.operator.attributes["depth_multiplier"]),
        **_common(layer),
    }
    return layer.step(
        "scn_depthwise_conv2d_s8",
        Struct("scn_depthwise_conv2d_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(table("weights", weights), *_bias(layer), _scale(layer, channels)),
    )


def fully_connected(layer: Layer) -> Step:
    """FULLY_CONNECTED in fours of outputs where that is exact, else with weights as in the .tflite."""
    return _in_fours(layer) or _one_by_one(layer)


def _in_fours(layer: Layer) -> Step | None:
    """FULLY_CONNECTED by scn_dense_s8; None where that is not exact for every input."""
    weights = values(layer.input(1))
    outputs, inputs = weights.shape
    bias = values(layer.input(2)).astype(np.int64).ravel() if layer.has_input(2) else np.zeros(outputs, np.int64)
    low, high = dense.sums(weights, bias, zero_point_of(layer.source))
    made = dense.pair_weights(weights)
    if made is None or layer.activation() != {"activation_min": INT8_MIN, "activation_max": INT8_MAX}:
        return None
    if max(-low.min(), high.max()) >= dense.SUM_LIMIT:
        return None
    zero_point = zero_point_of(layer.target)
    found = [
        dense.rescale(float(factor), zero_point, int(least), int(most))
        for factor, least, most in zip(_factors(layer, outputs), low, high, strict=True)
    ]
    rescales = [one for one in found if one is not None]
    if len(rescales) < outputs:
        return None
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "outputs": outputs,
        "input_zero_point": zero_point_of(layer.source),
        "paired": "paired",
        "expanded": None,
        "requantize": "requantize",
    }
    scratch = 2 * (-(-inputs // dense.STEP) * dense.STEP)
    return layer.step(
        "scn_dense_s8",
        Struct("scn_dense_t", fields),
        (layer.held(layer.source), layer.target.index, SCRATCH),
        tables=(Table("paired", "int16_t", made.ravel()), dense.requantize_table(bias, rescales)),
        scratch_bytes=scratch,
        claims=(f"SCN_DENSE_SCRATCH_BYTES({inputs}) == {scratch}",),
    )


def _one_by_one(layer: Layer) -> Step:
    weights = layer.input(1)
    outputs, inputs = weights.shape
    scratch = 2 * (-(-inputs // 4) * 4)
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "outputs": outputs,
        **_common(layer),
    }
    return layer.step(
        "scn_fully_connected_s8",
        Struct("scn_fully_connected_t", fields),
        (layer.held(layer.source), layer.target.index, SCRATCH),
        tables=(table("weights", weights), *_bias(layer), _fine_scale(layer, outputs)),
        scratch_bytes=scratch,
        claims=(f"SCN_FULLY_CONNECTED_SCRATCH_BYTES({inputs}) == {scratch}",),
    )


def window(layer: Layer, height: int, width: int) -> dict[str, int]:
    """scn_window_t of an operator that slides over a feature map."""
    attributes = layer.operator.attributes
    stride_h, stride_w = int(attributes["stride_h"]), int(attributes["stride_w"])
    dilation_h = int(attributes.get("dilation_h_factor", 1))
    dilation_w = int(attributes.get("dilation_w_factor", 1))
    _, rows, columns, _ = layer.source.shape
    _, out_rows, out_columns, _ = layer.target.shape
    same = attributes["padding"] == "SAME"
    return {
        "height": height,
        "width": width,
        "stride_h": stride_h,
        "stride_w": stride_w,
        "dilation_h": dilation_h,
        "dilation_w": dilation_w,
        "pad_top": padding_before(rows, height, stride_h, dilation_h, out_rows) if same else 0,
        "pad_left": padding_before(columns, width, stride_w, dilation_w, out_columns) if same else 0,
    }


def _common(layer: Layer) -> dict[str, int | str | None]:
    return {
        "weights": "weights",
        "bias": "bias" if layer.has_input(2) else None,
        "scale": "scale",
        **layer.zero_points(),
        **layer.activation(),
    }


def _bias(layer: Layer) -> tuple[Table, ...]:
    return (table("bias", layer.input(2)),) if layer.has_input(2) else ()


def _factors(layer: Layer, channels: int) -> NDArray[np.float64]:
    """One factor an output channel; a per-tensor scale repeated."""
    return np.broadcast_to(channel_factors(layer.source, layer.input(1), layer.target), channels)


def _scale(layer: Layer, channels: int) -> Table:
    multipliers, shifts = quantize_multipliers(_factors(layer, channels))
    return Table("scale", "scn_multiplier_t", np.stack([multipliers, shifts], axis=1))


def _fine_scale(layer: Layer, channels: int) -> Table:
    parts = [fine_multiplier(float(factor)) for factor in _factors(layer, channels)]
    return Table("scale", "scn_fine_multiplier_t", np.array(parts, np.int32))
