"""Runs the row by row convolutions in a sanitised library; a child process, because the sanitiser must be loaded first.

Argument: the library. A sanitizer ends the process at the first error it sees.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine_library import Engine
from kernel_cases import Case, cases
from row_calls import RowCaller, axes, dense, pooling


def replay(engine: Engine, case: Case) -> None:
    """Every kernel that takes a case, few rows and many at a time."""
    (image,) = case.runs[3]
    for chunk in (3, 16):
        caller = RowCaller(engine, case, chunk)
        caller.convolution(image)
        if dense(case):
            caller.narrow(image)
        for across in axes(case):
            caller.winograd(image, across=across, expanded=True)
            caller.winograd(image, across=across, expanded=False, rows=16, part=1)
            caller.winograd(image, across=across, expanded=False, rows=12, part=1, outputs=2)
            if pooling(case, (2, 2)):
                caller.winograd(image, across=across, expanded=False, pool=(2, 2))


def main() -> None:
    """Run all cases."""
    engine = Engine(Path(sys.argv[1]))
    for case in cases():
        if case.graph.operators[0].op == "CONV_2D" and case.graph.tensors[case.graph.outputs[0]].shape[0] == 1:
            replay(engine, case)


if __name__ == "__main__":
    main()
