"""FLAC: libsndfile decodes; the samples are held to the file's own checksum, or to its frames' numbers.

The header states the number of samples, and an MD5 checksum of them. An encoder that writes into a pipe leaves both at
zero. Then the decoder still verifies every frame, but puts silence in the place of frames that are missing, and drops a
last frame that is cut short; so the frames are followed by their numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.notes import note
from ..errors import AudioError
from .decoding import AGAIN, CONVERT, Block, Recording, Stream

_HEADER_BYTES = 42  # "fLaC", 4 bytes that announce the STREAMINFO block, and its 34 bytes
_FRAME_BYTES = 1 << 21  # of the last frame, at most: 65,535 samples of 8 channels and 24 bits, uncompressed
_WIDTHS = (16, 24)
_CODED_SIZES = {1: 192, **{code: 144 << code for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}
_RATES = (88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
_CODED_RATES = dict(enumerate(_RATES, 1))  # code 0: as the header states
_RATE_UNITS = {12: (1, 1000), 13: (2, 1), 14: (2, 10)}  # bytes that follow the frame's header, and their unit in Hz
_FRAME_HEADER_BYTES = 16


class _Frame(NamedTuple):
    """Numbers of a frame's first sample and of the one after it; sample rate in Hz, 0 where the frame states none."""

    start: int
    end: int
    rate: int


@dataclass(frozen=True)
class _Info:
    """The STREAMINFO block. ``frames`` and ``md5`` are zero where the encoder did not know them."""

    block: int
    rate: int
    bits: int
    frames: int
    md5: bytes


def open_flac(path: Path, file: BinaryIO) -> Recording:
    """Read a file's header and prepare to decode it.

    Raises
    ------
    AudioError
        Where the header is damaged or the width is neither 16 nor 24 bits. Reading the blocks raises it where a frame
        is damaged or missing, and where the samples do not fit the checksum or the number that the file states.
    """
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[4] & 0x7F or header[5:8] != b"\0\0\x22":
        raise AudioError(path, "damaged: the FLAC file does not begin with its STREAMINFO block", AGAIN)
    fields = int.from_bytes(header[18:26], "big")  # 20 bits rate, 3 channels - 1, 5 width - 1, 36 number of samples
    bits, frames = (fields >> 36 & 31) + 1, fields & ((1 << 36) - 1)
    info = _Info(int.from_bytes(header[10:12], "big"), fields >> 44, bits, frames, header[26:42])
    _check_rate(path, file, info)
    if bits == 8:
        raise AudioError(path, "8-bit samples (FLAC)", "record again with 16 or 24 bits")
    if bits not in _WIDTHS:
        raise AudioError(path, f"FLAC files of {bits} bits are not read", CONVERT)
    return Recording(path, info.rate, _blocks(path, info))


def _blocks(path: Path, info: _Info) -> Iterator[Block]:
    digest, count = hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as file, Stream(path, file.fileno()) as stream:
        for part in stream.parts("int32"):  # left-justified in 32 bits
            digest.update(_packed(part, info.bits))
            count += len(part)
            yield part / np.float64(1 << 31)
    _check(path, info, count, digest.digest())


