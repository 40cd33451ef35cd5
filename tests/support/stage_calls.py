"""Calls a segment's stages as the compiler writes them: exactly the rows and the scratch that the host has planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from engine_library import Engine
from kernel_cases import Case, Int8
from networks import NetworkBuilder

from scenelet.compiler.depth_first.stage import Stage, slide
from scenelet.compiler.depth_first.stage_parameters import stage_constants
from scenelet.compiler.kernels.registry import variants
from scenelet.compiler.kernels.variant import Striped, Variant, Work
from scenelet.compiler.kernels.winograd_2d.variants import Winograd2D
from scenelet.compiler.operators import lower
from scenelet.compiler.program import Step, Struct, Table

# Input, output channels, kernel, strides, padding: odd sizes, single pixels, runs of every length modulo 4.
_GEMM = (
    ((9, 7, 1), 6, (5, 3), (2, 2), "SAME"),
    ((8, 5, 3), 4, (3, 3), (1, 1), "SAME"),
    ((5, 5, 8), 10, (1, 1), (1, 1), "SAME"),
    ((7, 6, 8), 4, (1, 1), (2, 2), "SAME"),
    ((6, 6, 6), 2, (1, 1), (1, 1), "SAME"),
    ((20, 5, 1), 8, (10, 4), (2, 2), "SAME"),
    ((1, 1, 16), 2, (1, 1), (1, 1), "VALID"),
    ((4, 11, 5), 4, (1, 3), (1, 3), "VALID"),
    ((13, 1, 12), 6, (5, 1), (1, 1), "VALID"),
    ((6, 7, 4), 2, (3, 2), (3, 1), "SAME"),
)
# Input, kernel, strides, padding, dilation, depth multiplier.
_DEPTHWISE = (
    ((25, 5, 8), (3, 3), (1, 1), "SAME", (1, 1), 1),
    ((6, 6, 4), (3, 3), (2, 2), "SAME", (1, 1), 1),
    ((1, 1, 4), (3, 3), (1, 1), "SAME", (1, 1), 1),
    ((2, 7, 4), (3, 3), (1, 1), "SAME", (1, 1), 1),
    ((18, 9, 4), (3, 3), (1, 1), "VALID", (1, 1), 1),
    ((5, 1, 8), (3, 1), (1, 1), "VALID", (1, 1), 1),
    ((17, 1, 4), (10, 1), (1, 1), "SAME", (1, 1), 1),
    ((7, 9, 4), (1, 5), (1, 1), "SAME", (1, 1), 1),
    ((9, 8, 4), (5, 4), (1, 2), "SAME", (1, 1), 1),
    ((8, 8, 12), (3, 3), (2, 1), "VALID", (1, 1), 1),
    ((11, 4, 4), (2, 2), (2, 2), "SAME", (1, 1), 1),
    ((9, 6, 7), (3, 3), (1, 1), "SAME", (1, 1), 1),
    ((7, 7, 5), (3, 3), (1, 1), "SAME", (2, 3), 1),
    ((12, 3, 6), (4, 1), (1, 1), "VALID", (3, 1), 1),
    ((8, 5, 3), (3, 3), (1, 1), "SAME", (1, 1), 2),
    ((8, 5, 2), (5, 3), (2, 2), "VALID", (1, 1), 3),
    ((6, 4, 4), (1, 1), (1, 1), "SAME", (1, 1), 1),
    ((5, 6, 4), (2, 7), (4, 1), "SAME", (1, 1), 1),
)

# All shapes of Winograd's tiles: maps of one row, of one pixel, partial tiles along either axis, odd channels.
_WINOGRAD = (
    ((16, 16, 8), 8, (3, 3), (1, 1), "SAME"),
    ((1, 7, 9), 8, (3, 3), (1, 1), "SAME"),
    ((5, 1, 10), 9, (3, 3), (1, 1), "SAME"),
    ((9, 6, 11), 13, (3, 3), (1, 1), "VALID"),
    ((3, 3, 16), 10, (3, 3), (1, 1), "VALID"),
    ((20, 8, 8), 8, (7, 3), (1, 1), "SAME"),
    ((10, 5, 9), 9, (7, 3), (1, 1), "VALID"),
    ((1, 2, 14), 8, (5, 3), (1, 1), "SAME"),
    ((7, 13, 8), 10, (3, 7), (1, 1), "SAME"),
    ((4, 9, 13), 11, (3, 6), (1, 1), "VALID"),
    ((9, 11, 9), 8, (7, 7), (1, 1), "SAME"),
    ((14, 8, 8), 9, (6, 5), (1, 1), "VALID"),
    ((1, 1, 8), 11, (5, 7), (1, 1), "SAME"),
)


class _Floor(NetworkBuilder):
    """All zero points are -128, as those behind a ReLU: rescaling takes two instructions."""

    def zero_point(self) -> int:
        return -128


def stage_cases() -> list[Case]:
    """One-operator networks that the kernels take that are only stages; the same on every run."""
    makers = (NetworkBuilder, _Floor)
    sizes = [*((_convolution, *one) for one in (*_GEMM, *_WINOGRAD)), *((_depthwise, *one) for one in _DEPTHWISE)]
    return [_case(maker, seed, *one) for seed, one in enumerate(sizes) for maker in makers]


def _convolution(
    network: NetworkBuilder, channels: int, kernel: tuple[int, int], stride: tuple[int, int], padding: str
) -> int:
    return network.convolution(network.start, channels, kernel, stride=stride, padding=padding)


def _depthwise(
    network: NetworkBuilder,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    dilation: tuple[int, int],
    multiplier: int,
) -> int:
    return network.depthwise(
        network.start, kernel, stride=stride, padding=padding, dilation=dilation, multiplier=multiplier
    )


def _case(
    maker: type[NetworkBuilder], seed: int, build: Callable[..., int], size: tuple[int, ...], *options: Any
) -> Case:
    shape = (1, *size)
    network = maker(seed, shape)
    output = build(network, *options)
    ends = network.chance.choice([-128, 127], shape), network.chance.integers(-128, 128, shape)
    runs = tuple((np.asarray(values, np.int8),) for values in (*ends, np.full(shape, -128), np.full(shape, 127)))
    parts = (size, *options)
    name = "_".join("x".join(map(str, part)) if isinstance(part, tuple) else str(part) for part in parts)
    return Case(f"{name}{'_relu' if maker is _Floor else ''}", network.builder.graph(output), runs)


def ways(case: Case) -> Iterator[Variant]:
    """Every way to run a case by GEMM, planes, quads, or Winograd's algorithms along both axes."""
    (step,) = lower(case.graph).steps
    for expanded in (False, True):
        for way in variants(Work(step, expanded=expanded)):
            if isinstance(way, Striped | Winograd2D) and way.expanded == expanded:
                yield way


