"""Decisions as lines: JSON for machines, text where there is no terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..listen import WindowDecision
from .events import Heard, Load


class JsonLines:
    """Writes one JSON object per decision, one per line.

    Parameters
    ----------
    write
        Takes each line, without its end.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._loads: tuple[Load, ...] = ()

    def take(self, heard: Heard) -> None:
        """See :class:`.events.Consumer`."""
        self._loads = heard.loads or self._loads
        if heard.decision:
            self._write(json.dumps(decision_json(heard.decision, heard.seconds, self._loads)))


def decision_json(decision: WindowDecision, seconds: float, loads: tuple[Load, ...]) -> dict[str, Any]:
    """All of a decision: its fields, what is said, the seconds at which it came, and the newest loads."""
    return decision.to_json() | {
        "said": decision.said,
        "seconds": round(seconds, 3),
        "loads": [asdict(load) for load in loads],
    }


class TextLines:
    """Writes one line per decision, as ``scenelet device stream`` does."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def take(self, heard: Heard) -> None:
        """See :class:`.events.Consumer`."""
        if heard.decision:
            self._write(heard.decision.line)


class Remarks:
    """Gives what sources remark, such as lost samples, to whoever prints notes."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def take(self, heard: Heard) -> None:
        """See :class:`.events.Consumer`."""
        if heard.remark:
            self._write(heard.remark)
