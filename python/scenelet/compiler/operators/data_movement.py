"""PAD, PADV2, FILL, QUANTIZE, RESHAPE, EXPAND_DIMS and SQUEEZE: rules, lowering, and which only rename a tensor."""

from __future__ import annotations

import math

import numpy as np

from ...graph import Graph, Operator
from ..numerics.fixed_point import rescale_factor, zero_point_of
from ..program import Step, Struct, Table
from .checker import MAX_RANK, Checker
from .layer import Layer, four, item_bytes, multiplier, values


def check_reshape(check: Checker) -> None:
    """The shape that is asked for, of as many values as before; one scale."""
    check.inputs(1, 2)
    check.flow()
    check.same_scale()
    shape = check.input(1)
    asked = tuple(int(size) for size in check.attributes.get("new_shape", ()))
    # TFLite reads the options where the second input is no vector of int32.
    if shape is not None and shape.dtype == "int32" and len(shape.shape) == 1:
        asked = tuple(np.ravel(np.asarray(check.constant(1, "shape", "int32").data)).tolist())
    known = math.prod(size for size in asked if size != -1)
    free = check.source.elements // known if known > 0 and asked.count(-1) == 1 else -1
    sizes = tuple(free if size == -1 else size for size in asked)
    fits = math.prod(sizes) == check.source.elements and min(sizes, default=1) > 0
    check.require(fits, f"shape {check.source.shape} to {asked}")
    check.shape(sizes)


def check_expand_dims(check: Checker) -> None:
    """A constant axis; one scale."""
    check.inputs(2, 2)
    check.flow()
    check.same_scale()
    axis = check.input(1)
    known = axis is not None and axis.data is not None and axis.elements == 1
    check.require(known, "axis is computed, not stored", "make the axis a constant")
    number, rank = int(np.ravel(values(axis)).item()), len(check.source.shape)  # type: ignore[arg-type]
    check.require(-rank - 1 <= number <= rank, f"axis {number} of {rank} dimensions")
    shape = list(check.source.shape)
    shape.insert(number % (rank + 1), 1)
    check.shape(tuple(shape))


def check_squeeze(check: Checker) -> None:
    """Dimensions of 1 that are dropped; one scale."""
    check.inputs(1, 1)
    check.flow()
    check.same_scale()
    sizes = [size for size in check.source.shape if size != 1]
    kept = [size for size in check.target.shape if size != 1]
    check.require(sizes == kept, f"shape {check.source.shape} to {check.target.shape}")


def check_pad(check: Checker) -> None:
    """Constant paddings that are not negative, and the value of PADV2; one scale."""
    inputs = 3 if check.operator.op == "PADV2" else 2
    check.inputs(inputs, inputs)
    check.flow()
    check.same_scale()
    rank = len(check.source.shape)
    check.require(1 <= rank <= MAX_RANK, f"{rank} dimensions", f"use at most {MAX_RANK}")
    stated = check.input(1)
    wide = stated is not None and stated.dtype == "int64"
    paddings = check.constant(1, "list of paddings", "int64" if wide else "int32").data
    fits = paddings is not None and paddings.shape == (rank, 2) and not np.any(paddings < 0)
    check.require(fits, "paddings do not fit the input")
    before_after = np.asarray(paddings, np.int64)
    check.shape(tuple(int(s + p.sum()) for s, p in zip(check.source.shape, before_after, strict=True)))
    if inputs == 3:
        value = check.constant(2, "value", "int8")
        check.activation(value, "value")
        check.alike(value, check.target)
        check.require(value.elements == 1, f"pads with {value.elements} values", "use one")


def check_quantize(check: Checker) -> None:
    """INT8 to INT8."""
    check.inputs(1, 1)
    check.flow()
    check.shape(check.source.shape)
    check.factor(rescale_factor(check.source, check.target))


def check_fill(check: Checker) -> None:
    """A constant or computed shape, and a constant value of the output's scale."""
    check.inputs(2, 2)
    check.activation(check.target, "output")
    stated = check.input(0)
    wide = stated is not None and stated.dtype == "int64"
    shape = check.constant(0, "shape", "int64" if wide else "int32")
    check.shape(tuple(np.ravel(np.asarray(shape.data)).tolist()))
    value = check.constant(1, "value", "int8")
    check.activation(value, "value")
    check.alike(value, check.target)
    check.require(value.elements == 1, f"fills with {value.elements} values", "use one")


def is_rename(_graph: Graph, _operator: Operator) -> bool:
    """RESHAPE, EXPAND_DIMS and SQUEEZE are their input under a new shape, always."""
    return True


def is_same_quantization(graph: Graph, operator: Operator) -> bool:
    """QUANTIZE to the scale and zero point that its input already has."""
    source, target = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    one, other = source.quantization, target.quantization
    if source.dtype != target.dtype or one is None or other is None:
        return False
    return np.array_equal(one.scale, other.scale) and np.array_equal(one.zero_point, other.zero_point)


def is_no_padding(graph: Graph, operator: Operator) -> bool:
    """PAD by nothing."""
    paddings = graph.tensors[operator.inputs[1]].data
    return paddings is not None and not np.any(paddings)


def pad(layer: Layer) -> Step:
    """PAD with the output's zero point, PADV2 with its own value."""
    padded, width = layer.operator.op == "PADV2", item_bytes(layer.source)
    before = tuple(int(pair[0]) for pair in values(layer.input(1)))
    fields = {
        "input_size": _in_bytes(four(layer.source.shape), width),
        "output_size": _in_bytes(four(layer.target.shape), width),
        "before": _in_bytes(four(before, fill=0), width),
        "value": int(np.ravel(values(layer.input(2)))[0]) if padded else zero_point_of(layer.target),
    }
    return layer.step("scn_pad_s8", Struct("scn_pad_t", fields), (layer.held(layer.source), layer.target.index))


def _in_bytes(sizes: tuple[int, ...], width: int) -> tuple[int, ...]:
    """Sizes or places with the last one in bytes; int16 is padded with its zero point, 0, whose bytes are alike."""
    return (*sizes[:-1], sizes[-1] * width)


def quantize(layer: Layer) -> Step:
    """QUANTIZE of INT8 to another scale or zero point."""
    factor = rescale_factor(layer.source, layer.target)
    fields = {"elements": layer.source.elements, **layer.zero_points(), "scale": multiplier(factor)}
    source = layer.held(layer.source)
    return layer.step(
        "scn_quantize_s8", Struct("scn_quantize_t", fields), (source, layer.target.index), overwrites=(source,)
    )


def fill(layer: Layer) -> Step:
    """FILL: a copy of as many values."""
    value = int(np.ravel(values(layer.input(1)))[0])
    made = Table("value", "int8_t", np.full(layer.target.elements, value, np.int8))
    return layer.step("scn_reshape_s8", layer.target.nbytes, ("value", layer.target.index), tables=(made,))


def copy(layer: Layer) -> Step:
    """RESHAPE, EXPAND_DIMS or SQUEEZE between the network's input and output, which may not be one tensor."""
    source = layer.held(layer.source)
    return layer.step("scn_reshape_s8", layer.source.nbytes, (source, layer.target.index), overwrites=(source,))
