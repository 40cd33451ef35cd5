"""Which files are read: WAV (RF64, BW64), Ogg and FLAC, told by their first bytes. All others are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import AudioError
from .decoding import CONVERT, Recording
from .flac import open_flac
from .ogg import open_ogg
from .wav import open_wav

# First bytes of formats that are not read, so that a message can name them.
_OTHERS: Mapping[bytes, str] = {
    b"RIFX": "WAV (RIFX, big-endian)",
    b"FORM": "AIFF or IFF",
    b".snd": "AU",
    b"dns.": "AU",
    b"caff": "CAF",
    b"riff\x2e\x91\xcf\x11": "W64",
    b"ID3": "ID3-tagged (such as MP3)",
    b"2BIT": "AVR",
    b"MATLAB": "MAT5",
    b" paf": "PAF",
    b"fap ": "PAF",
    b"PVF1": "PVF",
    b"\xf0\x7e": "SDS",
    b"\x64\xa3": "IRCAM",
    b"Creative Voice File": "VOC",
    b"NIST_1A": "NIST Sphere",
    b"ALawSoundFile**": "WVE",
    b"Extended Instrument: ": "XI",
    b"\x01\x04": "MPC",
    b"\x30\x26\xb2\x75": "WMA (ASF)",
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"#!AMR": "AMR",
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio",
    b"TTA1": "TTA",
    b"MThd": "MIDI",
    b"ADIF": "AAC",
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
}
_MAGIC_BYTES = 24


def open_recording(path: Path) -> Recording:
    """Recognise an audio file by its content, check its container and prepare to read its samples.

    Raises
    ------
    AudioError
        Where the file is missing, no regular file, of another format, or damaged.
    """
    if path.is_dir():
        raise AudioError(path, "is a folder", "give one audio file")
    try:
        if path.exists() and not path.is_file():
            raise AudioError(path, "is no regular file", "save the recording to a file and give that")
        if not path.stat().st_size:
            raise AudioError(path, "the file is empty (0 bytes)", "record or download it again")
        return _open(path)
    except OSError as error:
        raise AudioError(path, error.strerror or "cannot be opened", "check the path and its permissions") from None


def _open(path: Path) -> Recording:
    with path.open("rb") as file:
        magic = file.read(_MAGIC_BYTES)
        file.seek(0)
        if magic[:4] in (b"RIFF", b"RF64", b"BW64"):
            return open_wav(path, file)
        if magic[:4] == b"fLaC":
            return open_flac(path, file)
    if magic[:4] == b"OggS":
        return open_ogg(path)
    name = next((name for start, name in _OTHERS.items() if magic.startswith(start)), None)
    if magic[4:8] == b"ftyp":
        name = "MP4 (M4A, AAC, ALAC)"
    elif magic[:1] == b"\xff" and magic[1:2] >= b"\xe0":
        name = "MP3, MPEG or AAC"
    if name:
        raise AudioError(path, f"{name} files are not read", CONVERT)
    found = " ".join(f"{octet:02x}" for octet in magic[:8])
    raise AudioError(path, f"not readable as audio (no WAV, FLAC or Ogg file; it begins with {found})", CONVERT)
