"""FULLY_CONNECTED, by one of two kernels, and BATCH_MATMUL: their rules, and their lowering."""

from __future__ import annotations

import math

import numpy as np

from ...graph import Tensor
from ..kernels import dense
from ..numerics.fixed_point import INT8_MAX, INT8_MIN, channel_factors, fine_multiplier, matmul_factor, zero_point_of
from ..numerics.ranges import sum_range
from ..program import SCRATCH, Step, Struct, Table
from .checker import INT32_MAX, Checker
from .layer import Layer, bias_tables, common_fields, factors, multiplier, table, values

_MOST_RANK, _BATCHES = 5, 3
_MOST_DEPTH = INT32_MAX // 255**2


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
    low, high = sum_range(weights, bias, zero_point_of(layer.source))
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
    fields = {
        "batches": layer.source.elements // inputs,
        "inputs": inputs,
        "outputs": outputs,
        **common_fields(layer),
    }
    return layer.step(
        "scn_fully_connected_s8",
        Struct("scn_fully_connected_t", fields),
        (layer.held(layer.source), layer.target.index),
        tables=(table("weights", weights), *bias_tables(layer), _fine_scale(layer, outputs)),
    )


def _fine_scale(layer: Layer, channels: int) -> Table:
    parts = [fine_multiplier(float(factor)) for factor in factors(layer, channels)]
    return Table("scale", "scn_fine_multiplier_t", np.array(parts, np.int32))


def check_batch_matmul(check: Checker) -> None:
    """Matrices that fit each other; batches that broadcast; sums that fit int32."""
    check.inputs(2, 2)
    check.activation(check.target, "output")
    operands = [check.graph.tensors[index] for index in check.operator.inputs]
    for number, tensor in enumerate(operands, 1):
        check.activation(tensor, f"input {number}")
        check.require(tensor.data is not None or not tensor.constant, f"input {number} has no values")
        rank = len(tensor.shape)
        check.require(2 <= rank <= _MOST_RANK, f"input {number} has {rank} dimensions", f"use 2 to {_MOST_RANK}")
    check.require(not all(tensor.constant for tensor in operands), "both inputs are constants", "fold them")
    left, right = operands
    rows, depth = _turned(left, check.attributes.get("adj_x", False))
    columns, other = _turned(right, not check.attributes.get("adj_y", False))
    shapes = f"inputs of shapes {left.shape} and {right.shape}"
    check.require(depth == other, f"{shapes} do not fit each other")
    check.require(depth <= _MOST_DEPTH, f"sums of {depth:,} products", "use smaller matrices")
    try:
        batches = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        check.refuse(f"{shapes} do not fit each other", "convert the model again")
    check.shape((*batches, rows, columns))
    check.factor(matmul_factor(left, right, check.target))


def _turned(tensor: Tensor, adjoint: bool) -> tuple[int, int]:
    """Outputs and addends of a matrix: its rows and columns, or the other way round."""
    rows, columns = tensor.shape[-2:]
    return (columns, rows) if adjoint else (rows, columns)


def batch_matmul(layer: Layer) -> Step:
    """BATCH_MATMUL: both matrices by their strides."""
    left, right = layer.input(0), layer.input(1)
    turned_left = bool(layer.operator.attributes.get("adj_x", False))
    turned_right = not layer.operator.attributes.get("adj_y", False)
    rows, depth = _turned(left, turned_left)
    columns, _ = _turned(right, turned_right)
    batches = layer.target.shape[:-2]
    fields = {
        "batches": (1,) * (_BATCHES - len(batches)) + batches,
        "rows": rows,
        "columns": columns,
        "depth": depth,
        "left": _matrix(left, turned_left),
        "right": _matrix(right, turned_right),
        "output_zero_point": zero_point_of(layer.target),
        "scale": multiplier(matmul_factor(left, right, layer.target)),
    }
    operands = {"left": left, "right": right}
    tables: tuple[Table, ...] = tuple(table(name, tensor) for name, tensor in operands.items() if tensor.constant)
    arguments = tuple(name if tensor.constant else layer.held(tensor) for name, tensor in operands.items())
    return layer.step(
        "scn_batch_matmul_s8",
        Struct("scn_batch_matmul_t", fields),
        (*arguments, layer.target.index),
        tables=tables,
    )


def _matrix(tensor: Tensor, adjoint: bool) -> dict[str, object]:
    """scn_matrix_t: how far each step goes."""
    columns = tensor.shape[-1]
    shape = (1,) * (_BATCHES + 2 - len(tensor.shape)) + tensor.shape
    batch = tuple(0 if shape[i] == 1 else math.prod(shape[i + 1 :]) for i in range(_BATCHES))
    output, addend = (1, columns) if adjoint else (columns, 1)
    return {"batch": batch, "output": output, "addend": addend, "zero_point": zero_point_of(tensor)}
