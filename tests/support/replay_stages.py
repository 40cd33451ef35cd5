"""Runs stages in a sanitised library; a child process, because the sanitiser must be loaded first.

Argument: the library. A sanitizer ends the process at the first error it sees.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine_library import Engine
from stage_calls import StageCaller, stage_cases, ways


def main() -> None:
    """Run all cases."""
    engine = Engine(Path(sys.argv[1]))
    for case in stage_cases():
        for way in ways(case):
            StageCaller(engine, case, way).run(case.runs[0][0])


if __name__ == "__main__":
    main()
