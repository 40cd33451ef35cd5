"""Notes to the user from where work is done; the command line has its own for what it knows itself."""

from __future__ import annotations

import logging

_LOGGER = logging.getLogger("scenelet")


def note(text: str) -> None:
    """Tell the user on standard error, or through whatever logging the calling program has set up."""
    _LOGGER.warning("note: %s", " ".join(text.split()))
