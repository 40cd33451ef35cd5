"""FULLY_CONNECTED: its rules, and its lowering to one of two kernels."""

from __future__ import annotations

import numpy as np

from ..kernels import dense
from ..numerics.fixed_point import INT8_MAX, INT8_MIN, channel_factors, fine_multiplier, zero_point_of
from ..program import SCRATCH, Step, Struct, Table
from .checker import INT32_MAX, Checker
from .layer import Layer, bias_tables, common_fields, factors, table, values


def check_fully_connected(check: Checker) -> None:
    """Weights stored; the input as rows of them."""
    check.inputs(2, 3)
    check.flow()
    check.fused()
    layout = check.attributes.get("weights_format", "DEFAULT")
    check.require(layout == "DEFAULT", f"weights format {layout}", "convert with default weights")
    weights = check.weights(1, 2, 0)
    outputs, width = weights.shape
    check.require(check.source.elements % width == 0, f"input {check.source.shape} for weights {weights.shape}")
    batch = check.source.elements // width
    fits = check.target.elements == batch * outputs and check.target.shape[-1] == outputs
    check.require(fits, f"output shape {check.target.shape} for weights {weights.shape}")
    bound = check.sums(weights, 0, outputs)
    factor = float(channel_factors(check.source, weights, check.target).max())
    # The interpreter's int32 wraps there and this engine's saturates.
    remedy = "calibrate with representative data"
    check.require(bound * factor < INT32_MAX, f"results can reach {bound * factor:.3g}, past int32", remedy)


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
        for factor, least, most in zip(factors(layer, outputs), low, high, strict=True)
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
        static_asserts=(f"SCN_DENSE_SCRATCH_BYTES({inputs}) == {scratch}",),
    )


def _one_by_one(layer: Layer) -> Step:
    weights = layer.input(1)
    outputs, inputs = weights.shape
    scratch = 2 * (-(-inputs // 4) * 4)
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "outputs": outputs,
        **common_fields(layer),
    }
    return layer.step(
        "scn_fully_connected_s8",
        Struct("scn_fully_connected_t", fields),
        (layer.held(layer.source), layer.target.index, SCRATCH),
        tables=(table("weights", weights), *bias_tables(layer), _fine_scale(layer, outputs)),
        scratch_bytes=scratch,
        static_asserts=(f"SCN_FULLY_CONNECTED_SCRATCH_BYTES({inputs}) == {scratch}",),
    )


def _fine_scale(layer: Layer, channels: int) -> Table:
    parts = [fine_multiplier(float(factor)) for factor in factors(layer, channels)]
    return Table("scale", "scn_fine_multiplier_t", np.array(parts, np.int32))
