"""Outputs overlap their inputs as far as kernels permit: the bits stay, and the arena is no larger than needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from networks import NetworkBuilder

from scenelet.compiler.depth_first import partition
from scenelet.compiler.depth_first.lowering import SegmentStep
from scenelet.compiler.kernels.registry import KERNELS, Ways
from scenelet.compiler.memory.planner import check
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget

ROOMY, SMALL = Options(ram_bytes=1_000_000), Options(ram_bytes=0)
Layer = Callable[[NetworkBuilder, int], int]
LAYERS: dict[str, Layer] = {
    # Positions that are no multiple of four, so that last blocks go back over earlier ones.
    "pointwise, fewer channels": lambda made, last: made.convolution(last, 8, (1, 1)),
    "pointwise, as many channels": lambda made, last: made.convolution(last, 12, (1, 1)),
    "pointwise, more channels": lambda made, last: made.convolution(last, 20, (1, 1)),
    "3x3": lambda made, last: made.convolution(last, 12, (3, 3)),
    "3x3 with stride 2": lambda made, last: made.convolution(last, 24, (3, 3), stride=(2, 2)),
    "10x4 with stride 2": lambda made, last: made.convolution(last, 10, (10, 4), stride=(2, 2)),
    "depthwise": lambda made, last: made.depthwise(last, (3, 3)),
    "depthwise with stride 2": lambda made, last: made.depthwise(last, (5, 3), stride=(2, 2)),
    "depthwise, valid": lambda made, last: made.depthwise(last, (3, 3), padding="VALID"),
    "residual": lambda made, last: made.add(made.convolution(last, 12, (3, 3)), last),
}


def network(layer: Layer, shape: tuple[int, int, int], seed: int = 5) -> bytes:
    """A layer that is neither first nor last."""
    made = NetworkBuilder(seed, (1, *shape[:2], 3))
    first = made.convolution(made.start, shape[2], (1, 1), activation="RELU")
    return made.model(made.mean(layer(made, first)))


def compare(model: bytes, options: Options) -> Compiled:
    """The compiled model, which gives the reference's bits."""
    with LitertTarget(model) as reference, HostTarget(model, options=options) as made:
        chance = np.random.default_rng(2)
        shape = made.compiled.graph.tensors[made.compiled.graph.inputs[0]].shape
        for low, high in ((-128, 128), (127, 128), (-128, -127)):
            one = chance.integers(low, high, shape).astype(np.int8)
            np.testing.assert_array_equal(made.invoke(one), reference.invoke(one))
        return made.compiled


def overlapping(compiled: Compiled) -> int:
    """How many inputs of segments share bytes with their outputs."""
    pairs = compiled.plan.pairs
    steps = [step for step in compiled.program.steps if isinstance(step, SegmentStep)]
    return sum((tensor, step.writes[0]) in pairs for step in steps for tensor in step.reads)


def chain(seed: int) -> bytes:
    """All layers, each of which reads the one before it."""
    made = NetworkBuilder(seed, (1, 33, 19, 3))
    last = made.convolution(made.start, 12, (1, 1), activation="RELU")
    for layer in LAYERS.values():
        last = made.convolution(layer(made, last), 12, (1, 1))
    return made.model(last)


@pytest.mark.parametrize("number", range(len(KERNELS["scn_conv2d_s8"])))
def test_each_kernel_keeps_the_bits(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for kernel in ("scn_conv2d_s8", "scn_depthwise_conv2d_s8"):
        every: tuple[Ways, ...] = KERNELS[kernel]
        monkeypatch.setitem(KERNELS, kernel, (every[number % len(every)], every[-1]))  # type: ignore[index]
    assert overlapping(compare(chain(number), Options(ram_bytes=(1_000_000, 16_000)[number % 2])))


def test_a_pointwise_layer_writes_over_what_it_has_read() -> None:
    made = NetworkBuilder(5, (1, 31, 9, 12))
    last = made.convolution(made.convolution(made.start, 12, (1, 1)), 12, (1, 1))
    compiled = compile_model(made.model(last), ROOMY)
    assert overlapping(compiled)
    assert compiled.plan.arena_bytes < 2 * 31 * 9 * 12 + 2_400
    check(compiled.program, compiled.plan)


def test_a_depthwise_layer_runs_in_place() -> None:
    for channels, in_place in ((12, True), (10, False)):
        # Channels past a multiple of four are computed with those before them, whose inputs are read again.
        made = NetworkBuilder(5, (1, 31, 9, 3))
        first = made.convolution(made.start, channels, (1, 1))
        compiled = compile_model(made.model(made.depthwise(first, (5, 3))), ROOMY)
        step = compiled.program.steps[-1]
        assert (step.overwrites == step.reads) == in_place
        assert (compiled.plan.offset(step.reads[0]) == compiled.plan.offset(step.writes[0])) == in_place


def test_an_input_that_is_read_again_stays_whole() -> None:
    made = NetworkBuilder(4, (1, 9, 9, 8))
    first = made.convolution(made.start, 8, (1, 1))
    second = made.convolution(first, 8, (3, 3))
    third = made.convolution(second, 8, (1, 1))
    model = made.model(made.multiply(made.multiply(third, second), first))
    for options in (ROOMY, SMALL, Options(ram_bytes=2_500)):
        compare(model, options)


def test_ram_that_buys_nothing_is_not_spent() -> None:
    model = network(LAYERS["3x3 with stride 2"], (25, 16, 8))
    spared, fastest = compile_model(model), compile_model(model, Options(spare_ram=False))
    assert spared.plan.arena_bytes < fastest.plan.arena_bytes
    compare(model, Options())
    asked = Options(ram_bytes=fastest.plan.arena_bytes)
    assert compile_model(model, asked).plan.arena_bytes == fastest.plan.arena_bytes


def test_a_small_arena_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made = NetworkBuilder(4, (1, 8, 8, 8))
    model = made.model(made.pool(made.convolution(made.start, 16, (3, 3)), (2, 2)))
    arena = compile_model(model).plan.arena_bytes
    assert arena == compile_model(model, Options(spare_ram=False)).plan.arena_bytes <= partition._BRIEF_BYTES
    monkeypatch.setattr(partition, "_BRIEF_BYTES", 0)
    assert compile_model(model).plan.arena_bytes < arena
