"""Tasks that another process can import."""

import os
import signal
import time

from scenelet.core.parallel import spread, uses_processes
from scenelet.errors import AudioError


def where(number: int) -> tuple[int, int, bool]:
    """The number, the process that had it, and whether a task of a task would leave that process."""
    time.sleep(0.2)
    return number, os.getpid(), uses_processes(2)


def nested(number: int) -> list[int]:
    """Tasks of a task."""
    return [value for value, _, _ in spread(where, [(number,), (number + 1,)], 2)]


def fails(number: int) -> int:
    """Refuses 1."""
    if number == 1:
        raise AudioError("one.wav", "is no sound")
    return number


def lasts(path: str) -> None:
    """Tell the process, and work on for long."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(os.getpid()))
    time.sleep(60)


def dies(number: int) -> int:
    """Kill its own process on 1, as the system does where memory runs out."""
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number
