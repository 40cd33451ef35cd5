"""Winograd's F(2, 3) where the compiler takes it: sums too large for F(4, 3), maps too narrow for tiles of four."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder

from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.kernels import registry, winograd
from scenelet.compiler.kernels.registry import variants
from scenelet.compiler.kernels.variant import Work
from scenelet.compiler.kernels.winograd import tilings
from scenelet.compiler.kernels.winograd_weights import LARGEST_TAPS
from scenelet.compiler.operators import lower
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.reader import parse

ROOMY = Options(weights="expanded", ram_bytes=2_000_000)


def network(shape: tuple[int, int, int], channels: int, kernel: tuple[int, int]) -> bytes:
    made = NetworkBuilder(11, (1, *shape))
    return made.model(made.convolution(made.start, channels, kernel))


def kernel_of(model: bytes, options: Options = ROOMY) -> str:
    (step,) = compile_model(model, options).program.steps
    return stages_of(step)[0].variant.name


def work_of(model: bytes) -> Work:
    (step,) = lower(parse("network", "network", model)).steps
    return Work(step, expanded=True)


@pytest.fixture
def without_quicker_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all kernels of a convolution, Winograd's along one axis alone."""
    monkeypatch.setattr(registry, "KERNELS", {**registry.KERNELS, "scn_conv2d_s8": (winograd.ways,)})


@pytest.mark.usefixtures("without_quicker_ones")
@pytest.mark.parametrize("options", [ROOMY, Options(weights="packed", ram_bytes=2_000_000)], ids=["expanded", "packed"])
@pytest.mark.parametrize(
    ("shape", "channels", "kernel"),
    [((4, 4, 916), 8, (3, 3)), ((19, 2, 16), 9, (7, 3)), ((17, 2, 10), 12, (5, 3)), ((2, 13, 12), 8, (3, 7))],
    ids=["8244 taps", "two wide", "odd pairs", "two high"],
)
def test_extreme_inputs_give_the_reference_s_bits(
    shape: tuple[int, int, int], channels: int, kernel: tuple[int, int], options: Options
) -> None:
    model = network(shape, channels, kernel)
    assert kernel_of(model, options) == "winograd2"
    chance = np.random.default_rng(3)
    size = (1, *shape)
    inputs = [chance.choice([-128, 127], size), np.full(size, -128), np.full(size, 127)]
    inputs += [chance.integers(-128, 128, size), np.indices(size).sum(axis=0) % 2 * 255 - 128]
    with LitertTarget(model) as reference, HostTarget(model, options=options) as target:
        for one in inputs:
            image = one.astype(np.int8)
            np.testing.assert_array_equal(target.invoke(image), reference.invoke(image))


def test_what_is_proved_decides_on_the_tiles() -> None:
    few, many = (work_of(network((5, 6, depth), 8, (3, 3))) for depth in (910, 911))
    assert 9 * 910 <= LARGEST_TAPS[4] < 9 * 911  # 8190, 8199
    assert {way.outputs for way in tilings(few.step, expanded=True)} >= {4}
    assert {way.outputs for way in tilings(many.step, expanded=True)} == {2}


def test_tiles_of_two_are_offered_only_where_they_should_be_quicker() -> None:
    # Six products for four outputs are fewer than eight, wherever four outputs are wanted.
    wide = work_of(network((16, 16, 16), 16, (3, 3)))
    assert {way.outputs for way in tilings(wide.step, expanded=True) if way.across} == {4}
    assert (
        next(way for way in variants(wide) if way.name.startswith("winograd") and way.name != "winograd2d").name
        == "winograd"
    )
    narrow = work_of(network((28, 2, 16), 16, (7, 3)))
    assert next(way for way in variants(narrow) if way.name in ("winograd", "winograd2")).name == "winograd2"
