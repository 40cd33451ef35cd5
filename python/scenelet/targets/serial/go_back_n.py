"""Which frames a host may send, and which it must send again, by what the device says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from . import framing
from .framing import Reason, Status


class Sender:
    """Go-back-N: which frames to send, by what the device says.

    The last frame of a window waits until the window before it is decided. The device repeats its last decision when
    asked, so no decision is lost; all other frames travel while the network runs.

    Parameters
    ----------
    windows
        Contents of the windows.
    status
        The answer to START.
    """

    def __init__(self, windows: Iterator[bytes], status: Status) -> None:
        self._windows = windows
        self._frames: deque[tuple[int, bytes, int | None]] = deque()  # number, payload, window that it completes
        self._base = 0  # the frame that the device waits for; _frames begins with it
        self._sent = 0  # the frame to send next
        self._reached = 0  # one past the last frame ever sent
        self._credit = status.credit
        self._made = 0
        self._cut = 0  # windows cut into frames
        self._decided = 0
        self._ended = False
        self._asked: tuple[int, int] | None = None  # number of the last POLL, and the frame that was next to send then
        self.repeated = 0
        self._refill()

    def _refill(self) -> None:
        """Keep two windows cut: the one that is sent, and the one that may follow."""
        while not self._ended and self._cut < self._decided + 2:
            window = next(self._windows, None)
            if window is None:
                self._ended = True
                return
            for start in range(0, len(window), framing.PAYLOAD_BYTES):
                payload = window[start : start + framing.PAYLOAD_BYTES]
                last = start + framing.PAYLOAD_BYTES >= len(window)
                self._frames.append((self._made, payload, self._cut if last else None))
                self._made += 1
            self._cut += 1

    @property
    def finished(self) -> bool:
        """Whether every window is decided."""
        return self._ended and self._decided == self._cut

    @property
    def awaits_decision(self) -> bool:
        """Whether the device has all that it needs for its next decision."""
        return self._decided < self._cut and all(
            window is None or window > self._decided for _, _, window in self._frames
        )

    def frames(self) -> Iterator[bytes]:
        """Frames that may be sent now, encoded."""
        while self._sent < min(self._base + self._credit, self._made):
            number, payload, window = self._frames[self._sent - self._base]
            if window is not None and window > self._decided:
                return
            self.repeated += self._sent < self._reached
            self._sent += 1
            self._reached = max(self._reached, self._sent)
            yield framing.data(number, payload)

    def on_status(self, status: Status) -> bool:
        """Take a STATUS: forget what arrived, go back to what did not. True where something new has arrived."""
        arrived = (status.next - self._base) & 0xFFFF
        if arrived > self._reached - self._base:
            return False  # an old one: what it says has been said since
        for _ in range(arrived):
            self._frames.popleft()
        self._base += arrived
        self._credit = status.credit
        lost = status.reason in (Reason.CORRUPT, Reason.SEQUENCE)
        if self._asked and status.poll == self._asked[0]:
            # The device answers in order: what was sent before the POLL has arrived by now, or never will.
            lost = lost or self._base < self._asked[1]
            self._asked = None
        self._sent = self._base if lost else max(self._sent, self._base)
        return arrived > 0

    def on_poll(self, number: int) -> None:
        """A POLL is sent; its answer tells what of all before it was lost."""
        self._asked = (number, self._sent)

    def on_decision(self, window: int) -> bool:
        """Take a decision; False where it is an old one, repeated."""
        if window != self._decided:
            return False
        self._decided += 1
        self._refill()
        return True
