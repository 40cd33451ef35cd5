"""Playing audio at the speed of its sound."""

from __future__ import annotations

import time

_LATE_SECONDS = 1.0


class Pace:
    """Waits until audio would have been heard.

    Parameters
    ----------
    fast
        Never wait.
    """

    def __init__(self, fast: bool = False) -> None:
        self.fast = fast
        self._due: float | None = None

    def wait(self, seconds: float) -> None:
        """Wait for the end of the next ``seconds`` of audio; audio that is late is not hurried afterwards."""
        if self.fast:
            return
        now = time.monotonic()
        if self._due is None or now - self._due > _LATE_SECONDS:
            self._due = now
        self._due += seconds
        if self._due > now:
            time.sleep(self._due - now)
