"""Values picked by constant indices: random shapes and indices of every such operator against BUILTIN_REF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_library import Engine, build
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NetworkBuilder
from step_runs import require_equal
from tflite_writer import write_model

from scenelet.compiler.numerics.positions import FILL, rows_and_columns, strides_along
from scenelet.compiler.pipeline import compile_model
from scenelet.errors import UnsupportedError
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 6)
maps = st.tuples(st.just(1), sizes, sizes, st.integers(1, 5))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


def require(engine: Engine, seed: int, shape: tuple[int, ...], op: str, *constants: Any, **options: Any) -> str:
    """Compare an operator over a map, given out flat; return its kernel."""
    network = NetworkBuilder(seed, shape, (0.05, -7))
    made = network.picked(op, network.start, *constants, **options)
    flat = network.reshape(made, (1, int(np.prod(network.shape(made)))))
    return require_equal(engine, network.model(flat), seed).steps[0].kernel


@settings(deadline=None, max_examples=40)
@given(maps, st.data(), seeds)
def test_gather(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    axis = data.draw(st.integers(-4, 3))
    listed = st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=5)
    indices = data.draw(listed)
    require(engine, seed, shape, "GATHER", [indices] if data.draw(st.booleans()) else indices, axis=axis)


@settings(deadline=None, max_examples=20)
@given(maps, st.data(), seeds)
def test_gather_nd(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(1, 4))
    row = st.tuples(*(st.integers(0, size - 1) for size in shape[:count]))
    require(engine, seed, shape, "GATHER_ND", data.draw(st.lists(row, min_size=1, max_size=5)))


@settings(deadline=None, max_examples=30)
@given(maps, st.data(), seeds)
def test_repeated_and_reversed(engine: Engine, shape: tuple[int, ...], data: st.DataObject, seed: int) -> None:
    require(engine, seed, shape, "TILE", data.draw(st.tuples(*[st.integers(1, 3)] * 4)))
    require(engine, seed, shape, "REVERSE_V2", [data.draw(st.integers(0, 3))])
    wanted = [data.draw(st.integers(1, 4)) if size == 1 else size for size in shape]
    require(engine, seed, shape, "BROADCAST_TO", [2, *wanted] if data.draw(st.booleans()) else wanted)


@settings(deadline=None, max_examples=40)
@given(maps, st.sampled_from(["REFLECT", "SYMMETRIC"]), st.data(), seeds)
def test_mirrored(engine: Engine, shape: tuple[int, ...], mode: str, data: st.DataObject, seed: int) -> None:
    most = [size if mode == "SYMMETRIC" else size - 1 for size in shape]
    paddings = [(data.draw(st.integers(0, size)), data.draw(st.integers(0, size))) for size in most]
    require(engine, seed, shape, "MIRROR_PAD", paddings, mode=mode)


@settings(deadline=None, max_examples=60)
@given(maps, st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans(), seeds)
def test_nearest(
    engine: Engine, shape: tuple[int, ...], height: int, width: int, aligned: bool, centred: bool, seed: int
) -> None:
    options = {"align_corners": aligned, "half_pixel_centers": centred and not aligned}
    require(engine, seed, shape, "RESIZE_NEAREST_NEIGHBOR", [height, width], **options)


@settings(deadline=None, max_examples=40)
@given(maps, st.tuples(*[st.integers(1, 3)] * 2), st.tuples(*[st.integers(0, 3)] * 4), seeds)
def test_blocks(
    engine: Engine, shape: tuple[int, ...], blocks: tuple[int, int], edges: tuple[int, int, int, int], seed: int
) -> None:
    paddings = [[edges[0], 0], [edges[1], 0]]
    for axis, block in enumerate(blocks):
        paddings[axis][1] = -(shape[axis + 1] + paddings[axis][0]) % block
    network = NetworkBuilder(seed, shape, (0.05, -7))
    apart = network.picked("SPACE_TO_BATCH_ND", network.start, blocks, paddings)
    whole = [size * block for size, block in zip(network.shape(apart)[1:3], blocks, strict=True)]
    crops = [[min(edges[2 + axis], size - 1), 0] for axis, size in enumerate(whole)]
    together = network.picked("BATCH_TO_SPACE_ND", apart, blocks, crops)
    require_equal(engine, network.model(together), seed)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_depth_and_space(engine: Engine, size: int) -> None:
    shape = (1, 2 * size, 3 * size, 2 * size**2)
    assert require(engine, 1, shape, "DEPTH_TO_SPACE", block_size=size) == "scn_copy_s8"
    assert require(engine, 2, shape, "SPACE_TO_DEPTH", block_size=size) == "scn_copy_s8"


def test_three_dimensions_and_one(engine: Engine) -> None:
    network = NetworkBuilder(1, (1, 7, 3), (0.05, -7))
    apart = network.picked("SPACE_TO_BATCH_ND", network.start, [2], [[1, 0]])
    assert network.shape(apart) == (2, 4, 3)
    require_equal(engine, network.model(network.picked("BATCH_TO_SPACE_ND", apart, [2], [[1, 0]])), 1)


def test_the_smallest_description_is_found() -> None:
    upscaled = np.arange(48).reshape(4, 3, 4).repeat(2, 0).repeat(2, 1)
    assert strides_along(upscaled, 6) == (0, (4, 2, 3, 2, 4), (12, 0, 4, 0, 1))
    padded = np.pad(np.arange(48).reshape(4, 3, 4), ((1, 1), (2, 0), (0, 0)), constant_values=FILL)
    assert strides_along(padded, 6) is None
    made = rows_and_columns(padded)
    assert (made.run, made.count, len(made.rows), made.columns.size) == (4, 5, 6, 10)


def test_padding_with_a_value(engine: Engine) -> None:
    network = NetworkBuilder(1, (1, 5, 4, 3), (0.05, -7))
    padded = network.pad_value(network.start, ((0, 0), (1, 2), (0, 3), (1, 0)))
    require_equal(engine, network.model(padded), 1)


def test_tflite_micro_makes_the_same_of_them() -> None:
    network = NetworkBuilder(3, (1, 6, 4, 4), (0.05, -7))
    made = network.picked("MIRROR_PAD", network.start, [[0, 0], [2, 1], [0, 3], [0, 0]], mode="REFLECT")
    made = network.picked("RESIZE_NEAREST_NEIGHBOR", made, [12, 5])
    made = network.picked("SPACE_TO_BATCH_ND", made, [3, 2], [[0, 0], [1, 0]])
    made = network.picked("BATCH_TO_SPACE_ND", made, [3, 2], [[0, 0], [1, 1]])
    made = network.picked("DEPTH_TO_SPACE", network.picked("GATHER", made, [2, 0, 0, 1], axis=3), block_size=2)
    model = network.model(made)
    one = np.random.default_rng(1).integers(-128, 128, (1, 6, 4, 4)).astype(np.int8)
    with LitertTarget(model) as reference, TflmTarget(model) as target:
        np.testing.assert_array_equal(target.invoke(one), reference.invoke(one))


def unfit(op: str, shape: tuple[int, ...], *constants: Any, **options: Any) -> Callable[[NetworkBuilder], int]:
    return lambda network: network.moved(op, network.start, shape, *constants, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (unfit("GATHER", (1, 1, 4, 3), [6], axis=1), r"\(index 6 of a dimension of 6\)"),
        (unfit("GATHER", (1, 1, 4, 3), [-1], axis=1), r"\(index -1 of a dimension of 6\)"),
        (unfit("GATHER", (1, 1, 4, 3), [1], axis=7), "its indices do not fit an input of shape"),
        (unfit("GATHER", (1, 1, 4, 3), [[1]], axis=1, batch_dims=1), "one list of indices for each batch"),
        (unfit("GATHER", (1, 2, 4, 3), [1], axis=1), r"output shape \(1, 2, 4, 3\) where \(1, 1, 4, 3\)"),
        (unfit("MIRROR_PAD", (1, 12, 4, 3), [[0, 0], [6, 0], [0, 0], [0, 0]]), r"\(paddings \[\[0, 0\], \[6, 0\]"),
        (unfit("SPACE_TO_BATCH_ND", (4, 3, 1, 3), [2, 3], [[0, 0], [0, 0]]), "cannot reshape"),
        (unfit("DEPTH_TO_SPACE", (1, 12, 8, 1), block_size=2), "cannot reshape"),
        (unfit("TILE", (1, 12, 4, 3), [2]), r"multiples \[2\]"),
    ],
)
def test_indices_that_do_not_fit_are_refused(make: Callable[[NetworkBuilder], int], message: str) -> None:
    network = NetworkBuilder(1, (1, 6, 4, 3), (0.05, -7))
    with pytest.raises(UnsupportedError, match=message):
        compile_model(write_model(network.builder.graph(make(network))))


def test_indices_that_are_computed_are_refused() -> None:
    network = NetworkBuilder(1, (1, 6, 4, 3), (0.05, -7))
    indices = network.builder.operator("ARG_MAX", (network.start,), (2,), None, 0, dtype="int32")
    made = network.builder.operator("GATHER", (network.start, indices), (1, 2, 4, 3), 0.05, -7, axis=1)
    with pytest.raises(UnsupportedError, match="ARG_MAX 0:t1: not among the engine's operators"):
        compile_model(write_model(network.builder.graph(made)))
