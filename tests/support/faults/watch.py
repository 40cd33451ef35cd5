"""Watches what a process does to the rest of the computer: files written, programs started, pickles read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Events of sys.addaudithook -> positions of the paths that are changed, and of the folders that they are relative to.
_CHANGES = {
    "os.mkdir": ((0, 2),), "os.remove": ((0, 1),), "os.rmdir": ((0, 1),), "os.rename": ((0, 2), (1, 3)),
    "os.link": ((1, 3),), "os.symlink": ((1, 2),), "os.chmod": ((0, 2),), "os.chown": ((0, 3),),
    "os.truncate": ((0, None),), "os.utime": ((0, 3),),
}  # fmt: skip
_COMPILERS = ("cc", "gcc", "clang", "arm-none-eabi-gcc")


class Watch:
    """Collects what a process does outside of the folders that it may write to.

    Parameters
    ----------
    allowed
        Folders.
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        self._allowed = tuple(os.path.realpath(folder) for folder in allowed)
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, str | bytes) and isinstance(flags, int) and flags & _WRITES:
                self._check(event, path)
        elif event in _CHANGES:
            for place, above in _CHANGES[event]:
                self._check(event, arguments[place], -1 if above is None else arguments[above])
        elif event == "subprocess.Popen":
            program = os.path.basename(os.fsdecode(arguments[0]))
            if program not in _COMPILERS and arguments[0] != sys.executable:
                self.seen.append(f"started {program}")
        elif event in ("os.system", "os.exec", "pickle.find_class", "marshal.loads") and not _importing(event):
            self.seen.append(event)

    def _check(self, event: str, path: Any, above: int = -1) -> None:
        if isinstance(path, int) or os.fsdecode(path) == os.devnull:
            return
        folder = f"/proc/self/fd/{above}" if above >= 0 else ""
        real = os.path.realpath(os.path.join(folder, os.fsdecode(path)))
        if not any(real == folder or real.startswith(folder + os.sep) for folder in self._allowed):
            self.seen.append(f"{event} {real}")


def _importing(event: str) -> bool:
    """Whether the interpreter reads a compiled module, which is no input."""
    frame: Any = sys._getframe(2) if event == "marshal.loads" else None
    return frame is not None and "importlib" in frame.f_code.co_filename
