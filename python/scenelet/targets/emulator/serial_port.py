"""The emulated board's serial port, by the way on which QEMU moves bytes fastest."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Sequence
from pathlib import Path

from . import process

# A datagram that is longer would be cut off by QEMU.
_DATAGRAM_BYTES = 4096
_SAID = "said"


class SerialBoard(process.Emulator):
    """An emulated board and both directions of its serial port; a :class:`scenelet.targets.serial.streams.ByteStream`.

    QEMU's USART takes one byte at a time. From a terminal, a pipe or a stream socket QEMU reads each of them with
    system calls and a wake-up of its own. A datagram it reads whole and hands on from memory, and its multiplexer
    (``mux=on``) holds 32 bytes ready that the processor's next read of the data register finds without another thread.
    The way back is the port's log, a named pipe; QEMU also sends datagrams, one a byte, which nobody reads, since some
    would get lost where this side is busy. The multiplexer's escape character is set to one that no byte is.

    Parameters
    ----------
    elf
        The program; it must say something before it is spoken to.
    options
        Further options of QEMU.
    seconds
        Longest wait for the board's first word.
    """

    def __init__(self, elf: Path, options: Sequence[str] = (), *, seconds: float = 60.0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._seconds = seconds
        self._connected = False
        self._said = -1
        number = self._socket.getsockname()[1]
        port = f"udp,id=line,host=127.0.0.1,port={number},mux=on,logfile={_SAID},logappend=on"
        super().__init__(elf, ("-echr", "256", "-chardev", port, "-serial", "chardev:line", *options))

    def start(self) -> None:
        """Switch the board on."""
        os.mkfifo(self.folder / _SAID)
        self._said = os.open(self.folder / _SAID, os.O_RDONLY | os.O_NONBLOCK)
        super().start()

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        if not select.select([self._said], [], [], seconds)[0]:
            if self.status() is not None:
                raise self.failure("the emulated board is gone")
            return b""
        content = os.read(self._said, 65_536)
        if not content:
            raise self.failure("the emulated board is gone")
        return content

    def write(self, content: bytes) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        try:
            self._connect()
            for start in range(0, len(content), _DATAGRAM_BYTES):
                self._socket.send(content[start : start + _DATAGRAM_BYTES])
        except OSError as error:
            raise self.failure(f"the emulated board does not read: {error.strerror}") from None

    def _connect(self) -> None:
        """QEMU chose its own port number; its first byte tells which."""
        if self._connected:
            return
        if not select.select([self._socket], [], [], self._seconds)[0]:
            raise self.failure(f"the emulated board said nothing in {self._seconds:g} s")
        self._socket.connect(self._socket.recvfrom(1)[1])
        self._connected = True

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self.stop()

    def stop(self) -> None:
        """End QEMU, and let go of both directions."""
        super().stop()
        self._socket.close()
        with contextlib.suppress(OSError):
            os.close(self._said)
        self._said = -1
