"""Convolutions by columns and by planes against TFLite's reference interpreter, bit for bit, on planned memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_library import Engine, build
from kernel_cases import Case, expected
from stage_calls import StageCaller, stage_cases, ways

from scenelet.compiler.kernels.gemm import expand_columns, pack_columns
from scenelet.compiler.kernels.requantize import channel_constants
from scenelet.compiler.operators import lower
from scenelet.compiler.program import Struct

CASES = stage_cases()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_way_equals_builtin_ref(engine: Engine, case: Case) -> None:
    listed = list(ways(case))
    assert listed
    want = expected(case)
    for way in listed:
        caller = StageCaller(engine, case, way)
        for (image,), output in zip(case.runs, want, strict=True):
            np.testing.assert_array_equal(caller.run(image), output, str(way))


@pytest.mark.parametrize("case", [case for case in CASES if case.graph.operators[0].op == "CONV_2D"][:4])
def test_columns_replace_each_value_by_channel(engine: Engine, case: Case) -> None:
    want = expected(case)[1]
    channels = want.shape[-1]
    post = np.random.default_rng(channels).integers(-128, 128, (channels, 256)).astype(np.int8)
    for way in ways(case):
        made = StageCaller(engine, case, way, post).run(case.runs[1][0])
        np.testing.assert_array_equal(made, post[np.arange(channels), want.astype(np.int64) + 128])


def test_outputs_spread() -> None:
    # Were all values clamped, the comparisons above would show nothing.
    spreads = [len(np.unique(expected(case)[1])) for case in CASES if case.graph.tensors[1].shape[1] > 1]
    assert np.median(spreads) > 25


def test_weights_pair_the_first_with_the_third_and_double() -> None:
    weights = np.arange(2 * 1 * 1 * 6, dtype=np.int8).reshape(2, 1, 1, 6)
    assert pack_columns(weights).tolist() == [
        [[[0, 6], [2, 8]], [[1, 7], [3, 9]], [[4, 10], [0, 0]], [[5, 11], [0, 0]]]
    ]
    assert expand_columns(weights, np.array([False]))[0, 0].tolist() == [[0, 4], [12, 16]]
    assert expand_columns(weights, np.array([True]))[0, 0].tolist() == [[0, 512], [1536, 2048]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"activation_min": -127}, "clamp"),
        ({"scale": np.array([[2**30, 1], [2**30, -3]])}, "factor over 1"),
        ({"scale": np.array([[2**30, -21], [2**30, -3]])}, "shift that overflows"),
        ({"bias": np.array([2**30, 0])}, "sum that cannot be doubled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_four_instructions_cannot_rescale_is_refused(change: dict[str, object], why: str) -> None:
    (step,) = lower(CASES[8].graph).steps
    assert isinstance(step.params, Struct)
    assert channel_constants(step) is not None, why
    fields = step.params.fields | {key: value for key, value in change.items() if key.startswith("activation")}
    tables = [replace(t, values=np.asarray(change.get(t.kind, t.values))) for t in step.tables]
    assert channel_constants(replace(step, params=replace(step.params, fields=fields), tables=tuple(tables))) is None
