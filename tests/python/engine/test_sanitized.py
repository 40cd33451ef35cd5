"""Every kernel under AddressSanitizer and UndefinedBehaviorSanitizer, on memory of exactly the documented size."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from engine_library import run_sanitized
from kernel_cases import cases, expected

from scenelet.compiler.operators import lower
from scenelet.compiler.program import Step

pytestmark = pytest.mark.sweep

Call = tuple[Step, dict[int, Any], Any]


def replay(calls: list[Call], folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "calls.pickle"
    path.write_bytes(pickle.dumps(calls))
    return run_sanitized("replay_sanitized.py", path)


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    found = []
    for case in cases():
        (step,) = lower(case.graph).steps
        for run, want in zip(case.runs, expected(case), strict=True):
            found.append((step, dict(zip(case.graph.inputs, run, strict=True)) | {step.writes[0]: want}, want))
    return found


def test_no_kernel_upsets_the_sanitizers(calls: list[Call], tmp_path: Path) -> None:
    done = replay(calls, tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]


def test_no_row_kernel_upsets_the_sanitizers() -> None:
    done = run_sanitized("replay_rows.py")
    assert done.returncode == 0, done.stderr[-3000:]


def test_no_stage_upsets_the_sanitizers() -> None:
    done = run_sanitized("replay_stages.py")
    assert done.returncode == 0, done.stderr[-3000:]


def test_sanitizers_are_at_work(calls: list[Call], tmp_path: Path) -> None:
    step, tensors, want = calls[0]
    short = {index: values if index in step.writes else values.ravel()[:-8].copy() for index, values in tensors.items()}
    done = replay([(step, short, want)], tmp_path)
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
