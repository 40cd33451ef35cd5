"""The counting rules on a small graph that is counted by hand, and the verdict on it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import KINDS, random_network
from tflite_writer import GraphBuilder

from scenelet.errors import InputError, LimitExceeded
from scenelet.graph import Graph, Operator, Tensor, cost, limits
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import read_model


def tensor(index: int, shape: tuple[int, ...], dtype: str = "int8", constant: bool = False) -> Tensor:
    return Tensor(index, f"net/layer{index}/op", shape, dtype, constant)


@pytest.fixture
def graph() -> Graph:
    tensors = [
        tensor(0, (1, 8, 6, 2)),
        tensor(1, (4, 3, 5, 2), constant=True),
        tensor(2, (4,), "int32", constant=True),
        tensor(3, (1, 8, 6, 4)),
        tensor(4, (4,), constant=True),
        tensor(5, (1, 8, 6, 4)),
        tensor(6, (1, 4, 3, 4)),
        tensor(7, (2,), "int32", constant=True),
        tensor(8, (1, 4)),
        tensor(9, (10, 4), constant=True),
        tensor(10, (1, 10)),
        tensor(11, (1, 10)),
    ]
    operators = (
        Operator(0, "CONV_2D", (0, 1, 2), (3,), {"padding": "SAME"}),
        Operator(1, "ADD", (3, 4), (5,)),
        Operator(2, "MAX_POOL_2D", (5,), (6,), {"filter_height": 2, "filter_width": 2}),
        Operator(3, "MEAN", (6, 7), (8,)),
        Operator(4, "FULLY_CONNECTED", (8, 9, -1), (10,)),
        Operator(5, "SOFTMAX", (10,), (11,)),
    )
    return Graph("hand", {t.index: t for t in tensors}, operators, (0,), (11,))


def test_counts_are_those_made_by_hand(graph: Graph) -> None:
    counted = cost.count(graph)
    assert [layer.macs for layer in counted.layers] == [8 * 6 * 4 * 3 * 5 * 2, 192, 4 * 3 * 4 * 4, 48, 40, 0]
    assert [layer.params_bytes for layer in counted.layers] == [120 + 16, 4, 0, 8, 40, 0]
    assert counted.params_bytes == 188
    assert [layer.live_bytes for layer in counted.layers] == [96 + 192, 384, 240, 52, 14, 20]
    assert counted.peak_activation_bytes == 384


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.sampled_from(KINDS))
def test_products_are_those_that_an_interpreter_computes(seed: int, layers: int, kind: str) -> None:
    """Each operator is repeated on ones, so that the sum of its results is the number of its products."""
    model = random_network(seed, layers, kind)
    graph = read_model(model)
    with LitertTarget(model) as target:
        made = target.tensors(np.zeros(target.input.shape, np.int8))
    for operator, layer in zip(graph.operators, cost.count(graph).layers, strict=True):
        result = made.get(operator.outputs[0])
        if result is None:  # nothing reads it, and so no target shows it
            continue
        if operator.op == "FULLY_CONNECTED":
            weights = np.ones(graph.tensors[operator.inputs[1]].shape)
            source = np.ones(made[operator.inputs[0]].size).reshape(-1, weights.shape[1])
            products = source @ weights.T
            assert products.size == result.size
            assert layer.macs == products.sum()
        elif operator.op in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel = np.ones(graph.tensors[operator.inputs[1]].shape)
            taps = kernel.sum(axis=(1, 2, 3)) if operator.op == "CONV_2D" else kernel.sum(axis=(0, 1, 2))
            assert layer.macs == np.broadcast_to(taps, result.shape).sum()
        elif operator.op == "ADD":
            assert layer.macs == result.size
        elif operator.op == "MEAN":
            assert layer.macs == made[operator.inputs[0]].size


def test_rows_of_a_dense_layer_count_each() -> None:
    network = GraphBuilder("rows")
    x = network.input((1, 20, 10), 0.1, 0)
    weights = network.constant(np.ones((4, 10), np.int8), 0.1, 0)
    counted = cost.count(network.graph(network.operator("FULLY_CONNECTED", (x, weights), (1, 20, 4), 0.1, 0)))
    assert counted.macs == 800
    assert counted.macs_nessi == 40


def test_a_constant_that_two_operators_share_counts_once(graph: Graph) -> None:
    again = dataclasses.replace(graph, operators=(*graph.operators[:2], Operator(2, "ADD", (5, 4), (6,))))
    assert cost.count(again).params_bytes == 120 + 16 + 4


def test_a_skip_connection_keeps_its_tensor_alive(graph: Graph) -> None:
    alive = cost.lifetimes(
        dataclasses.replace(graph, operators=(*graph.operators[:2], Operator(2, "ADD", (5, 0), (6,))))
    )
    assert alive[0] == (0, 2)
    assert alive[3] == (0, 1)


def test_limits_are_inclusive_and_name_the_layers_to_shrink(graph: Graph) -> None:
    counted = cost.count(graph)
    at_limit = dataclasses.replace(counted, params_bytes=limits.PARAMS_BYTES, macs=limits.MACS)
    assert limits.violations(at_limit) == []
    over = dataclasses.replace(counted, params_bytes=limits.PARAMS_BYTES + 1, macs=limits.MACS + 1)
    with pytest.raises(LimitExceeded) as caught:
        limits.require(over, "net")
    message = str(caught.value)
    assert "parameters 128,001 B: over the limit of 128,000 by 1" in message
    assert "MACs 30,000,001: over" in message
    assert "0:layer3" in message


@pytest.mark.parametrize(
    ("rule", "found"), [("dcase", ["parameters", "flash of tiny"]), ("board", ["flash of tiny"]), ("none", [])]
)
def test_a_rule_says_which_limits_hold(graph: Graph, rule: str, found: list[str]) -> None:
    over = dataclasses.replace(cost.count(graph), params_bytes=limits.PARAMS_BYTES + 1)
    held = limits.Limits(rule, "by the test")
    board = limits.Board("tiny", 100, 1 << 20)
    assert [violation.limit for violation in limits.violations(over, board, held=held)] == found
    if found:
        with pytest.raises(LimitExceeded, match=f"limits {rule}, set by the test$"):
            limits.require(over, "net", held, board)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InputError, match="limits 'dcase2024': unknown; choose one of: dcase, board, none"):
        limits.Limits("dcase2024")


def test_a_board_adds_its_flash_and_ram(graph: Graph) -> None:
    tiny = limits.Board("tiny", 100, 300)
    found = limits.violations(cost.count(graph), tiny)
    assert [(v.limit, v.value, v.allowed) for v in found] == [("flash of tiny", 188, 100), ("RAM of tiny", 384, 300)]
    assert limits.violations(cost.count(graph), tiny, flash_bytes=100, ram_bytes=300) == []
