"""``tests/support/faults/fuzz.py KIND FIRST END``: mutated inputs through everything that reads them on this computer.

A case is a function of its number, so two computers can share the numbers, and a finding is run again by its own
(``fuzz.py audio 4711 4712``). With ``--state FILE`` a run that was interrupted goes on where it stopped, and counts,
the worst case and all findings are in the file. Exit status 1 if there is a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 600.0
"""Most time of a case on a busy computer; its processor time is limited by the worker."""
_START_SECONDS = 120.0
_WRITE_EVERY = 500
WORKER = Path(__file__).with_name("fuzz_worker.py")
WORKER_SUPPORT = Path(__file__).parents[1]
KINDS = ("model", "audio", "recipe", "table", "json", "archive")


@dataclass
class Tally:
    """What has come out so far."""

    next: int
    counts: dict[str, int] = field(default_factory=dict)
    slowest: list[int] = field(default_factory=lambda: [0, 0])
    """Milliseconds, seed."""
    peak_bytes: int = 0
    findings: dict[str, str] = field(default_factory=dict)

    def add(self, seed: int, outcome: str, milliseconds: int = 0, peak: int = 0) -> None:
        """Count a case."""
        self.next = seed + 1
        good = outcome in ("read", "refused")
        key = outcome if good else "found"
        self.counts[key] = self.counts.get(key, 0) + 1
        if not good:
            self.findings[str(seed)] = outcome
            sys.stdout.write(f"{seed}: {outcome}\n")
            sys.stdout.flush()
        self.slowest = max(self.slowest, [milliseconds, seed])
        self.peak_bytes = max(self.peak_bytes, peak)


def load(path: Path | None, first: int) -> Tally:
    """Read what an earlier call has counted."""
    if path is None or not path.exists():
        return Tally(first)
    return Tally(**json.loads(path.read_text("utf-8")))


def _save(path: Path | None, tally: Tally) -> None:
    if path is not None:
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(tally), indent=2) + "\n", "utf-8")
        part.replace(path)


def _lines(process: subprocess.Popen[bytes]) -> Any:
    """Yield the worker's lines; None where it is silent for longer than a case may take, and at its end."""
    assert process.stdout is not None
    handle, rest, seconds = process.stdout.fileno(), b"", _START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while selector.select(seconds) and (content := os.read(handle, 1 << 16)):
            seconds = SECONDS
            *whole, rest = (rest + content).split(b"\n")
            yield from map(json.loads, whole)
    yield None


def run(kind: str, end: int, tally: Tally, state: Path | None) -> None:
    """Run a worker until the end, or until a case ends it, which is counted."""
    with tempfile.TemporaryDirectory(prefix="scenelet-fuzz-") as folder:
        command = [sys.executable, WORKER, kind, str(tally.next), str(end), folder]
        paths = (str(WORKER_SUPPORT), os.environ.get("PYTHONPATH", ""))
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
        errors = Path(folder) / "errors"
        with (
            errors.open("wb") as file,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, env=environment) as process,
        ):
            running = None
            for told in _lines(process):
                if told is None:
                    break
                running = told[0] if len(told) == 1 else None
                if len(told) > 1:
                    tally.add(*told)
                    if tally.next % _WRITE_EVERY == 0:
                        _save(state, tally)
            slow = process.poll() is None and running is not None and tally.next < end
            if slow:
                try:
                    process.wait(1)
                    slow = False
                except subprocess.TimeoutExpired:
                    process.kill()
            status = process.wait()
        if tally.next >= end:
            return
        said = errors.read_text("utf-8", "replace").strip().splitlines()[-1:]
        if running is None:  # no case is at fault
            sys.exit(f"the worker ended with {status} before case {tally.next}: {said}")
        how = "more than 10 s of processor time" if status == -signal.SIGPROF else f"ended with {_name(status)}: {said}"
        how = f"more than {SECONDS:g} s" if slow else how
        tally.add(running, how)


def _name(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def main() -> int:
    """Run a range of cases of one kind, or of every kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=(*KINDS, "all"))
    parser.add_argument("first", type=int, help="number of the first case")
    parser.add_argument("end", type=int, help="one past the last one's")
    parser.add_argument("--state", type=Path, help="file to go on from; with 'all', a folder of them")
    arguments = parser.parse_args()
    failed = False
    for kind in KINDS if arguments.kind == "all" else (arguments.kind,):
        state = arguments.state / f"{kind}.json" if arguments.kind == "all" and arguments.state else arguments.state
        if state:
            state.parent.mkdir(parents=True, exist_ok=True)
        tally = load(state, arguments.first)
        while tally.next < arguments.end:
            run(kind, arguments.end, tally, state)
            _save(state, tally)
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(tally.counts.items()))
        slowest, seed = tally.slowest
        peak = f"peak {tally.peak_bytes / 2**20:.0f} MiB"
        sys.stdout.write(f"{kind}: {counts}; slowest {slowest / 1000:.1f} s (case {seed}), {peak}\n")
        failed = failed or bool(tally.findings)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
