"""CONCATENATION and PACK: runs of bytes of several inputs in turn."""

from __future__ import annotations

import math

import numpy as np

from ...graph import Tensor
from ..program import Step, Struct, Table
from .checker import Checker
from .layer import Layer, bytes_table, item_bytes


def check_concatenation(check: Checker) -> None:
    """Inputs that differ along the axis alone, of the output's scale."""
    inputs = _inputs(check)
    rank = len(check.target.shape)
    axis = int(check.attributes.get("axis", 0))
    check.require(-rank <= axis < rank, f"axis {axis} of {rank} dimensions")
    activation = check.attributes.get("fused_activation_function", "NONE")
    check.require(activation == "NONE", f"fused activation {activation}", "put it into an operator of its own")
    axis %= rank
    for tensor in inputs:
        rest = tensor.shape[:axis] + tensor.shape[axis + 1 :]
        fits = len(tensor.shape) == rank and rest == check.target.shape[:axis] + check.target.shape[axis + 1 :]
        check.require(fits, f"input of shape {tensor.shape} for output {check.target.shape}")
    shape = list(check.target.shape)
    shape[axis] = sum(tensor.shape[axis] for tensor in inputs)
    check.shape(tuple(shape))


def check_pack(check: Checker) -> None:
    """Inputs of one shape, of the output's scale."""
    inputs = _inputs(check)
    rank = len(check.target.shape)
    axis = int(check.attributes.get("axis", 0))
    check.require(-rank <= axis < rank, f"axis {axis} of {rank} dimensions")
    for tensor in inputs:
        check.require(tensor.shape == inputs[0].shape, f"inputs of shapes {inputs[0].shape} and {tensor.shape}")
    shape = list(inputs[0].shape)
    shape.insert(axis % rank, len(inputs))
    check.shape(tuple(shape))


def _inputs(check: Checker) -> list[Tensor]:
    """Require inputs of the output's scale, not all of them constants."""
    count = len(check.operator.inputs)
    check.inputs(count, count)
    inputs = [check.graph.tensors[index] for index in check.operator.inputs]
    check.activation(check.target, "output")
    for number, tensor in enumerate(inputs, 1):
        check.activation(tensor, f"input {number}")
        check.alike(tensor, check.target)
        check.require(tensor.data is not None or not tensor.constant, f"input {number} has no values")
    check.require(not all(tensor.constant for tensor in inputs), "all inputs are constants", "fold them")
    return inputs


def concatenation(layer: Layer) -> Step:
    """CONCATENATION: along the axis, the bytes of one input after those of the other."""
    axis = int(layer.operator.attributes.get("axis", 0)) % len(layer.target.shape)
    return _joined(layer, axis)


def pack(layer: Layer) -> Step:
    """PACK: CONCATENATION of what has one more dimension, of 1."""
    return _joined(layer, int(layer.operator.attributes.get("axis", 0)) % len(layer.target.shape))


def _joined(layer: Layer, axis: int) -> Step:
    inputs = [layer.input(position) for position in range(len(layer.operator.inputs))]
    runs = [math.prod(tensor.shape[axis:]) * item_bytes(tensor) for tensor in inputs]
    constants = {tensor.index: f"operand{tensor.index}" for tensor in inputs if tensor.constant}
    tables = [bytes_table(kind, layer.graph.tensors[index]) for index, kind in constants.items()]
    fields = {"turns": math.prod(layer.target.shape[:axis]), "inputs": len(inputs), "runs": "runs"}
    pieces = tuple(constants.get(tensor.index, layer.held(tensor)) for tensor in inputs)
    return layer.step(
        "scn_concatenation_s8",
        Struct("scn_concatenation_t", fields),
        (pieces, layer.target.index),
        tables=(Table("runs", "int32_t", np.array(runs, np.int32)), *tables),
    )
