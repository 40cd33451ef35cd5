"""Estimated Cortex-M4 instructions of kernels: good for choosing between them and for explaining, no measurement.

The factors fit the engine's layers as ``scenelet bench`` counted them: instructions per multiply-accumulate that is
really done, per value, or per tap of a window. Kernels that have variants estimate each of them in their own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..program import Step
from .variant import POSITIONS

Estimate = Callable[[Step], int]
"""From a step to instructions for its whole map."""

_DIRECT, _DIRECT_OUTPUT, _GATHERED = 0.82, 40.0, 4.5
_ODD_CHANNEL_GATHER = 45.0
_DEPTHWISE, _DEPTHWISE_THREE, _DEPTHWISE_OUTPUT = 8.3, 2.2, 45.0
_SUMMED, _ADDED = 8.0, 6.2
_JOINED = 0.6
_PICKED_RUN, _PICKED = 20.0, 1.5
_MEAN, _DENSE, _DENSE_OUTPUT = 20.5, 1.9, 95.0
_DENSE_PAIRED, _DENSE_EXPANDED, _DENSE_FOURTH = 0.87, 0.68, 11.0


def estimate(step: Step) -> int:
    """Estimate any step: what its maker knew, else its kernel's row, else one instruction per MAC."""
    if step.predicted_instructions is not None:
        return step.predicted_instructions
    known = ESTIMATES.get(step.kernel)
    return known(step) if known else step.macs


def per_value(instructions: float) -> Estimate:
    """Estimate a kernel by its output's values."""
    return lambda step: int(instructions * _values(step))


def per_mac(product: float, output: float) -> Estimate:
    """Estimate a kernel by its products and its output's values."""
    return lambda step: int(product * step.macs + output * _values(step))


def per_window(output: float, tap: float) -> Estimate:
    """Estimate a kernel by its outputs, and by the taps of all their windows."""

    def windows(step: Step) -> int:
        window, _, target = maps(step)
        each = output + tap * window["height"] * window["width"]
        return int(each * pixels(target) * target["channels"])

    return windows


def convolution(step: Step, stripe: int | None = None) -> int:
    """Estimate CONV_2D without transforms, ``stripe`` output rows at a time (None: the whole map)."""
    window, source, target = maps(step)
    taps, width, stripe = window["width"], target["width"], stripe or target["height"]
    if stripe >= width:
        # Four positions below one another: taps beside the map are left out, an unfilled block costs like a full one.
        reached = sum(_inside(window, source["width"], x) for x in range(width)) / width
        filled = stripe / _whole_blocks(stripe)
    else:
        reached = min(taps, source["width"] + width - 1)
        filled = width / _whole_blocks(width)
    products = _DIRECT * step.macs * reached / taps / filled
    products += _DIRECT_OUTPUT * pixels(target) * target["channels"]
    even = source["channels"] % 2 == 0
    seen = window["height"] * source["channels"] * pixels(target) * (reached if even else taps)
    return int(products + (_GATHERED if even else _ODD_CHANNEL_GATHER) * seen)


def depthwise(step: Step) -> int:
    """Estimate DEPTHWISE_CONV_2D, one output at a time."""
    window, _, target = maps(step)
    taps = window["height"] * window["width"] * (_DEPTHWISE_THREE if window["width"] == 3 else _DEPTHWISE)
    return int((_DEPTHWISE_OUTPUT + taps) * pixels(target) * target["channels"])


def fully_connected(step: Step) -> int:
    """Estimate FULLY_CONNECTED, one output at a time."""
    fields = step.fields
    return int(fields["batches"] * fields["outputs"] * (_DENSE * fields["inputs"] + _DENSE_OUTPUT))


def dense(step: Step) -> int:
    """Estimate FULLY_CONNECTED in fours of outputs."""
    fields = step.fields
    each = _DENSE_EXPANDED if fields["expanded"] else _DENSE_PAIRED
    return int(fields["batches"] * fields["outputs"] * (each * fields["inputs"] + _DENSE_FOURTH))


