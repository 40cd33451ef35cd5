"""Generated C on this computer has TFLite's reference bits: every operator's corners, segments, earlier arenas."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import ACTIVATIONS, PADDINGS, NetworkBuilder, random_network

from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.evaluation import parity
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget

pytestmark = pytest.mark.sweep

SUPPORT = Path(__file__).resolve().parents[1] / "support"

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pairs = st.tuples(st.integers(1, 7), st.integers(1, 7))


SEPARATE = Options(fusion=False)
DEPTH_FIRST = {weights: Options(ram_bytes=0, weights=weights) for weights in ("packed", "expanded")}


def require_parity(model: bytes, cases: int = 6, options: Options = SEPARATE) -> None:
    with HostTarget(model, options=options) as host:
        parity.check(model, host, cases).require("host")


@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_every_stage_of_a_segment(kind: str) -> None:
    """A residual block of every operator that runs row by row; the map is read twice, so it stands alone."""
    network = NetworkBuilder(1 + len(kind), (1, 61, 9, 5))
    x = network.convolution(network.start, 7, (5, 3), activation="RELU")
    x = network.add(x, network.constant_like(x, (7,)))
    mapped = network.quantize(network.pool(x, (3, 2), kind=kind, stride=(1, 1), padding="SAME"))
    y = network.prelu(network.depthwise(mapped, (3, 3)))
    y = network.add(network.convolution(y, 7, (1, 1)), mapped, activation="RELU")
    model = network.model(network.mean(network.pool(y, (2, 2), kind=kind, stride=(2, 2))))
    steps = compile_model(model, DEPTH_FIRST["packed"]).program.steps
    kernels = [stage.step.kernel for step in steps for stage in stages_of(step)]
    assert set(kernels) >= {"scn_conv2d_s8", "scn_depthwise_conv2d_s8", "scn_add_s8"}
    assert sum("pool" in kernel for kernel in kernels) == 2
    require_parity(model, 8, DEPTH_FIRST["packed"])


def test_a_sum_in_a_segment_takes_rows_in_its_own_order() -> None:
    """ADD multiplies its first operand and looks up the other one, be it a stage or the end of a convolution."""
    kernels = set()
    for seed in range(2):
        for swapped, apart in itertools.product((False, True), repeat=2):
            network = NetworkBuilder(seed, (1, 40, 6, 4))
            x = network.convolution(network.start, 8, (3, 3))
            y = network.convolution(x, 8, (3, 3))
            y = network.depthwise(y, (3, 3)) if apart else network.convolution(y, 8, (3, 3))
            operands = (x, y) if swapped else (y, x)
            model = network.model(network.pool(network.add(*operands), (2, 2)))
            steps = compile_model(model, DEPTH_FIRST["packed"]).program.steps
            stages = [stage for step in steps for stage in stages_of(step)]
            kernels |= {(s.step.kernel, apart) for s in stages if s.added or s.step.op == "ADD"}
            require_parity(model, 4, DEPTH_FIRST["packed"])
    assert kernels == {("scn_add_lut_s8", True), ("scn_conv2d_s8", False)}


@pytest.mark.parametrize("weights", DEPTH_FIRST)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 2**32 - 1), st.integers(16, 40), st.integers(4, 12), st.integers(8, 14), st.integers(8, 13),
    st.sampled_from([(3, 3), (7, 3), (3, 5)]), st.sampled_from(PADDINGS), st.booleans(),
)  # fmt: skip
def test_winograd_segments(
    weights: str, seed: int, height: int, width: int, depth: int, channels: int, kernel: tuple[int, int],
    padding: str, skip: bool,
) -> None:  # fmt: skip
    """Convolutions of eight channels and more, unfolded BatchNorms, a residual branch, a pool."""
    network = NetworkBuilder(seed, (1, height, width + 4, depth))
    x = network.convolution(network.start, channels, kernel, padding=padding, activation="RELU")
    x = network.add(network.multiply(x, network.constant_like(x, (channels,))), network.constant_like(x, (channels,)))
    y = network.convolution(x, channels, kernel, activation="RELU6")
    y = network.add(y, x, activation="RELU") if skip else network.prelu(y)
    model = network.model(network.pool(y, (2, 2)))
    options = DEPTH_FIRST[weights]
    require_parity(model, 6, options)
    require_parity(model, 6, replace(options, ram_bytes=100_000))


@quick
@given(
    st.integers(0, 2**32 - 1), pairs, st.integers(1, 9), st.integers(1, 20), pairs, pairs, pairs,
    st.sampled_from(PADDINGS), st.sampled_from(ACTIVATIONS), st.booleans(),
)  # fmt: skip
def test_convolution(
    seed: int, grown: tuple[int, int], depth: int, channels: int, kernel: tuple[int, int], stride: tuple[int, int],
    dilation: tuple[int, int], padding: str, activation: str, per_channel: bool,
) -> None:  # fmt: skip
    shape = tuple((k - 1) * d + g for k, d, g in zip(kernel, dilation, grown, strict=True))
    network = NetworkBuilder(seed, (1, *shape, depth))
    out = network.convolution(
        network.start, channels, kernel, stride=stride, dilation=dilation, padding=padding, activation=activation,
        per_channel=per_channel,
    )  # fmt: skip
    require_parity(network.model(out))


@quick
@given(
    st.integers(0, 2**32 - 1), pairs, st.integers(1, 9), st.integers(1, 3), pairs, pairs, st.sampled_from(PADDINGS),
    st.sampled_from(ACTIVATIONS), st.booleans(), st.booleans(),
)  # fmt: skip
def test_depthwise(
    seed: int, grown: tuple[int, int], depth: int, multiplier: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: str, activation: str, per_channel: bool, bias: bool,
) -> None:  # fmt: skip
    shape = (kernel[0] + grown[0] - 1, kernel[1] + grown[1] - 1)
    network = NetworkBuilder(seed, (1, *shape, depth))
    out = network.depthwise(
        network.start, kernel, multiplier=multiplier, stride=stride, padding=padding, activation=activation,
        per_channel=per_channel, bias=bias,
    )  # fmt: skip
    require_parity(network.model(out))


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 70), st.booleans(), st.booleans())
def test_fully_connected(seed: int, width: int, units: int, per_channel: bool, bias: bool) -> None:
    network = NetworkBuilder(seed, (1, width))
    require_parity(network.model(network.fully_connected(network.start, units, per_channel=per_channel, bias=bias)), 20)


@quick
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_broadcasting(seed: int, sizes: list[int], data: st.DataObject) -> None:
    shape = (1, *sizes[1:])
    network = NetworkBuilder(seed, shape)
    # From a scalar to the full shape, any dimension broadcast.
    kept = data.draw(st.integers(0, len(shape)))
    operand = [data.draw(st.sampled_from([1, size])) for size in shape[len(shape) - kept :]]
    constant = network.constant_like(network.start, operand)
    operands = data.draw(st.permutations([network.start, constant]))
    join = data.draw(st.sampled_from([network.add, network.multiply]))
    require_parity(network.model(join(*operands, activation=data.draw(st.sampled_from(ACTIVATIONS)))))


@quick
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 7), min_size=4, max_size=4), st.booleans(), st.booleans(),
       st.sets(st.integers(-4, 3), min_size=1, max_size=4))  # fmt: skip
def test_mean(seed: int, sizes: list[int], keep_dims: bool, rescale: bool, axes: set[int]) -> None:
    network = NetworkBuilder(seed, (1, *sizes[1:]))
    distinct = sorted({axis % 4: axis for axis in axes if axis % 4}.values()) or [1]
    require_parity(network.model(network.mean(network.start, distinct, keep_dims=keep_dims, rescale=rescale)))


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 511), st.floats(0.125, 4.0, width=32))
def test_softmax(seed: int, classes: int, beta: float) -> None:
    network = NetworkBuilder(seed, (1, classes))
    require_parity(network.model(network.softmax(network.start, beta)), 10)


def test_results_are_the_same_from_any_earlier_arena() -> None:
    model = random_network(13, 7)
    with HostTarget(model) as host, LitertTarget(model) as reference:
        inputs = np.stack([one for (one,) in parity.inputs(reference, 12, 3)])
        forward = host.run(inputs)
        np.testing.assert_array_equal(host.run(inputs[::-1])[::-1], forward)
        np.testing.assert_array_equal(reference.run(inputs), forward)


def test_no_network_leaves_its_memory() -> None:
    """AddressSanitizer and UBSan over random networks; the arena is only as aligned as promised."""
    library = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # Python itself leaks on purpose.
    environment = {**os.environ, "CC": "gcc", "LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"}
    command = [sys.executable, SUPPORT / "replay_networks.py", "1000", "1008"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
