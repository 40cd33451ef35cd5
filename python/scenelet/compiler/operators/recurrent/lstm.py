"""UNIDIRECTIONAL_SEQUENCE_LSTM with INT8 values and an int16 cell: its rules, and its lowering.

TFLite's file lists the gates as input, forget, cell, output; so do the kernel's weights.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ....graph import Graph, Operator, Tensor
from ...kernels import dense
from ...numerics.fixed_point import quantize_multiplier, scale_of, zero_point_of
from ...numerics.ranges import accumulator_bound, sum_range
from ...program import SCRATCH, Step, Struct, Table
from ..checker import FULL_INT8, INT32_MAX, Checker
from ..layer import Layer, multiplier, values

_GATES = 4
_FROM_INPUT, _FROM_STATE, _BIASES = range(1, 5), range(5, 9), range(12, 16)
_HIDDEN_STATE, _CELL_STATE = 18, 19
_HIDDEN = 4
"""Which intermediate has the output's scale and zero point."""

_COUNTS = (20, 24)
_PARTS = {1: "CIFG", 9: "peephole weights", 16: "a projection", 20: "layer normalization"}
"""What an operator is that lacks its first kind of input or has one of the others."""

_GATE_SCALE = np.float32(2.0**-12)
_FRACTIONS = range(9, 16)
_INT16_MAX = 2**15 - 1
_AS_KERAS = "use keras.layers.LSTM with its default activations"


def check_lstm(check: Checker) -> None:
    """INT8 values and weights of one scale each; an INT8 and an int16 variable tensor; sums that fit int32."""
    count = len(check.operator.inputs)
    check.require(count in _COUNTS, f"has {count} inputs", f"convert the model again; TFLite's has {_COUNTS[-1]}")
    _refuse_other_forms(check)
    check.inputs(_GATES + 5, _COUNTS[-1])
    check.flow()
    source = check.source
    check.require(len(source.shape) == 3, f"input has shape {source.shape}", "use (batch, steps, values)")
    weights = [[check.weights(position, 2, 0) for position in positions] for positions in (_FROM_INPUT, _FROM_STATE)]
    cells, inputs = weights[0][-1].shape
    check.require(inputs == source.shape[2], f"input {source.shape} for weights {weights[0][-1].shape}")
    for matrix, columns in zip(weights, (inputs, cells), strict=True):
        for gate in matrix:
            check.require(gate.shape == (cells, columns), f"weights have shape {gate.shape} for {cells} cells")
            one = gate.quantization is not None and not gate.quantization.per_channel
            check.require(one, "weights have many scales", "convert the model again; TFLite quantizes these per tensor")
    for position in _BIASES:
        bias = check.constant(position, "bias", "int32")
        check.require(bias.elements == cells, f"bias has {bias.elements} values for {cells} cells")
    check.shape((*source.shape[:2], cells))
    _check_states(check, source.shape[1 if check.attributes["time_major"] else 0] * cells)
    _check_factors(check)


def _refuse_other_forms(check: Checker) -> None:
    operator = check.operator
    for position, part in _PARTS.items():
        there = position < len(operator.inputs) and operator.inputs[position] >= 0
        check.require(there == (position == 1), f"has {part}", _AS_KERAS)
    activation = check.attributes["fused_activation_function"]
    check.require(activation == "TANH", f"fused activation {activation}", _AS_KERAS)
    for option in ("cell_clip", "proj_clip"):
        value = float(check.attributes[option])
        check.require(math.isfinite(value) and value >= 0, f"{option} {value:.3g}")


def _check_states(check: Checker, elements: int) -> None:
    for position, dtype, role in ((_HIDDEN_STATE, "int8", "output state"), (_CELL_STATE, "int16", "cell state")):
        state = check.input(position)
        if state is None or state.index not in check.graph.variables:
            check.refuse(f"its {role} is no variable tensor", "convert the model again")
        check.require(state.dtype == dtype, f"{role} is {state.dtype}, not {dtype}", FULL_INT8)
        quantization = state.quantization
        if quantization is None or quantization.per_channel or not quantization.scale[0] > 0:
            check.refuse(f"its {role} has no scale", FULL_INT8)
        check.require(state.elements == elements, f"{role} has shape {state.shape}")
    zero_point = zero_point_of(_hidden_state(check.graph, check.operator))
    check.require(-128 <= zero_point <= 127, f"output state has zero point {zero_point}")
    intermediates = [check.graph.tensors.get(index) for index in check.operator.intermediates]
    hidden = intermediates[_HIDDEN] if len(intermediates) == _HIDDEN + 1 else None
    if hidden is None or hidden.quantization is None or not hidden.quantization.scale[0] > 0:
        check.refuse("lacks the scale of its output among its intermediate tensors", "convert the model again")
    check.require(-128 <= zero_point_of(hidden) <= 127, f"its output has zero point {zero_point_of(hidden)}")


