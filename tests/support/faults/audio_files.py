"""Audio files that are nearly right: fields, chunks, pages and bytes of WAV, FLAC and Ogg changed."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import soundfile
from changes import WORDS, Chance, change_bytes, pick

from scenelet.data.ogg import checksum

_FORMS = (
    ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAV", "PCM_U8"),
    ("WAV", "ULAW"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAVEX", "PCM_16"), ("WAVEX", "FLOAT"),
    ("RF64", "PCM_16"), ("RF64", "PCM_24"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("FLAC", "PCM_S8"),
    ("OGG", "VORBIS"), ("OGG", "OPUS"), ("AIFF", "PCM_16"), ("W64", "PCM_16"), ("CAF", "PCM_16"), ("AU", "PCM_16"),
)  # fmt: skip
_READ = 18
"""The first forms are of formats that are read."""
_RATES, _CHANNELS, _FRAMES = (8000, 16_000, 32_000, 44_100, 48_000), (1, 1, 2, 6), (1, 37, 700, 4000, 12_000)
_CHUNK = struct.Struct("<4sI")
_PAGE = struct.Struct("<4sBBqIIIB")


@cache
def _whole(form: int, rate: int, channels: int, frames: int, noise: bool) -> bytes:
    kind, subtype = _FORMS[form]
    if subtype == "OPUS":
        rate = 48_000
    if subtype == "GSM610":
        channels = 1
    values = np.random.default_rng(0).normal(0, 0.1, (frames, channels)) if noise else np.zeros((frames, channels))
    content = io.BytesIO()
    try:
        soundfile.write(content, values, rate, format=kind, subtype=subtype)
    except soundfile.SoundFileError:  # a codec that lacks this rate or number of channels
        soundfile.write(content := io.BytesIO(), values[:, 0], 8000, format=kind, subtype=subtype)
    return content.getvalue()


def audio_file(seed: int) -> bytes:
    """A damaged or odd audio file; a function of the seed."""
    chance = np.random.default_rng(seed)
    form = int(chance.integers(len(_FORMS) if chance.random() < 0.1 else _READ))
    shape = tuple(pick(chance, values) for values in (_RATES, _CHANNELS, _FRAMES))
    whole = _whole(form, *shape, bool(chance.random() < 0.7))
    kind = chance.random()
    if kind < 0.35:
        return change_bytes(chance, whole, head=96)
    if whole[:4] == b"OggS":
        return _ogg_changed(chance, whole)
    if whole[:4] in (b"RIFF", b"RF64"):
        return _riff_changed(chance, whole)
    if whole[:4] == b"fLaC":
        return _flac_changed(chance, whole)
    return change_bytes(chance, whole, head=64)


def _riff_changed(chance: Chance, whole: bytes) -> bytes:
    """Chunks resized, repeated, removed, put in another order, cut; a field of the format changed."""
    chunks, start = [], 12
    while start + 8 <= len(whole):
        name, size = _CHUNK.unpack_from(whole, start)
        end = min(len(whole), start + 8 + size + size % 2) if size < 2**31 else len(whole)
        chunks.append([name, size, whole[start + 8 : end]])
        start = end
    for _ in range(int(chance.integers(1, 4))):
        place = int(chance.integers(len(chunks)))
        name, size, body = chunks[place]
        kind = chance.random()
        if kind < 0.25:
            chunks[place][1] = int(pick(chance, (*WORDS, size + 1, size - 1, 2 * size, len(whole)))) % 2**32
        elif kind < 0.35:
            chunks.insert(int(chance.integers(len(chunks) + 1)), [name, size, body])
        elif kind < 0.45 and len(chunks) > 1:
            del chunks[place]
        elif kind < 0.55:
            new = pick(chance, (b"LIST", b"fact", b"bext", b"JUNK", b"data", b"fmt ", b"\0\0\0\0", b"ds64", b"PEAK"))
            length = int(pick(chance, (0, 1, 2, 3, 4, 28, 100)))
            chunks.insert(int(chance.integers(len(chunks) + 1)), [new, length, bytes(length + length % 2)])
        elif kind < 0.65:
            chunks.reverse()
        elif kind < 0.75:
            chunks[place][2] = body[: int(chance.integers(len(body) + 1))]
        else:
            chosen = next((chunk for chunk in chunks if chunk[0] in (b"fmt ", b"ds64")), chunks[place])
            fields = bytearray(chosen[2])
            width = int(pick(chance, (2, 4)))
            if len(fields) >= width:
                at = width * int(chance.integers(len(fields) // width))
                fields[at : at + width] = (int(pick(chance, WORDS)) % 256**width).to_bytes(width, "little")
            chosen[2] = bytes(fields)
    content = b"".join(_CHUNK.pack(name, size) + body for name, size, body in chunks)
    stated = 4 + len(content) if chance.random() < 0.7 else int(pick(chance, WORDS))
    head = whole[:4] if chance.random() < 0.9 else pick(chance, (b"RIFF", b"RF64", b"BW64", b"RIFX"))
    return head + struct.pack("<I", stated) + whole[8:12] + content


def _ogg_changed(chance: Chance, whole: bytes) -> bytes:
    """Pages changed, removed, repeated and exchanged; most with a right checksum, so that the codec sees the change."""
    pages, start = [], 0
    while start < len(whole):
        segments = whole[start + 26]
        end = start + 27 + segments + sum(whole[start + 27 : start + 27 + segments])
        pages.append(bytearray(whole[start:end]))
        start = end
    for _ in range(int(chance.integers(1, 4))):
        place, kind = int(chance.integers(len(pages))), chance.random()
        page = pages[place]
        if kind < 0.4:
            at = 27 + page[26] + int(chance.integers(max(1, len(page) - 27 - page[26])))
            if at < len(page):
                page[at] ^= int(chance.integers(1, 256))
        elif kind < 0.7:
            at, width = pick(chance, ((4, 1), (5, 1), (6, 8), (14, 4), (18, 4), (26, 1), (27, 1)))
            if at < len(page):
                page[at : at + width] = (int(pick(chance, WORDS)) % 256**width).to_bytes(width, "little")
        elif kind < 0.8 and len(pages) > 1:
            del pages[place]
        elif kind < 0.9:
            pages.insert(place, bytearray(page))
        else:
            other = int(chance.integers(len(pages)))
            pages[place], pages[other] = pages[other], pages[place]
    again = chance.random() < 0.9
    for number, page in enumerate(pages):
        if again and len(page) >= 27:
            if chance.random() < 0.9:
                page[18:22] = number.to_bytes(4, "little")
            page[22:26] = bytes(4)
            page[22:26] = checksum(bytes(page)).to_bytes(4, "little")
    return b"".join(map(bytes, pages))


def _flac_changed(chance: Chance, whole: bytes) -> bytes:
    """Fields of STREAMINFO and of the metadata blocks changed; then bytes of the frames."""
    damaged = bytearray(whole)
    kind = chance.random()
    if kind < 0.6:
        at = 8 + int(chance.integers(34))
        damaged[at] = int(pick(chance, (0, 1, 15, 16, 127, 128, 240, 255))) if kind < 0.4 else damaged[at] ^ 1
    elif kind < 0.75:
        damaged[4] = int(pick(chance, (0, 1, 4, 127, 128, 129, 132, 255)))
    elif kind < 0.85:
        damaged[5:8] = (int(pick(chance, WORDS)) % 2**24).to_bytes(3, "big")
    else:
        return change_bytes(chance, whole)
    return bytes(damaged) if chance.random() < 0.8 else change_bytes(chance, bytes(damaged))
