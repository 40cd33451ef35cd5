"""Recorded impulse responses of devices, from a folder of audio files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.files import sha256
from ...errors import AudioError, InputError
from .. import audio
from .waveform import Samples

_BITS = 24
_MOST_SECONDS = 2.0  # a device's response is short; longer files are rooms or no responses at all


@dataclass(frozen=True, slots=True)
class Response:
    """A file and the hash of its content, by which features are cached."""

    path: str
    sha256: str


def list_responses(folder: str) -> list[Response]:
    """Responses in a folder, by name; none for "".

    Raises
    ------
    InputError
        Where the folder is missing or holds no audio file.
    """
    if not folder:
        return []
    root = Path(folder)
    found = sorted(path for path in root.glob("*") if path.suffix.lower() in audio.SUFFIXES and path.is_file())
    if not found:
        problem = "holds no audio file" if root.is_dir() else "no such folder"
        raise InputError(root, problem, "give key 'augmentation.impulse_response_folder' a folder of impulse responses")
    return [Response(str(path), sha256(path)) for path in found]


@lru_cache(maxsize=256)
def read_response(path: str, sample_rate: int) -> Samples:
    """Read a response at a sample rate, from its largest sample on: float64 (n,), of unit energy.

    So, like a simulated response, it keeps the power of white noise, and delays nothing.

    Raises
    ------
    AudioError
        Where the file cannot be read, is silent, or is longer than 2 s.
    """
    samples = audio.read_audio(path, sample_rate, _BITS).astype(np.float64)
    if samples.size > _MOST_SECONDS * sample_rate:
        problem = f"lasts {samples.size / sample_rate:.1f} s, which no device's impulse response does"
        raise AudioError(path, problem, f"cut it to {_MOST_SECONDS:g} s or remove it")
    if not samples.any():
        raise AudioError(path, "is silent", "remove it from the impulse responses")
    direct = samples[int(np.abs(samples).argmax()) :]
    return np.asarray(direct / np.sqrt(np.sum(direct**2)))
