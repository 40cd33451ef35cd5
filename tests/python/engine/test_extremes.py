"""Every kernel where sums, factors and zero points are as large as the compiler lets them be, and what is beyond.

The compiler bounds every layer's sums before it generates anything: ``accumulator_bound`` over all inputs, and a
factor's limit for each operator. Beyond the bound a network is refused; beyond what a quicker kernel needs, the plain
one runs the layer.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_library import run_sanitized
from kernel_cases import Case
from layers.extremes import INT32_MAX, Ends, cases, layers, stages, sums_of, weighted
from stage_calls import ways

from scenelet.compiler.operators import require_supported
from scenelet.errors import UnsupportedError

pytestmark = pytest.mark.sweep

QUICK = 2**30 - 1 - 9 * 8 * 255
"""Sums up to which doubled ones stay int32, whatever the order of summation."""
CONV = ("CONV_2D", (1, 4, 5, 8), 8, (3, 3))
DEPTHWISE = ("DEPTHWISE_CONV_2D", (1, 4, 5, 8), 8, (3, 3))
DENSE = ("FULLY_CONNECTED", (1, 64), 8, (1, 1))


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, int]]:
    done = run_sanitized("layers/replay_extremes.py")
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_kernels_give_the_references_bits_without_undefined_behaviour(told: dict[str, dict[str, int]]) -> None:
    assert set(told["ran"]) == {case.graph.operators[0].op for case in cases()}
    assert {"ADD", "DIV", "FULLY_CONNECTED", "MUL", "PRELU", "SOFTMAX", "SUB"} <= set(told["refused"])
    assert told["stages"].keys() >= {f"{kind} {QUICK}" for kind in ("DepthwisePlanar", "DepthwiseQuads", "Gemm")}
    assert any(name.startswith("Winograd2D ") for name in told["stages"])


def test_sums_reach_the_bound() -> None:
    assert {sums_of(case) for case in layers()} == {INT32_MAX}


@pytest.mark.parametrize("layer", [CONV, DEPTHWISE, DENSE], ids=lambda layer: layer[0])
@pytest.mark.parametrize("zero_points", [(-128, 127), (127, -128)])
def test_a_sum_beyond_int32_is_refused(layer: Any, zero_points: tuple[int, int]) -> None:
    ends = Ends(zero_points, (-9,))
    require_supported(weighted(*layer, ends).graph)
    with pytest.raises(UnsupportedError, match="sums can reach 2,147,483,648, past int32; use a smaller kernel"):
        require_supported(weighted(*layer, ends, more=1).graph)


@pytest.mark.parametrize("power", [1, 12, 29])
def test_dense_results_beyond_int32_are_refused(power: int) -> None:
    with pytest.raises(UnsupportedError, match=r"results can reach .*, past int32; calibrate"):
        require_supported(weighted(*DENSE, Ends((-128, 127), (power,))).graph)


def test_kernels_that_need_smaller_sums_do_not_take_larger_ones() -> None:
    def kinds(case: Case) -> set[str]:
        return {type(way).__name__ for way in ways(case)}

    taken = {(case.graph.operators[0].op, sums_of(case)) for case in stages() if kinds(case)}
    assert {sums for _, sums in taken} == {2**23 - 1, QUICK}
    assert {op for op, _ in taken} == {CONV[0], DEPTHWISE[0]}
    beyond = [case for case in stages() if sums_of(case) > QUICK]
    assert beyond
    for case in beyond:
        require_supported(case.graph)
        assert kinds(case) == set()
