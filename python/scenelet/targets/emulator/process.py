"""QEMU's process as a board: starting, requests by named pipes, and stopping, each within a bounded time."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ...core import cortex_m4, processes, toolchain
from ...core.files import scratch_beside, writing
from ...errors import ToolError

PROGRAM = "qemu-system-arm"
COUNT_INSTRUCTIONS = ("-icount", "shift=0")
"""One instruction is one nanosecond of emulated time: counts are exact and repeatable, and no latency."""

_EXIT_SECONDS = 5.0


def value(path: Path) -> str:
    """Write a path as a value among the options of one argument of QEMU, which ends values at commas."""
    return str(path).replace(",", ",,")


class Emulator:
    """An emulated board that runs one ELF; a context manager.

    Parameters
    ----------
    elf
        The program.
    options
        Further options of QEMU.

    Attributes
    ----------
    folder
        Working folder of QEMU, for sockets and pipes, inside the ``with`` block; removed on leaving. Those of killed
        processes are removed by the next emulator.
    """

    def __init__(self, elf: Path, options: Sequence[str] = ()) -> None:
        self._resources = contextlib.ExitStack()
        machine = cortex_m4.board()["build"]["qemu_machine"]
        self._command = [
            *(toolchain.find(PROGRAM), "-M", machine, "-display", "none", "-monitor", "none"),
            *("-semihosting-config", "enable=on,target=native", "-kernel", str(elf.resolve())),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start QEMU."""
        with writing(self.folder), (self.folder / "log").open("wb") as log, processes.undisturbed():
            self._process = processes.start(self._command, cwd=self.folder, output=log)

    def status(self) -> int | None:
        """Exit status of QEMU; None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int | None:
        """Process id of QEMU; None before the start."""
        return self._process.pid if self._process else None

    def failure(self, problem: str) -> ToolError:
        """Make an error of a problem, with QEMU's exit status and the last line of its log."""
        status = self.status()
        if status is not None:
            problem += f"; QEMU ended with status {status}"
        log = (self.folder / "log").read_text("utf-8", "replace").strip() if (self.folder / "log").exists() else ""
        if log:
            problem += f": {log.splitlines()[-1]}"
        return ToolError(PROGRAM, problem, "run the firmware by hand with: pio run -e qemu -t emulate")

    def end(self) -> None:
        """Terminate QEMU so that its plugins write their files; :meth:`stop` may kill it.

        Raises
        ------
        ToolError
            QEMU does not exit.
        """
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(_EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                raise self.failure(f"did not end in {_EXIT_SECONDS:g} s") from None

    def wait(self, seconds: float) -> None:
        """Wait until the program ends by itself.

        Raises
        ------
        ToolError
            It takes longer, or ends with another status than 0.
        """
        if self._process:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise self.failure(f"runs for more than {seconds:g} s") from None
            if self._process.returncode:
                raise self.failure("the program failed")

    def stop(self) -> None:
        """Stop QEMU and remove its folder."""
        try:
            if self._process and self._process.poll() is None and self._exits_by_itself():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_EXIT_SECONDS)
        finally:
            if self._process and self._process.poll() is None:
                processes.stop(self._process)
            self._resources.close()

    def _exits_by_itself(self) -> bool:
        return False

    def __enter__(self) -> Self:
        try:
            with processes.undisturbed():
                place = Path(tempfile.gettempdir()) / "scenelet-qemu"
                self.folder = self._resources.enter_context(scratch_beside(place))
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Pipes(Emulator):
    """A board whose program reads requests from one named pipe and writes responses to another.

    Parameters
    ----------
    elf
        The measuring program (firmware/measure/runner).
    options
        Further options of QEMU.
    seconds
        Longest wait for a response, in seconds.
    """

    def __init__(self, elf: Path, options: Sequence[str] = (), *, seconds: float = 120.0) -> None:
        super().__init__(elf, options)
        self._seconds = seconds
        self._request = self._answer = -1

    def start(self) -> None:
        """Make the pipes and start QEMU."""
        for name in ("request", "answer"):
            os.mkfifo(self.folder / name)
        # Open both ends of each pipe, so that neither side blocks until the other opens it.
        self._request = os.open(self.folder / "request", os.O_RDWR | os.O_NONBLOCK)
        self._answer = os.open(self.folder / "answer", os.O_RDWR | os.O_NONBLOCK)
        super().start()

    def stop(self) -> None:
        """Close the pipes, which ends the program, and stop QEMU."""
        self._close_pipes()
        super().stop()

    def _close_pipes(self) -> None:
        for handle in (self._request, self._answer):
            if handle >= 0:
                with contextlib.suppress(OSError):
                    os.close(handle)
        self._request = self._answer = -1

    def finish(self) -> None:
        """Close the pipes and wait until the program ends.

        Raises
        ------
        ToolError
            The program does not end, or fails.
        """
        self._close_pipes()
        try:
            status = self._process.wait(self._seconds) if self._process else 0
        except subprocess.TimeoutExpired:
            raise self.failure(f"the firmware did not end in {self._seconds:g} s") from None
        if status:
            raise self.failure("the firmware failed")

    def _exits_by_itself(self) -> bool:
        return True

    def send(self, content: bytes) -> None:
        """Write a whole request.

        Raises
        ------
        ToolError
            The program ended, or does not read.
        """
        end, rest = time.monotonic() + self._seconds, memoryview(content)
        while rest:
            if self._ready(end, writing=True):
                rest = rest[os.write(self._request, rest[:4096]) :]

    def receive(self, count: int) -> bytes:
        """Read ``count`` bytes of a response.

        Raises
        ------
        ToolError
            The program ended, or does not respond.
        """
        end, content = time.monotonic() + self._seconds, bytearray()
        while len(content) < count:
            if self._ready(end, writing=False):
                content += os.read(self._answer, count - len(content))
        return bytes(content)

    def _ready(self, end: float, *, writing: bool) -> bool:
        reads, writes = ([], [self._request]) if writing else ([self._answer], [])
        ready = any(select.select(reads, writes, [], 0.2)[:2])
        if not ready and self.status() is not None:
            raise self.failure("the firmware ended before it responded")
        if not ready and time.monotonic() > end:
            raise self.failure(f"the firmware did not respond within {self._seconds:g} s")
        return ready
