"""Audio files to integer samples: mono, one sample rate, and the width of the device's microphone.

Files are checked for completeness: a full disk or a broken download leaves a WAV file that is shorter than its header
states, and libsndfile reads it without an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ..errors import AudioError
from .containers import check_complete

SUFFIXES = (".wav", ".ogg", ".flac")

_FORMATS = ("WAV", "WAVEX", "RF64", "OGG", "FLAC")
_EIGHT_BIT = ("PCM_S8", "PCM_U8", "ULAW", "ALAW")
_CONVERT = "convert it to WAV (16, 24, 32 bit or float), Ogg or FLAC"
_BLOCK_FRAMES = 1 << 18


def read_audio(path: str | Path, sample_rate: int, bits: int = 24) -> NDArray[np.int32]:
    """Read an audio file as mono integers.

    Channels are averaged, then resampled with soxr's HQ setting (not if the file has ``sample_rate`` already), then
    rounded to integers, halves away from zero, and saturated. The file is read in blocks, so the memory needed is that
    of the result.

    Parameters
    ----------
    path
        WAV (16, 24, 32 bit or float), Ogg or FLAC, any number of channels, any sample rate.
    sample_rate
        Sample rate of the result, Hz.
    bits
        Width of the result, 2 to 32.

    Returns
    -------
    int32[n]
        ``n`` >= 1 samples in -2^(bits-1) .. 2^(bits-1)-1; full scale of the file is full scale of the result.

    Raises
    ------
    AudioError
        Where the file is missing or unreadable, is shorter than its header states, has no samples, has a sample that is
        not a finite number, or has 8-bit samples.

    Examples
    --------
    >>> samples = read_audio("street.wav", 8000)  # doctest: +SKIP
    >>> windows(samples, 8000).shape  # doctest: +SKIP
    (10, 8000)
    """
    path = Path(path)
    _require_whole_file(path)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:  # as text, the name would have to be UTF-8
            _require_usable(path, file)
            blocks = _resampled(_mono(path, file), file.samplerate, sample_rate)
            pieces = [_to_integers(block, bits) for block in blocks]
    except soundfile.LibsndfileError as error:
        raise AudioError(path, f"not readable as audio ({error.error_string.rstrip('.')})", _CONVERT) from None
    samples = np.concatenate(pieces)
    if not samples.size:
        raise AudioError(path, f"too short for one sample at {sample_rate} Hz", "give a longer recording")
    return samples


def windows(samples: NDArray[np.int32], window_samples: int) -> NDArray[np.int32]:
    """Cut samples into consecutive windows.

    An incomplete last window is dropped. Samples that are too few for one window are padded with zeros to one window.

    Parameters
    ----------
    samples
        int32[n], ``n`` >= 1.
    window_samples
        Length of a window, at least 1.

    Returns
    -------
    int32[max(1, n // window_samples), window_samples]
        A view of ``samples`` where nothing was padded.
    """
    if samples.ndim != 1 or not samples.size:
        raise AudioError("samples", f"shape {samples.shape} is not a row of samples", "pass what read_audio returns")
    count = samples.size // window_samples
    if not count:
        return np.pad(samples, (0, window_samples - samples.size))[np.newaxis]
    return samples[: count * window_samples].reshape(count, window_samples)


def _require_whole_file(path: Path) -> None:
    if path.is_dir():
        raise AudioError(path, "is a folder", "give one audio file")
    try:
        if not path.stat().st_size:
            raise AudioError(path, "the file is empty (0 bytes)", "record or download it again")
        check_complete(path)
    except OSError as error:
        raise AudioError(path, error.strerror or "cannot be opened", "check the path and its permissions") from None


def _require_usable(path: Path, file: soundfile.SoundFile) -> None:
    if file.format not in _FORMATS:
        raise AudioError(path, f"{file.format_info} files are not read", _CONVERT)
    if file.subtype in _EIGHT_BIT:
        raise AudioError(path, f"8-bit samples ({file.subtype_info})", "record again with 16 or 24 bits")
    if not file.frames:
        raise AudioError(path, "no samples", "record or download it again")


def _mono(path: Path, file: soundfile.SoundFile) -> Iterator[NDArray[np.float64]]:
    """Yield the mean of the channels in blocks, full scale 1."""
    start = 0
    for block in file.blocks(_BLOCK_FRAMES, dtype="float64", always_2d=True):
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            problem = f"sample {start + int(np.argmin(finite))} is not a finite number"
            raise AudioError(path, problem, "export it again without NaN and infinity")
        start += len(block)
        yield block.mean(axis=1)
    if start != file.frames:
        problem = f"truncated: the header promises {file.frames:,} samples, the file holds {start:,}"
        raise AudioError(path, problem, "copy, download or record it again")


def _resampled(blocks: Iterator[NDArray[np.float64]], rate_in: int, rate_out: int) -> Iterator[NDArray[np.float64]]:
    """Resample a stream of blocks; the result does not depend on the block size."""
    if rate_in == rate_out:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float64", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0), last=True)


def _to_integers(samples: NDArray[np.float64], bits: int) -> NDArray[np.int32]:
    """Round samples of full scale 1 to integers of ``bits`` bits, halves away from zero, saturated."""
    scale = 1 << (bits - 1)
    rounded = np.copysign(np.floor(np.abs(samples) * scale + 0.5), samples)
    return np.clip(rounded, -scale, scale - 1).astype(np.int32)
