"""The process's standard error, to which C++ libraries write past Python."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO


@contextlib.contextmanager
def _redirected() -> Iterator[BinaryIO]:
    """Redirect file descriptor 2 into a temporary file inside the block."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as sink:
        saved = os.dup(2)
        os.dup2(sink.fileno(), 2)
        try:
            yield sink
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def discard_stderr() -> Iterator[None]:
    """Discard everything written to file descriptor 2 inside the block; exceptions pass through."""
    with _redirected():
        yield


def capture_stderr(call: Callable[[], object]) -> str:
    """Call a function and return what was written to file descriptor 2 meanwhile."""
    with _redirected() as sink:
        call()
        sys.stderr.flush()
        sink.seek(0)
        return sink.read().decode("utf-8", "replace")
