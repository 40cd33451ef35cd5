"""PAD joined to what reads it: the same bits, without the padded tensor."""

from __future__ import annotations

import numpy as np
import pytest
from networks import NetworkBuilder
from tflite_writer import write_model

from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget

SIDES = (2, 1), (1, 2)
SMALL = Options(ram_bytes=0)


def model(
    kind: str, stride: int, padding: str, *, sides: tuple[tuple[int, int], ...] = SIDES, zero_point: int
) -> bytes:
    """A convolution, so that the padded map lies inside, PAD, what reads it, and one more behind."""
    network = NetworkBuilder(5, (1, 11, 9, 4))
    network.zero_point = lambda: zero_point  # type: ignore[method-assign]
    source = network.convolution(network.start, 8, (3, 3))
    padded = network.pad(source, ((0, 0), *sides, (0, 0)))
    options = {"stride": (stride, stride), "padding": padding}
    if kind == "convolution":
        made = network.convolution(padded, 6, (3, 3), **options)
    elif kind == "pointwise":
        made = network.convolution(padded, 6, (1, 1), **options)
    elif kind == "depthwise":
        made = network.depthwise(padded, (3, 3), **options)
    elif kind == "max":
        made = network.pool(padded, (3, 3), **options)
    else:
        made = network.pool(padded, (3, 3), kind="AVERAGE_POOL_2D", **options)
    return write_model(network.builder.graph(network.convolution(made, 4, (3, 3))))


def operators(content: bytes, options: Options) -> list[str]:
    return [step.op for step in compile_model(content, options).program.steps]


@pytest.mark.parametrize("kind", ["convolution", "depthwise", "max"])
@pytest.mark.parametrize(("stride", "padding"), [(1, "VALID"), (2, "VALID"), (1, "SAME")])
@pytest.mark.parametrize("options", [Options(), SMALL], ids=["default", "small"])
def test_joined_pads_give_the_same_bits(kind: str, stride: int, padding: str, options: Options) -> None:
    sides = SIDES if padding == "VALID" else ((1, 0), (0, 1))
    content = model(kind, stride, padding, sides=sides, zero_point=-128)
    chance = np.random.default_rng(1)
    images = [chance.integers(-128, 128, (1, 11, 9, 4)), chance.choice([-128, 127], (1, 11, 9, 4))]
    assert not any("PAD" in name for name in operators(content, options))
    with HostTarget(content, options=options) as host, LitertTarget(content) as reference:
        for image in images:
            values = image.astype(np.int8)
            np.testing.assert_array_equal(host.invoke(values).ravel(), reference.invoke(values).ravel())


@pytest.mark.parametrize(
    ("kind", "zero_point", "sides"),
    [("average", -128, SIDES), ("max", 3, SIDES), ("pointwise", -128, SIDES), ("convolution", -128, ((3, 0), (0, 0)))],
    ids=["average divides by the taps inside", "zero point over the least value", "windows of padding", "too wide"],
)
def test_other_pads_stay(kind: str, zero_point: int, sides: tuple[tuple[int, int], ...]) -> None:
    content = model(kind, 1, "VALID", sides=sides, zero_point=zero_point)
    assert any("PAD" in name for name in operators(content, Options()))


def test_without_fusion_every_tensor_is_there() -> None:
    content = model("convolution", 1, "VALID", zero_point=-128)
    assert any("PAD" in name for name in operators(content, Options(fusion=False)))
