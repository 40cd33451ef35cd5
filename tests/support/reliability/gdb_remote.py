"""A debugger on an emulated board: reads and writes its memory through QEMU's GDB server, flash included.

The packets are those of "GDB Remote Serial Protocol" in GDB's manual; only memory, interrupt and continue are needed.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scenelet.core import toolchain
from scenelet.errors import ToolError
from scenelet.targets.emulator.serial_port import SerialBoard

FLASH = 0x0800_0000
_SOCKET = "gdb"
_PIECE = 1024


class Debugger:
    """Client of a GDB server; the program is halted after the connection."""

    def __init__(self, path: Path, seconds: float = 30.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds)
        end = time.monotonic() + seconds
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self._buffer = b""
        self.ask("?")

    def close(self) -> None:
        self._socket.close()

    def _send(self, packet: str) -> None:
        self._socket.sendall(f"${packet}#{sum(packet.encode()) & 255:02x}".encode())

    def _receive(self) -> str:
        """The next packet that is no acknowledgement."""
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self._buffer) - 3:
                packet, self._buffer = self._buffer[start + 1 : end], self._buffer[end + 3 :]
                self._socket.sendall(b"+")
                return packet.decode("latin-1")
            more = self._socket.recv(65_536)
            if not more:
                raise ToolError("qemu-system-arm", "closed the debugger's connection", "see its log")
            self._buffer += more

    def ask(self, packet: str) -> str:
        """Response to a packet."""
        self._send(packet)
        return self._receive()

    def read(self, address: int, count: int) -> bytes:
        """Bytes of memory; halted."""
        return bytes.fromhex(self.ask(f"m{address:x},{count:x}"))

    def write(self, address: int, content: bytes) -> None:
        """Write memory, flash included; halted."""
        for start in range(0, len(content), _PIECE):
            piece = content[start : start + _PIECE]
            if self.ask(f"M{address + start:x},{len(piece):x}:{piece.hex()}") != "OK":
                raise ToolError("qemu-system-arm", f"does not write to {address + start:#x}", "choose other memory")

    def flip(self, address: int, bit: int) -> None:
        """Flip a bit of memory; halted."""
        self.write(address, bytes([self.read(address, 1)[0] ^ 1 << bit]))

    def reset(self) -> None:
        """Reset the board; halted, memory keeps its contents."""
        reply = self.ask("qRcmd," + b"system_reset".hex())
        while reply not in ("OK", ""):
            reply = self._receive()

    def go(self) -> None:
        """Let the program run."""
        self._send("c")

    def halt(self) -> None:
        """Stop the program, wherever it is."""
        self._socket.sendall(b"\x03")
        while not self._receive().startswith(("T", "S")):
            pass

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """Halt, and let it run again at the end of the block."""
        self.halt()
        yield
        self.go()


class FlashedBoard(SerialBoard):
    """An emulated board whose flash keeps its contents over a reset, as on a chip.

    QEMU writes a program that it is given as ``-kernel`` to flash again at every reset. Here a debugger writes it once.
    """

    def __init__(self, elf: Path, options: Sequence[str] = ()) -> None:
        server = ("-S", "-chardev", f"socket,id=gdb,path={_SOCKET},server=on,wait=off", "-gdb", "chardev:gdb")
        super().__init__(elf, (*options, *server))
        place = self._command.index("-kernel")
        del self._command[place : place + 2]
        self._elf = elf

    def start(self) -> None:
        """Start QEMU, write the program, and let it run."""
        super().start()
        image = self.folder / "image"
        toolchain.run(["arm-none-eabi-objcopy", "-O", "binary", self._elf, image])
        self.image = image.read_bytes()
        """What is flashed, from :data:`FLASH` on."""
        self.debugger = Debugger(self.folder / _SOCKET)
        self.debugger.write(FLASH, self.image)
        self.debugger.reset()
        self.debugger.go()

    def stop(self) -> None:
        """Close the debugger's connection and stop QEMU."""
        if hasattr(self, "debugger"):
            self.debugger.close()
        super().stop()
