"""``tests/support/faults/kill.py OPERATION ... --times N``: commands killed at random points, and given again.

A command is killed with SIGKILL, in turn at a random moment and at a random change of a file: before it opens a file
for writing, renames, or removes one. Then every file must be whole, the same command must end well, and leave the same
files with the same contents as a run that nobody disturbed, and no temporary file anywhere. The points are a function
of ``--seed``. The commands run in copies of this process, which has imported TensorFlow before: half of a small command
would else be its import.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import _places  # noqa: F401 (first)
from operations import OPERATIONS, Operation, finish, prepare
from outcomes import half_written, leftovers, outcome

SECONDS = 300.0
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.truncate", "os.chmod")


class Failure(Exception):
    """A promise that was not kept."""


@dataclass
class Child:
    """A command in a process of its own."""

    process: int
    pipe: int

    def wait(self, seconds: float) -> int | None:
        """Exit status, negative for a signal; None if it has not ended by then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            select.select([], [], [], 0.002)
        return None

    def kill(self) -> None:
        """Kill it and its children, as ``kill -9`` of a job does."""
        os.killpg(self.process, signal.SIGKILL)

    def changes(self) -> int:
        """Number of changes of files that it made; to be asked once, after its end."""
        with os.fdopen(self.pipe) as file:
            return int(file.read() or 0)


def start(run: Callable[[], int], work: Path, kill_at: int = 0) -> Child:
    """Run a function in a copy of this process; with ``kill_at``, it kills itself before that change of a file."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        with_group = 0
        while with_group != process:  # until the child has made its own
            with_group = os.getpgid(process)
        return Child(process, reading)
    os.setpgid(0, 0)
    os.close(reading)
    status = 1
    try:
        log = os.open(work / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for handle in (1, 2):
            os.dup2(log, handle)
        for name in ("TMPDIR", "SCENELET_BUILD"):
            os.environ[name] = str(work / name.lower())
        tempfile.tempdir = None
        os.chdir(work)
        counted = _count_changes(kill_at)
        status = run()
        os.write(writing, str(counted[0]).encode())
    except BaseException:  # else nobody would learn of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _count_changes(kill_at: int) -> list[int]:
    """Count the changes of files of this process, and kill it before one of them."""
    counted = [0]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
        if event in _CHANGES or (isinstance(flags, int) and flags & _WRITES):
            counted[0] += 1
            if counted[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return counted


class Campaign:
    """One command, its undisturbed result, and how often it was killed."""

    def __init__(self, name: str, operation: Operation, shared: Path, folder: Path) -> None:
        self._name, self._operation, self._shared, self._folder = name, operation, shared, folder
        self._whole = self._fresh("whole")
        begun = time.monotonic()
        child = start(self._run(self._whole), self._whole)
        self._require_success(child, self._whole)
        self._seconds, self._changes = time.monotonic() - begun, child.changes()
        self._expected = self._result(self._whole)
        self.ended_before = 0

    def _fresh(self, name: str) -> Path:
        work = self._folder / self._name / name
        shutil.rmtree(work, ignore_errors=True)
        for part in ("out", "tmpdir", "scenelet_build"):
            (work / part).mkdir(parents=True)
        # Compiled libraries are named by their content; making them again would be most of the time.
        if (self._shared / "scenelet_build" / "native").exists():
            shutil.copytree(self._shared / "scenelet_build" / "native", work / "scenelet_build" / "native")
        self._operation.begin(self._shared, work / "out")
        return work

    def _run(self, work: Path) -> Callable[[], int]:
        return lambda: self._operation.run(self._shared, work)

    def _result(self, work: Path) -> dict[str, str]:
        return {
            f"{part}/{name}": digest
            for part in ("out", "scenelet_build")
            for name, digest in outcome(work / part).items()
        }

    def _require_success(self, child: Child, work: Path) -> None:
        status = child.wait(SECONDS)
        if status is None:
            child.kill()
        if status != 0:
            said = (work / "log.txt").read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise Failure(f"ended with {status}: {said}")

    def kill_once(self, number: int, chance: random.Random) -> None:
        """Kill it at a random point, look at what is left, give the command again and compare.

        Raises
        ------
        Failure
            A file is half written, or the second run fails, differs, or leaves something.
        """
        work = self._fresh("killed")
        if number % 2:
            child = start(self._run(work), work, kill_at=chance.randint(1, self._changes))
            point, status = "a change of a file", child.wait(SECONDS)
        else:
            seconds = chance.uniform(0, self._seconds)
            child = start(self._run(work), work)
            point, status = f"{seconds:.3f} s", child.wait(seconds)
        if status is None:
            child.kill()
            status = child.wait(SECONDS)
        os.close(child.pipe)
        self.ended_before += status == 0
        if status not in (0, -signal.SIGKILL):
            raise Failure(f"killed at {point}, it ended with {status}")
        for part in ("out", "scenelet_build"):
            broken = half_written(work / part, self._whole / part)
            if broken:
                raise Failure(f"killed at {point}, half written: {broken}")
        self._require_success(again := start(self._run(work), work), work)
        os.close(again.pipe)
        found = self._result(work)
        if found != self._expected:
            different = sorted(set(found.items()) ^ set(self._expected.items()))
            raise Failure(f"killed at {point} and run again, other files: {sorted({name for name, _ in different})}")
        left = [*leftovers(work), *map(str, (work / "tmpdir").iterdir())]
        if left:
            raise Failure(f"killed at {point} and run again, it leaves {left}")


def main() -> int:
    """Run the campaigns; exit status 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operations", nargs="+", choices=(*OPERATIONS, "all"))
    parser.add_argument("--times", type=int, default=50, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0, help="of the points")
    arguments = parser.parse_args()
    names = list(OPERATIONS) if "all" in arguments.operations else arguments.operations
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        shared = Path(place) / "shared"
        (shared / "tmpdir").mkdir(parents=True)
        prepare(shared)
        warm(shared, names)
        for name in names:
            campaign, chance = Campaign(name, OPERATIONS[name], shared, Path(place)), random.Random(arguments.seed)
            failures = 0
            for number in range(arguments.times):
                try:
                    campaign.kill_once(number, chance)
                except Failure as failure:
                    failures += 1
                    sys.stdout.write(f"{name} {number}: {failure}\n")
                sys.stdout.flush()
            killed = arguments.times - campaign.ended_before
            sys.stdout.write(f"{name}: killed {killed} of {arguments.times} times, {failures} failures\n")
            sys.stdout.flush()
            failed += failures
    return int(failed > 0)


def warm(shared: Path, names: list[str]) -> None:
    """Make what the commands continue from, and import what all copies of this process need."""
    if set(names) - {"synth", "export"}:
        import scenelet.training.run_folder  # noqa: F401 (once, for all copies of this process)
    if start(lambda: _warm(shared, names), shared).wait(SECONDS) != 0:
        sys.exit((shared / "log.txt").read_text("utf-8"))


def _warm(shared: Path, names: list[str]) -> int:
    """Compile the libraries, and make what the commands continue from, in a process that is not copied."""
    work = shared / "warm"
    work.mkdir()
    status = OPERATIONS["export"].run(shared, work)
    if set(names) - {"synth", "export"}:
        finish(shared)
    return status


if __name__ == "__main__":
    sys.exit(main())
