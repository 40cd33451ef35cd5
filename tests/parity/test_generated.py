"""Generated networks of all operators: odd sizes, strides, maps of one pixel, residual graphs, scales far off.

Each batch is one compilation. ``SCENELET_NETWORKS`` sets how many run here, and a tenth of them on the board;
`make nightly` runs 10,000 of :func:`batches.spread`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence

import batches as batches_module
import pytest
from batches import WAYS, Network, check_on_board, check_on_host, spread
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from networks import KINDS, LATER_KINDS
from streams.generated import STREAM_KINDS

from scenelet.compiler.depth_first.lowering import stages_of
from scenelet.compiler.depth_first.stage import Stage
from scenelet.compiler.operators import OPERATORS
from scenelet.compiler.pipeline import Compiled, compile_model
from scenelet.errors import ParityError
from scenelet.tflite.reader import read_model

NETWORKS = int(os.environ.get("SCENELET_NETWORKS", "500"))
BATCH = 50
BOARD = max(NETWORKS // 10, BATCH)

KERNELS = (
    "direct", "narrow", "winograd", "winograd2", "winograd2d", "gemm", "planar", "rows", "scn_lut_s8",
    "scn_add_lut_s8", "scn_dense_s8", "direct + add", "narrow + add", "winograd + add", "winograd2d + add",
    "gemm + add", "map + add", "scn_segment_run_two",
)  # fmt: skip

SELDOM = ("planar", "winograd2")

RARE = (77, 92, 102, 107, 122, 197, 203, 212)
"""Of :func:`spread`: F(2, 3), and ADD at the end of what makes use of SIMD."""

PLANAR = (3662, 5442)
"""Of :func:`spread`: maps of 3x3 taps so large that planes are quicker than quads."""

MANY = (32, 197, 42, 15, 62, 122, 124, 250, 17, 77, 107, 203, 222, 237, 242)
"""Of :func:`spread`: few that have every kernel between them, to be looked at first."""

networks = st.builds(
    Network,
    seed=st.integers(0, 2**32 - 1),
    layers=st.integers(1, 9),
    kind=st.sampled_from(KINDS),
    way=st.sampled_from(sorted(WAYS)),
)
batches = st.lists(networks, min_size=BATCH, max_size=BATCH, unique_by=lambda network: network.seed)


# What fails names its network; there is nothing to shrink.
@settings(
    max_examples=-(-NETWORKS // BATCH), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(batches)
def test_none_differs_on_the_host(batch: list[Network]) -> None:
    check_on_host(batch)


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize(
    ("seed", "layers", "kind"), [(287256246, 8, "extreme"), (2536763285, 5, "ordinary"), (2539, 4, "tall")]
)
def test_a_renamed_map_keeps_its_rows(seed: int, layers: int, kind: str, way: str) -> None:
    """RESHAPE 3x11 to 11x3, something value by value, MEAN: what lies in memory has other rows than what is read."""
    check_on_host([Network(seed, layers, kind, way)])


def told(stage: Stage) -> Iterator[str]:
    """A stage's kernel, and what it does along with it."""
    yield stage.variant.name
    yield from [f"{stage.variant.name} + add"] if stage.added else []
    yield from ["map + add"] if stage.added and stage.map else []


@pytest.mark.qemu
def test_none_differs_on_the_board() -> None:
    for first in range(0, BOARD, BATCH):
        check_on_board(spread(BOARD)[first : first + BATCH])


@pytest.mark.parametrize("kinds", [STREAM_KINDS, LATER_KINDS], ids="-".join)
@pytest.mark.parametrize("first", range(0, NETWORKS // 10, BATCH))
def test_networks_of_further_kinds_on_the_host(first: int, kinds: tuple[str, ...]) -> None:
    check_on_host(spread(first + BATCH, first, kinds))


@pytest.mark.qemu
@pytest.mark.parametrize("kinds", [STREAM_KINDS, LATER_KINDS], ids="-".join)
def test_networks_of_further_kinds_on_the_board(kinds: tuple[str, ...]) -> None:
    check_on_board(spread(BATCH, 0, kinds))


@pytest.mark.qemu
def test_what_few_networks_reach_runs_on_the_board_too() -> None:
    some = [spread(240)[number] for number in RARE]
    check_on_board(some)
    programs = [compile_model(network.model(), WAYS[network.way]).program for network in some]
    kernels = Counter(
        kernel for program in programs for step in program.steps for stage in stages_of(step) for kernel in told(stage)
    )
    assert min(kernels[kernel] for kernel in ("winograd2", "winograd + add", "gemm + add", "map + add")) > 0, kernels


def test_the_networks_reach_every_operator_and_kernel() -> None:
    wanted = {*OPERATORS, "DEQUANTIZE", "SHAPE"}  # the latter two: ends in float32, computed shapes
    operators: Counter[str] = Counter()
    listed = [*(network for network in spread(2000) if network.kind == "mixed"), *spread(500, 0, LATER_KINDS)]
    listed += spread(100, 0, STREAM_KINDS)
    for network in listed:
        if any(operators[op] < 10 for op in wanted):
            operators.update(operator.op for operator in read_model(network.model()).operators)
    assert {op: operators[op] for op in wanted if operators[op] < 10} == {}
    kernels: Counter[str] = Counter()
    shapes = set()
    all_of_them = spread(max(PLANAR) + 1)
    some = all_of_them[:300]
    first = [*(all_of_them[number] for number in PLANAR), *(some[number] for number in MANY)]
    for network in [*first, *(one for n, one in enumerate(some) if n not in MANY)]:
        if all(kernels[kernel] >= 3 - (kernel in SELDOM) for kernel in KERNELS) and (1, 1) in shapes:
            return
        model = network.model()
        for step in compile_model(model, WAYS[network.way]).program.steps:
            kernels.update(kernel for stage in stages_of(step) for kernel in told(stage))
            kernels[step.kernel] += 1
        shapes |= {tensor.shape[1:3] for tensor in read_model(model).tensors.values() if len(tensor.shape) == 4}
    pytest.fail(f"of 300 networks, too few have each of these, or a map of one pixel: {kernels}")


def test_a_difference_is_found_and_names_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    network = next(one for one in spread(100) if b"CONV" in one.model() or one.layers > 3)
    right = batches_module.unit

    def wrong(compiled: Sequence[Compiled], names: Sequence[str]) -> str:
        return right(compiled, names).replace(".activation_max = 127", ".activation_max = 1")

    monkeypatch.setattr(batches_module, "unit", wrong)
    with pytest.raises(ParityError, match=rf"seed={network.seed}.*values differ"):
        check_on_host([network])
