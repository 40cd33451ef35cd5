"""Ogg: every page of the container is checked, then libsndfile decodes Vorbis or Opus.

libsndfile resynchronises after a damaged or missing page and decodes other samples without an error. So pages are
walked first: their checksums, their sequence numbers, their order in time, and the marks of the first and last page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ..errors import AudioError
from .decoding import AGAIN, CONVERT, Block, Recording, Stream

_HEADER = struct.Struct("<4sBBqIIIB")  # magic, version, flags, granule, serial, sequence, checksum, segments
_CHECKSUM_AT = 22
_FIRST, _LAST = 2, 4  # flags
_NO_GRANULE = -1  # no packet ends in this page
_CODECS = {b"\x01vorbis": "Vorbis", b"OpusHead": "Opus"}
_FOREIGN = {b"\x7fFLAC": "FLAC", b"Speex   ": "Speex", b"fishead\0": "Skeleton", b"\x80theora": "Theora"}
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class _Page(NamedTuple):
    start: int
    flags: int
    granule: int
    serial: int
    sequence: int
    body: bytes


def open_ogg(path: Path) -> Recording:
    """Check all pages of a file and prepare to decode it.

    Raises
    ------
    AudioError
        Where a page is damaged, missing, out of order or cut short; where the stream has no end; where there are
        several streams, one after the other or interleaved; where the codec is neither Vorbis nor Opus. Reading the
        blocks raises it where the decoder gives another number of samples than the pages state.
    """
    with path.open("rb") as file:
        _check(path, file)
    with path.open("rb") as file, Stream(path, file.fileno()) as stream:
        rate = stream.samplerate
    return Recording(path, rate, _blocks(path), lossy=True)


def checksum(page: bytes) -> int:
    """CRC of a page whose checksum field is zero: polynomial 0x04C11DB7, from zero, most significant bit first.

    ``zlib.crc32`` is the same polynomial with all bits in reverse, from and to the complement.
    """
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def _blocks(path: Path) -> Iterator[Block]:
    count = 0
    with path.open("rb") as file, Stream(path, file.fileno()) as stream:
        for part in stream.parts("float64"):
            count += len(part)
            yield part
        if count != stream.frames:
            problem = f"the pages state {stream.frames:,} samples, the decoder gives {count:,}"
            raise AudioError(path, problem, AGAIN)


def _pages(path: Path, file: BinaryIO) -> Iterator[_Page]:
    """Yield the pages, each with a right checksum, up to the end of the file."""
    start = 0
    while header := file.read(_HEADER.size):
        if not header.startswith(b"OggS"[: len(header)]):
            raise AudioError(path, f"damaged: no Ogg page at byte {start:,}", AGAIN)
        if len(header) < _HEADER.size:
            raise AudioError(path, f"truncated: the Ogg page at byte {start:,} is cut short", AGAIN)
        _, version, flags, granule, serial, sequence, stated, segments = _HEADER.unpack(header)
        lengths = file.read(segments)
        body = file.read(sum(lengths))
        if len(lengths) < segments or len(body) < sum(lengths):
            raise AudioError(path, f"truncated: the Ogg page at byte {start:,} is cut short", AGAIN)
        content = header[:_CHECKSUM_AT] + bytes(4) + header[_CHECKSUM_AT + 4 :] + lengths + body
        if checksum(content) != stated:
            raise AudioError(path, f"damaged: the checksum of the Ogg page at byte {start:,} is wrong", AGAIN)
        if version:
            raise AudioError(path, f"version {version} of Ogg is not read", CONVERT)
        yield _Page(start, flags, granule, serial, sequence, body)
        start += len(content)


def _check(path: Path, file: BinaryIO) -> None:
    before: _Page | None = None
    latest = 0
    for page in _pages(path, file):
        if before is None:
            _check_first(path, page)
        else:
            _check_next(path, before, page)
        if page.granule != _NO_GRANULE:
            if page.granule < latest:
                raise AudioError(path, f"damaged: the Ogg page at byte {page.start:,} goes back in time", AGAIN)
            latest = page.granule
        before = page
    if before is None or not before.flags & _LAST:
        raise AudioError(path, "truncated: the Ogg stream does not end with its last page", AGAIN)


def _check_first(path: Path, page: _Page) -> None:
    if not page.flags & _FIRST:
        raise AudioError(path, "damaged: the Ogg stream does not begin with its first page", AGAIN)
    if not page.body.startswith(tuple(_CODECS)):
        name = next((name for magic, name in _FOREIGN.items() if page.body.startswith(magic)), "of an unknown codec")
        raise AudioError(path, f"Ogg files with a stream {name} are not read", CONVERT)


def _check_next(path: Path, before: _Page, page: _Page) -> None:
    if page.flags & _FIRST:
        kind = "one after the other (chained)" if before.flags & _LAST else "interleaved"
        raise AudioError(path, f"several Ogg streams, {kind}, are not read", "give one file per stream")
    if page.serial != before.serial or before.flags & _LAST:
        raise AudioError(path, f"damaged: the Ogg page at byte {page.start:,} belongs to no stream", AGAIN)
    if page.sequence != (before.sequence + 1) % (1 << 32):
        missing = f"page {page.sequence:,} follows page {before.sequence:,}"
        raise AudioError(path, f"damaged: pages of the Ogg stream are missing ({missing})", AGAIN)
