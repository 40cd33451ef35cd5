"""Audio files to integer samples: mono, one sample rate, and the width of the device's microphone.

All commands read audio here. The readers of the containers count samples instead of believing a header.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from ..core.notes import note
from ..errors import AudioError
from .containers import open_recording
from .decoding import AGAIN, Recording

SUFFIXES = (".wav", ".ogg", ".flac")
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000  # Hz; they bound what a small file can become

_MOST_SAMPLES = 1 << 28  # of a result, 1 GiB: a few kB of FLAC can hold hours of silence
_LARGEST = 2.0**32  # larger values are no audio, and their sums leave float64
_LOUD = 2.0


def read_audio(
    path: str | Path, sample_rate: int, bits: int = 24, *, span: tuple[float, float] | None = None
) -> NDArray[np.int32]:
    """Read an audio file as mono integers.

    Channels are averaged, then resampled with soxr's HQ setting (not if the file has ``sample_rate`` already), then
    rounded to integers, halves away from zero, and saturated. The file is read in blocks, so the memory needed is that
    of the result. A file whose header is wrong on a length that does not matter is read, with an ``InputNote``.

    Parameters
    ----------
    path
        WAV, RF64 or BW64 (16, 24, 32 bit or float), FLAC (16 or 24 bit) or Ogg (Vorbis or Opus), told by its content;
        any number of channels, ``LOWEST_RATE`` to ``HIGHEST_RATE``.
    sample_rate
        Sample rate of the result, Hz.
    bits
        Width of the result, 2 to 32.
    span
        Start and end in seconds of the part to read, as if it were a file of its own; None for the whole file. What
        follows the part is not read, and not checked. An end after the file's is the file's.

    Returns
    -------
    int32[n]
        ``n`` >= 1 samples in -2^(bits-1) .. 2^(bits-1)-1; full scale of the file is full scale of the result.

    Raises
    ------
    AudioError
        Where the file is missing, unreadable, of another format, damaged or cut short; where it has no samples, a
        sample that is not a finite number, 8-bit samples, or a sample rate out of range; where the result would have
        more than 2^28 samples; where ``span`` begins after the end.

    Examples
    --------
    >>> samples = read_audio("street.wav", 8000)  # doctest: +SKIP
    >>> windows(samples, 8000).shape  # doctest: +SKIP
    (10, 8000)
    """
    recording = open_recording(Path(path))
    return _converted(recording if span is None else _part(recording, span), sample_rate, bits)


def _part(recording: Recording, span: tuple[float, float]) -> Recording:
    """Part of a recording, from the sample nearest to each time."""
    first, last = (math.floor(seconds * recording.rate + 0.5) for seconds in span)

    def blocks() -> Iterator[NDArray[np.float64]]:
        start = 0
        for block in recording.blocks:
            part = block[max(first - start, 0) : max(last - start, 0)]
            start += len(block)
            if len(part):
                yield part
            if start >= last:
                return
        if start <= first:
            problem = f"ends after {start / recording.rate:g} s, before the part from {span[0]:g} s"
            raise AudioError(recording.path, problem, "correct the part's times")

    return replace(recording, blocks=blocks())


def convert_audio(samples: NDArray[Any], rate: int, sample_rate: int, bits: int = 24) -> NDArray[np.int32]:
    """Convert samples in memory as :func:`read_audio` converts those of a file.

    Parameters
    ----------
    samples
        (n,) or (n, channels), n >= 1: floats of full scale 1, or int16 or int32 whose full scale is that of the type.
        Samples of 24 bits in int32 are shifted left by 8 first.
    rate
        Their sample rate, Hz.
    sample_rate, bits
        Of the result, as of :func:`read_audio`, which also describes the result.

    Raises
    ------
    AudioError
        The array has another type or shape, or what :func:`read_audio` refuses in a file.
    """
    values = np.asarray(samples)
    if values.dtype.kind != "f" and values.dtype not in (np.int16, np.int32):
        raise AudioError("samples", f"are {values.dtype}", "give floats of full scale 1, int16 or int32")
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise AudioError("samples", f"have shape {values.shape}", "give (n,) or (n, channels)")
    full = 1.0 if values.dtype.kind == "f" else float(1 << (8 * values.dtype.itemsize - 1))
    block = values.astype(np.float64).reshape(len(values), -1) / full
    return _converted(Recording(Path("samples"), rate, iter((block,))), sample_rate, bits)


def _converted(recording: Recording, sample_rate: int, bits: int) -> NDArray[np.int32]:
    path = recording.path
    if not LOWEST_RATE <= recording.rate <= HIGHEST_RATE:
        problem = f"states a sample rate of {recording.rate:,} Hz; {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz are read"
        raise AudioError(path, problem, "resample it, or correct its header")
    result = bytearray()  # grows in place, where a list of arrays would need twice the memory at its end
    try:
        for block in _resampled(_mono(recording, sample_rate), recording.rate, sample_rate):
            result += to_integers(block, bits).tobytes()
    except OSError as error:
        raise AudioError(path, error.strerror or "cannot be read", AGAIN) from None
    if not result:
        raise AudioError(path, f"too short for one sample at {sample_rate} Hz", "give a longer recording")
    return np.frombuffer(result, np.int32)


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


def _mono(recording: Recording, sample_rate: int) -> Iterator[NDArray[np.float64]]:
    """Yield the mean of the channels in blocks, full scale 1, of samples that are usable."""
    path, count, peak = recording.path, 0, 0.0
    for block in recording.blocks:
        extreme = np.abs(block).max(axis=1)  # NaN where any channel is
        usable = extreme <= _LARGEST
        if not usable.all():
            first = int(np.argmin(usable))
            kind = f"{extreme[first]:.3g} times full scale" if np.isfinite(extreme[first]) else "not a finite number"
            problem = f"sample {count + first} is {kind}"
            raise AudioError(path, problem, "export it again with full scale 1, without NaN and infinity")
        count, peak = count + len(block), max(peak, float(extreme.max()))
        if count * sample_rate > _MOST_SAMPLES * recording.rate:
            problem = f"longer than {_MOST_SAMPLES / sample_rate / 60:,.0f} minutes, the most that is read at "
            raise AudioError(path, f"{problem}{sample_rate:,} Hz", "cut it into shorter files")
        yield block.mean(axis=1)
    if not count:
        raise AudioError(path, "no samples", "record or download it again")
    if peak > _LOUD and not recording.lossy:
        note(path, f"samples reach {peak:,.6g} times full scale and are limited to it; export it with full scale 1")


def _resampled(blocks: Iterator[NDArray[np.float64]], rate_in: int, rate_out: int) -> Iterator[NDArray[np.float64]]:
    """Resample a stream of blocks; the result does not depend on the block size."""
    if rate_in == rate_out:
        yield from blocks
        return
    stream = _stream(rate_in, rate_out)
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0), last=True)


def _stream(rate_in: int, rate_out: int) -> soxr.ResampleStream:
    return soxr.ResampleStream(rate_in, rate_out, 1, dtype="float64", quality="HQ")


def resampler(rate_in: int, rate_out: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Make a function that resamples blocks of an endless stream, (n,) to (m,), as :func:`read_audio` does."""
    if rate_in == rate_out:
        return lambda block: block
    stream = _stream(rate_in, rate_out)
    return lambda block: np.asarray(stream.resample_chunk(block))


def to_integers(samples: NDArray[np.float64], bits: int) -> NDArray[np.int32]:
    """Round samples of full scale 1 to integers of ``bits`` bits, halves away from zero, saturated."""
    scale = 1 << (bits - 1)
    rounded = np.copysign(np.floor(np.abs(samples) * scale + 0.5), samples)
    return np.clip(rounded, -scale, scale - 1).astype(np.int32)
