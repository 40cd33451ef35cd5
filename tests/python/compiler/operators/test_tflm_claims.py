"""What docs/OPERATORS.md says of TFLite Micro is what TFLite Micro does, operator by operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from layers.rare import FUNCTIONS
from networks import NetworkBuilder
from operator_layers import MAPS
from streams.sequences import lstm

from scenelet.compiler.operators import OPERATORS
from scenelet.errors import UnsupportedError
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget

Layer = Callable[[NetworkBuilder], int]
SHAPE = (1, 6, 8, 4)
SEEDS = 3


def along_channels(method: str) -> Layer:
    return lambda n: int(getattr(n, method)(n.start, n.constant_like(n.start, (4,))))


def picked(op: str, *constants: object, **options: object) -> Layer:
    return lambda n: n.picked(op, n.start, *constants, **options)


LAYERS: Mapping[str, Layer] = {
    **{op: (lambda n, op=op: n.function(op, n.start)) for op in FUNCTIONS},
    **{op: (lambda n, op=op: n.mapped(op, n.start)) for op in MAPS},
    "ADD": along_channels("add"),
    "AVERAGE_POOL_2D": lambda n: n.pool(n.start, (3, 2), kind="AVERAGE_POOL_2D", padding="SAME"),
    "BATCH_MATMUL": lambda n: n.matrix_product(n.start, n.start, adj_y=True),
    "BATCH_TO_SPACE_ND": lambda n: n.picked(
        "BATCH_TO_SPACE_ND", n.picked("SPACE_TO_BATCH_ND", n.start, [2, 2], [[0, 0], [0, 0]]), [2, 2], [[1, 0], [0, 1]]
    ),
    "BROADCAST_TO": lambda n: n.picked("BROADCAST_TO", n.slice(n.start, (0,) * 4, (1, 1, -1, -1)), [1, 3, 8, 4]),
    "CONCATENATION": lambda n: n.concatenate((n.start, n.start), 2),
    "CONV_2D": lambda n: n.convolution(n.start, 5, (3, 3)),
    "DEPTHWISE_CONV_2D": lambda n: n.depthwise(n.start, (3, 3), multiplier=2),
    "DEPTH_TO_SPACE": picked("DEPTH_TO_SPACE", block_size=2),
    "DIV": along_channels("divide"),
    "EXPAND_DIMS": lambda n: n.mapped("RELU", n.expand_dims(n.start, 1)),
    "FILL": lambda n: n.filled(n.start),
    "GATHER": picked("GATHER", [1, 0, 3], axis=2),
    "GATHER_ND": picked("GATHER_ND", [[[0, 1], [0, 3]]]),
    "L2_NORMALIZATION": lambda n: n.l2_normalization(n.start),
    "LOG_SOFTMAX": lambda n: n.log_softmax(n.start),
    "LOGISTIC": lambda n: n.logistic(n.start),
    "MAXIMUM": lambda n: n.extremum("MAXIMUM", n.start, n.constant_like(n.start, (4,))),
    "MAX_POOL_2D": lambda n: n.pool(n.start, (3, 2)),
    "MEAN": lambda n: n.mean(n.start),
    "MINIMUM": lambda n: n.extremum("MINIMUM", n.start, n.constant_like(n.start, (4,))),
    "MIRROR_PAD": picked("MIRROR_PAD", [[0, 0], [1, 2], [3, 0], [0, 0]], mode="SYMMETRIC"),
    "MUL": along_channels("multiply"),
    "PACK": lambda n: n.pack((n.start, n.start), 1),
    "PAD": lambda n: n.pad(n.start, ((0, 0), (1, 2), (0, 1), (0, 0))),
    "PADV2": lambda n: n.pad_value(n.start, ((0, 0), (1, 2), (0, 1), (0, 0))),
    "PRELU": lambda n: n.prelu(n.start),
    "QUANTIZE": lambda n: n.quantize(n.start),
    "REDUCE_MAX": lambda n: n.reduced("REDUCE_MAX", n.start, (1,)),
    "REDUCE_MIN": lambda n: n.reduced("REDUCE_MIN", n.start, (1,)),
    "RESHAPE": lambda n: n.reshape(n.start, (1, 8, 6, 4)),
    "RESIZE_BILINEAR": lambda n: n.resize_bilinear(n.start, (11, 9)),
    "RESIZE_NEAREST_NEIGHBOR": picked("RESIZE_NEAREST_NEIGHBOR", [11, 9], half_pixel_centers=True),
    "REVERSE_V2": picked("REVERSE_V2", [1]),
    "SLICE": lambda n: n.slice(n.start, (0, 1, 2, 0), (1, 3, 2, -1)),
    "SOFTMAX": lambda n: n.softmax(n.start),
    "SPACE_TO_BATCH_ND": lambda n: n.picked(
        "BATCH_TO_SPACE_ND", n.picked("SPACE_TO_BATCH_ND", n.start, [2, 2], [[1, 1], [0, 2]]), [2, 2], [[0, 0], [0, 0]]
    ),
    "SPACE_TO_DEPTH": picked("SPACE_TO_DEPTH", block_size=2),
    "SPLIT": lambda n: n.concatenate(n.split(n.start, 2, 2)[::-1], 2),
    "SPLIT_V": lambda n: n.concatenate(n.split_by_sizes(n.start, 1, (2, 4))[::-1], 1),
    "SQUARED_DIFFERENCE": along_channels("squared_difference"),
    "SQUEEZE": lambda n: n.mapped("RELU", n.expand_dims(n.squeeze(n.start, ()), 0)),
    "STRIDED_SLICE": lambda n: n.strided_slice(n.start, (1, 3, 8, 4), (0,) * 4, (1, 6, 8, 4), (1, 2, 1, 1)),
    "SUB": along_channels("subtract"),
    "SUM": lambda n: n.reduced("SUM", n.start, (1, 2)),
    "TILE": picked("TILE", [1, 2, 1, 1]),
    "TRANSPOSE": lambda n: n.transpose(n.start, (0, 2, 3, 1)),
    "TRANSPOSE_CONV": lambda n: n.transpose_convolution(n.start, (1, 12, 16, 3), (3, 3), stride=(2, 2), padding="SAME"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lambda n: lstm(n, n.reshape(n.start, (1, math.prod(SHAPE) // 8, 8)), 6),
    "UNPACK": lambda n: n.pack(n.unpack(n.start, 1)[::-1], 1),
}
ELSEWHERE = {"ASSIGN_VARIABLE", "FULLY_CONNECTED", "READ_VARIABLE", "SVDF"}
"""State needs more than one layer, and FULLY_CONNECTED differs in few values: test_parity.py counts them."""


def differences(op: str, seed: int) -> int:
    """Values that TFLite Micro computes otherwise; raises where it does not run the network."""
    network = NetworkBuilder(seed, SHAPE)
    model = network.model(LAYERS[op](network))
    one = np.random.default_rng(seed).integers(-128, 128, SHAPE).astype(np.int8)
    with LitertTarget(model) as reference, TflmTarget(model) as target:
        return int((reference.run(one[None]) != target.run(one[None])).sum())


def test_every_operator_is_tried() -> None:
    assert set(OPERATORS) == set(LAYERS) | ELSEWHERE


@pytest.mark.parametrize("op", sorted(LAYERS))
def test_it_does_what_the_table_says(op: str) -> None:
    said = OPERATORS[op].in_tflm
    if said == "no INT8":
        with pytest.raises(UnsupportedError, match="TFLM refuses it"):
            differences(op, 0)
        return
    counted = [differences(op, seed) for seed in range(SEEDS)]
    assert (sum(counted) == 0) == said.startswith("the same"), counted