def map_step(step: Step, post: Int8) -> Step:
    """A map behind a step, (channels, 256)."""
    fields = {"pixels": 1, "channels": len(post), "post": {"table": "map", "affine": None}}
    table = Table("map", "int8_t", post.ravel())
    return Step("map", "MUL", (1,), step.writes, step.writes, "scn_lut_s8", Struct("scn_lut_t", fields), (), (table,))


class StageCaller:
    """One case run in one way."""

    def __init__(self, engine: Engine, case: Case, way: Variant, post: Int8 | None = None) -> None:
        self.engine = engine
        self.case = case
        (step,) = lower(case.graph).steps
        self.stage = Stage(step, None if post is None else map_step(step, post), variant=way)
        made = stage_constants(self.stage, "s", case.graph)
        layer = made.records[0]
        self._tables = {table.kind: engine._table(table.type, table.values) for table in made.tables}
        fields = {name: engine._field(value, self._tables) for name, value in layer.rows[0].items()}
        self._layer = engine.ffi.new(f"{layer.type} *", fields)
        self._run = getattr(engine.library, str(made.members["run"]))

    def run(self, image: Int8) -> Int8:
        """The output, made `stripe` rows at a time."""
        shape = self.case.graph.tensors[self.stage.step.writes[0]].shape
        stripe = self.stage.variant.stripe
        parts = [self._rows(image, shape, y, min(stripe, shape[1] - y)) for y in range(0, shape[1], stripe)]
        return np.concatenate(parts, axis=1)

    def _rows(self, image: Int8, shape: tuple[int, ...], y: int, count: int) -> Int8:
        ffi, window = self.engine.ffi, slide(self.stage.step)
        first, end = window.first(y), window.end(y + count, image.shape[1])
        seen = image[:, first:end].copy()
        made = self.engine._guarded(count * shape[2] * shape[3])
        scratch = self.engine._guarded(self.stage.variant.scratch_bytes)
        rows: dict[str, Any] = {
            "input": [ffi.from_buffer("int8_t[]", seen), ffi.NULL],
            "output": self.engine._at(made, "int8_t *"),
            "scratch": self.engine._at(scratch, "void *"),
            "y": y,
            "rows": count,
            "input_y": first,
            "input_rows": end - first,
        }
        self._run(self._layer, ffi.new("scn_rows_t *", rows))
        for guarded in (made, scratch):
            assert (guarded[:64] == 0xA5).all()
            assert (guarded[-64:] == 0xA5).all()
        return made[64:-64].view(np.int8).reshape(1, count, *shape[2:])
