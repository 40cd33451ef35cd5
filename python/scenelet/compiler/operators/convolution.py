"""CONV_2D and DEPTHWISE_CONV_2D: their rules, and their lowering."""

from __future__ import annotations

from ..kernels.direct import pack_conv2d
from ..program import SCRATCH, Step, Struct, Table
from .checker import Checker
from .layer import Layer, bias_tables, common_fields, convolution_weights, dims, scale_table, table, window


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
