"""WAV and its 64-bit forms RF64 and BW64: the chunks are walked and the samples counted here.

libsndfile believes a header's length, guesses where it cannot, and reads compressed samples with other lengths than the
header's. So the place and the number of the samples follow from three things that must agree: the length of the chunk
"data", the length of the whole, and what is in the file. PCM and IEEE float need no decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..core.notes import note
from ..errors import AudioError
from .decoding import AGAIN, CONVERT, Block, Recording, block_frames
from .riff import Extent, find_samples, walk

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_FMT = struct.Struct("<HHIIHH")  # format, channels, rate, bytes per second, bytes per frame, bits
_GUID_END = bytes.fromhex("000000001000800000aa00389b71")  # what follows the tag in the extensible form
_AMBISONIC_END = bytes.fromhex("2107d3118644c8c1ca000000")
_EIGHT_BIT = {0x0006: "A-law", 0x0007: "u-law"}
_COMPRESSED = {
    0x0002: "Microsoft ADPCM",
    0x0010: "OKI ADPCM",
    0x0011: "IMA ADPCM",
    0x0014: "G.723 ADPCM",
    0x0022: "TrueSpeech",
    0x0031: "GSM 6.10",
    0x0038: "NMS ADPCM",
    0x0040: "G.721 ADPCM",
    0x0045: "G.726 ADPCM",
    0x0050: "MPEG audio",
    0x0055: "MP3",
    0x0064: "G.726 ADPCM",
    0x00FF: "AAC",
    0x0160: "WMA",
    0x0161: "WMA",
    0x0162: "WMA",
    0x1610: "AAC",
    0x2000: "AC-3",
    0x2001: "DTS",
    0x674F: "Vorbis",
    0xF1AC: "FLAC",
}
_SUPPORTED = {(_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}


@dataclass(frozen=True)
class _Format:
    """What the chunk "fmt " states, checked."""

    tag: int
    channels: int
    rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


def open_wav(path: Path, file: BinaryIO) -> Recording:
    """Find the samples of a WAV, RF64 or BW64 file.

    Raises
    ------
    AudioError
        Where the file holds no samples or less than its header states; where the lengths in it disagree so that the
        samples' end is unknown; where the samples are compressed, of 8 bits, or packed in an unusual way.
    """
    extent, chunks = walk(path, file)
    form = _format(path, chunks.get(b"fmt ", b""))
    extent = find_samples(path, file, extent, form.frame_bytes)
    if extent.size < form.frame_bytes:
        raise AudioError(path, "no samples", "record or download it again")
    return Recording(path, form.rate, _blocks(path, form, extent))


def _format(path: Path, chunk: bytes) -> _Format:
    if len(chunk) < _FMT.size:
        raise AudioError(path, "damaged: the header has no format (chunk 'fmt ') before the samples", AGAIN)
    tag, channels, rate, per_second, frame_bytes, bits = _FMT.unpack_from(chunk)
    if tag == _EXTENSIBLE:
        tag = _extended(path, chunk)
    if tag in _EIGHT_BIT or (tag, bits) == (_PCM, 8):
        raise AudioError(path, f"8-bit samples ({_EIGHT_BIT.get(tag, 'PCM')})", "record again with 16 or 24 bits")
    if tag not in (_PCM, _FLOAT):
        name = _COMPRESSED.get(tag, "unknown")
        raise AudioError(path, f"WAV files of format 0x{tag:04x} ({name}) are not read", CONVERT)
    if (tag, bits) not in _SUPPORTED:
        kind = "float" if tag == _FLOAT else "PCM"
        raise AudioError(path, f"WAV files of {bits}-bit {kind} samples are not read", CONVERT)
    form = _Format(tag, channels, rate, bits)
    if not channels or frame_bytes != form.frame_bytes:
        problem = f"{channels} channels of {bits} bits do not fit the header's {frame_bytes} bytes per frame"
        raise AudioError(path, f"{problem}; such WAV files are not read", CONVERT)
    if per_second != rate * frame_bytes:
        note(path, f"the header states {rate:,} Hz, but {per_second:,} bytes per second do not fit it")
    return form


def _extended(path: Path, chunk: bytes) -> int:
    """The format tag inside an extensible header."""
    if len(chunk) < 40:
        raise AudioError(path, f"damaged: {len(chunk)} bytes of an extensible format, which has 40", AGAIN)
    tag = int.from_bytes(chunk[24:26], "little")
    if chunk[26:40] != _GUID_END:
        name = "Ambisonic B-format" if chunk[28:40] == _AMBISONIC_END else f"of format {chunk[24:40].hex()}"
        raise AudioError(path, f"WAV files {name} are not read", CONVERT)
    return tag


def _blocks(path: Path, form: _Format, extent: Extent) -> Iterator[Block]:
    frames = extent.size // form.frame_bytes
    content = bytearray(min(frames, block_frames(form.channels)) * form.frame_bytes)
    with path.open("rb") as file:
        file.seek(extent.start)
        while frames:
            count = min(frames, len(content) // form.frame_bytes)
            part = memoryview(content)[: count * form.frame_bytes]
            if file.readinto(part) != len(part):
                raise AudioError(path, "became shorter while it was read", AGAIN)
            yield _decoded(part, form).reshape(count, form.channels)
            frames -= count


def _decoded(content: memoryview, form: _Format) -> Block:
    """Samples of full scale 1."""
    if form.tag == _FLOAT:
        with np.errstate(invalid="ignore"):  # signalling NaNs; NaNs are refused where all formats are
            return np.frombuffer(content, f"<f{form.bits // 8}").astype(np.float64)
    if form.bits != 24:
        return np.frombuffer(content, f"<i{form.bits // 8}") / np.float64(1 << (form.bits - 1))
    wide = np.zeros((len(content) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
    return wide.view("<i4").ravel() / np.float64(1 << 31)
