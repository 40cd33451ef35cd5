"""Augmentation of waveforms: pitch, tempo, rotation in time, and a random microphone.

Samples are float64, full scale 1. Every function is pure; random numbers come from the generator that is passed in.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float64]

_FFT = 512
_HOP = _FFT // 8
_RESPONSE_TAPS = 1024
_RESPONSE_CORNERS = 7
_LOWEST_CORNER_HZ = 100.0


def shift_time(samples: Samples, count: int) -> Samples:
    """Rotate samples by ``count``: those that leave at the end enter at the beginning."""
    return np.roll(samples, count)


def stretch_time(samples: Samples, rate: float) -> Samples:
    """Change the tempo and keep the pitch, by a phase vocoder (Flanagan and Golden 1966; Laroche and Dolson 1999).

    Magnitudes of neighbouring spectra are interpolated; each bin's phase advances as in the original.

    Parameters
    ----------
    samples
        float64[n], n >= 1.
    rate
        Factor of the tempo, over 0; 2 is twice as fast.

    Returns
    -------
    float64[round(n / rate)]
    """
    if rate == 1:
        return samples.copy()
    spectra = _analyse(samples)
    position = np.arange(0, len(spectra) - 1, rate)
    before = position.astype(np.int64)
    weight = (position - before)[:, np.newaxis]
    magnitude = (1 - weight) * np.abs(spectra[before]) + weight * np.abs(spectra[before + 1])
    advance = np.angle(spectra[before + 1] * np.conj(spectra[before]))
    # A phase difference is known modulo 2 pi: take the value nearest to the advance at the bin's centre frequency.
    middle = 2 * np.pi * _HOP * np.arange(_FFT // 2 + 1) / _FFT
    advance = middle + np.angle(np.exp(1j * (advance - middle)))
    phase = np.angle(spectra[0]) + np.concatenate([np.zeros_like(advance[:1]), np.cumsum(advance[:-1], axis=0)])
    return _synthesise(magnitude * np.exp(1j * phase), max(1, round(samples.size / rate)))


def shift_pitch(samples: Samples, semitones: float) -> Samples:
    """Move every frequency by a factor of 2^(semitones / 12) and keep the duration.

    Parameters
    ----------
    samples
        float64[n], n >= 1.
    semitones
        Upwards where positive.

    Returns
    -------
    float64[n]
    """
    if semitones == 0:
        return samples.copy()
    factor = 2 ** (semitones / 12)
    slow = stretch_time(samples, 1 / factor)
    return fit_length(soxr.resample(slow, factor, 1.0, quality="HQ"), samples.size)


def fit_length(samples: Samples, count: int) -> Samples:
    """Cut samples to ``count``, or repeat them from their start up to ``count``, so that no silence is added."""
    return np.resize(samples, count) if samples.size else np.zeros(count)


def device_response(generator: np.random.Generator, sample_rate: int, spread_db: float) -> Samples:
    """Draw the impulse response of a random microphone.

    Gains at corners over log frequency are normally distributed and joined by straight lines. The response has minimum
    phase (by the folded cepstrum, Oppenheim and Schafer) and keeps the power of white noise.

    Parameters
    ----------
    generator
        Draws the gains.
    sample_rate
        Hz.
    spread_db
        Standard deviation of the gains, dB.

    Returns
    -------
    float64[1024]
        Impulse response of unit energy.
    """
    top = sample_rate / 2
    corners = np.geomspace(_LOWEST_CORNER_HZ, top, _RESPONSE_CORNERS)
    gains = generator.normal(0, spread_db, _RESPONSE_CORNERS)
    size = 4 * _RESPONSE_TAPS
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / sample_rate), _LOWEST_CORNER_HZ)
    decibels = np.interp(np.log(frequencies), np.log(corners), gains)
    cepstrum = np.fft.irfft(decibels * np.log(10) / 20, size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:_RESPONSE_TAPS]
    return np.asarray(response / np.sqrt(np.sum(response**2)))


def convolve(samples: Samples, response: Samples) -> Samples:
    """Linear convolution, cut to the length of ``samples``."""
    size = samples.size + response.size - 1
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: samples.size])


def _window() -> Samples:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)


def _analyse(samples: Samples) -> NDArray[np.complex128]:
    """Spectra every ``_HOP`` samples, centred: (frames, bins)."""
    count = -(-samples.size // _HOP) + 1
    padded = np.pad(samples, (_FFT // 2, count * _HOP + _FFT - samples.size))
    starts = np.arange(count + 1)[:, np.newaxis] * _HOP
    return np.fft.rfft(padded[starts + np.arange(_FFT)] * _window())


def _synthesise(spectra: NDArray[np.complex128], count: int) -> Samples:
    """Overlap and add, by least squares (Griffin and Lim 1984), to ``count`` samples."""
    window = _window()
    pieces = np.fft.irfft(spectra, _FFT) * window
    size = max((len(pieces) - 1) * _HOP + _FFT, count + _FFT // 2)
    total, weight = np.zeros(size), np.zeros(size)
    for number, piece in enumerate(pieces):
        place = slice(number * _HOP, number * _HOP + _FFT)
        total[place] += piece
        weight[place] += window**2
    return (total / np.maximum(weight, 1e-3))[_FFT // 2 : _FFT // 2 + count]
