"""What work says to its user: remarks on inputs that are used all the same, and what it is doing at the moment.

Remarks are warnings, so that they pass through every layer by themselves; the command line prints them as notes, and
Python's filters turn them off or into errors. Stages of long work go to whoever listens, such as a progress bar.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class InputNote(UserWarning):
    """A remark on an input that is used all the same."""


def note(subject: object, text: str) -> None:
    """Tell the user something on an input; the same text once per process, as Python's filters have it.

    Parameters
    ----------
    subject
        What the remark is about, such as a path.
    text
        What was found, and what was done about it.
    """
    warnings.warn(InputNote(f"{subject}: {text}"), stacklevel=2)


class Listener(Protocol):
    """Called with a stage, and how much of it is done where that is counted."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """Hear."""


_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def tell(what: str, done: int = 0, total: int = 0) -> None:
    """Say what begins now, or how far it is.

    Parameters
    ----------
    what
        Such as "plan the network".
    done, total
        Parts of it; 0 of 0 where they are not counted.
    """
    listener = _LISTENER.get()
    if listener:
        listener(what, done, total)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what is told inside the block, in place of an outer listener."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
