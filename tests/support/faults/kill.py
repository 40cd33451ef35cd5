"""``tests/support/faults/kill.py OPERATION ... --times N``: commands killed at random points, and given again.

A command is killed with SIGKILL, in turn at a random moment and at a random change of a file: before it opens a file
for writing, renames, or removes one. Then every file must be whole, the same command must end well, and leave the same
files with the same contents as a run that nobody disturbed, and no temporary file anywhere. A point is a function of
``--seed``, the command and its number. The commands run in copies of this process, which has imported TensorFlow
before: half of a small command would else be its import. With ``--state FILE`` a campaign that was interrupted goes on
where it stopped; counts and failures are in the file.
"""

from __future__ import annotations

import argparse
import json
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
from dataclasses import asdict, dataclass, field
from pathlib import Path

import _places  # noqa: F401 (first)
from operations import OPERATIONS, Operation, finish, prepare
from outcomes import half_written, leftovers, outcome

QUIET_SECONDS = 300.0
"""A command that uses no processor time for so long hangs; how long it takes depends on what else the computer does."""
CPU_SECONDS = 900.0
"""Most processor time of a command."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.truncate", "os.chmod")


class Failure(Exception):
    """A promise that was not kept."""


@dataclass
class Child:
    """A command in a process of its own."""

    process: int
    pipe: int

    def wait(self, seconds: float = float("inf")) -> int | None:
        """Exit status, negative for a signal; None if it has not ended by then, hangs, or works without end."""
        begun = moved = time.monotonic()
        used = 0.0
        while (now := time.monotonic()) - begun < seconds:
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if now - moved > 1:
                before, used = used, _processor_seconds(self.process)
                if used > CPU_SECONDS or (used == before and now - moved > QUIET_SECONDS):
                    break
                moved = now if used > before else moved
            select.select([], [], [], 0.002 if now - begun < 10 else 0.1)
        return None

    def kill(self) -> None:
        """Kill it and its children, as ``kill -9`` of a job does."""
        os.killpg(self.process, signal.SIGKILL)

    def changes(self) -> int:
        """Number of changes of files that it made; to be asked once, after its end."""
        with os.fdopen(self.pipe) as file:
            return int(file.read() or 0)


def _processor_seconds(group: int) -> float:
    """Processor time of all living processes of a group, and of the ended ones that they waited for."""
    ticks = 0
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            # Behind the program's name, which may hold anything, from the third field on.
            fields = Path("/proc", name, "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


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
        self._operation, self._shared = operation, shared
        # All runs work in one place, whose path is in some files; that of the undisturbed one is moved afterwards.
        self._place, self._whole = folder / name / "work", folder / name / "whole"
        work = self._fresh()
        begun = time.monotonic()
        child = start(self._run(work), work)
        self._require_success(child, work)
        self._seconds, self._changes = time.monotonic() - begun, child.changes()
        self._expected = self._result(work)
        work.rename(self._whole)
        self.ended_before = 0

    def _fresh(self) -> Path:
        work = self._place
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
        status = child.wait()
        if status is None:
            child.kill()
            child.wait()
        if status != 0:
            said = (work / "log.txt").read_text("utf-8", "replace").strip().splitlines()[-1:]
            how = "hangs, or works without end" if status is None else f"ended with {status}"
            raise Failure(f"undisturbed, it {how}: {said}")

    def kill_once(self, number: int, chance: random.Random) -> None:
        """Kill it at a random point, look at what is left, give the command again and compare.

        Raises
        ------
        Failure
            A file is half written, or the second run fails, differs, or leaves something.
        """
        work = self._fresh()
        if number % 2:
            child = start(self._run(work), work, kill_at=chance.randint(1, self._changes))
            point, status = "a change of a file", child.wait()
        else:
            seconds = chance.uniform(0, self._seconds)
            child = start(self._run(work), work)
            point, status = f"{seconds:.3f} s", child.wait(seconds)
        if status is None:
            child.kill()
            status = child.wait()
        os.close(child.pipe)
        self.ended_before += status == 0
        if status not in (0, -signal.SIGKILL):
            raise Failure(f"killed at {point}, it ended with {status}")
        for part in ("out", "scenelet_build"):
            broken = half_written(work / part, self._whole / part)
            if broken:
                raise Failure(f"killed at {point}, half written: {_some(broken)}")
        self._require_success(again := start(self._run(work), work), work)
        os.close(again.pipe)
        found = self._result(work)
        if found != self._expected:
            different = sorted({name for name, _ in found.items() ^ self._expected.items()})
            raise Failure(f"killed at {point} and run again, other files: {_some(different)}")
        left = [*leftovers(work), *map(str, (work / "tmpdir").iterdir())]
        if left:
            raise Failure(f"killed at {point} and run again, it leaves {_some(left)}")


def _some(names: list[str]) -> str:
    """The first of many names."""
    most = 8
    return f"{names[:most]}{f' and {len(names) - most} more' if len(names) > most else ''}"


@dataclass
class Tally:
    """What has come out of a command's campaign so far."""

    next: int = 0
    ended_before: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, campaign: Campaign, times: int, seed: int, save: Callable[[], None]) -> None:
        """Kill a command until it was done ``times`` times, counting those of earlier calls."""
        while self.next < times:
            number = self.next
            ended = campaign.ended_before
            try:
                campaign.kill_once(number, random.Random(f"{seed} {name} {number}"))
            except Failure as failure:
                self.failures[str(number)] = str(failure)
                _say(f"{name} {number}: {failure}")
            self.ended_before += campaign.ended_before - ended
            self.next += 1
            save()
        killed = self.next - self.ended_before
        _say(f"{name}: killed {killed} of {self.next} times, {len(self.failures)} failures")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def load(path: Path | None) -> dict[str, Tally]:
    """Read what earlier calls have counted, by command."""
    if path is None or not path.exists():
        return {}
    return {name: Tally(**values) for name, values in json.loads(path.read_text("utf-8")).items()}


def _save(path: Path | None, tallies: dict[str, Tally]) -> None:
    if path is not None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps({name: asdict(tally) for name, tally in tallies.items()}, indent=2) + "\n", "utf-8")
        part.replace(path)


def main() -> int:
    """Run the campaigns; exit status 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operations", nargs="+", choices=(*OPERATIONS, "all"))
    parser.add_argument("--times", type=int, default=50, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0, help="of the points")
    parser.add_argument("--state", type=Path, help="file to go on from")
    arguments = parser.parse_args()
    names = list(OPERATIONS) if "all" in arguments.operations else arguments.operations
    tallies = load(arguments.state)
    failed = False
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        shared = Path(place) / "shared"
        (shared / "tmpdir").mkdir(parents=True)
        prepare(shared)
        warm(shared, names)
        for name in names:
            tally = tallies.setdefault(name, Tally())
            try:
                campaign = Campaign(name, OPERATIONS[name], shared, Path(place))
                tally.run(name, campaign, arguments.times, arguments.seed, lambda: _save(arguments.state, tallies))
            except Failure as failure:  # of the undisturbed run
                _say(f"{name}: {failure}")
                failed = True
            failed = failed or bool(tally.failures)
            shutil.rmtree(Path(place) / name)
    return int(failed)


def warm(shared: Path, names: list[str]) -> None:
    """Make what the commands continue from, and import what all copies of this process need."""
    if set(names) - {"synth", "export"}:
        import scenelet.training.run_folder  # noqa: F401 (once, for all copies of this process)
    if start(lambda: _warm(shared, names), shared).wait() != 0:
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
