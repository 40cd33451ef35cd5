"""What a shell sees of a command: Ctrl-C, and a reader who goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
