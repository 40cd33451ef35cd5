"""Front ends and audio to try them with."""

from __future__ import annotations

import numpy as np

from scenelet.config.recipe import FrontendConfig
from scenelet.frontend.stimuli import trial_signals

# Every FFT size (with and without the radix-2 stage), both windows and grids, both widths, short and odd windows,
# bands from few to more than there are bins, ranges of frequency, one range in dB a band.
CONFIGS = {
    "default": FrontendConfig(),
    "16 bit": FrontendConfig(sample_bits=16),
    "continuous": FrontendConfig(grid="continuous"),
    "hamming": FrontendConfig(window="hamming"),
    "256": FrontendConfig(n_fft=256, hop_length=80, n_mels=40),
    "512": FrontendConfig(sample_rate=16000, n_fft=512, win_length=400, hop_length=160, n_mels=64, window="hamming"),
    "1024": FrontendConfig(sample_rate=16000, n_fft=1024, hop_length=1024, n_mels=128, sample_bits=16),
    "2048 odd window": FrontendConfig(win_length=1501, hop_length=333, grid="continuous", fmin=60, fmax=3500.5),
    "4096": FrontendConfig(sample_rate=32000, n_fft=4096, hop_length=2000, n_mels=256),
    "more bands than bins": FrontendConfig(n_fft=256, hop_length=256, n_mels=256, fmin=30.0),
    "16 bands": FrontendConfig(n_fft=4096, hop_length=4096, n_mels=16),
    "11.025 kHz, HTK, peak 1": FrontendConfig(
        sample_rate=11025, n_fft=512, hop_length=256, n_mels=40, mel_scale="htk", mel_norm="none", sample_bits=16
    ),
    "44.1 kHz, HTK, ln": FrontendConfig(
        sample_rate=44100, n_fft=2048, hop_length=882, n_mels=64, mel_scale="htk", log_unit="ln", lo_db=-14, hi_db=5
    ),
    "48 kHz, peak 1, log10": FrontendConfig(
        sample_rate=48000, n_fft=4096, hop_length=4000, n_mels=128, mel_norm="none", log_unit="log10", lo_db=-7, hi_db=3
    ),
    "range a band": FrontendConfig(
        n_fft=512, hop_length=512, n_mels=16, lo_db=tuple(range(-110, -30, 5)), hi_db=tuple(range(-20, 60, 5))
    ),
}


def extremes(config: FrontendConfig) -> np.ndarray:
    """Windows at the edges of the range: silence, one step, full scale in every shape that strains a stage."""
    n, full = config.clip_samples, 1 << (config.sample_bits - 1)
    time = np.arange(n)
    rng = np.random.default_rng(7)
    waves = [
        np.zeros(n),
        np.full(n, -1),
        np.full(n, 1),
        -(time % 2),
        np.full(n, -full),
        np.full(n, full - 1),
        np.where(time % 2, -full, full - 1),
        np.where(time // 2 % 2, -full, full - 1),
        np.where(rng.random(n) < 0.5, -full, full - 1),
        (time == n // 2) * (full - 1),
        (time == 0) * -full,
    ]
    # Signs of a cosine on a bin: the largest sum that the FFT can reach there.
    for bin_ in (1, 3, config.n_fft // 8, config.n_fft // 4, config.n_fft // 2 - 1):
        waves.append(np.where(np.cos(2 * np.pi * bin_ * time / config.n_fft) >= 0, full - 1, -full))
    return np.stack(waves).astype(np.int32)


def varied(config: FrontendConfig, every: int = 6) -> np.ndarray:
    signals = trial_signals(config.sample_rate, config.clip_samples, config.sample_bits)
    return np.stack([signal.samples for signal in signals[::every]])
