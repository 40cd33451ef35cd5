"""The chunks of a RIFF file: where the samples of a WAV file begin and end, judged by what is in the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from ..core.notes import note
from ..errors import AudioError
from .decoding import AGAIN

_CHUNK = struct.Struct("<4sI")
_FORM_BYTES = 12  # "RIFF", a length, "WAVE"
_WHOLES = (b"RIFF", b"RF64", b"BW64")
_UNKNOWN_32 = 0xFFFFFFFF  # in RF64: the length is in the chunk "ds64"
_SLACK = 1 << 16  # lengths that stand for "unknown" are a power of two less a header, rounded to a page or a frame
_FORMAT_BYTES = 1 << 12  # of the chunks "fmt " and "ds64", of which 40 are used
_TAIL_BYTES = 1 << 20
# Chunks that programs write after the samples.
_TRAILING = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"smpl", b"inst", b"JUNK", b"PAD ", b"iXML", b"_PMX")


@dataclass(frozen=True)
class Extent:
    """Bytes of a file.

    Attributes
    ----------
    start
        Position of the first sample.
    size
        Number of bytes that the header states for the samples, or, from :func:`find_samples`, that hold samples.
    end
        Position where the header states that the whole ends.
    """

    start: int
    size: int
    end: int


def walk(path: Path, file: BinaryIO) -> tuple[Extent, dict[bytes, bytes]]:
    """Read the chunks before the samples.

    Returns
    -------
    (extent, chunks)
        What the header states, and the beginnings of the chunks "fmt " and "ds64", by name.

    Raises
    ------
    AudioError
        Where the file is none of WAVE, a chunk occurs twice, or there is no chunk "data".
    """
    size = path.stat().st_size
    magic, whole, kind = struct.unpack("<4sI4s", file.read(_FORM_BYTES).ljust(_FORM_BYTES, b"\0"))
    if size >= _FORM_BYTES and kind != b"WAVE":
        raise AudioError(path, f"RIFF files of type {_text(kind)} are not read", "give a WAV, FLAC or Ogg file")
    chunks: dict[bytes, bytes] = {}
    while len(header := file.read(_CHUNK.size)) == _CHUNK.size:
        name, stated = _CHUNK.unpack(header)
        start = file.tell()
        if name == b"data":
            if magic != b"RIFF":
                whole, stated = _long_sizes(whole, stated, chunks.get(b"ds64", b""))
            return Extent(start, stated, whole + 8), chunks
        if name in (b"fmt ", b"ds64"):
            if name in chunks:
                raise AudioError(path, f"damaged: two chunks {_text(name)}", AGAIN)
            chunks[name] = file.read(min(stated, _FORMAT_BYTES))
        file.seek(start + stated + stated % 2)
    raise AudioError(path, "truncated: the header ends before the samples", AGAIN)


def find_samples(path: Path, file: BinaryIO, stated: Extent, frame_bytes: int) -> Extent:
    """Decide which bytes hold samples.

    A header that states more than there is, and agrees with itself, belongs to a file that was cut short. One that
    states no length, or a length beyond its own whole, belongs to a program that did not finish or miscounted: all
    bytes up to the end, or up to trailing chunks, are samples.

    Raises
    ------
    AudioError
        Where the file was cut short, or where what follows the samples is not what a WAV file can hold.
    """
    size = path.stat().st_size
    present = size - stated.start
    if stated.size and stated.size <= present:
        return _fitting(path, file, stated, size, frame_bytes)
    if not stated.size and _follow(file, stated.start, size, size) == "whole":
        return Extent(stated.start, 0, stated.end)
    consistent = stated.start + stated.size <= stated.end
    if not _unknown(stated.size) and (consistent or not size - 1 <= stated.end <= size + 8):
        problem = f"truncated: the header states {stated.size:,} bytes of samples, the file holds {present:,}"
        raise AudioError(path, problem, AGAIN)
    end = _start_of_trailing(file, stated.start, size)
    counted = end - stated.start
    rest = counted % frame_bytes
    if rest and not (rest == 1 and frame_bytes % 2 and counted % 2 == 0):  # a pad byte makes an odd length even
        raise AudioError(path, "truncated: the last sample is cut short, and the header states no right length", AGAIN)
    said = "does not state how many" if _unknown(stated.size) else f"states {stated.size:,}"
    note(path, f"the header {said} bytes of samples; all {counted - rest:,} that the file holds are used")
    return Extent(stated.start, counted - rest, end)


def _fitting(path: Path, file: BinaryIO, stated: Extent, size: int, frame_bytes: int) -> Extent:
    """Check what follows samples whose stated length is in the file."""
    end = stated.start + stated.size
    after = min(size, end + stated.size % 2)
    uncounted = 1 if size == after > end else 0  # the pad byte; some programs do not count it
    whole = stated.end in (size, size - uncounted)
    found = _follow(file, after, size, stated.end)
    if found == "other" and whole:  # some programs write no pad byte
        found = _follow(file, end, size, stated.end)
    if found == "other":
        file.seek(after)
        if (follower := file.read(4)) in _WHOLES:
            raise AudioError(path, f"a second {_text(follower)} file follows the first", "give one file per recording")
        if not end <= stated.end <= after or not _only_zeros(file, after):
            problem = f"damaged: {size - after:,} bytes that are no chunk follow the {stated.size:,} bytes of samples"
            raise AudioError(path, problem, f"{AGAIN}, or save it anew with an audio editor")
        note(path, f"zeros after the samples ({size - after:,} bytes) are not used")
    elif not whole and not _unknown(stated.end - 8):
        note(path, f"the header states a file of {stated.end:,} bytes, it has {size:,}; all samples are there")
    rest = stated.size % frame_bytes
    if 0 < rest < stated.size:
        note(path, f"the last {rest} of {stated.size:,} bytes of samples are no whole sample and are not used")
    return Extent(stated.start, stated.size - rest, stated.end)


def _long_sizes(whole: int, stated: int, ds64: bytes) -> tuple[int, int]:
    """Lengths of an RF64 file: of the whole and of the samples."""
    if len(ds64) < 16:
        return whole, stated
    long_whole, long_stated = struct.unpack_from("<QQ", ds64)
    return (
        long_whole if whole == _UNKNOWN_32 else whole,
        long_stated if stated == _UNKNOWN_32 else stated,
    )


def _unknown(length: int) -> bool:
    """Whether a length stands for "unknown": none, or the largest of its type less a header."""
    return length == 0 or any(top - _SLACK <= length <= top for top in (1 << 31, 1 << 32, 1 << 63, 1 << 64))


def _follow(file: BinaryIO, start: int, size: int, stated_end: int) -> Literal["whole", "cut", "other"]:
    """What reaches from ``start`` to the end of the file.

    Whole chunks or nothing; known chunks of which the last is cut off before the end that the header states; or
    something else.
    """
    while start < size:
        file.seek(start)
        header = file.read(_CHUNK.size)
        name = header[:4]
        if len(header) < _CHUNK.size:
            known = any(other.startswith(name) for other in _TRAILING)
            return "cut" if known and stated_end > size else "other"
        if not all(32 <= octet < 127 for octet in name) or name in (b"data", *_WHOLES):
            return "other"
        length = _CHUNK.unpack(header)[1]
        start += _CHUNK.size + length
        if start > size:
            return "cut" if name in _TRAILING and start <= stated_end else "other"
        if start < size:
            start += length % 2
    return "whole"


def _only_zeros(file: BinaryIO, start: int) -> bool:
    """Whether nothing else follows, as where a file system's last block was filled up."""
    file.seek(start)
    while block := file.read(_TAIL_BYTES):
        if any(block):
            return False
    return True


def _start_of_trailing(file: BinaryIO, start: int, size: int) -> int:
    """Where known chunks begin that reach to the end of the file; ``size`` where there are none."""
    begin = max(start, size - _TAIL_BYTES)
    file.seek(begin)
    tail = file.read()
    ends = {len(tail)}
    for at in sorted((at for name in _TRAILING for at in _places(tail, name)), reverse=True):
        if at + _CHUNK.size <= len(tail):
            length = _CHUNK.unpack_from(tail, at)[1]
            stop = at + _CHUNK.size + length
            if stop in ends or stop + length % 2 in ends:
                ends.add(at)
    return begin + min(ends)


def _places(content: bytes, name: bytes) -> Iterator[int]:
    at = content.find(name)
    while at >= 0:
        yield at
        at = content.find(name, at + 1)


def _text(name: bytes) -> str:
    return repr(name.decode("latin-1").strip())