def _packed(part: NDArray[np.int32], bits: int) -> bytes:
    """The bytes that FLAC's checksum is made of: little-endian samples without the bytes that are zero."""
    octets = np.ascontiguousarray(part, "<i4").view(np.uint8).reshape(-1, 4)
    return octets[:, 4 - bits // 8 :].tobytes()


def _check(path: Path, info: _Info, count: int, md5: bytes) -> None:
    if any(info.md5):
        if md5 != info.md5:
            stated = f"; the header states {info.frames:,}" if info.frames != count else ""
            raise AudioError(path, f"damaged: the checksum of its {count:,} samples is wrong{stated}", AGAIN)
    else:
        _check_frames(path, info, count)
        if info.frames > count:
            problem = f"truncated: the header states {info.frames:,} samples, the file holds {count:,}"
            raise AudioError(path, problem, AGAIN)
    if info.frames != count:
        said = f"states {info.frames:,}" if info.frames else "does not state how many"
        note(path, f"the header {said} samples; all {count:,} that the file holds are used")


def _frames_start(file: BinaryIO) -> int:
    """Position of the first frame, after the blocks of metadata."""
    file.seek(4)
    block = file.read(4)
    while len(block) == 4:
        file.seek(int.from_bytes(block[1:], "big"), 1)
        if block[0] & 0x80:  # the last one
            break
        block = file.read(4)
    return file.tell()


def _check_rate(path: Path, file: BinaryIO, info: _Info) -> None:
    """Compare the header's sample rate with the first frame's, where the frame states one and can be read."""
    file.seek(_frames_start(file))
    frame = _frame(file.read(_FRAME_HEADER_BYTES), info.block)
    if frame and frame.rate not in (0, info.rate):
        problem = f"damaged: the header states {info.rate:,} Hz, the first frame {frame.rate:,} Hz"
        raise AudioError(path, problem, AGAIN)


def _check_frames(path: Path, info: _Info, count: int) -> None:
    """Follow the frames by their numbers; the last one must reach to the end of the file and end at sample ``count``.

    The decoder puts silence in the place of frames that are missing, so its number of samples does not tell.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        start = _frames_start(file)
        frame = _frame(content[start : start + _FRAME_HEADER_BYTES], info.block)
        sync, place = content[start : start + 2], start
        while frame and (place := content.find(sync, place + 2)) >= 0:
            following = _frame(content[place : place + _FRAME_HEADER_BYTES], info.block)
            if following and following.start == frame.end:
                frame, start = following, place
        last = content[start : start + _FRAME_BYTES]
        if not frame or start + len(last) < len(content) or _crc(last, 16, 0x8005):
            end = f"sample {frame.end if frame else 0:,}"
            raise AudioError(path, f"truncated or damaged: no whole frame up to {end}, or none after it", AGAIN)
    if frame.end != count:
        problem = f"damaged: the last frame ends at sample {frame.end:,}, the decoder gives {count:,} samples"
        raise AudioError(path, problem, AGAIN)


def _frame(header: bytes, block: int) -> _Frame | None:
    """Read a frame's header; None where it is none or its checksum is wrong."""
    if len(header) < 6 or header[0] != 0xFF or header[1] & 0xFE != 0xF8 or not (size_code := header[2] >> 4):
        return None
    number, used = _coded_number(header[4:])
    at = 4 + used
    size = _CODED_SIZES.get(size_code, 0)
    if size_code in (6, 7):
        size = int.from_bytes(header[at : at + size_code - 5], "big") + 1
        at += size_code - 5
    rate_code = header[2] & 15
    rate = _CODED_RATES.get(rate_code, 0)
    if rate_code in _RATE_UNITS:
        length, unit = _RATE_UNITS[rate_code]
        rate = int.from_bytes(header[at : at + length], "big") * unit
        at += length
    if not used or at >= len(header) or _crc(header[: at + 1], 8, 0x07):
        return None
    start = number if header[1] & 1 else number * block
    return _Frame(start, start + size, rate)


def _coded_number(content: bytes) -> tuple[int, int]:
    """A number in UTF-8's scheme, of up to 36 bits, and its bytes; (0, 0) where it is none."""
    length = 8 - (content[0] ^ 0xFF).bit_length()
    if length in (1, 8) or len(content) < max(1, length):
        return 0, 0
    number = content[0] & (0x7F >> length)
    for octet in content[1:length]:
        if octet & 0xC0 != 0x80:
            return 0, 0
        number = number << 6 | octet & 0x3F
    return number, max(1, length)


def _crc(content: bytes, width: int, polynomial: int) -> int:
    """CRC from zero, most significant bit first; zero for content that ends with its own CRC."""
    table, state, mask = _crc_table(width, polynomial), 0, (1 << width) - 1
    for octet in content:
        state = (state << 8 & mask) ^ table[state >> (width - 8) ^ octet]
    return state


@cache
def _crc_table(width: int, polynomial: int) -> list[int]:
    table = []
    for value in range(256):
        state = value << (width - 8)
        for _ in range(8):
            state = state << 1 ^ (polynomial if state >> (width - 1) else 0)
            state &= (1 << width) - 1
        table.append(state)
    return table
