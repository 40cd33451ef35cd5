"""Frames and lines, told apart whatever arrives; the C side's own tests are tests/firmware/test_link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenelet.targets.serial import framing
from scenelet.targets.serial.framing import Garbage, Line, Receiver, Status


def events(content: bytes) -> list[framing.Event]:
    return list(Receiver().push(content))


def status(*values: int) -> bytes:
    return framing.encode(b"\xc0" + framing._STATUS.pack(framing.Type.STATUS, *values)[1:])


@given(st.binary(min_size=1, max_size=243))
def test_a_frame_comes_back_whole(body: bytes) -> None:
    frame = framing.encode(body)
    assert frame.count(0) == 2
    assert framing.decode(frame[1:-1]) == body


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_flipped_bit_is_noticed(body: bytes, data: st.DataObject) -> None:
    frame = bytearray(framing.encode(body)[1:-1])
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match=r"."):
        framing.decode(bytes(frame))


# 10 and 13 make COBS's first byte the end of a line.
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 9), st.integers(0, 65535), st.integers(0, 2**32 - 1))
def test_a_status_is_no_line_whatever_it_says(
    session: int, poll: int, reason: int, sequence: int, windows: int
) -> None:
    values = (session, poll, reason, sequence, 66, windows)
    assert events(b"m-ready\r\n" + status(*values) + b"m-ready\r\n") == [
        Line("m-ready", checked=False),
        Status(*values),
        Line("m-ready", checked=False),
    ]


@given(st.binary(max_size=300))
def test_after_any_noise_the_next_frame_is_heard(noise: bytes) -> None:
    assert events(noise + b"\0" + status(1, 2, 0, 3, 4, 5))[-1] == Status(1, 2, 0, 3, 4, 5)


def test_a_line_with_a_checksum_is_held_to_it() -> None:
    text = b"decision window=1"
    good = text + b" *%04x\r\n" % framing.crc16(text)
    assert events(good) == [Line("decision window=1", checked=True)]
    assert events(good.replace(b"window=1", b"window=2")) == [Garbage("line: checksum")]


def test_frames_of_another_kind_are_garbage() -> None:
    assert events(framing.encode(b"\xc1\1")) == [Garbage("frame of unknown type 0xc1")]


def test_crc_of_the_check_string() -> None:
    assert framing.crc16(b"123456789") == 0x29B1
