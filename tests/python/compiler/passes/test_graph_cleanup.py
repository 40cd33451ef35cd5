"""Passes drop only what need not be computed."""

from __future__ import annotations

import numpy as np
from networks import NetworkBuilder

from scenelet.compiler.operators import aliases
from scenelet.compiler.options import Options
from scenelet.compiler.passes.graph_cleanup import drop_unread
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget


def test_operators_that_nobody_reads_are_dropped() -> None:
    network = NetworkBuilder(1, (1, 4, 4, 2))
    kept = network.prelu(network.start)
    network.quantize(kept)
    graph = network.builder.graph(kept)
    assert [operator.op for operator in drop_unread(graph).operators] == ["PRELU"]


def test_operators_in_front_of_the_output_are_kept() -> None:
    network = NetworkBuilder(1, (1, 4, 4, 2))
    graph = network.builder.graph(network.softmax(network.quantize(network.prelu(network.start))))
    assert drop_unread(graph).operators == graph.operators


def test_reshapes_in_a_row_are_one_tensor() -> None:
    network = NetworkBuilder(1, (1, 4, 4, 2))
    made = network.prelu(network.start)
    flat = network.reshape(made, (1, 32))
    square = network.reshape(flat, (1, 2, 16))
    graph = network.builder.graph(network.softmax(square))
    assert aliases(graph) == {flat: made, square: made}


def test_quantize_to_the_same_scale_is_an_alias_and_to_another_is_not() -> None:
    network = NetworkBuilder(1, (1, 8))
    same = network.quantize(network.start, same=True)
    other = network.quantize(same)
    assert aliases(network.builder.graph(other)) == {same: network.start}


def test_padding_by_nothing_is_an_alias() -> None:
    network = NetworkBuilder(1, (1, 4, 4, 2))
    none = network.pad(network.start, ((0, 0), (0, 0), (0, 0), (0, 0)))
    some = network.pad(none, ((0, 0), (1, 0), (0, 0), (0, 0)))
    assert aliases(network.builder.graph(some)) == {none: network.start}


def test_a_network_that_only_reshapes_copies() -> None:
    network = NetworkBuilder(1, (1, 2, 3, 4))
    model = network.model(network.reshape(network.start, (1, 24)))
    values = np.arange(-12, 12, dtype=np.int8).reshape(1, 1, 2, 3, 4)
    with HostTarget(model) as host:
        np.testing.assert_array_equal(host.run(values)[0], values.ravel())
        assert set(host.tensors(values[0])) == {0, 2}


def test_an_input_that_is_only_read_under_another_shape_is_streamed() -> None:
    def arena(flat: bool) -> int:
        network = NetworkBuilder(4, (1, 2400) if flat else (1, 60, 10, 4), (0.05, 3))
        maps = network.reshape(network.start, (1, 60, 10, 4)) if flat else network.start
        made = network.convolution(network.convolution(maps, 8, (3, 3)), 8, (3, 3))
        model = network.model(network.softmax(network.fully_connected(network.mean(made), 5)))
        with HostTarget(model, options=Options(ram_bytes=0)) as target:
            assert parity.check(model, target, 5).mismatches == 0
            return target.compiled.plan.arena_bytes

    assert arena(flat=True) == arena(flat=False)
