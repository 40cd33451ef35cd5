"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED with int16 activations; their rules are those of INT8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...numerics.fixed_point import fine_multiplier, quantize_multiplier
from ...program import SCRATCH, Step, Struct, Table
from ..layer import Layer, Wide, dims, factors, table, values, window

_REDUCED = 16
"""Bits that the interpreter takes off a multiplier of 64-bit sums."""

_WORD = 32

_LARGEST, _LARGEST_MULTIPLIER = 0x7FFF0000, 0x7FFF


def _convolution(layer: Layer) -> Step:
    channels, height, width, depth = layer.input(1).shape
    step = _slide(layer, "scn_conv2d_s16", channels, height, width)
    scratch = 2 * height * width * depth
    stated = f"SCN_WIDE_CONV_SCRATCH_BYTES({height}, {width}, {depth}) == {scratch}"
    arguments = (*step.arguments, SCRATCH)
    return replace(step, arguments=arguments, scratch_bytes=scratch, static_asserts=(stated,))


def _depthwise(layer: Layer) -> Step:
    _, height, width, channels = layer.input(1).shape
    return _slide(layer, "scn_depthwise_conv2d_s16", channels, height, width)


def _slide(layer: Layer, kernel: str, channels: int, height: int, width: int) -> Step:
    fields = {
        "input": dims(layer.source),
        "output": dims(layer.target),
        "window": window(layer, height, width),
        **_weights_and_bias(layer),
        **layer.activation(),
    }
    return layer.step(
        kernel,
        Struct("scn_wide_conv_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(table("weights", layer.input(1)), *_bias_tables(layer), _scales(factors(layer, channels))),
    )


def _fully_connected(layer: Layer) -> Step:
    outputs, inputs = layer.input(1).shape
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "outputs": outputs,
        **_weights_and_bias(layer),
        **layer.activation(),
    }
    parts = [fine_multiplier(float(factor)) for factor in factors(layer, outputs)]
    scale = Table("scale", "scn_fine_multiplier_t", np.array(parts, np.int32))
    return layer.step(
        "scn_fully_connected_s16",
        Struct("scn_wide_dense_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(table("weights", layer.input(1)), *_bias_tables(layer), scale),
    )


def _weights_and_bias(layer: Layer) -> dict[str, str | None]:
    return {"weights": "weights", "bias": "bias" if layer.has_input(2) else None, "scale": "scale"}


def _bias_tables(layer: Layer) -> tuple[Table, ...]:
    return (Table("bias", "int64_t", values(layer.input(2)).ravel()),) if layer.has_input(2) else ()


def _scales(real: NDArray[np.float64]) -> Table:
    """scn_wide_scale_t of every output channel: multipliers of 15 bits, rounded as the interpreter does."""
    rows = []
    for factor in real:
        multiplier, shift = quantize_multiplier(float(factor))
        reduced = (multiplier + (1 << (_REDUCED - 1))) >> _REDUCED if multiplier < _LARGEST else _LARGEST_MULTIPLIER
        right = _REDUCED - 1 - shift
        # Shifted to the word's end where that fits, which is quicker.
        spare = _WORD - right if _WORD - _REDUCED < right <= _WORD else 0
        rows.append((reduced << spare, right + spare))
    return Table("scale", "scn_wide_scale_t", np.array(rows, np.int32))


CONVOLUTION, DEPTHWISE, FULLY_CONNECTED = Wide(_convolution), Wide(_depthwise), Wide(_fully_connected)
