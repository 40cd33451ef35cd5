"""Test signals for a front end: synthetic edge cases, and signals that resemble recordings.

All signals are seeded integers, so that a report can be reproduced exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float64]

LEVELS_DB = (0, -10, -20, -30, -40, -50, -60, -70, -80)
_SEEDS = 3


@dataclass(frozen=True)
class Signal:
    """One clip: its kind, its peak level in dB of full scale, and int32 samples of 16 or 24 bits."""

    kind: str
    level_db: int
    samples: NDArray[np.int32]

    @property
    def natural(self) -> bool:
        """Whether it resembles a recording: every band has some noise, as with any microphone."""
        return self.kind in NATURAL


def trial_signals(sample_rate: int, samples: int, bits: int, seed: int = 0) -> list[Signal]:
    """Signals of all kinds at all levels, and silence.

    Parameters
    ----------
    sample_rate, samples
        Hz, and length of a clip.
    bits
        Width of the samples, 16 or 24.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / sample_rate
    signals = [Signal("silence", -200, np.zeros(samples, np.int32))]
    for kind, make in KINDS.items():
        for level in LEVELS_DB:
            for _ in range(_SEEDS):
                wave = make(time, sample_rate, rng)
                signals.append(Signal(kind, level, _integers(wave / np.abs(wave).max() * 10 ** (level / 20), bits)))
    return signals


def _integers(wave: Wave, bits: int) -> NDArray[np.int32]:
    full = 1 << (bits - 1)
    return np.clip(np.rint(wave * full), -full, full - 1).astype(np.int32)


def _white(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    del sample_rate
    return rng.standard_normal(time.size)


def _tone(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    frequency = rng.uniform(0.005, 0.495) * sample_rate
    return np.asarray(np.sin(2 * np.pi * frequency * time + rng.uniform(0, 6.28)))


def _chirp(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    first, last = rng.uniform(0.005, 0.495, 2) * sample_rate
    return np.asarray(np.sin(2 * np.pi * (first * time + (last - first) * time**2 / (2 * time[-1]))))


def _clicks(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    del sample_rate
    wave = np.zeros(time.size)
    wave[rng.integers(0, time.size, 8)] = rng.choice([-1.0, 1.0], 8)
    return wave


def _clipped(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    return np.clip(_tone(time, sample_rate, rng) * 8 + 0.5 * _white(time, sample_rate, rng), -1, 1)


def _coloured(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    """Noise that falls by 3 to 6 dB per octave: traffic, wind, a distant crowd."""
    spectrum = np.fft.rfft(rng.standard_normal(time.size))
    frequency = np.maximum(np.fft.rfftfreq(time.size, 1 / sample_rate), 20)
    return np.fft.irfft(spectrum * frequency ** -rng.uniform(0.5, 1.0), time.size)


def _voices(time: Wave, sample_rate: int, rng: np.random.Generator) -> Wave:
    """Harmonics of varying loudness, with coloured noise: speech, birds, engines."""
    pitch = rng.uniform(90, 400)
    wave = np.zeros(time.size)
    for harmonic in range(1, int(0.45 * sample_rate / pitch) + 1):
        wave += np.sin(2 * np.pi * harmonic * pitch * time + rng.uniform(0, 6.28)) / harmonic
    wave *= 1 + 0.8 * np.sin(2 * np.pi * rng.uniform(2, 6) * time)
    bed = _coloured(time, sample_rate, rng)
    return np.asarray(wave / np.abs(wave).max() + 0.3 * bed / np.abs(bed).max())


KINDS: dict[str, Callable[[Wave, int, np.random.Generator], Wave]] = {
    "white noise": _white,
    "tone": _tone,
    "chirp": _chirp,
    "clicks": _clicks,
    "clipped tone": _clipped,
    "coloured noise": _coloured,
    "voices": _voices,
}
NATURAL = ("white noise", "coloured noise", "voices")
