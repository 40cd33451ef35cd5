"""``fuzz_worker.py KIND FIRST END FOLDER``: runs mutated inputs one by one and tells of each, for ``fuzz.py``.

A process of its own, with less memory than the computer has: a case that ends it is a finding and no more.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

MEMORY_BYTES = 4 << 30
"""Address space; the libraries take about 1 GiB of it before the first case."""
CPU_SECONDS = 10.0
"""Of a case. The kernel ends the process after that, in whatever library it is."""
FILE_BYTES = 64 << 20
MOST_RESIDENT = 1536 << 20


def _confine(folder: Path) -> Path:
    """Limit this process, and lead all that it might write into a folder; returns the folder of the cases."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    places = {name: folder / name.lower() for name in ("HOME", "TMPDIR", "SCENELET_BUILD")}
    for name, place in places.items():
        place.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(place)
    tempfile.tempdir = None
    cases = folder / "case"
    (folder / "elsewhere").mkdir(exist_ok=True)
    os.chdir(folder / "elsewhere")
    return cases


def _peak() -> int:
    """Most memory resident so far, bytes; getrusage would count that of the process that started this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Tell ``[seed]`` before a case and ``[seed, outcome, CPU ms, peak bytes]`` after it, a JSON line each."""
    kind, first, end, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    cases = _confine(folder)
    from kinds import KINDS, run_case
    from watch import Watch

    KINDS[kind].prepare()
    watch = Watch([cases, *(folder / name for name in ("home", "tmpdir", "scenelet_build"))])
    # Standard output belongs to the cases; what is told goes where it was.
    told = os.fdopen(os.dup(1), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    for seed in range(first, end):
        told.write(f"[{seed}]\n")
        told.flush()
        shutil.rmtree(cases, ignore_errors=True)
        cases.mkdir()
        watch.seen.clear()
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        started = time.process_time()
        try:
            outcome = run_case(KINDS[kind], seed, cases)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            outcome = f"{type(error).__name__}: {str(error)[:400]} ({Path(last.filename).name}:{last.lineno})"
        if watch.seen:
            outcome = f"outside of its folder: {watch.seen[:3]}"
        elif list(Path.cwd().iterdir()):
            outcome = f"wrote into the current folder: {list(Path.cwd().iterdir())[:3]}"
        elif _peak() > MOST_RESIDENT:
            outcome = f"needs {_peak():,} bytes"
        told.write(json.dumps([seed, outcome, round(1000 * (time.process_time() - started)), _peak()]) + "\n")
        told.flush()


if __name__ == "__main__":
    main()
