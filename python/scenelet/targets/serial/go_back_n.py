"""Go-back-N retransmission: the frames that the host may send, and those that it must repeat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from . import framing
from .framing import Reason, Status


class Sender:
    """Go-back-N sender; the device's STATUS frames and decisions drive it.

    The last frame of a window waits until the window before it is decided. No decision is lost, since the device
    repeats the last one on request. All other frames are sent while the network runs.

    Parameters
    ----------
    windows
        Contents of the windows.
    status
        The device's response to START.
    """

    def __init__(self, windows: Iterator[bytes], status: Status) -> None:
        self._windows = windows
        self._frames: deque[tuple[int, bytes, int | None]] = deque()  # number, payload, window that it completes
        self._base = 0  # number of the frame that the device waits for; _frames begins with it
        self._sent = 0  # number of the frame to send next
        self._reached = 0  # one past the last frame ever sent
        self._credit = status.credit
        self._made = 0  # frames made so far
        self._cut = 0  # windows cut into frames
        self._decided = 0
        self._ended = False
        self._polled: tuple[int, int] | None = None  # number of the last POLL, and the value of _sent at that time
        self.repeated = 0
        """Frames sent more than once."""
        self._refill()

    def _refill(self) -> None:
        """Keep the frames of two windows: the one being sent, and the next."""
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
        """Whether the device has every frame that it needs for its next decision."""
        return self._decided < self._cut and all(
            window is None or window > self._decided for _, _, window in self._frames
        )

    def frames(self) -> Iterator[bytes]:
        """Encoded frames that may be sent now."""
        while self._sent < min(self._base + self._credit, self._made):
            number, payload, window = self._frames[self._sent - self._base]
            if window is not None and window > self._decided:
                return
            self.repeated += self._sent < self._reached
            self._sent += 1
            self._reached = max(self._reached, self._sent)
            yield framing.data(number, payload)

    def on_status(self, status: Status) -> bool:
        """Process a STATUS: drop the frames that arrived, go back to the first lost one.

        Returns
        -------
        bool
            Whether new frames have arrived.
        """
        arrived = (status.next - self._base) & 0xFFFF
        if arrived > self._reached - self._base:
            return False  # an outdated one
        for _ in range(arrived):
            self._frames.popleft()
        self._base += arrived
        self._credit = status.credit
        lost = status.reason in (Reason.CORRUPT, Reason.SEQUENCE)
        if self._polled and status.poll == self._polled[0]:
            # The device responds in order: a frame sent before the POLL has arrived by now, or is lost.
            lost = lost or self._base < self._polled[1]
            self._polled = None
        self._sent = self._base if lost else max(self._sent, self._base)
        return arrived > 0

    def on_poll(self, number: int) -> None:
        """Record a POLL that is being sent; the STATUS for it shows which frames before it were lost."""
        self._polled = (number, self._sent)

    def on_decision(self, window: int) -> bool:
        """Process a decision; return False for a repeated one."""
        if window != self._decided:
            return False
        self._decided += 1
        self._refill()
        return True