def per_moved_value(instructions: float) -> Estimate:
    """Estimate a kernel by the values of its struct's size."""
    return lambda step: int(instructions * np.prod(step.fields["size"]))


def joined(step: Step) -> int:
    """Estimate CONCATENATION and PACK by their output's values."""
    runs = next(table.values for table in step.tables if table.kind == "runs")
    return int(_JOINED * step.fields["turns"] * runs.sum())


def picked(step: Step) -> int:
    """Estimate values picked by indices: by their runs, and by themselves."""
    runs = step.fields["rows"] * step.fields["columns"]
    return int(runs * (_PICKED_RUN + _PICKED * step.fields["run"]))


def mean(step: Step) -> int:
    """Estimate MEAN over any axes of a whole map."""
    return int(_MEAN * np.prod(step.fields["size"]))


def summed(step: Step) -> int:
    """Estimate MEAN over height and width, a few rows at a time."""
    return int(_SUMMED * np.prod(step.fields["size"]))


def added(step: Step) -> int:
    """Estimate ADD at the end of a convolution."""
    return int(_ADDED * _values(step))


def maps(step: Step) -> tuple[Mapping[str, int], Mapping[str, int], Mapping[str, int]]:
    """Window, input and output of a step that slides over a feature map."""
    return step.fields["window"], step.fields["input"], step.fields["output"]


def pixels(dims: Mapping[str, int]) -> int:
    """Positions of a feature map."""
    return dims["batches"] * dims["height"] * dims["width"]


def _inside(window: Mapping[str, int], size: int, x: int) -> int:
    """Taps of a window that lie beside no edge."""
    start = x * window["stride_w"] - window["pad_left"]
    return sum(0 <= start + tap * window.get("dilation_w", 1) < size for tap in range(window["width"]))


def _whole_blocks(positions: int) -> int:
    return -(-positions // POSITIONS) * POSITIONS


def _values(step: Step) -> int:
    if isinstance(step.params, int):
        return step.params
    fields = step.fields
    if "shape" in fields:
        return int(np.prod(fields["shape"]["size"]))
    if "output_size" in fields:
        return int(np.prod(fields["output_size"]))
    if "output" in fields:
        return pixels(fields["output"]) * int(fields["output"]["channels"])
    if "columns" in fields:
        return int(np.prod(fields["batches"]) * fields["rows"] * fields["columns"])
    if "elements" in fields:
        return int(fields["elements"])
    return int(fields["pixels"] * fields["channels"] if "pixels" in fields else fields["rows"] * fields["depth"])


ESTIMATES: Mapping[str, Estimate] = {
    "scn_add_lut_s8": per_value(9.0),
    "scn_add_s8": per_value(51.0),
    "scn_average_pool_s8": per_window(27.0, 1.5),
    "scn_batch_matmul_s8": per_mac(3.0, 40.0),
    "scn_concatenation_s8": joined,
    "scn_conv2d_s8": convolution,
    "scn_copy_s8": per_moved_value(4.0),
    "scn_dense_s8": dense,
    "scn_depthwise_conv2d_s8": depthwise,
    "scn_div_s8": per_value(60.0),
    "scn_extremum_s8": per_value(10.0),
    "scn_fully_connected_s8": fully_connected,
    "scn_l2_normalization_s8": per_value(30.0),
    "scn_lut_s8": per_value(6.0),
    "scn_max_pool_s8": per_window(0.0, 4.2),
    "scn_mean_s8": mean,
    "scn_mul_s8": per_value(29.0),
    "scn_pad_s8": per_value(5.0),
    "scn_pick_s8": picked,
    "scn_prelu_s8": per_value(35.0),
    "scn_quantize_s8": per_value(20.0),
    "scn_reduce_extremum_s8": per_moved_value(12.5),
    "scn_resize_bilinear_s8": per_value(20.0),
    "scn_reshape_s8": per_value(1.0),
    "scn_softmax_s8": per_value(305.0),
    "scn_squared_difference_s8": per_value(50.0),
    "scn_sub_s8": per_value(49.0),
    "scn_transpose_conv_s8": per_mac(3.0, 60.0),
}
