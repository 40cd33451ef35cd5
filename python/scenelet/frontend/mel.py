"""The mel scales of Slaney and of HTK, and the weights of triangular bands on FFT bins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig

# Malcolm Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above with 27 steps from 1 kHz to 6.4 kHz.
_HZ_PER_MEL = 200.0 / 3.0
_KNEE_HZ = 1000.0
_KNEE_MEL = _KNEE_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0
# The HTK Book's scale: 2595 log10(1 + f / 700 Hz).
_HTK_STEP, _HTK_KNEE_HZ = 2595.0, 700.0
# A bin whose weight would round to 1 in Q16 at the end of its segment starts the next segment, with weight 0.
_NEXT_EDGE = 2.0**-17


def hz_to_mel(hz: float, scale: str = "slaney") -> float:
    """Mel of a frequency in Hz, by the scale "slaney" or "htk"."""
    if scale == "htk":
        return _HTK_STEP * math.log10(1 + hz / _HTK_KNEE_HZ)
    return hz / _HZ_PER_MEL if hz < _KNEE_HZ else _KNEE_MEL + float(np.log(hz / _KNEE_HZ)) / float(_LOG_STEP)


def mel_to_hz(mel: NDArray[np.float64], scale: str = "slaney") -> NDArray[np.float64]:
    """Frequencies in Hz of mels, by the scale "slaney" or "htk"."""
    if scale == "htk":
        return np.asarray(_HTK_KNEE_HZ * (10.0 ** (mel / _HTK_STEP) - 1))
    curved = _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * _HZ_PER_MEL, curved)


def band_edges(config: FrontendConfig) -> NDArray[np.float64]:
    """Edges of the triangles in Hz, (n_mels + 2,): band m rises from edge m to m + 1 and falls to m + 2."""
    scale = config.mel_scale
    mels = np.linspace(hz_to_mel(config.fmin, scale), hz_to_mel(config.top_frequency, scale), config.n_mels + 2)
    return mel_to_hz(mels, scale)


@dataclass(frozen=True)
class Segments:
    """FFT bins between neighbouring band edges.

    Attributes
    ----------
    first_bin
        First bin at or above the lowest edge.
    bins
        (n_mels + 1,) number of bins between edges m and m + 1; 0 where the bands are narrower than a bin.
    rise
        (sum of bins,) share of each bin that belongs to the rising band, 0 to 1 - 2^-17; the rest is the falling one's.
    """

    first_bin: int
    bins: NDArray[np.int64]
    rise: NDArray[np.float64]


def segments(config: FrontendConfig) -> Segments:
    """Assign the bins to the segments.

    The bin at half the sample rate is left out: no band reaches further, so its weight is 0.
    """
    edges = band_edges(config)
    frequencies = np.arange(config.n_fft // 2, dtype=np.float64) * (config.sample_rate / config.n_fft)
    nudged = frequencies + _NEXT_EDGE * _widths(edges, frequencies)
    segment = np.searchsorted(edges, nudged, side="right") - 1
    used = (segment >= 0) & (segment <= config.n_mels)
    segment, frequencies = segment[used], frequencies[used]
    rise = np.maximum(frequencies - edges[segment], 0) / (edges[segment + 1] - edges[segment])
    bins = np.bincount(segment, minlength=config.n_mels + 1)
    return Segments(int(np.argmax(used)), bins, rise)


def _widths(edges: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width in Hz of each frequency's segment; outside all segments, of the nearest one."""
    segment = np.clip(np.searchsorted(edges, frequencies, side="right") - 1, 0, len(edges) - 2)
    return edges[segment + 1] - edges[segment]


def norm_log2(config: FrontendConfig) -> NDArray[np.float64]:
    """log2 of each triangle's factor, float64 (n_mels,): 2 / width makes its area 1, and without a norm it is 1."""
    if config.mel_norm == "none":
        return np.zeros(config.n_mels)
    edges = band_edges(config)
    return np.log2(2.0 / (edges[2:] - edges[:-2]))
