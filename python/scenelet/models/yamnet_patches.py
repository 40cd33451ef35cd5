"""YAMNet's front end in floating point, for teachers: patches of a log-mel spectrogram.

As its authors describe it (Plakal and Ellis; AudioSet): audio at 16 kHz, periodic Hann windows of 25 ms every 10 ms, an
FFT of 512, magnitudes, 64 mel bands on HTK's scale from 125 to 7,500 Hz, the logarithm of the sums plus 0.001, patches
of 96 frames (0.96 s). No device computes it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
PATCH_FRAMES, BANDS = 96, 64
_WINDOW, _HOP, _FFT = 400, 160, 512
_LOW_HZ, _HIGH_HZ, _OFFSET = 125.0, 7500.0, 0.001

PATCH_SAMPLES = (PATCH_FRAMES - 1) * _HOP + _WINDOW


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))


def mel_weights() -> NDArray[np.float64]:
    """Triangles of peak 1, linear in mel, (257 bins, 64 bands); the bin at 0 Hz has no part."""
    low, high = _mel(np.array([_LOW_HZ, _HIGH_HZ])).tolist()
    edges = np.linspace(low, high, BANDS + 2)
    bins = _mel(np.arange(_FFT // 2 + 1) * RATE / _FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return np.asarray(weights)


def patches(samples: NDArray[np.float64], step: int = PATCH_FRAMES // 2) -> NDArray[np.float32]:
    """Cut audio into patches.

    Parameters
    ----------
    samples
        (n,) at 16 kHz, full scale 1; fewer than a patch are padded with zeros.
    step
        Frames from one patch to the next.

    Returns
    -------
    float32 (patches, 96 frames, 64 bands)
    """
    padded = np.pad(samples, (0, max(0, PATCH_SAMPLES - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    spectrum = np.abs(np.fft.rfft(frames * hann, _FFT))
    logs = np.log(spectrum @ mel_weights() + _OFFSET).astype(np.float32)
    starts = range(0, len(logs) - PATCH_FRAMES + 1, step)
    return np.stack([logs[start : start + PATCH_FRAMES] for start in starts])