def _check_factors(check: Checker) -> None:
    graph, operator = check.graph, check.operator
    cell = graph.tensors[operator.inputs[_CELL_STATE]]
    bits = math.log2(scale_of(cell))
    power = abs(bits - round(bits)) < 1e-3 and -round(bits) in _FRACTIONS
    check.require(power, f"cell state has scale {scale_of(cell):.4g}", "use a power of two from 2^-15 to 2^-9")
    check.factor(_hidden_factor(graph, operator), 1.0)
    for positions, source, biases in _matrices(graph, operator):
        for gate, position in enumerate(positions):
            weights = graph.tensors[operator.inputs[position]]
            bias = graph.tensors[operator.inputs[biases[gate]]] if biases else None
            bound = accumulator_bound(source, weights, bias, 0)
            check.require(bound <= INT32_MAX, f"sums can reach {bound:,}, past int32", "use a smaller layer or bias")
            factor = _gate_factor(weights, source)
            check.factor(factor)
            # A gate of int16 is added to what is scaled.
            reached = bound * factor
            problem = f"gates can reach {reached:.3g}, past int32"
            check.require(reached < INT32_MAX - 2 * _INT16_MAX, problem, "calibrate with representative data")


def _hidden_state(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.inputs[_HIDDEN_STATE]]


def _matrices(graph: Graph, operator: Operator) -> tuple[tuple[range, Tensor, range | None], ...]:
    """Weights, what they multiply, and biases of both matrices: positions among the inputs."""
    source = graph.tensors[operator.inputs[0]]
    return (_FROM_INPUT, source, _BIASES), (_FROM_STATE, _hidden_state(graph, operator), None)


def _gate_factor(weights: Tensor, source: Tensor) -> float:
    """Factor from sums to a gate; in float32, as TFLite does."""
    with np.errstate(over="ignore"):
        return float(scale_of(weights) * scale_of(source) / _GATE_SCALE)


def _hidden_factor(graph: Graph, operator: Operator) -> float:
    """Factor from a product of two values in Q0.15 to the output; the quotient in float64, as TFLite does."""
    hidden = graph.tensors[operator.intermediates[_HIDDEN]]
    with np.errstate(over="ignore"):
        return float(np.float32(2.0**-15 / np.float64(scale_of(hidden)) * 2.0**-15))


def lstm(layer: Layer) -> Step:
    """LSTM; a cell's four gates as four outputs of a dense layer."""
    graph, operator = layer.graph, layer.operator
    hidden, cell = _hidden_state(graph, operator), layer.input(_CELL_STATE)
    cells, inputs = layer.input(_GATES).shape
    first, second = layer.source.shape[:2]
    time_major = bool(operator.attributes["time_major"])
    steps, batches = (first, second) if time_major else (second, first)
    matrices, tables = {}, []
    for name, (positions, source, biases) in zip(("input", "state"), _matrices(graph, operator), strict=True):
        fields, made = _matrix(layer, name, positions, source, biases)
        matrices[name] = fields
        tables += made
    fields = {
        "batches": batches,
        "steps": steps,
        "cells": cells,
        "step_stride": batches if time_major else 1,
        "batch_stride": 1 if time_major else steps,
        **matrices,
        "cell_fraction": -round(math.log2(scale_of(cell))),
        "cell_clip": _clip(float(operator.attributes["cell_clip"]), cell),
        "hidden_scale": multiplier(_hidden_factor(graph, operator)),
        "hidden_zero_point": zero_point_of(graph.tensors[operator.intermediates[_HIDDEN]]),
    }
    scratch = sum(2 * (-(-columns // dense.STEP) * dense.STEP) for columns in (inputs, cells)) + 256
    return layer.step(
        "scn_lstm_s8",
        Struct("scn_lstm_t", fields),
        (layer.held(layer.source), hidden.index, cell.index, layer.target.index, SCRATCH),
        tables=tuple(tables),
        writes=(layer.target.index, hidden.index, cell.index),
        scratch_bytes=scratch,
        static_asserts=(f"SCN_LSTM_SCRATCH_BYTES({inputs}, {cells}) == {scratch}",),
    )


def _clip(clip: float, cell: Tensor) -> int:
    with np.errstate(over="ignore"):
        return int(min(np.float32(clip) / scale_of(cell), np.float32(_INT16_MAX)))


def _matrix(
    layer: Layer, name: str, positions: range, source: Tensor, biases: range | None
) -> tuple[dict[str, object], list[Table]]:
    """scn_lstm_matrix_t and its tables: weights in pairs, or one by one where sums in pairs could overflow."""
    gates = np.stack([values(layer.input(position)) for position in positions], axis=1)
    weights: NDArray[np.int8] = gates.reshape(-1, gates.shape[2])
    bias = np.zeros(len(weights), np.int64)
    if biases:
        bias = np.stack([values(layer.input(position)).ravel() for position in biases], axis=1).astype(np.int64).ravel()
    low, high = sum_range(weights, bias, zero_point_of(source))
    paired = dense.pair_weights(weights)
    fits = paired is not None and max(-low.min(), high.max()) < dense.SUM_LIMIT
    form = "paired" if fits else "expanded"
    made = paired if paired is not None and fits else dense.in_lanes(weights).astype(np.int16)
    starts = dense.paired_starts(bias) if fits else bias
    scales = [quantize_multiplier(_gate_factor(layer.input(position), source)) for position in positions]
    fields = {
        "columns": weights.shape[1],
        "zero_point": zero_point_of(source),
        "paired": None,
        "expanded": None,
        form: f"{name}_{form}",
        "starts": f"{name}_starts",
        "scale": f"{name}_scale",
    }
    return fields, [
        Table(f"{name}_{form}", "int16_t", made.ravel()),
        Table(f"{name}_starts", "int32_t", starts.astype(np.int32)),
        Table(f"{name}_scale", "scn_multiplier_t", np.array(scales, np.int32)),
    ]
