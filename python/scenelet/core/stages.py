"""What long work is doing at the moment, for whoever shows it: the work tells, and knows nothing of terminals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


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
