"""SVDF with INT8 or int16 state: its rules, and its lowering."""

from __future__ import annotations

import numpy as np

from ....graph import Tensor
from ...numerics.fixed_point import scale_of, zero_point_of
from ...program import Step, Struct, Table
from ..checker import FULL_INT8, Checker
from ..layer import Layer, multiplier, table, values

_INPUTS = 5
_MOST_INPUTS = (2**31 - 1) // (255 * 128)


def check_svdf(check: Checker) -> None:
    """INT8 values and weights, one scale each; a variable tensor of INT8 or int16 and time weights of its type."""
    check.inputs(2, _INPUTS)
    check.flow()
    check.require(len(check.operator.inputs) == _INPUTS, f"has {len(check.operator.inputs)} inputs")
    activation = check.attributes.get("fused_activation_function", "NONE")
    check.require(activation == "RELU", f"fused activation {activation}", "use RELU, which TFLite demands")
    feature = check.weights(1, 2, 0)
    check.require(feature.quantization is not None and not feature.quantization.per_channel, "weights have many scales")
    filters, inputs = feature.shape
    check.require(inputs <= _MOST_INPUTS, f"{inputs} inputs, whose sums pass int32", f"use at most {_MOST_INPUTS}")
    batches = check.source.elements // inputs
    check.require(check.source.shape == (batches, inputs), f"input {check.source.shape} for weights {feature.shape}")
    state = _state(check)
    time = check.constant(2, "time weights", state.dtype)
    memory = time.shape[-1]
    check.require(time.shape == (filters, memory), f"time weights have shape {time.shape} for {filters} filters")
    _require_symmetric(check, time, "time weights")
    check.require(state.shape == (batches, filters * memory), f"state has shape {state.shape}")
    rank = int(check.attributes["rank"])
    check.require(rank > 0 and filters % rank == 0, f"rank {rank} of {filters} filters")
    check.shape((batches, filters // rank))
    bias = None if check.input(3) is None else check.constant(3, "bias", "int32")
    check.require(bias is None or bias.elements == filters // rank, "bias does not fit the outputs")
    # TFLite Micro, the only interpreter of such a state, reads the bias without a look whether it is there.
    check.require(bias is not None or state.dtype == "int16", "has INT8 state and no bias", "give it a bias of zeros")
    for factor in _factors(check.source, feature, time, state, check.target):
        check.factor(factor)


def _state(check: Checker) -> Tensor:
    state = check.input(_INPUTS - 1)
    if state is None or state.index not in check.graph.variables:
        check.refuse("its state is no variable tensor", "convert the model again")
    check.require(state.dtype in ("int8", "int16"), f"state is {state.dtype}", FULL_INT8)
    quantization = state.quantization
    if quantization is None or quantization.per_channel or not quantization.scale[0] > 0:
        check.refuse("its state has no scale", FULL_INT8)
    zero_point = zero_point_of(state)
    limit = 0 if state.dtype == "int16" else 128
    check.require(-limit <= zero_point <= max(limit - 1, 0), f"state has zero point {zero_point}")
    return state


def _require_symmetric(check: Checker, tensor: Tensor, role: str) -> None:
    quantization = tensor.quantization
    if quantization is None or quantization.per_channel or not quantization.scale[0] > 0:
        check.refuse(f"{role} have no scale", FULL_INT8)
    check.require(not np.any(quantization.zero_point), f"{role} have a zero point", "quantize weights symmetrically")


def _factors(source: Tensor, feature: Tensor, time: Tensor, state: Tensor, target: Tensor) -> tuple[float, float]:
    """Factors from sums of features to the state and from sums over time to the output; in float32, as TFLite does."""
    first = scale_of(source) * scale_of(feature) / scale_of(state)
    return float(first), float(scale_of(state) * scale_of(time) / scale_of(target))


def svdf(layer: Layer) -> Step:
    """SVDF, with the zero points of input and state in the biases."""
    feature, time, state = (layer.input(position) for position in (1, 2, 4))
    filters, inputs = feature.shape
    rank = int(layer.operator.attributes["rank"])
    units = filters // rank
    wide = state.dtype == "int16"
    bias = values(layer.input(3)).astype(np.int64).ravel() if layer.has_input(3) else np.zeros(units, np.int64)
    over_time = values(time).astype(np.int64).reshape(units, -1).sum(axis=1)
    first, second = _factors(layer.source, feature, time, state, layer.target)
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "units": units,
        "rank": rank,
        "memory": time.shape[1],
        "feature": "feature",
        "feature_bias": "feature_bias",
        "time": "time",
        "bias": "bias",
        "feature_scale": multiplier(first),
        "scale": multiplier(second),
        "state_zero_point": zero_point_of(state),
        "output_zero_point": zero_point_of(layer.target),
    }
    moved = -zero_point_of(layer.source) * values(feature).astype(np.int64).sum(axis=1)
    return layer.step(
        "scn_svdf_s16" if wide else "scn_svdf_s8",
        Struct("scn_svdf_t", fields),
        (layer.held(layer.source), state.index, layer.target.index),
        tables=(
            table("feature", feature),
            Table("feature_bias", "int32_t", moved.astype(np.int32)),
            table("time", time),
            Table("bias", "int32_t", (bias - zero_point_of(state) * over_time).astype(np.int32)),
        ),
        writes=(layer.target.index, state.index),
    )
