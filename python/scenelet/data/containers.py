"""Completeness of audio files: whether a file is as long as its header states.

libsndfile reads a truncated WAV or Ogg file up to its end and reports no error, so the containers are parsed here. For
FLAC, the decoder itself fails.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ..errors import AudioError

_AGAIN = "copy, download or record it again"
_UNKNOWN_SIZE = 0xFFFFFFFF  # in an RF64 file: the 64-bit size is in the ds64 chunk
_OGG_PAGE_BYTES = 27 + 255 + 255 * 255  # the largest page
_OGG_END_OF_STREAM = 4


def check_complete(path: Path) -> None:
    """Check that a WAV or Ogg file is as long as its header states; other formats are not checked.

    Raises
    ------
    AudioError
        Where it is shorter.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(12)
        if magic[:4] in (b"RIFF", b"RF64"):
            _check_riff(path, file, size)
        elif magic[:4] == b"OggS":
            _check_ogg(path, file, size)


def _check_riff(path: Path, file: BinaryIO, size: int) -> None:
    """Find the chunk "data" and compare its size with the rest of the file."""
    long_size = None
    while len(header := file.read(8)) == 8:
        name, promised = struct.unpack("<4sI", header)
        if name == b"data":
            if promised == _UNKNOWN_SIZE and long_size is not None:
                promised = long_size
            present = size - file.tell()
            if promised > present:
                problem = f"truncated: the header promises {promised:,} bytes of samples, the file holds {present:,}"
                raise AudioError(path, problem, _AGAIN)
            return
        body = file.tell()
        if name == b"ds64" and len(sizes := file.read(16)) == 16:
            long_size = struct.unpack("<QQ", sizes)[1]
        file.seek(body + promised + promised % 2)
    raise AudioError(path, "truncated: the header ends before the samples", _AGAIN)


def _check_ogg(path: Path, file: BinaryIO, size: int) -> None:
    """Find the last page: it must be complete and have the end-of-stream flag."""
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read()
    start = tail.rfind(b"OggS")
    page = tail[max(0, start) :]
    whole = len(page) >= 27 and len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    if start < 0 or not whole or not page[5] & _OGG_END_OF_STREAM:
        raise AudioError(path, "truncated: the Ogg stream does not end with its last page", _AGAIN)
