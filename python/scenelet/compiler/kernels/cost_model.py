"""Estimated Cortex-M4 instructions of kernels: good for choosing between them and for explaining, no measurement.

The factors fit the engine's layers as ``scenelet bench`` counted them: instructions a multiply-accumulate that is
really done, a value, or a tap of a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..program import Step, Struct

_POSITIONS = 4
_DIRECT, _DIRECT_OUTPUT, _GATHERED = 0.95, 40.0, 4.5
_NARROW, _NARROW_WEIGHT, _NARROW_ROW, _NARROW_PAIR = 1.45, 5.0, 65, 130
_ODD_CHANNEL_GATHER = 45.0
_A_TAP = {"scn_max_pool_s8": 4.2, "scn_average_pool_s8": 9.0}
_DEPTHWISE, _DEPTHWISE_THREE, _DEPTHWISE_OUTPUT = 8.3, 2.2, 45.0
_A_VALUE = {
    "scn_add_s8": 51.0, "scn_add_lut_s8": 9.0, "scn_mul_s8": 29.0, "scn_prelu_s8": 35.0, "scn_lut_s8": 6.0,
    "scn_quantize_s8": 20.0, "scn_pad_s8": 5.0, "scn_reshape_s8": 1.0, "scn_softmax_s8": 305.0,
}  # fmt: skip
_SUMMED, _ADDED = 8.0, 6.2
_MEAN, _DENSE, _DENSE_OUTPUT = 20.5, 1.9, 95.0
_DENSE_PAIRED, _DENSE_EXPANDED, _DENSE_FOURTH = 0.87, 0.68, 11.0


def convolution(step: Step, stripe: int) -> int:
    """Estimate CONV_2D without transforms, ``stripe`` output rows at a time."""
    window, source, target = _maps(step)
    taps, width = window["width"], target["width"]
    if stripe >= width:
        # Four positions below one another: taps beside the map are left out, an unfilled block costs like a full one.
        reached = sum(_inside(window, source["width"], x) for x in range(width)) / width
        filled = stripe / _whole_blocks(stripe)
    else:
        reached = min(taps, source["width"] + width - 1)
        filled = width / _whole_blocks(width)
    products = _DIRECT * step.macs * reached / taps / filled
    products += _DIRECT_OUTPUT * _pixels(target) * target["channels"]
    even = source["channels"] % 2 == 0
    seen = window["height"] * source["channels"] * _pixels(target) * (reached if even else taps)
    return int(products + (_GATHERED if even else _ODD_CHANNEL_GATHER) * seen)


def narrow(step: Step, stripe: int) -> int:
    """Estimate CONV_2D with all weights widened at every stripe."""
    window, _, target = _maps(step)
    stripes = -(-target["height"] // stripe)
    columns = target["width"] * (_NARROW_ROW * (window["height"] - 1) + _NARROW_PAIR * -(-target["channels"] // 2))
    return int(_NARROW * step.macs + stripes * (_NARROW_WEIGHT * step.tables[0].nbytes + columns))


def step(step: Step) -> int:
    """Estimate any step of a program."""
    if step.segment:
        return step.segment.instructions
    if step.kernel == "scn_conv2d_s8":
        return convolution(step, int(_fields(step)["output"]["height"]))
    return simple(step)


def simple(step: Step) -> int:
    """Estimate any other kernel's step on its whole map."""
    fields = _fields(step)
    if step.kernel in _A_TAP:
        window, _, target = _maps(step)
        return int(_A_TAP[step.kernel] * window["height"] * window["width"] * _pixels(target) * target["channels"])
    if step.kernel == "scn_depthwise_conv2d_s8":
        window, _, target = _maps(step)
        taps = window["height"] * window["width"] * (_DEPTHWISE_THREE if window["width"] == 3 else _DEPTHWISE)
        return int((_DEPTHWISE_OUTPUT + taps) * _pixels(target) * target["channels"])
    if step.kernel == "scn_fully_connected_s8":
        return int(fields["batches"] * fields["outputs"] * (_DENSE * fields["inputs"] + _DENSE_OUTPUT))
    if step.kernel == "scn_dense_s8":
        each = _DENSE_EXPANDED if fields["expanded"] else _DENSE_PAIRED
        return int(fields["batches"] * fields["outputs"] * (each * fields["inputs"] + _DENSE_FOURTH))
    if step.kernel == "scn_mean_s8":
        return int(_MEAN * np.prod(fields["size"]))
    return int(_A_VALUE[step.kernel] * _values(step))


def summed(step: Step) -> int:
    """Estimate MEAN over height and width, a few rows at a time."""
    return int(_SUMMED * np.prod(_fields(step)["size"]))


def added(step: Step) -> int:
    """Estimate ADD at the end of a convolution."""
    return int(_ADDED * _values(step))


def _values(step: Step) -> int:
    if isinstance(step.params, int):
        return step.params
    fields = _fields(step)
    if "shape" in fields:
        return int(np.prod(fields["shape"]["size"]))
    if "output_size" in fields:
        return int(np.prod(fields["output_size"]))
    if "elements" in fields:
        return int(fields["elements"])
    return int(fields["pixels"] * fields["channels"] if "pixels" in fields else fields["rows"] * fields["depth"])


def _fields(step: Step) -> Mapping[str, Any]:
    return step.params.fields if isinstance(step.params, Struct) else {}


def _maps(step: Step) -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    fields = _fields(step)
    return fields["window"], fields["input"], fields["output"]


def _pixels(dims: Mapping[str, int]) -> int:
    return dims["batches"] * dims["height"] * dims["width"]


def _inside(window: Mapping[str, int], size: int, x: int) -> int:
    """Taps of a window that lie beside no edge."""
    start = x * window["stride_w"] - window["pad_left"]
    return sum(0 <= start + tap * window.get("dilation_w", 1) < size for tap in range(window["width"]))


def _whole_blocks(positions: int) -> int:
    return -(-positions // _POSITIONS) * _POSITIONS
