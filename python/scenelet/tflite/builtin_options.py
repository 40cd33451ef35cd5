"""Options of every operator that the engine runs, converted from the schema's tables to plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tflite


class DamagedError(ValueError):
    """A value in the file contradicts another; the reader converts it to a ModelError that names the file."""


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if name.isupper()}


_PADDING = _names(tflite.Padding)
_ACTIVATION = _names(tflite.ActivationFunctionType)
_MIRROR = _names(tflite.MirrorPadMode)
_WEIGHTS_FORMAT = _names(tflite.FullyConnectedOptionsWeightsFormat)

Convert = Callable[[Any], Any]

_WINDOW: dict[str, Convert] = {"padding": _PADDING.__getitem__, "stride_h": int, "stride_w": int}
_FUSED: dict[str, Convert] = {"fused_activation_function": _ACTIVATION.__getitem__}
_DILATION: dict[str, Convert] = {"dilation_h_factor": int, "dilation_w_factor": int}
_POOL: dict[str, Convert] = {**_WINDOW, "filter_height": int, "filter_width": int, **_FUSED}

_RESIZED: dict[str, Convert] = {"align_corners": bool, "half_pixel_centers": bool}
_REDUCED: dict[str, Convert] = {"keep_dims": bool}
_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")

# Operator -> its options table in the schema, and the fields to take from it.
_OPTIONS: dict[str, tuple[str, dict[str, Convert]]] = {
    "ADD": ("AddOptions", {**_FUSED, "pot_scale_int16": bool}),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "BATCH_MATMUL": ("BatchMatMulOptions", {"adj_x": bool, "adj_y": bool}),
    "CALL_ONCE": ("CallOnceOptions", {"init_subgraph_index": int}),
    "CONCATENATION": ("ConcatenationOptions", {"axis": int, **_FUSED}),
    "CONV_2D": ("Conv2DOptions", {**_WINDOW, **_DILATION, **_FUSED}),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {**_WINDOW, **_DILATION, "depth_multiplier": int, **_FUSED}),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", {"block_size": int}),
    "DIV": ("DivOptions", _FUSED),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        {**_FUSED, "keep_num_dims": bool, "weights_format": _WEIGHTS_FORMAT.__getitem__},
    ),
    "GATHER": ("GatherOptions", {"axis": int, "batch_dims": int}),
    "GELU": ("GeluOptions", {"approximate": bool}),
    "L2_NORMALIZATION": ("L2NormOptions", _FUSED),
    "LEAKY_RELU": ("LeakyReluOptions", {"alpha": float}),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": ("ReducerOptions", _REDUCED),
    "MIRROR_PAD": ("MirrorPadOptions", {"mode": _MIRROR.__getitem__}),
    "MUL": ("MulOptions", _FUSED),
    "PACK": ("PackOptions", {"axis": int}),
    "REDUCE_MAX": ("ReducerOptions", _REDUCED),
    "REDUCE_MIN": ("ReducerOptions", _REDUCED),
    "REDUCE_PROD": ("ReducerOptions", _REDUCED),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZED),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZED),
    "RESHAPE": ("ReshapeOptions", {"new_shape": int}),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", {"block_size": int}),
    "SOFTMAX": ("SoftmaxOptions", {"beta": float}),
    "STRIDED_SLICE": ("StridedSliceOptions", {**dict.fromkeys(_MASKS, int), "offset": bool}),
    "SUB": ("SubOptions", _FUSED),
    "SUM": ("ReducerOptions", _REDUCED),
    "SVDF": ("SVDFOptions", {"rank": int, **_FUSED}),
    "TRANSPOSE_CONV": ("TransposeConvOptions", {**_WINDOW, **_FUSED}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        {**_FUSED, "cell_clip": float, "proj_clip": float, "time_major": bool},
    ),
    "UNPACK": ("UnpackOptions", {"axis": int}),
    "VAR_HANDLE": ("VarHandleOptions", {"container": _text, "shared_name": _text}),
}

# The interpreter runs these without an options table, with the defaults.
_OPTIONAL = {
    "ADD",
    "BATCH_MATMUL",
    "DIV",
    "FULLY_CONNECTED",
    "GELU",
    "L2_NORMALIZATION",
    "MEAN",
    "MUL",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "SUB",
    "SUM",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "REDUCE_PROD",
}
_VECTORS = {"new_shape"}


def read_attributes(op: str, entry: Any) -> Mapping[str, Any]:
    """Options of one operator.

    Parameters
    ----------
    op
        Builtin name, such as ``CONV_2D``; an unknown one has no attributes.
    entry
        The schema's operator table.

    Returns
    -------
    Mapping
        The schema's field names in snake case -> int, float, bool, the enumeration's name, or a tuple of int. Empty if
        the table is optional and missing; every field then has its default.

    Raises
    ------
    DamagedError
        A required table is missing, or the table is another operator's.
    KeyError, struct.error
        A field has a value outside its enumeration, or lies outside the file.
    """
    if op not in _OPTIONS:
        return {}
    name, fields = _OPTIONS[op]
    union = entry.BuiltinOptions()
    if union is None and op in _OPTIONAL:
        return {}
    if union is None:
        raise DamagedError(f"{op} has no options")
    if entry.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, name):
        raise DamagedError(f"options of {op} are another operator's")
    table = getattr(tflite, name)()
    table.Init(union.Bytes, union.Pos)
    return {field: _value(table, field, convert) for field, convert in fields.items()}


def _value(table: Any, field: str, convert: Convert) -> Any:
    name = _camel(field)
    if field not in _VECTORS:
        return convert(getattr(table, name)())
    return tuple(map(convert, getattr(table, f"{name}AsNumpy")())) if getattr(table, f"{name}Length")() else ()


def _camel(field: str) -> str:
    """``stride_h`` -> ``StrideH``, as the bindings spell it."""
    return "".join(part.capitalize() for part in field.split("_"))
