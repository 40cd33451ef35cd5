"""What browsers are sent: a bounded past for those that come, and a bounded backlog for those that are slow."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.shown import shown
from ..events import NO_COLUMNS, About, Heard, Load, level_db
from ..lines import decision_json

MOST_WAITING = 64
"""Messages that wait for a browser; a slower one loses the oldest, those without a decision first."""
_PAST_DECISIONS, _PAST_SECONDS, _MOST_COLUMNS = 200, 15.0, 1024


def _encoded(columns: NDArray[np.int8]) -> str:
    """Columns one after the other, a byte per band, 0 for INT8 -128, in Base64."""
    raw = (columns.T.astype(np.int16) + 128).astype(np.uint8)
    return base64.b64encode(np.ascontiguousarray(raw).tobytes()).decode()


def _named(value: Any) -> Any:
    """A value with every text in it as one line that any page can hold."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {key: _named(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    return value


@dataclass(frozen=True)
class Message:
    """A message as JSON; ``kept`` before others where a browser is slow."""

    text: str
    kept: bool = False


class Backlog:
    """Messages that wait for one browser, and the number of those that it has lost."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._waiting: deque[Message] = deque()
        self._most, self.lost = most, 0

    def put(self, message: Message) -> None:
        """Add a message; where there are too many, drop the oldest without a decision, or else the oldest."""
        if len(self._waiting) >= self._most:
            place = next((number for number, one in enumerate(self._waiting) if not one.kept), 0)
            del self._waiting[place]
            self.lost += 1
        self._waiting.append(message)

    def take(self) -> str | None:
        """Take the oldest message; None where none waits."""
        return self._waiting.popleft().text if self._waiting else None

    def __len__(self) -> int:
        return len(self._waiting)


class Viewer:
    """One browser, in the server's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self.backlog = Backlog(most)
        self._loop, self._news, self._told = loop, asyncio.Event(), False

    def tell(self) -> None:
        """Wake the browser's task, from another thread; one call at a time is on its way."""
        if not self._told:
            self._told = True
            with suppress(RuntimeError):  # the server has ended, and its browsers with it
                self._loop.call_soon_threadsafe(self._news.set)

    async def wait(self) -> None:
        """Wait until :meth:`tell` was called."""
        await self._news.wait()
        self._news.clear()
        self._told = False


class Feed:
    """Passes events to browsers; a consumer, whose :meth:`take` never waits for a browser.

    Parameters
    ----------
    most
        Messages that wait for one browser at most.
    """

    def __init__(self, about: About, most: int = MOST_WAITING) -> None:
        self._about, self._most = about, most
        self._lock = threading.Lock()
        self._viewers: set[Viewer] = set()
        span = round(_PAST_SECONDS / about.column_seconds) if about.column_seconds else 0
        self._columns: deque[NDArray[np.int8]] = deque(maxlen=min(span, _MOST_COLUMNS))
        self._decisions: deque[dict[str, Any]] = deque(maxlen=_PAST_DECISIONS)
        self._loads: tuple[Load, ...] = ()
        self._ended = ""

    def take(self, heard: Heard) -> None:
        """See :class:`..events.Consumer`."""
        decision = _named(decision_json(heard.decision, heard.seconds, ())) if heard.decision else None
        with self._lock:
            self._loads = heard.loads or self._loads
            self._columns.extend(heard.columns.T)
            if decision:
                self._decisions.append(decision)
            if self._viewers:
                text = json.dumps(self._content(heard, decision))
                self._publish(Message(text, kept=bool(decision or heard.remark)))

    def _content(self, heard: Heard, decision: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "kind": "heard",
            "file": shown(heard.file),
            "seconds": round(heard.seconds, 3),
            "level": level_db(heard.samples, self._about.sample_bits),
            "columns": _encoded(heard.columns),
            "decision": decision,
            "loads": _named([asdict(load) for load in heard.loads]),
            "remark": shown(heard.remark),
        }

    def end(self, why: str) -> None:
        """Tell all browsers that nothing more comes."""
        with self._lock:
            self._ended = shown(why)
            self._publish(Message(json.dumps({"kind": "end", "why": self._ended}), kept=True))

    def _publish(self, message: Message) -> None:
        for viewer in self._viewers:
            viewer.backlog.put(message)
            viewer.tell()

    def _past(self) -> str:
        """What a browser that comes now has missed."""
        about = _named(asdict(self._about))
        columns = np.stack(self._columns, axis=1) if self._columns else NO_COLUMNS
        content = {
            "kind": "about",
            "about": about,
            "columns": _encoded(columns),
            "decisions": list(self._decisions),
            "loads": _named([asdict(load) for load in self._loads]),
            "ended": self._ended,
        }
        return json.dumps(content)

    def enter(self) -> Viewer:
        """Begin to collect messages for a browser; the first one is the past. Called in the server's loop."""
        with self._lock:
            viewer = Viewer(asyncio.get_running_loop(), self._most)
            viewer.backlog.put(Message(self._past(), kept=True))
            self._viewers.add(viewer)
        viewer.tell()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a browser."""
        with self._lock:
            self._viewers.discard(viewer)

    def next(self, viewer: Viewer) -> str | None:
        """Message that a browser gets now; None where none waits."""
        with self._lock:
            return viewer.backlog.take()

    @property
    def viewers(self) -> int:
        """Number of browsers."""
        return len(self._viewers)
