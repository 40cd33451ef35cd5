"""Winograd's algorithms along both axes: extremes of weights and inputs, what is fused, what is proved, plans."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import NetworkBuilder
from numpy.typing import NDArray

from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.kernels.registry import KERNELS, variants
from scenelet.compiler.kernels.variant import Work
from scenelet.compiler.kernels.winograd_2d.rescale import LARGEST_SUM, rescale
from scenelet.compiler.kernels.winograd_2d.variants import ways
from scenelet.compiler.kernels.winograd_2d.weights import expand, pack
from scenelet.compiler.numerics.elementwise import scaled
from scenelet.compiler.operators import lower
from scenelet.compiler.options import FLASH_BYTES, Options
from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.compiler.program import Step, Struct
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.qemu import QemuTarget
from scenelet.tflite.reader import parse

PACKED, EXPANDED = Options(ram_bytes=2_000_000), Options(weights="expanded", ram_bytes=2_000_000)
SMALL = Options(ram_bytes=0)
ALL = pytest.mark.parametrize("options", [PACKED, EXPANDED, SMALL], ids=["packed", "expanded", "small"])
SHAPES = {"3x3": ((13, 15, 16), (3, 3)), "7x3": ((20, 8, 12), (7, 3)), "3x5": ((9, 14, 8), (3, 5)),
          "7x7": ((12, 10, 9), (7, 7))}  # fmt: skip


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the convolutions no other kernel, however small they are."""
    monkeypatch.setitem(KERNELS, "scn_conv2d_s8", (ways,))  # type: ignore[arg-type]


class Typical(NetworkBuilder):
    """Zero points that are those of ReLUs."""

    def zero_point(self) -> int:
        return -128


class Extremes(NetworkBuilder):
    """Weights that are all -127 or 127."""

    def _weights(self, shape: tuple[int, ...], axis: int, per_channel: bool) -> tuple[int, NDArray[Any]]:
        scales = np.full(shape[axis] if per_channel else 1, 2.0**-7, np.float32)
        values = self.chance.choice([-127, 127], shape).astype(np.int8)
        values[0] = 127
        return self.builder.constant(values, scales, 0, axis=axis), scales


def inputs(shape: tuple[int, ...]) -> list[NDArray[np.int8]]:
    chance = np.random.default_rng(3)
    size = (1, *shape)
    made = [chance.choice([-128, 127], size), np.full(size, -128), np.full(size, 127)]
    made += [chance.integers(-128, 128, size), np.indices(size).sum(axis=0) % 2 * 255 - 128]
    return [one.astype(np.int8) for one in made]


def compare(model: bytes, shape: tuple[int, ...], options: Options, target: type = HostTarget) -> None:
    with LitertTarget(model) as reference, target(model, options=options) as made:
        for one in inputs(shape):
            np.testing.assert_array_equal(made.invoke(one), reference.invoke(one))


def names(compiled: Compiled) -> list[str]:
    return [stage.variant.name for step in compiled.program.steps for stage in stages_of(step)]


def step_of(model: bytes) -> Step:
    return lower(parse("network", "network", model)).steps[0]


@ALL
@pytest.mark.parametrize("kind", [NetworkBuilder, Extremes])
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.usefixtures("alone")
def test_extremes_give_the_reference_s_bits(name: str, kind: type[NetworkBuilder], options: Options) -> None:
    shape, kernel = SHAPES[name]
    made = kind(7, (1, *shape))
    model = made.model(made.convolution(made.start, 10, kernel))
    assert names(compile_model(model, options)) == ["winograd2d"]
    compare(model, shape, options)


@ALL
@pytest.mark.parametrize("size", [(1, 2), (2, 1), (2, 2)])
@pytest.mark.parametrize("activation", ["NONE", "RELU", "RELU6"])
@pytest.mark.usefixtures("alone")
def test_pools_and_maps_are_fused(size: tuple[int, int], activation: str, options: Options) -> None:
    # Factors of a BatchNorm are of either sign, so that maps rise and fall.
    for name, kind in (("3x3", NetworkBuilder), ("3x3", Typical), ("7x3", Typical)):
        shape, kernel = SHAPES[name]
        made = kind(5, (1, *shape))
        last = made.convolution(made.start, 12, kernel, activation=activation)
        last = made.multiply(last, made.constant_like(last, (12,)))
        last = made.pool(made.add(last, made.constant_like(last, (12,))), size)
        model = made.model(last)
        compare(model, shape, options)
        if kind is Typical and size[1] == 2 and options is not SMALL:
            steps = compile_model(model, options).program.steps
            pools = [bool(stage.pool) for step in steps for stage in stages_of(step) if stage.is_convolution]
            # A pool along the axis of 7 taps would cross tiles of three.
            assert pools == [name == "3x3" or size[0] == 1]


@ALL
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.usefixtures("alone")
def test_the_end_of_a_residual_block(name: str, options: Options) -> None:
    shape, kernel = SHAPES[name]
    made = NetworkBuilder(9, (1, *shape))
    first = made.convolution(made.start, 8, kernel, activation="RELU")
    model = made.model(made.add(made.convolution(first, 8, kernel), first, activation="RELU"))
    compare(model, shape, options)


