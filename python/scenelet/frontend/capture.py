"""Audio files as the front end hears them: directly, or through the decimator of a device's microphone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data import audio
from ..errors import AudioError
from .decimator_native import Decimator

CAPTURE_BITS = 24


def read_capture(path: str | Path, config: FrontendConfig) -> NDArray[np.int32]:
    """Read an audio file at the front end's rate and width.

    With ``capture_rate`` it is resampled to that rate, 24 bits, which stands for the microphone, and then decimated
    by the firmware's own C, from silence on; a width of 16 bits is rounded to at the very end.

    Returns
    -------
    int32 (n,), n >= 1
        Samples of ``config.sample_bits`` bits at ``config.sample_rate``.

    Raises
    ------
    AudioError
        See :func:`scenelet.data.audio.read_audio`; or nothing is left of a file that is too short.
    """
    return read_samples(path, config.sample_rate, config.sample_bits, config.capture_rate)


def read_samples(path: str | Path, rate: int, bits: int, capture_rate: int | None) -> NDArray[np.int32]:
    """See :func:`read_capture`; the same where only a device's ``info`` says how it hears."""
    if capture_rate is None:
        return audio.read_audio(path, rate, bits)
    captured = audio.read_audio(path, capture_rate, CAPTURE_BITS)
    samples = Decimator(capture_rate, rate).push(captured)
    if not samples.size:
        raise AudioError(path, f"too short for one sample at {rate} Hz", "give a longer recording")
    drop = CAPTURE_BITS - bits
    if not drop:
        return samples
    limit = 1 << (bits - 1)
    return ((samples + (1 << (drop - 1))) >> drop).clip(-limit, limit - 1).astype(np.int32)
