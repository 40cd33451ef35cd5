"""Byte streams between the host and a device."""

from __future__ import annotations

import select
import socket
import time
from pathlib import Path
from typing import Protocol

from ...errors import ToolError


class ByteStream(Protocol):
    """Both directions of a serial line."""

    def read(self, seconds: float) -> bytes:
        """Bytes that have arrived, waiting at most ``seconds`` for the first; empty if none came."""
        ...

    def write(self, content: bytes) -> None:
        """Send all bytes, within a bounded time."""
        ...

    def close(self) -> None:
        """Close the line."""
        ...


def _connected(address: Path | tuple[str, int], seconds: float) -> socket.socket:
    """Connect a blocking socket."""
    if isinstance(address, tuple):
        connection = socket.create_connection(address, max(seconds, 0.1))
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


class SocketStream:
    """A serial port that QEMU or a serial server offers as a socket.

    Parameters
    ----------
    address
        Path of a Unix socket, or host and port of TCP.
    seconds
        Longest wait, in seconds, for the socket to appear, and for a write.

    Raises
    ------
    ToolError
        Nothing listens there.
    """

    def __init__(self, address: Path | tuple[str, int], seconds: float) -> None:
        self._seconds = seconds
        end = time.monotonic() + seconds
        while True:
            try:
                self._socket = _connected(address, seconds)
                return
            except OSError as error:
                if time.monotonic() > end:
                    name = address if isinstance(address, Path) else f"tcp:{address[0]}:{address[1]}"
                    raise ToolError(name, f"cannot be opened: {error}", "start QEMU or the serial server") from None
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
            raise ToolError("device", "closed the connection", "read the firmware's last lines")
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
