"""Every kernel, compiled for this computer, against TFLite's reference interpreter, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_library import Engine, build
from kernel_cases import Case, cases, expected

from scenelet.compiler.operators import lower
from scenelet.compiler.program import Struct


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(build())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name.replace(" ", ""))
def test_kernel_equals_builtin_ref(engine: Engine, case: Case) -> None:
    (step,) = lower(case.graph).steps
    places = case.graph.inputs
    for run, want in zip(case.runs, expected(case), strict=True):
        tensors = dict(zip(places, run, strict=True)) | {step.writes[0]: want}
        np.testing.assert_array_equal(engine.run(step, tensors), want.ravel())
        for replaced in step.overwrites:
            np.testing.assert_array_equal(engine.run(step, tensors, in_place=replaced), want.ravel())


def test_convolution_without_bias_has_bias_zero(engine: Engine) -> None:
    # The interpreter insists on a bias, foreign models may lack it.
    case = next(case for case in cases() if case.name.startswith("CONV_2D"))
    (step,) = lower(case.graph).steps
    assert isinstance(step.params, Struct)
    zeros = [replace(t, values=np.zeros_like(t.values)) if t.kind == "bias" else t for t in step.tables]
    absent = replace(step.params, fields={**step.params.fields, "bias": None})
    shape = case.graph.tensors[step.writes[0]].shape
    tensors = {case.graph.inputs[0]: case.runs[0][0], step.writes[0]: np.zeros(shape, np.int8)}
    want = engine.run(replace(step, tables=tuple(zeros)), tensors)
    assert np.unique(want).size > 10
    np.testing.assert_array_equal(engine.run(replace(step, params=absent), tensors), want)


def test_cases_reach_every_kernel() -> None:
    reached = {operator.op for case in cases() for operator in case.graph.operators}
    assert reached == {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MAXIMUM",
        "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN",
        "SLICE", "SOFTMAX", "STRIDED_SLICE", "SUB", "SUM", "TRANSPOSE",
    }  # fmt: skip
