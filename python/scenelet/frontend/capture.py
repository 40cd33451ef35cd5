"""Audio files as input of the front end: directly, or through the decimator of a device's microphone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data import audio
from ..data.dataset import Clip
from ..errors import AudioError
from .decimator_native import Decimator

CAPTURE_BITS = 24


def read_capture(path: str | Path, config: FrontendConfig) -> NDArray[np.int32]:
    """Read an audio file at the front end's rate and width.

    With ``capture_rate``, the file is resampled to that rate at 24 bits, in place of the microphone, and then decimated
    by the firmware's C, which starts from silence. A width of 16 bits is rounded to at the end.

    Returns
    -------
    int32 (n,), n >= 1
        Samples of ``config.sample_bits`` bits at ``config.sample_rate``.

    Raises
    ------
    AudioError
        See :func:`scenelet.data.audio.read_audio`; also where the file is too short for one sample.
    """
    return read_samples(path, config.sample_rate, config.sample_bits, config.capture_rate)


def read_clip(clip: Clip, config: FrontendConfig) -> NDArray[np.int32]:
    """Read a clip of a data set as :func:`read_capture` reads a file: of a part, as if it were a file of its own.

    Raises
    ------
    AudioError
        As there, and where a part begins after the end of its file.
    """
    read = partial(audio.read_audio, clip.path, span=clip.span)
    subject = clip.named(str(clip.path))
    return _captured(subject, read, config.sample_rate, config.sample_bits, config.capture_rate)


def read_samples(path: str | Path, rate: int, bits: int, capture_rate: int | None) -> NDArray[np.int32]:
    """Read as :func:`read_capture` does, with the settings that a device's ``info`` reports."""
    return _captured(path, partial(audio.read_audio, path), rate, bits, capture_rate)


def capture(samples: NDArray[Any], rate: int, config: FrontendConfig) -> NDArray[np.int32]:
    """Convert samples in memory as :func:`read_capture` does those of a file.

    Parameters
    ----------
    samples, rate
        As :func:`scenelet.data.audio.convert_audio` takes them.

    Raises
    ------
    AudioError
        As there, and where they are too few for one sample of the front end.
    """
    convert = partial(audio.convert_audio, samples, rate)
    return _captured("samples", convert, config.sample_rate, config.sample_bits, config.capture_rate)


def _captured(
    subject: object, read: Callable[[int, int], NDArray[np.int32]], rate: int, bits: int, capture_rate: int | None
) -> NDArray[np.int32]:
    if capture_rate is None:
        return read(rate, bits)
    captured = read(capture_rate, CAPTURE_BITS)
    samples = Decimator(capture_rate, rate).push(captured)
    if not samples.size:
        raise AudioError(subject, f"too short for one sample at {rate} Hz", "give a longer recording")
    return narrowed(samples, bits)


def narrowed(samples: NDArray[np.int32], bits: int) -> NDArray[np.int32]:
    """Round samples of 24 bits to fewer, as the firmware does behind its decimator."""
    drop = CAPTURE_BITS - bits
    if not drop:
        return samples
    limit = 1 << (bits - 1)
    return ((samples + (1 << (drop - 1))) >> drop).clip(-limit, limit - 1).astype(np.int32)


class Intake:
    """A microphone's blocks as input of the front end, as :func:`read_capture` reads a file.

    Parameters
    ----------
    rate
        Sample rate of the blocks, Hz.
    """

    def __init__(self, rate: int, config: FrontendConfig) -> None:
        wanted = config.capture_rate or config.sample_rate
        self._bits = config.sample_bits
        self._resample = audio.resampler(rate, wanted)
        self._decimator = Decimator(wanted, config.sample_rate) if config.capture_rate else None

    def push(self, block: NDArray[np.float32]) -> NDArray[np.int32]:
        """Convert (n,) or (n, channels) floats of full scale 1; returns int32 (m,) of the front end's rate and width.

        What is no number counts as silence.
        """
        mono = np.nan_to_num(block.reshape(len(block), -1).astype(np.float64)).mean(axis=1)
        samples = self._resample(mono)
        if self._decimator is None:
            return audio.to_integers(samples, self._bits)
        return narrowed(self._decimator.push(audio.to_integers(samples, CAPTURE_BITS)), self._bits)