@pytest.mark.qemu
@pytest.mark.parametrize(
    "options", [Options(ram_bytes=60_000), Options(weights="expanded", ram_bytes=60_000)], ids=["packed", "expanded"]
)
@pytest.mark.usefixtures("alone")
def test_the_board_gives_the_same_bits(options: Options) -> None:
    # One network through all shapes of tiles: few, or the width first, or both axes in parts.
    shape = 27, 16, 17
    made = Extremes(4, (1, *shape))
    last = made.convolution(made.start, 18, (7, 3), activation="RELU")
    last = made.convolution(made.pool(last, (1, 2)), 21, (3, 7))
    last = made.multiply(last, made.constant_like(last, (21,)))
    last = made.convolution(last, 16, (7, 7))
    first = made.convolution(last, 16, (3, 3), activation="RELU")
    last = made.add(made.convolution(first, 16, (3, 3)), first)
    model = made.model(made.pool(made.convolution(last, 18, (3, 3)), (2, 2)))
    assert names(compile_model(model, options)).count("winograd2d") == 6
    compare(model, shape, options, QemuTarget)


def bounded(step: Step, bias: int) -> Step:
    """The same layer with another bias."""
    tables = [replace(t, values=np.full_like(t.values, bias)) if t.kind == "bias" else t for t in step.tables]
    return replace(step, tables=tuple(tables))


def test_what_cannot_be_proved_is_left_to_other_kernels() -> None:
    made = Extremes(2, (1, 8, 8, 16), quantization=(0.5, -128))
    step = step_of(made.model(made.convolution(made.start, 8, (3, 3))))
    constants = rescale(bounded(step, 0))
    assert constants is not None
    largest = 144 * 127 * 255  # all weights of channel 0 are 127
    assert rescale(bounded(step, LARGEST_SUM - largest - 1)) is not None
    assert rescale(bounded(step, LARGEST_SUM - largest)) is None
    assert not list(ways(Work(bounded(step, LARGEST_SUM - largest))))
    assert "winograd2d" not in {way.name for way in variants(Work(bounded(step, LARGEST_SUM)))}


def test_strides_few_channels_and_other_windows_are_not_taken() -> None:
    def listed(shape: tuple[int, ...], channels: int, kernel: tuple[int, int], **options: Any) -> list[Any]:
        made = NetworkBuilder(1, (1, *shape))
        return list(ways(Work(step_of(made.model(made.convolution(made.start, channels, kernel, **options))))))

    assert listed((8, 8, 8), 8, (3, 3))
    assert not listed((8, 8, 8), 8, (3, 3), stride=(2, 1))
    assert not listed((8, 8, 8), 8, (3, 3), dilation=(1, 2))
    assert not listed((8, 8, 7), 8, (3, 3))
    assert not listed((8, 8, 8), 7, (3, 3))
    assert not any(listed((8, 8, 8), 8, kernel) for kernel in [(1, 3), (3, 4), (2, 2), (8, 3), (9, 9)])


def test_one_product_gives_the_outputs_of_both_roundings() -> None:
    made = Typical(6, (1, 8, 8, 16))
    step = step_of(made.model(made.convolution(made.start, 16, (3, 3), activation="RELU")))
    constants = rescale(step)
    assert constants is not None
    assert constants.share > 0.9
    scales = next(table.values for table in step.tables if table.kind == "scale")
    assert isinstance(step.params, Struct)
    fields = step.fields
    sums = np.concatenate([np.arange(-(2**12), 2**17), np.arange(2**17, 3_700_000, 37)])
    clamp = fields["activation_min"], fields["activation_max"]
    for (_, multiplier, added, right), (factor, shift) in zip(constants.channels, scales, strict=True):
        if right <= 0:
            continue
        want = scaled(sums, {"multiplier": int(factor), "shift": int(shift)}) + fields["output_zero_point"]
        made_ = ((576 * sums * multiplier >> 32) + added) >> right
        np.testing.assert_array_equal(np.clip(made_, *clamp), np.clip(want, *clamp))


def test_weights_transform_like_their_taps() -> None:
    """The sum of a tile's products, transformed back in exact fractions, is the convolution."""
    chance = np.random.default_rng(8)
    back = np.array([[2, -4, -4, 1, 1, 0], [0, -2, 2, 1, -1, 0], [0, -1, -1, 1, 1, 0], [0, -1, 1, 2, -2, 2]])
    front = np.array([[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0],
                      [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]])  # fmt: skip
    weights = chance.integers(-128, 128, (2, 3, 3, 2)).astype(np.int8)
    pixels = chance.integers(0, 256, (6, 6, 2))
    seen = np.einsum("ia,kb,abc->ikc", front, front, pixels).reshape(36, 2)
    planes = expand(weights, turned=False, group=2).astype(np.int64).reshape(36, 2, 2)
    sums = np.einsum("poc,pc->op", planes, seen).reshape(2, 6, 6)
    factors = np.array([24, 12, 6, 6])
    made = np.einsum("yi,xk,oik->oyx", back, back, sums) / factors[:, np.newaxis] / factors
    for channel, y, x in itertools.product(range(2), range(4), range(4)):
        assert made[channel, y, x] == (weights[channel].astype(np.int64) * pixels[y : y + 3, x : x + 3]).sum()


def test_operands_fit_int16() -> None:
    ends = np.full((2, 7, 7, 2), -128, np.int8)
    assert np.abs(expand(ends, turned=False, group=2).astype(np.int64)).max() == 15 * 15 * 128
    assert pack(ends, turned=True).shape == (1, 1, 49, 2, 2)


def test_auto_takes_the_smaller_form_where_the_larger_one_does_not_fit() -> None:
    for channels, name in ((32, "winograd2d"), (64, "winograd")):
        made = NetworkBuilder(3, (1, 8, 4, 48))
        compiled = compile_model(
            made.model(made.convolution(made.start, channels, (3, 3))),
            Options(weights="auto", wait_states=0, spare_ram=False),
        )
        (stage,) = stages_of(compiled.program.steps[0])
        assert (stage.variant.name, stage.variant.expanded) == (name, True)
        assert compiled.program.table_bytes <= FLASH_BYTES
