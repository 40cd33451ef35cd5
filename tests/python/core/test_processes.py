"""Child processes and signals: nothing outlives a command, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from scenelet.core import processes, toolchain
from scenelet.errors import ToolError

TIMEOUT = 60
LASTING = """
import sys, time
from pathlib import Path
from scenelet.core import processes
FAMILY = bool(sys.argv[2:])
with processes.stoppable():
    try:
        processes.run(["/bin/sh", "-c", "sleep 98765 & echo $! $$ > " + sys.argv[1] + "; wait"], family=FAMILY)
    except BaseException as error:
        sys.exit(getattr(error, "exit_status", 130 if isinstance(error, KeyboardInterrupt) else 1))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + TIMEOUT
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if alive(pid)]


def a_signal(tmp_path: Path, number: signal.Signals, status: int, *words: str) -> tuple[int, int]:
    """Signal a process that runs a program with a child; the ended program, and its child, which may live on."""
    told = tmp_path / "pids"
    parent = subprocess.Popen(
        [sys.executable, "-c", LASTING, str(told), *words],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + TIMEOUT
    while (not told.exists() or not told.read_text().endswith("\n")) and time.monotonic() < end:
        time.sleep(0.02)
    grandchild, child = map(int, told.read_text().split())
    assert alive(child)
    parent.send_signal(number)
    assert parent.wait(TIMEOUT) == status
    wait_until_gone([child])
    return child, grandchild


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
def test_a_signal_ends_the_children_too(tmp_path: Path, number: signal.Signals, status: int) -> None:
    _, grandchild = a_signal(tmp_path, number, status)
    if number == signal.SIGKILL:  # the kernel ends the child alone; its own children are for it to end
        os.kill(grandchild, signal.SIGKILL)
    wait_until_gone([grandchild])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_builders_children_end_with_a_killed_command(tmp_path: Path, number: signal.Signals, status: int) -> None:
    wait_until_gone([a_signal(tmp_path, number, status, "family")[1]])


def test_the_guard_of_a_builder_leaves_others_alone() -> None:
    other = processes.start(["/bin/sleep", "98765"])
    before = len(os.listdir("/proc/self/fd"))
    assert processes.run(["/bin/sh", "-c", "echo done"], family=True).stdout == "done\n"
    assert len(os.listdir("/proc/self/fd")) == before
    assert alive(other.pid)
    processes.stop(other)


def test_a_compilers_temporary_files_go_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = toolchain.run(["sh", "-c", "touch $TMPDIR/ccab.s; ls $TMPDIR; echo $TMPDIR"])
    name, place = said.split()
    assert name == "ccab.s"
    assert Path(place).is_relative_to(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_signal_within_undisturbed_work_comes_at_its_end() -> None:
    done = []

    def work() -> None:
        with processes.undisturbed():
            with processes.undisturbed():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")
        done.append("never")

    with processes.stoppable(), pytest.raises(processes.Stopped) as stopped:
        work()
    assert done == ["inner", "outer"]
    assert stopped.value.exit_status == 143


def test_a_second_signal_does_not_end_the_unwinding_of_the_first() -> None:
    done = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("cleaned")

    with processes.stoppable(), pytest.raises(processes.Stopped):
        work()
    assert done == ["cleaned"]


def test_handlers_come_back_and_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with processes.stoppable():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_a_program_writes_need_not_be_utf_8() -> None:
    done = processes.run(["/bin/sh", "-c", r"printf 'a\377b'; printf 'c\n' >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, r"a\xffb", "c\n")


def test_what_does_not_end_or_start_is_named() -> None:
    with pytest.raises(ToolError, match=r"/bin/sleep: did not end in 0\.1 s"):
        processes.run(["/bin/sleep", "60"], seconds=0.1)
    with pytest.raises(ToolError, match="/nowhere/tool: cannot be started: No such file"):
        processes.run(["/nowhere/tool"])
    with pytest.raises(ToolError, match=r"/etc/passwd: cannot be started: Permission denied"):
        processes.run(["/etc/passwd"])
