"""Microphones of the synthetic city: a recorder, phones and cheap capsules.

Each device has its own frequency response, compressor and noise floor. Device "a" is the good recorder that made most
of the training material; s4 to s6 occur in the test only and differ from a in another way than b to s3 do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sources import SAMPLE_RATE, Samples, decibels

_COMPRESSOR_BLOCK = 441  # 10 ms
_COMPRESSOR_THRESHOLD_DB = -45.0


@dataclass(frozen=True)
class Device:
    """A microphone.

    Attributes
    ----------
    response
        Corners (Hz, dB) of the frequency response, straight lines over log frequency between them.
    noise_db
        Level of its white noise, dB of full scale.
    ratio
        Ratio of the compressor above -45 dB: 1 changes nothing, 2 halves the level range.
    """

    response: tuple[tuple[float, float], ...]
    noise_db: float
    ratio: float = 1.0


DEVICES = {
    "a": Device(((20, -1), (100, 0), (15000, 0), (22050, -3)), -84),
    "b": Device(((20, -24), (150, -5), (600, 0), (2500, 6), (8000, 0), (22050, -12)), -66, 1.3),
    "c": Device(((20, -18), (90, -6), (400, 3), (1800, -4), (5000, 5), (22050, -20)), -64, 1.4),
    "s1": Device(((20, -12), (200, 4), (700, -5), (2200, 3), (22050, -9)), -70, 1.3),
    "s2": Device(((20, -20), (250, -7), (900, 4), (3500, 8), (22050, -6)), -68, 1.5),
    "s3": Device(((20, -6), (120, 5), (1200, -2), (3000, -8), (22050, -16)), -68, 1.4),
    "s4": Device(((20, -36), (320, -14), (800, 5), (1500, -6), (3200, 12), (22050, -10)), -60, 1.9),
    "s5": Device(((20, 2), (160, 10), (500, -7), (1000, 3), (2600, -14), (22050, -24)), -62, 1.6),
    "s6": Device(((20, -20), (200, -12), (420, 7), (1300, -10), (2000, 7), (3800, -9), (22050, -14)), -58, 2.2),
}


def record_with_device(name: str, sound: Samples, rng: np.random.Generator) -> Samples:
    """Record a sound with a device.

    Parameters
    ----------
    name
        One of TAU's devices.
    sound
        float64[n] at 44.1 kHz, full scale 1.
    rng
        Draws the device's noise.

    Returns
    -------
    float64[n]
        Not clipped.
    """
    device = DEVICES[name]
    frequencies = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)
    corners, gains = np.array(device.response).T
    response = decibels(np.interp(np.log(np.maximum(frequencies, corners[0])), np.log(corners), gains))
    coloured = np.fft.irfft(np.fft.rfft(sound) * response, sound.size)
    return _compress(coloured, device.ratio) + decibels(device.noise_db) * rng.standard_normal(sound.size)


def _compress(samples: Samples, ratio: float) -> Samples:
    """Lower the level above the threshold to 1/ratio of its excess, following the mean square of 10 ms."""
    if ratio == 1:
        return samples
    starts = np.arange(0, samples.size, _COMPRESSOR_BLOCK)
    lengths = np.diff(starts, append=samples.size)
    power = np.add.reduceat(samples**2, starts) / lengths
    excess_db = np.maximum(0, 10 * np.log10(power + 1e-12) - _COMPRESSOR_THRESHOLD_DB)
    gain_db = np.interp(np.arange(samples.size), starts + lengths / 2, excess_db * (1 / ratio - 1))
    return samples * decibels(gain_db)
