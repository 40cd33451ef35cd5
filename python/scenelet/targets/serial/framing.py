"""Framing of the link: frames, text lines, and how to distinguish them. The C side is firmware/lib/link."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from cobs import cobs

PROTOCOL_VERSION = 1
PAYLOAD_BYTES = 240
HASH_BYTES = 8

_CRC_START = 0xFFFF
_LINE_LIMIT = 65_536
_STATUS = struct.Struct("<BBBBHHI")


class Type(IntEnum):
    """Frame types; all are 0x80 or above."""

    START = 0x80
    DATA = 0x81
    POLL = 0x82
    STATUS = 0xC0


class Input(IntEnum):
    """Content of DATA frames: audio samples, the network's INT8 input, or raw microphone data."""

    AUDIO = 0
    TENSOR = 1
    CAPTURE = 2


class Reason(IntEnum):
    """Reason of a STATUS; with CLOSED and above there is no session."""

    OK = 0
    CORRUPT = 1
    SEQUENCE = 2
    CLOSED = 3
    PROTOCOL = 4
    MODEL = 5
    FRONTEND = 6
    INPUT = 7
    SELFTEST = 8
    TYPE = 9


@dataclass(frozen=True)
class Status:
    """State that the device reports.

    Attributes
    ----------
    session, poll
        Number of the session, and of the last POLL.
    reason
        A :class:`Reason`.
    next
        Number of the DATA frame that the device waits for, modulo 65,536.
    credit
        Number of frames that it accepts from ``next`` on.
    windows
        Windows decided in the session.
    """

    session: int
    poll: int
    reason: int
    next: int
    credit: int
    windows: int


@dataclass(frozen=True)
class Line:
    """A text line; ``checked`` if it had a valid checksum, which is removed from ``text``."""

    text: str
    checked: bool


@dataclass(frozen=True)
class Garbage:
    """A frame or a line that failed its check."""

    reason: str


Event = Status | Line | Garbage


def crc16(content: bytes) -> int:
    """CRC-16/IBM-3740, as on the C side."""
    return binascii.crc_hqx(content, _CRC_START)


def encode(body: bytes) -> bytes:
    """Encode a body (type and fields) as a frame: checksum, COBS, delimiters."""
    return b"\0" + bytes(cobs.encode(body + crc16(body).to_bytes(2, "little"))) + b"\0"


def start(session: int, kind: Input, model_sha256: str, frontend_sha256: str | None) -> bytes:
    """Frame that opens a session; the device refuses hashes other than its own."""
    model = bytes.fromhex(model_sha256)[:HASH_BYTES]
    frontend = bytes.fromhex(frontend_sha256)[:HASH_BYTES] if frontend_sha256 else bytes(HASH_BYTES)
    return encode(bytes((Type.START, PROTOCOL_VERSION, session, kind)) + model + frontend)


def data(sequence: int, payload: bytes) -> bytes:
    """Frame number ``sequence`` (modulo 65,536) of a session."""
    return encode(struct.pack("<BH", Type.DATA, sequence & 0xFFFF) + payload)


def poll(number: int) -> bytes:
    """Frame that asks for a STATUS."""
    return encode(bytes((Type.POLL, number & 0xFF)))


def decode(chunk: bytes) -> bytes:
    """Body of an encoded frame without its delimiters.

    Raises
    ------
    ValueError
        The frame is damaged.
    """
    try:
        content = bytes(cobs.decode(chunk))
    except cobs.DecodeError as error:
        raise ValueError(str(error)) from None
    if len(content) < 3 or crc16(content[:-2]) != int.from_bytes(content[-2:], "little"):
        raise ValueError("checksum")
    return content[:-2]


class Receiver:
    """Assembles events from the device's bytes; any bytes are accepted."""

    def __init__(self) -> None:
        self._chunk = bytearray()

    def push(self, content: bytes) -> Iterator[Event]:
        """Take bytes; yield the events that they complete."""
        for byte in content:
            if byte == 0:
                yield from self._end_frame()
            elif self._chunk == b"\n" and byte < Type.START:
                self._chunk[0] = byte  # after an empty line
            elif self._chunk and byte == 0x0A and not self._in_frame():
                yield from self._end_line()
            elif len(self._chunk) < _LINE_LIMIT:
                self._chunk.append(byte)

    def _in_frame(self) -> bool:
        # A frame's second byte is its type. Its first byte, the COBS code, may have any value, that of a line end too.
        return len(self._chunk) > 1 and self._chunk[1] >= Type.START

    def _take(self) -> bytes:
        chunk = bytes(self._chunk)
        self._chunk.clear()
        return chunk

    def _end_frame(self) -> Iterator[Event]:
        chunk = self._take()
        if not chunk:
            return
        try:
            body = decode(chunk)
        except ValueError as error:
            yield Garbage(f"frame: {error}")
            return
        if body[0] == Type.STATUS and len(body) == _STATUS.size:
            yield Status(*_STATUS.unpack(body)[1:])
        else:
            yield Garbage(f"frame of unknown type 0x{body[0]:02x}")

    def _end_line(self) -> Iterator[Event]:
        chunk = self._take().rstrip(b"\r")
        if not chunk:
            return
        text, mark, checksum = chunk.rpartition(b" *")
        if not mark or len(checksum) != 4:
            yield Line(chunk.decode("utf-8", "replace"), checked=False)
        elif checksum == b"%04x" % crc16(text):
            yield Line(text.decode("utf-8", "replace"), checked=True)
        else:
            yield Garbage("line: checksum")
