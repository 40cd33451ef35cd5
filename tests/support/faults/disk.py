"""``tests/support/faults/disk.py OPERATION ...``: commands on a disk that fails from one of their calls on.

Every call with which a command opens, writes, names or makes a file in its folders fails once in a run of its own, and
with it all calls after it: with "no space left", "read-only file system" or "input/output error", in turn. The command
must then end in one line and exit status 2, or do without that file; every file must be whole, and the same command
must afterwards, on a disk that works, leave what an undisturbed one does. ``--times N`` takes so many of the calls.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import _places  # noqa: F401 (first)
import kill
from operations import OPERATIONS, prepare
from outcomes import half_written, leftovers

from scenelet.errors import SceneletError

ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO)
_SOURCE = Path(__file__).with_name("failing_disk.c")
_LIBRARY = "FAILING_DISK"


class Campaign(kill.Campaign):
    """One command, its undisturbed result, and the number of its calls."""

    def count(self) -> int:
        """Calls that change a file, in a run that nothing disturbs."""
        work = self._fresh()
        child = kill.start(self._armed(work, 0, 0), work)
        self._require_success(child, work)
        return int((work / "seen").read_text())

    def _armed(self, work: Path, first: int, number: int) -> Callable[[], int]:
        disk, run = ctypes.CDLL(os.environ[_LIBRARY]), self._run(work)

        def armed() -> int:
            disk.disk_arm(os.fsencode(work), ctypes.c_long(first), number)
            try:
                status = run()
            except SceneletError as error:  # of an operation that is no command of its own
                sys.stdout.write(f"scenelet: {error}\n")
                status = 2
            seen = disk.disk_seen()
            disk.disk_arm(b"/dev/null", ctypes.c_long(0), 0)
            (work / "seen").write_text(str(seen))
            return status

        return armed

    def fail_from(self, first: int, number: int) -> None:
        """Let all calls fail from one on, look at what is left, give the command again and compare.

        Raises
        ------
        Failure
            The command says nothing of use, a file is half written, or the second run fails, differs, or leaves
            something.
        """
        work = self._fresh()
        child = kill.start(self._armed(work, first, number), work)
        status = child.wait()
        os.close(child.pipe)
        where = f"{errno.errorcode[number]} from call {first} on"
        said = (work / "log.txt").read_text("utf-8", "replace").strip().splitlines()
        if status not in (0, 2) or (status == 2 and not (said and said[-1].startswith("scenelet: "))):
            raise kill.Failure(f"{where}: ended with {status}: {said[-1:]}")
        if status == 2 and os.strerror(number) not in said[-1]:
            raise kill.Failure(f"{where}: does not say so: {said[-1]}")
        for part in ("out", "scenelet_build"):
            if broken := half_written(work / part, self._whole / part):
                raise kill.Failure(f"{where}: half written: {broken}")
        if status == 0 and any(name.startswith("out/") for name in self._differing(work)):
            raise kill.Failure(f"{where}: ended well, with other files: {self._differing(work)}")
        if number != errno.EROFS and (left := self._left(work)):  # nothing can be removed from a read-only disk
            raise kill.Failure(f"{where}: it leaves {left}")
        again = kill.start(self._run(work), work)
        self._require_success(again, work)
        os.close(again.pipe)
        if self._differing(work) or self._left(work):
            raise kill.Failure(f"{where} and run again: {self._differing(work)} {self._left(work)}")

    def _differing(self, work: Path) -> list[str]:
        return sorted({name for name, _ in set(self._result(work).items()) ^ set(self._expected.items())})

    @staticmethod
    def _left(work: Path) -> list[str]:
        return [*leftovers(work), *map(str, (work / "tmpdir").iterdir())]


def compile_library(library: Path) -> None:
    """Compile failing_disk.c for LD_PRELOAD."""
    command = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", _SOURCE, "-o", library, "-ldl"]
    subprocess.run(command, check=True)


def _again_with_the_library(folder: Path) -> int:
    """Start this program anew with every call of libc that changes a file led through failing_disk.c."""
    library = folder / "failing_disk.so"
    compile_library(library)
    environment = os.environ | {"LD_PRELOAD": str(library), _LIBRARY: str(library)}
    return subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode


def main() -> int:
    """Run the campaigns; exit status 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operations", nargs="+", choices=tuple(OPERATIONS))
    parser.add_argument("--times", type=int, help="calls of each command, evenly spread; default: every one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        if _LIBRARY not in os.environ:
            return _again_with_the_library(Path(place))
        shared = Path(place) / "shared"
        (shared / "tmpdir").mkdir(parents=True)
        prepare(shared)
        kill.warm(shared, arguments.operations)
        return int(sum(_campaign(name, shared, Path(place), arguments.times) for name in arguments.operations) > 0)


def _campaign(name: str, shared: Path, place: Path, times: int | None) -> int:
    campaign = Campaign(name, OPERATIONS[name], shared, place)
    calls = campaign.count()
    count = min(times or calls, calls)
    failures = 0
    for number in range(count):
        try:
            campaign.fail_from(1 + number * calls // count, ERRORS[number % len(ERRORS)])
        except kill.Failure as failure:
            failures += 1
            sys.stdout.write(f"{name} {number}: {failure}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{name}: failed at {count} of {calls} calls, {failures} failures\n")
    sys.stdout.flush()
    return failures


if __name__ == "__main__":
    sys.exit(main())
