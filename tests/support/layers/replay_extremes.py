"""Runs the cases of extremes.py in a sanitised library; a child process, because the sanitiser must be loaded first.

Argument: the library. Raises at the first output that is not BUILTIN_REF's; a sanitizer ends the process at the first
error it sees. Prints how often each operator was run and refused, and which kernels ran the stages of which sums.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from engine_library import Engine
from kernel_cases import Case, expected
from row_calls import RowCaller
from stage_calls import StageCaller, ways

from layers.extremes import cases, layers, stages, sums_of
from scenelet.compiler.operators import lower, require_supported
from scenelet.errors import UnsupportedError


def few(case: Case) -> list[tuple[Any, Any]]:
    """Inputs at either end and anywhere, with the reference's output: a sanitised Python is slow."""
    pairs = list(zip(case.runs, expected(case), strict=True))
    return [*pairs[:2], pairs[-1]]


def accepted(case: Case) -> bool:
    """Whether the compiler takes a case."""
    try:
        require_supported(case.graph)
    except UnsupportedError:
        return False
    return True


def plain(engine: Engine, case: Case) -> None:
    """Each operator's own kernel."""
    (step,) = lower(case.graph).steps
    for run, want in zip(case.runs, expected(case), strict=True):
        tensors = dict(zip(case.graph.inputs, run, strict=True)) | {step.writes[0]: want}
        np.testing.assert_array_equal(engine.run(step, tensors), want.ravel(), err_msg=case.name)


def staged(engine: Engine, case: Case) -> list[str]:
    """Every kernel that the compiler would choose among; returns their names."""
    listed, pairs = list(ways(case)), few(case)
    for way in listed:
        caller = StageCaller(engine, case, way)
        for (image,), want in pairs:
            np.testing.assert_array_equal(caller.run(image), want, err_msg=f"{case.name} {way}")
    return [type(way).__name__ for way in listed]


def by_rows(engine: Engine, case: Case) -> None:
    """The convolutions that work row by row: the plain one, the narrow one, and Winograd's along both axes."""
    caller = RowCaller(engine, case, 3)
    for (image,), want in few(case):
        made = [caller.convolution(image), caller.narrow(image)]
        for across in (False, True):
            made += [caller.winograd(image, across=across, expanded=expanded) for expanded in (False, True)]
            made.append(caller.winograd(image, across=across, expanded=False, outputs=2))
        for one in made:
            np.testing.assert_array_equal(one, want, err_msg=case.name)


def main() -> None:
    """Run all cases."""
    engine = Engine(Path(sys.argv[1]))
    told: dict[str, Counter[str]] = {"ran": Counter(), "refused": Counter(), "stages": Counter()}
    for case in cases():
        op = case.graph.operators[0].op
        told["ran" if accepted(case) else "refused"][op] += 1
        if accepted(case):
            plain(engine, case)
    for case in stages():
        plain(engine, case)
        told["stages"].update(f"{name} {sums_of(case)}" for name in set(staged(engine, case)))
    for case in (*layers(), *stages()):
        if case.graph.operators[0].op == "CONV_2D":
            by_rows(engine, case)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
