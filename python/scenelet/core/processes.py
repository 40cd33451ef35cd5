"""Child processes that do not outlive this one, and signals that end a command as an error does.

A command that gets SIGTERM, SIGHUP or SIGINT unwinds like one that fails, so that emulators stop and temporary folders
go. After a SIGKILL nothing unwinds; on Linux the kernel then kills the children (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from ..errors import ToolError

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec, nothing may be looked up.
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform.startswith("linux") else None
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Stopped(BaseException):
    """The process was told to end by SIGTERM or SIGHUP; not an Exception, so that nobody takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_status = 128 + number


class _Signals:
    """What has come, and whether it may be raised."""

    held = 0
    pending: int | None = None
    stopped = False


def _raise(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    _Signals.stopped = True
    raise Stopped(number)


def _handle(number: int, _frame: FrameType | None) -> None:
    if _Signals.held:
        _Signals.pending = number
    elif number == signal.SIGINT or not _Signals.stopped:  # a second SIGTERM must not end the unwinding of the first
        _raise(number)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Raise :class:`Stopped` at SIGTERM and SIGHUP, and KeyboardInterrupt at SIGINT, in the main thread.

    Signals that this process ignores, as under nohup, or handles already, stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.getsignal(number) for number in _SIGNALS}
    mine = [number for number in _SIGNALS if old[number] in (signal.SIG_DFL, signal.default_int_handler)]
    _Signals.stopped = False
    for number in mine:
        signal.signal(number, _handle)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, old[number])


@contextlib.contextmanager
def same_handlers() -> Iterator[None]:
    """Put back what handles signals after the code of others, such as the start of Ray, which takes SIGTERM."""
    old = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in old.items():
                if handler is not None:  # None: not from Python, which cannot put it back
                    signal.signal(number, handler)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Raise a signal's exception at the end of the block: what is made inside is known to those who remove it."""
    if threading.current_thread() is not threading.main_thread():  # signals are raised in the main thread only
        yield
        return
    _Signals.held += 1
    try:
        yield
    finally:
        _Signals.held -= 1
        number = _Signals.pending
        if number is not None and not _Signals.held:
            _Signals.pending = None
            _raise(number)


def _die_with(parent: int) -> None:
    """Have the kernel kill this child when the thread that started it ends; called between fork and exec."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it was killed before
            os._exit(1)


def start(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    errors: IO[bytes] | int = subprocess.STDOUT,
) -> subprocess.Popen[bytes]:
    """Start a program without input, in a process group of its own: a terminal's Ctrl-C comes to this process alone.

    Parameters
    ----------
    command
        Path of the program, and its arguments.
    cwd, env
        Its folder and environment; by default those of this process.
    output, errors
        Files for its standard output and standard error.

    Raises
    ------
    ToolError
        The program cannot be started.
    """
    parent = os.getpid()
    # The kernel's "parent" is a thread; a child that a passing thread starts would die with that thread.
    lasts = threading.current_thread() is threading.main_thread()
    try:
        return subprocess.Popen(
            [os.fspath(word) for word in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            process_group=0,
            preexec_fn=(lambda: _die_with(parent)) if lasts else None,
        )
    except OSError as error:
        raise ToolError(command[0], f"cannot be started: {error.strerror}", "check the program") from None


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of :func:`start` with all its children, and wait for its end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Guard:
    """A process that kills a process group when this process ends: the kernel tells it by the end of a pipe."""

    def __init__(self, group: int) -> None:
        reading, self._writing = os.pipe()
        try:
            # Not in the group of the shell that started this process, whose Ctrl-C it must outlive.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'read _; kill -KILL "-$1"', "sh", str(group)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )
        finally:
            os.close(reading)

    def dismiss(self) -> None:
        """End it before the pipe."""
        self._process.kill()
        self._process.wait()
        os.close(self._writing)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float | None = None,
    family: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; whatever ends this call before, ends the program and its children.

    Parameters
    ----------
    command, cwd, env
        See :func:`start`.
    seconds
        Most time that it may take.
    family
        Whether a SIGKILL of this process ends the program's children too. Those of a builder would else go on writing
        into a folder where the next call builds.

    Returns
    -------
    subprocess.CompletedProcess
        With its exit status, and with what it wrote as text; bytes that are not UTF-8 are backslash escapes.

    Raises
    ------
    ToolError
        The program cannot be started, or does not end within ``seconds``.
    """
    with undisturbed():
        process = start(command, cwd=cwd, env=env, output=subprocess.PIPE, errors=subprocess.PIPE)
        guard = _Guard(process.pid) if family else None
    try:
        written = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ToolError(command[0], f"did not end in {seconds:g} s", "give it less work") from None
    finally:
        if process.poll() is None:
            stop(process)
        if guard is not None:
            guard.dismiss()
    out, err = (text.decode("utf-8", "backslashreplace").replace("\r\n", "\n") for text in written)
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)
