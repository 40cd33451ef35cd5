"""The operators that the engine runs: one row for each."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    activation,
    convolution,
    data_movement,
    dense,
    elementwise,
    functions,
    joining,
    picking,
    pooling,
    reduction,
    slicing,
    state,
)
from .layer import Row, Wide
from .recurrent import lstm, svdf
from .wide import tables, values, weighted

_WEIGHTED = "INT8; bias int32"
_INDEXED = "INT8; indices int32, int64"
_FUNCTION = (functions.check_function, functions.function)
_PICKING = (picking.check_picking, picking.picking)
_CONVOLUTION = "any kernel, stride, dilation; SAME, VALID; a scale per channel or per tensor; with or without bias"
_BROADCAST = "up to four dimensions, either operand broadcast, one of them perhaps a constant"
_RAW = "INT8 values are compared as they are, whatever their scales, as TFLite does"
_AXES = "any axes of up to four dimensions; `keep_dims` or not"
_MAP = "any scales"
_POSITIVE = "an input that is never negative (zero point -128), as TFLite demands"
_CONSTANT_INDICES = "constant indices; up to six dimensions that are not one run of bytes"
_SLICED = Wide(slicing.slicing)
_POOL = "any window and stride; SAME, VALID"

OPERATORS: Mapping[str, Row] = {
    "ABS": Row(_MAP, *_FUNCTION, "AddAbs"),
    "ADD": Row(_BROADCAST, elementwise.check_elementwise, elementwise.add, "AddAdd", wide=values.ADD),
    "ASSIGN_VARIABLE": Row(
        "an INT8 variable; it is always assigned, its type and shape stay",
        state.check_assign,
        state.assign,
        "AddAssignVariable",
    ),
    "AVERAGE_POOL_2D": Row(
        _POOL, pooling.check_pool, pooling.average_pool, "AddAveragePool2D", wide=values.AVERAGE_POOL
    ),
    "BATCH_MATMUL": Row(
        "two to five dimensions, batches broadcast; either operand transposed, or a constant; INT8 output",
        dense.check_batch_matmul,
        dense.batch_matmul,
        "AddBatchMatMul",
    ),
    "BATCH_TO_SPACE_ND": Row("constant blocks and crops", *_PICKING, "AddBatchToSpaceNd", types=_INDEXED),
    "BROADCAST_TO": Row("a constant shape", *_PICKING, "AddBroadcastTo", types=_INDEXED),
    "CONCATENATION": Row(
        "any axis; equal scales, as TFLite demands; constants among the inputs",
        joining.check_concatenation,
        joining.concatenation,
        "AddConcatenation",
        wide=Wide(joining.concatenation),
    ),
    "CONV_2D": Row(
        f"{_CONVOLUTION}; no groups",
        convolution.check_convolution,
        convolution.convolution,
        "AddConv2D",
        types=_WEIGHTED,
        wide=weighted.CONVOLUTION,
    ),
    "DEPTH_TO_SPACE": Row("any block size", *_PICKING, "AddDepthToSpace", types=_INDEXED),
    "DEPTHWISE_CONV_2D": Row(
        f"{_CONVOLUTION}; any depth multiplier",
        convolution.check_depthwise,
        convolution.depthwise,
        "AddDepthwiseConv2D",
        types=_WEIGHTED,
        differs="the same; takes the depth multiplier from the options, not from the shapes",
        wide=weighted.DEPTHWISE,
    ),
    "DIV": Row(
        f"{_BROADCAST}; factors from 64 on, as TFLite's shifts are undefined below; a computed 0 divides like 1 step",
        elementwise.check_elementwise,
        elementwise.divide,
        "AddDiv",
        differs="the same; smaller factors give values that depend on the processor",
    ),
    "ELU": Row(
        _MAP, *_FUNCTION, "AddElu", differs="the same; `BUILTIN_REF` lacks it: TFLite's default kernel is the reference"
    ),
    "EXP": Row(_MAP, *_FUNCTION, None),
    "EXPAND_DIMS": Row(
        "a constant axis",
        data_movement.check_expand_dims,
        data_movement.copy,
        "AddExpandDims",
        data_movement.is_rename,
        wide=Wide(data_movement.copy),
    ),
    "FILL": Row(
        "a constant value; a shape that is constant or computed of shapes",
        data_movement.check_fill,
        data_movement.fill,
        "AddFill",
        types=_INDEXED,
    ),
    "FULLY_CONNECTED": Row(
        "a scale per channel or per tensor; with or without bias",
        dense.check_fully_connected,
        dense.fully_connected,
        "AddFullyConnected",
        types=_WEIGHTED,
        differs="rounds twice: some values differ by one",
        wide=weighted.FULLY_CONNECTED,
    ),
    "GATHER": Row("constant indices along any axis; no batch dimensions", *_PICKING, "AddGather", types=_INDEXED),
    "GATHER_ND": Row("constant indices", *_PICKING, "AddGatherNd", types=_INDEXED),
    "GELU": Row(f"{_MAP}; exact or approximate", *_FUNCTION, None),
    "HARD_SWISH": Row("any scales up to a factor of 128", activation.check_map, activation.swish, "AddHardSwish"),
    "L2_NORMALIZATION": Row(
        "last dimension; output scale 1/128, zero point 0",
        activation.check_l2_normalization,
        activation.l2_normalization,
        "AddL2Normalization",
    ),
    "LEAKY_RELU": Row("any slope that is not negative", activation.check_map, activation.leaky_relu, "AddLeakyRelu"),
    "LOG": Row(_MAP, *_FUNCTION, None),
    "LOG_SOFTMAX": Row(
        "last dimension, up to 1023 classes; output scale 1/16, zero point 127",
        activation.check_log_softmax,
        activation.log_softmax,
        "AddLogSoftmax",
    ),
    "LOGISTIC": Row(
        "output scale 1/256",
        *_FUNCTION,
        "AddLogistic",
        differs="the same; only with an output zero point of -128",
        wide=tables.LOGISTIC,
    ),
    "MAXIMUM": Row(f"{_BROADCAST}; {_RAW}", elementwise.check_elementwise, elementwise.maximum, "AddMaximum"),
    "MAX_POOL_2D": Row(_POOL, pooling.check_pool, pooling.max_pool, "AddMaxPool2D", wide=values.MAX_POOL),
    "MEAN": Row(_AXES, pooling.check_mean, pooling.mean, "AddMean", wide=values.MEAN),
    "MINIMUM": Row(f"{_BROADCAST}; {_RAW}", elementwise.check_elementwise, elementwise.minimum, "AddMinimum"),
    "MIRROR_PAD": Row("constant paddings; REFLECT, SYMMETRIC", *_PICKING, "AddMirrorPad", types=_INDEXED),
    "MUL": Row(_BROADCAST, elementwise.check_elementwise, elementwise.multiply, "AddMul", wide=values.MUL),
    "NEG": Row(
        "INT8 values are negated as they are, whatever their scales, as TFLite does",
        *_FUNCTION,
        None,
    ),
    "PACK": Row(
        "any axis; equal scales; constants among the inputs",
        joining.check_pack,
        joining.pack,
        "AddPack",
        wide=Wide(joining.pack),
    ),
    "PAD": Row(
        "up to four dimensions, constant paddings",
        data_movement.check_pad,
        data_movement.pad,
        "AddPad",
        data_movement.is_no_padding,
        wide=Wide(data_movement.pad),
    ),
    "PADV2": Row(
        "up to four dimensions, constant paddings and value",
        data_movement.check_pad,
        data_movement.pad,
        "AddPadV2",
        data_movement.is_no_padding,
    ),
    "PRELU": Row(
        "up to four dimensions, a constant slope that broadcasts",
        elementwise.check_prelu,
        elementwise.prelu,
        "AddPrelu",
    ),
    "QUANTIZE": Row(
        "within and between INT8 and int16; at the ends also from float32, INT8 from and to uint8, int16 to int32",
        data_movement.check_quantize,
        data_movement.quantize,
        "AddQuantize",
        data_movement.is_same_quantization,
        types="INT8; at the ends float32, uint8, int32",
        wide=values.QUANTIZE,
    ),
    "READ_VARIABLE": Row(
        "an INT8 variable that has a value by then",
        state.check_read,
        state.read,
        "AddReadVariable",
        data_movement.is_rename,
    ),
    "REDUCE_MAX": Row(_AXES, reduction.check_extremum, reduction.maximum, "AddReduceMax"),
    "REDUCE_MIN": Row(_AXES, reduction.check_extremum, reduction.minimum, "AddReduceMin"),
    "RELU": Row(_MAP, activation.check_map, activation.relu, "AddRelu", wide=values.RELU),
    "RELU6": Row(
        _MAP, activation.check_map, activation.relu, "AddRelu6", differs="clamps without rescaling", wide=values.RELU
    ),
    "RELU_0_TO_1": Row(_MAP, activation.check_map, activation.relu, None),
    "RELU_N1_TO_1": Row(_MAP, activation.check_map, activation.relu, None),
    "RESHAPE": Row(
        "any shape of as many values; also one that the model computes of shapes",
        data_movement.check_reshape,
        data_movement.copy,
        "AddReshape",
        data_movement.is_rename,
        wide=Wide(data_movement.copy),
    ),
    "RESIZE_BILINEAR": Row(
        "a constant size; `align_corners`, `half_pixel_centers` or neither",
        pooling.check_resize_bilinear,
        pooling.resize_bilinear,
        "AddResizeBilinear",
    ),
    "RESIZE_NEAREST_NEIGHBOR": Row(
        "a constant size; `align_corners` or `half_pixel_centers`",
        picking.check_picking,
        picking.picking,
        "AddResizeNearestNeighbor",
    ),
    "REVERSE_V2": Row(
        "constant axes; INT8 values are moved as they are, whatever their scales, as TFLite does",
        *_PICKING,
        "AddReverseV2",
        types=_INDEXED,
    ),
    "RSQRT": Row(_POSITIVE, *_FUNCTION, "AddRsqrt"),
    "SLICE": Row(_CONSTANT_INDICES, slicing.check_slicing, slicing.slicing, "AddSlice", wide=_SLICED),
    "SOFTMAX": Row(
        "last dimension, up to 511 classes (INT8, where TFLite gives up), any positive beta; at the end INT8 to int16",
        activation.check_softmax,
        activation.softmax,
        "AddSoftmax",
        wide=tables.SOFTMAX,
    ),
    "SPACE_TO_BATCH_ND": Row(
        "constant blocks and paddings",
        *_PICKING,
        "AddSpaceToBatchNd",
        types=_INDEXED,
        differs="pads with INT8 0, not with the zero point",
    ),
    "SPACE_TO_DEPTH": Row("any block size", *_PICKING, "AddSpaceToDepth", types=_INDEXED),
    "SPLIT": Row(_CONSTANT_INDICES, slicing.check_slicing, slicing.slicing, "AddSplit", wide=_SLICED),
    "SPLIT_V": Row(_CONSTANT_INDICES, slicing.check_slicing, slicing.slicing, "AddSplitV", wide=_SLICED),
    "SQRT": Row(_POSITIVE, *_FUNCTION, None),
    "SQUARED_DIFFERENCE": Row(
        _BROADCAST, elementwise.check_elementwise, elementwise.squared_difference, "AddSquaredDifference"
    ),
    "SQUEEZE": Row(
        "any dimensions of 1",
        data_movement.check_squeeze,
        data_movement.copy,
        "AddSqueeze",
        data_movement.is_rename,
        wide=Wide(data_movement.copy),
    ),
    "STRIDED_SLICE": Row(
        f"{_CONSTANT_INDICES}; any strides and masks",
        slicing.check_slicing,
        slicing.slicing,
        "AddStridedSlice",
        wide=_SLICED,
    ),
    "SUB": Row(_BROADCAST, elementwise.check_elementwise, elementwise.subtract, "AddSub"),
    "SUM": Row(
        _AXES, reduction.check_sum, reduction.total, "AddSum", differs="the same; `BUILTIN_REF` takes INT8 for uint8"
    ),
    "SVDF": Row(
        "INT8 with a state of INT8 or int16, any rank; a scale per tensor; RELU, as TFLite demands",
        svdf.check_svdf,
        svdf.svdf,
        "AddSvdf",
        types="INT8; state INT8, int16; bias int32",
    ),
    "TANH": Row(
        _MAP,
        *_FUNCTION,
        "AddTanh",
        differs="takes the output's scale for 1/128 and its zero point for 0",
        wide=tables.TANH,
    ),
    "TILE": Row("constant multiples", *_PICKING, None, types=_INDEXED),
    "TRANSPOSE": Row(
        "a constant permutation of up to six dimensions",
        slicing.check_slicing,
        slicing.slicing,
        "AddTranspose",
        wide=_SLICED,
    ),
    "TRANSPOSE_CONV": Row(
        "any kernel and stride; SAME, VALID; a scale per channel or per tensor; with or without bias; a constant shape",
        convolution.check_transpose_conv,
        convolution.transpose_conv,
        "AddTransposeConv",
        types=_WEIGHTED,
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Row(
        "three dimensions, time or batch first; a scale per tensor, the cell's a power of two; TANH; no CIFG, "
        "peephole weights, projection or layer normalization",
        lstm.check_lstm,
        lstm.lstm,
        "AddUnidirectionalSequenceLSTM",
        types="INT8; cell int16; bias int32",
        differs="other roundings: many values differ by one",
    ),
    "UNPACK": Row("any axis", slicing.check_slicing, slicing.slicing, "AddUnpack", wide=_SLICED),
}
"""By TFLite's name, sorted."""


_IN_NO_PROGRAM: Mapping[str, str | None] = {
    "CALL_ONCE": "AddCallOnce",
    "CAST": "AddCast",
    "DEQUANTIZE": "AddDequantize",
    "REDUCE_PROD": None,
    "SHAPE": "AddShape",
    "VAR_HANDLE": "AddVarHandle",
}
"""Methods of operators that no program contains: passes.ends, passes.shapes and tflite.variables stand for them."""

STATE_OPERATORS = ("CALL_ONCE", "VAR_HANDLE")
"""Operators of a file with resource variables that its graph leaves out."""


def tflm_method(op: str) -> str | None:
    """Method of TensorFlow Lite Micro's resolver that registers an operator; None where that lacks the operator."""
    return _IN_NO_PROGRAM[op] if op in _IN_NO_PROGRAM else OPERATORS[op].tflm
