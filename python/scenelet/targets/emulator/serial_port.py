"""The emulated board's serial port, by QEMU's fastest character device."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from collections.abc import Sequence
from pathlib import Path

from . import process

# QEMU truncates longer datagrams.
_DATAGRAM_BYTES = 4096
_OUTPUT = "output"


class SerialBoard(process.Emulator):
    """An emulated board and both directions of its serial port; a :class:`scenelet.targets.serial.streams.ByteStream`.

    QEMU's USART takes one byte at a time. From a terminal, a pipe or a stream socket, QEMU reads each byte with its own
    system calls and wake-up. It reads a datagram whole and serves its bytes from memory. Its multiplexer (``mux=on``)
    buffers 32 bytes, which reads of the data register find without a thread switch. The direction to the host is the
    port's log, a named pipe. QEMU also sends each byte as a datagram; those are ignored, since a busy host would lose
    some. The multiplexer's escape character is set to a value that no byte has.

    Parameters
    ----------
    elf
        The program; it must send a byte before it is written to.
    options
        Further options of QEMU.
    seconds
        Longest wait for the board's first byte, in seconds.
    """

    def __init__(self, elf: Path, options: Sequence[str] = (), *, seconds: float = 60.0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._seconds = seconds
        self._connected = False
        self._output = -1
        number = self._socket.getsockname()[1]
        port = f"udp,id=line,host=127.0.0.1,port={number},mux=on,logfile={_OUTPUT},logappend=on"
        super().__init__(elf, ("-echr", "256", "-chardev", port, "-serial", "chardev:line", *options))

    def start(self) -> None:
        """Make the pipe and start QEMU."""
        os.mkfifo(self.folder / _OUTPUT)
        self._output = os.open(self.folder / _OUTPUT, os.O_RDONLY | os.O_NONBLOCK)
        super().start()

    def read(self, seconds: float) -> bytes:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        if not select.select([self._output], [], [], seconds)[0]:
            if self.status() is not None:
                raise self.failure("the emulated board has stopped")
            return b""
        content = os.read(self._output, 65_536)
        if not content:
            raise self.failure("the emulated board has stopped")
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
        """Connect to the UDP port that QEMU chose, the source of its first datagram."""
        if self._connected:
            return
        if not select.select([self._socket], [], [], self._seconds)[0]:
            raise self.failure(f"the emulated board sent nothing within {self._seconds:g} s")
        self._socket.connect(self._socket.recvfrom(1)[1])
        self._connected = True

    def close(self) -> None:
        """See :class:`scenelet.targets.serial.streams.ByteStream`."""
        self.stop()

    def stop(self) -> None:
        """Stop QEMU and close both directions."""
        super().stop()
        self._socket.close()
        with contextlib.suppress(OSError):
            os.close(self._output)
        self._output = -1
