"""What a shell sees of a command: Ctrl-C, and a reader who goes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenelet.core import toolchain

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
TIMEOUT = 60

# The command's work stands still: here, or in two processes of its own.
SLEEP = "sh -c 'touch {here}/$$; exec sleep 60'"
PROGRAM = """
import shlex, subprocess, sys
from scenelet import cli
from scenelet.config import recipe
from scenelet.core import parallel
from scenelet.evaluation import cross_validation
command, jobs, task, *arguments = sys.argv[1:]

def stand(*_, **__):
    list(parallel.spread(subprocess.call, [(shlex.split(task),)] * int(jobs), int(jobs)))

recipe.load = stand
sys.exit(cli.main([command, *arguments]))
"""


def interrupt(folder: Path, command: str, jobs: int) -> tuple[int, str]:
    """Press Ctrl-C, which a terminal sends to all processes of a command, once all its tasks are at work."""
    program = [sys.executable, "-c", PROGRAM, command, str(jobs), SLEEP.format(here=folder)]
    process = subprocess.Popen(
        [*program, "sm1", "--data", str(folder), "--out", str(folder / "out")],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever these tests were started with
    )
    end = time.monotonic() + TIMEOUT
    while len(list(folder.iterdir())) < jobs and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=TIMEOUT)
    return process.returncode, told


@pytest.mark.parametrize(("command", "jobs"), [("train", 1), ("crossval", 2)])
def test_ctrl_c_is_one_line_that_says_how_to_go_on(tmp_path: Path, command: str, jobs: int) -> None:
    assert interrupt(tmp_path, command, jobs) == (130, "scenelet: interrupted; run the same command to resume\n")


@pytest.mark.parametrize("more", [["data", "info", "--json"], ["data", "info"], ["--help"]])
def test_a_reader_who_has_gone_is_no_error(tmp_path: Path, more: list[str]) -> None:
    for label in ("rain", "wind"):
        (tmp_path / label).mkdir()
        for name in "abc":
            (tmp_path / label / f"{name * 4}.wav").touch()
    data = ["--data", str(tmp_path)] if "info" in more else []
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "scenelet", *more, *data], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def emulators(folder: Path) -> list[str]:
    """Command lines of processes that name a folder's programs and have not ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes()  # empty for a process that has ended and was not waited for
            if b"qemu-system-arm" in words and os.fsencode(folder) in words:
                found.append(words.decode(errors="replace"))
    return found


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGTERM, 143, "scenelet: terminated; no file is half written\n"),
        (signal.SIGHUP, 129, "scenelet: terminated; no file is half written\n"),
        (signal.SIGINT, 130, "scenelet: interrupted; no file is half written\n"),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
def test_no_emulator_outlives_its_command(
    tmp_path: Path, runner_build: Path, number: signal.Signals, status: int, said: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "scenelet", "parity", str(MODEL), "-n", "10000000", "--target", "qemu"],
        env={**os.environ, "SCENELET_BUILD": str(runner_build), "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + TIMEOUT
    while not emulators(runner_build) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)  # at work
    process.send_signal(number)
    _, told = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, told) == (status, said)
    end = time.monotonic() + TIMEOUT
    while emulators(runner_build) and time.monotonic() < end:
        time.sleep(0.05)
    assert not emulators(runner_build)
    if number == signal.SIGKILL:  # nobody was left to remove the folder; the next command does
        done = subprocess.run(
            [sys.executable, "-m", "scenelet", "parity", str(MODEL), "-n", "1", "--target", "qemu"],
            env={**os.environ, "SCENELET_BUILD": str(runner_build), "TMPDIR": str(scratch)},
            check=False,
        )
        assert done.returncode == 0
    assert not list(scratch.glob("*scenelet*"))
    assert not list(scratch.glob(".scenelet*"))


@pytest.fixture(scope="module")
def runner_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder of this module's own, so that its emulators are known from others; with the measuring program."""
    folder = tmp_path_factory.mktemp("build")
    subprocess.run(
        [sys.executable, "-m", "scenelet", "parity", str(MODEL), "-n", "1", "--target", "qemu"],
        env={**os.environ, "SCENELET_BUILD": str(folder)},
        check=True,
    )
    return folder
