"""Sound sources of the synthetic city: air, engines, voices, knocks, chirps, beeps, chords.

Every public function but :func:`decibels` returns a *source*: a function of a random generator and a number of samples
n at 44.1 kHz that returns float64[n] with a root mean square of 1 (or silence). Its parameters are ranges; the
generator, seeded by location, draws from them, so that two locations of a scene differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44_100

Samples = NDArray[np.float64]
Spectrum = NDArray[np.float64]
Range = tuple[float, float]
Source = Callable[[np.random.Generator, int], Samples]


def decibels(value: float | Samples) -> Samples:
    """Amplitude factor of a level in dB."""
    return np.asarray(10.0 ** (np.asarray(value) / 20))


def air(tilt: float, *, hump: tuple[float, float] = (1000, 0), swell_hz: float = 0.5, swell_db: float = 2) -> Source:
    """Noise with a slope of ``tilt`` dB per octave, a hump of (Hz, dB), and a random swell.

    The hump is an octave and a half wide; hump and slope vary a little with the location.
    """

    def source(rng: np.random.Generator, n: int) -> Samples:
        slope = tilt + rng.normal(0, 0.8)
        centre = hump[0] * 2 ** rng.normal(0, 0.25)

        def shape(octaves: Spectrum) -> Spectrum:
            distance = octaves - np.log2(centre / 1000)
            return decibels(slope * octaves + hump[1] * np.exp(-0.5 * (distance / 0.75) ** 2))

        return _unit(_noise(rng, n, shape) * _swell(rng, n, swell_hz, swell_db))

    return source


def engine(pitch: Range, harmonics: int, fall_db: float, drift: float) -> Source:
    """An engine: partials of a pitch in Hz, each ``fall_db`` weaker than the last, with a relative pitch drift."""

    def source(rng: np.random.Generator, n: int) -> Samples:
        pitch_hz = rng.uniform(*pitch) * (1 + drift * _wander(rng, n, 0.7))
        phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
        total = np.zeros(n)
        for number in range(1, harmonics + 1):
            gain = decibels(-fall_db * (number - 1) + rng.normal(0, 3))
            total += gain * np.sin(number * phase + rng.uniform(0, 2 * np.pi))
        return _unit(total)

    return source


def voices(count: Range, *, loudest_db: float = 6) -> Source:
    """Talking people: glottal pulses through three formants, in syllables; one voice is ``loudest_db`` louder."""

    def source(rng: np.random.Generator, n: int) -> Samples:
        total = np.zeros(n)
        for number in range(round(rng.uniform(*count))):
            pitch = rng.uniform(90, 240) * (1 + 0.08 * _wander(rng, n, 3))
            pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0.0)
            formants = rng.uniform((350, 900, 2100), (800, 1900, 3000))
            voice = _ring(pulses, formants, (8, 10, 14))
            syllables = np.clip(_wander(rng, n, rng.uniform(3, 5)) + 0.4, 0, None)
            total += decibels(loudest_db if number == 0 else 0) * _unit(voice * syllables)
        return _unit(total)

    return source


def knocks(rate: Range, modes: Range, *, quality: float = 5, jitter: float = 0.15, double: float = 0) -> Source:
    """Steps, rattles, rail joints: impulses at ``rate`` per second through two resonances in Hz of a quality factor.

    ``jitter`` is a part of the period; ``double`` adds a second knock this many seconds after each.
    """

    def source(rng: np.random.Generator, n: int) -> Samples:
        period = SAMPLE_RATE / rng.uniform(*rate)
        starts = np.arange(rng.uniform(0, period), n, period)
        starts = starts + rng.normal(0, jitter * period, starts.size)
        impulses = np.zeros(n)
        for shift in (0, double) if double else (0,):
            at = np.clip(starts + shift * SAMPLE_RATE, 0, n - 1).astype(int)
            impulses[at] += rng.lognormal(0, 0.5, at.size)
        return _unit(_ring(impulses, rng.uniform(modes[0], modes[1], 2), (quality, quality)))

    return source


def chirps(rate: Range, band: Range, seconds: Range) -> Source:
    """Birds: sweeps within a band of Hz, ``rate`` per second, each ``seconds`` long."""

    def source(rng: np.random.Generator, n: int) -> Samples:
        total = np.zeros(n)
        song = np.sort(rng.uniform(*band, (3, 2)), axis=0)
        for _ in range(rng.poisson(rng.uniform(*rate) * n / SAMPLE_RATE)):
            low, high = song[rng.integers(3)]
            _add(total, rng, _sweep(low, high, rng.uniform(*seconds)) * rng.lognormal(0, 0.6))
        return _unit(total)

    return source


def beeps(pitch: Range, seconds: float, gap: Range) -> Source:
    """Door signals, gongs, bells: a tone of a pitch in Hz for ``seconds``, repeated after a gap in seconds."""

    def source(rng: np.random.Generator, n: int) -> Samples:
        tone, wait = rng.uniform(*pitch), rng.uniform(*gap)
        time = (np.arange(n) / SAMPLE_RATE + rng.uniform(0, wait)) % (seconds + wait)
        partials = np.sin(2 * np.pi * tone * time) + 0.4 * np.sin(2 * np.pi * 2.4 * tone * time)
        return _unit(np.where(time < seconds, partials * np.exp(-2 * time / seconds), 0.0))

    return source


def chords(beat: Range) -> Source:
    """Music: three notes with four partials each, changing at a beat in Hz."""

    def source(rng: np.random.Generator, n: int) -> Samples:
        time = np.arange(n) / SAMPLE_RATE
        bar = np.floor(time * rng.uniform(*beat)).astype(int)
        total = np.zeros(n)
        for _ in range(3):
            notes = 196 * 2 ** (rng.integers(0, 25, bar[-1] + 1) / 12)
            phase = 2 * np.pi * np.cumsum(notes[bar]) / SAMPLE_RATE
            total += sum(np.sin(partial * phase) / partial for partial in (1, 2, 3, 4))
        return _unit(total)

    return source


def _unit(samples: Samples) -> Samples:
    level = float(np.sqrt(np.mean(samples**2)))
    return samples / level if level else samples


def _noise(rng: np.random.Generator, n: int, shape: Callable[[Spectrum], Spectrum]) -> Samples:
    """Gaussian noise whose amplitude spectrum is ``shape`` of the octaves above 1 kHz; nothing below 20 Hz."""
    frequencies = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    gain = np.where(frequencies < 20, 0.0, shape(np.log2(np.maximum(frequencies, 20) / 1000)))
    noise = rng.standard_normal((2, frequencies.size))
    return np.fft.irfft((noise[0] + 1j * noise[1]) * gain, n)


def _ring(samples: Samples, modes: Sequence[float] | Samples, qualities: Sequence[float]) -> Samples:
    """Filter samples by parallel resonators, each of a frequency in Hz and a quality factor."""
    frequencies = np.maximum(np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE), 1e-3)
    response = np.zeros(frequencies.size, complex)
    for centre, quality in zip(modes, qualities, strict=True):
        response += 1 / (1 + 1j * quality * (frequencies / centre - centre / frequencies))
    return np.fft.irfft(np.fft.rfft(samples) * response, samples.size)


def _wander(rng: np.random.Generator, n: int, rate: float) -> Samples:
    """Gaussian values at ``rate`` per second, joined by straight lines."""
    knots = 2 + int(np.ceil(n * rate / SAMPLE_RATE))
    return np.interp(np.arange(n) * rate / SAMPLE_RATE, np.arange(knots), rng.standard_normal(knots))


def _swell(rng: np.random.Generator, n: int, rate: float, depth_db: float) -> Samples:
    return decibels(depth_db * _wander(rng, n, rate))


def _sweep(low: float, high: float, seconds: float) -> Samples:
    n = max(2, int(seconds * SAMPLE_RATE))
    return np.hanning(n) * np.sin(2 * np.pi * np.cumsum(np.linspace(low, high, n)) / SAMPLE_RATE)


def _add(total: Samples, rng: np.random.Generator, sound: Samples) -> None:
    """Add a sound at a random position, cut off at the end."""
    start = int(rng.integers(total.size))
    part = sound[: total.size - start]
    total[start : start + part.size] += part
