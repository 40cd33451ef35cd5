"""Estimates of kernels that have no variants of their own, and of those that run a map as a whole.

An estimate is good for choosing between kernels and for explaining; it is no measurement. It lists what a kernel works
through; what one of each takes stands in one place, see :mod:`.cost`. Kernels that have variants list theirs in their
own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..program import Step
from .cost import Cost, Term, Terms, cost_of, lines, terms
from .variant import POSITIONS

Estimate = Callable[[Step], Terms]
"""From a step to what its kernel works through for the whole map."""

_MOST_DEPTHWISE_TAPS = 25
"""SCN_DEPTHWISE_MOST_TAPS: up to which four channels are computed together."""


def estimate(step: Step) -> Cost:
    """Estimate any step."""
    return cost_of(terms_of(step))


def terms_of(step: Step) -> Terms:
    """List what a step works through: what its maker knew, else by its kernel's row, else its multiply-accumulates."""
    if step.terms is not None:
        return tuple(Term(*one) for one in step.terms)
    known = ESTIMATES.get(step.kernel)
    own = known(step) if known else terms(step.kernel, mac=(step.macs, 1.0))
    return (*own, *terms("step", call=(1, 80.0)))


def per_value(guess: float) -> Estimate:
    """Estimate a kernel by its output's values; ``guess``: instructions of one until it is measured."""
    return lambda step: terms(step.kernel, value=(_values(step), guess))


def per_mac(product: float, output: float) -> Estimate:
    """Estimate a kernel by its products and its output's values; parameters like :func:`per_value`."""
    return lambda step: terms(step.kernel, mac=(step.macs, product), value=(_values(step), output))


def per_window(output: float, tap: float) -> Estimate:
    """Estimate a kernel by its outputs, and by the taps of all their windows; parameters like :func:`per_value`."""

    def windows(step: Step) -> Terms:
        window, _, target = maps(step)
        outputs = pixels(target) * target["channels"]
        taps = outputs * window["height"] * window["width"]
        return terms(step.kernel, output=(outputs, output), tap=(taps, tap))

    return windows


