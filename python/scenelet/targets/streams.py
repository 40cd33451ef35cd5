"""Byte streams that a device can be at the other end of."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from typing import Protocol

from ..errors import ToolError


class ByteStream(Protocol):
    """Both directions of a serial line."""

    def read(self, seconds: float) -> bytes:
        """Bytes that have arrived, waiting at most ``seconds`` for the first; empty if none came."""
        ...

    def write(self, content: bytes) -> None:
        """Send all bytes, within a bounded time."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class SocketStream:
    """A serial port that QEMU offers as a Unix socket.

    Parameters
    ----------
    path
        Of the socket, which may still have to appear.
    seconds
        Longest wait for the socket, and for a write.

    Raises
    ------
    ToolError
        Nobody listens there.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._seconds = seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        end = time.monotonic() + seconds
        while True:
            try:
                self._socket.connect(str(path))
                return
            except OSError as error:
                if time.monotonic() > end:
                    self._socket.close()
                    raise ToolError(path, f"cannot be opened: {error}", "start the emulator again") from None
                time.sleep(0.02)

    def read(self, seconds: float) -> bytes:
        """See :class:`ByteStream`."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return b""
        try:
            content = self._socket.recv(65_536)
        except OSError:
            content = b""
        if not content:
            raise ToolError("device", "closed the connection", "look at what the firmware printed last")
        return content

    def write(self, content: bytes) -> None:
        """See :class:`ByteStream`."""
        self._socket.settimeout(self._seconds)
        try:
            self._socket.sendall(content)
        except OSError as error:
            raise ToolError("device", f"does not read: {error}", "reset it") from None
        finally:
            self._socket.settimeout(None)

    def close(self) -> None:
        """See :class:`ByteStream`."""
        self._socket.close()