def convolution(step: Step, stripe: int | None = None) -> Terms:
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
    products = step.macs * reached / taps / filled
    even = source["channels"] % 2 == 0
    seen = window["height"] * source["channels"] * pixels(target) * (reached if even else taps)
    # Four positions and two output channels at a time, a row of the window after the other.
    pairs = pixels(target) / POSITIONS / filled * -(-target["channels"] // 2)
    counted = terms(
        "direct",
        mac=products,
        output=pixels(target) * target["channels"],
        pair=(pairs, 20.0),
        row=(pairs * window["height"], 10.0),
        **({"gathered": seen} if even else {"gathered_odd": seen, "odd_row": pixels(target) * window["height"]}),
    )
    # INT8 weights of two channels serve four positions.
    return (*counted, lines(products / POSITIONS))


def depthwise(step: Step, stripe: int | None = None) -> Terms:
    """Estimate DEPTHWISE_CONV_2D as in the .tflite, ``stripe`` output rows at a time (None: the whole map)."""
    window, _, target = maps(step)
    taps, outputs = window["height"] * window["width"], pixels(target) * target["channels"]
    if step.fields["depth_multiplier"] > 1 or taps > _MOST_DEPTHWISE_TAPS:
        return terms("depthwise", output=(outputs, 45.0), tap=(outputs * taps, 8.3))
    stripes = -(-target["height"] // (stripe or max(target["height"], 1)))
    quads = stripes * target["channels"] / 4
    return terms(
        "depthwise_four",
        output=(outputs, 44.0),
        row=(outputs * window["height"], 3.0),
        tap=(outputs * taps, 2.4),
        quad=(quads, 130.0),
        weight=(quads * taps, 36.0),
    )


def fully_connected(step: Step) -> Terms:
    """Estimate FULLY_CONNECTED, one output at a time."""
    outputs = step.fields["batches"] * step.fields["outputs"]
    products = outputs * step.fields["inputs"]
    return (*terms("fully_connected", mac=products, output=outputs), lines(products))


def dense(step: Step) -> Terms:
    """Estimate FULLY_CONNECTED in fours of outputs."""
    fields = step.fields
    outputs = fields["batches"] * fields["outputs"]
    products = outputs * fields["inputs"]
    form = "expanded" if fields["expanded"] else "paired"
    return (*terms("dense", output=outputs, **{form: products}), lines(products * (2 if fields["expanded"] else 1)))


def lstm(step: Step) -> Terms:
    """Estimate LSTM: products, cells, and its weights, which every step reads."""
    fields = step.fields
    vectors = fields["batches"] * fields["steps"]
    products = 4 * fields["cells"] * sum(fields[matrix]["columns"] for matrix in ("input", "state"))
    width = {"input": 2, "state": 2} | {m: 1 for m in ("input", "state") if fields[m]["paired"]}
    nbytes = 4 * fields["cells"] * sum(fields[matrix]["columns"] * width[matrix] for matrix in width)
    counted = terms("lstm", mac=(vectors * products, 0.9), cell=(vectors * fields["cells"], 720.0))
    return (*counted, lines(vectors * nbytes))


def svdf(step: Step) -> Terms:
    """Estimate SVDF: products of features and of time, filters, and weights, which are read once."""
    fields = step.fields
    filters = fields["batches"] * fields["units"] * fields["rank"]
    products, taps = filters * fields["inputs"], filters * fields["memory"]
    counted = terms(step.kernel, product=(products, 1.0), tap=(taps, 2.0), filter=(filters, 60.0))
    return (*counted, lines(products + taps))


def wide_sums(step: Step) -> Terms:
    """Estimate a layer with 16-bit activations by its products and outputs."""
    fields = step.fields
    outputs = fields["batches"] * fields["outputs"] if "outputs" in fields else _values(step)
    return (*terms(step.kernel, mac=(step.macs, 2.6), output=(outputs, 40.0)), lines(step.macs))


def per_moved_value(guess: float) -> Estimate:
    """Estimate a kernel by the values of its struct's size; parameter like :func:`per_value`."""
    return lambda step: terms(step.kernel, value=(int(np.prod(step.fields["size"])), guess))


def joined(step: Step) -> Terms:
    """Estimate CONCATENATION and PACK by their output's values."""
    runs = next(table.values for table in step.tables if table.kind == "runs")
    return terms(step.kernel, value=step.fields["turns"] * int(runs.sum()))


def picked(step: Step) -> Terms:
    """Estimate values picked by indices: by their runs, and by themselves."""
    runs = step.fields["rows"] * step.fields["columns"]
    return terms(step.kernel, run=(runs, 20.0), value=(runs * step.fields["run"], 1.5))


def summed(step: Step) -> Terms:
    """Estimate MEAN over height and width, a few rows at a time."""
    return terms("mean_rows", value=int(np.prod(step.fields["size"])))


def added(step: Step) -> Terms:
    """Estimate ADD at the end of a convolution."""
    return terms("fused_add", value=_values(step))


def mapped(step: Step) -> Terms:
    """Estimate a map that a convolution applies as it stores."""
    form = "table" if step.tables[0].type == "int8_t" else "affine"
    return terms("fused_map", **{form: _values(step)})


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
    "scn_add_s16": per_value(70.0),
    "scn_average_pool_s16": per_window(40.0, 5.0),
    "scn_conv2d_s16": wide_sums,
    "scn_depthwise_conv2d_s16": wide_sums,
    "scn_fully_connected_s16": wide_sums,
    "scn_logistic_s16": per_value(25.0),
    "scn_max_pool_s16": per_window(30.0, 6.0),
    "scn_mean_s16": per_moved_value(25.0),
    "scn_mul_s16": per_value(40.0),
    "scn_rescale_s16": per_value(25.0),
    "scn_rescale_s16_s8": per_value(25.0),
    "scn_rescale_s8_s16": per_value(25.0),
    "scn_softmax_s16": per_value(80.0),
    "scn_tanh_s16": per_value(25.0),
    "scn_add_lut_s8": per_value(9.0),
    "scn_add_s8": per_value(51.0),
    "scn_average_pool_s8": per_window(27.0, 1.5),
    "scn_batch_matmul_s8": per_mac(5.0, 60.0),
    "scn_concatenation_s8": joined,
    "scn_conv2d_s8": convolution,
    "scn_copy_s8": per_moved_value(4.0),
    "scn_dense_s8": dense,
    "scn_depthwise_conv2d_s8": depthwise,
    "scn_div_s8": per_value(148.0),
    "scn_extremum_s8": per_value(10.0),
    "scn_fully_connected_s8": fully_connected,
    "scn_l2_normalization_s8": per_value(44.0),
    "scn_log_softmax_s8": per_value(250.0),
    "scn_lstm_s8": lstm,
    "scn_lut_s8": per_value(6.0),
    "scn_max_pool_s8": per_window(0.0, 4.2),
    "scn_mean_s8": per_moved_value(20.5),
    "scn_mul_s8": per_value(29.0),
    "scn_pad_s8": per_value(5.0),
    "scn_pick_s8": picked,
    "scn_prelu_s8": per_value(35.0),
    "scn_quantize_s8": per_value(20.0),
    "scn_reduce_extremum_s8": per_moved_value(12.5),
    "scn_resize_bilinear_s8": per_value(29.0),
    "scn_reshape_s8": per_value(1.0),
    "scn_softmax_s8": per_value(305.0),
    "scn_squared_difference_s8": per_value(41.0),
    "scn_svdf_s16": svdf,
    "scn_svdf_s8": svdf,
    "scn_sub_s8": per_value(49.0),
    "scn_transpose_conv_s8": per_mac(5.0, 150.0),
}
