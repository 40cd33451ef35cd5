"""Accuracy of the integer front end against librosa's log-mel in floating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..core.extras import missing
from . import fixed_point, native
from .stimuli import LEVELS_DB, Signal, trial_signals
from .tables import make_tables

Decibels = NDArray[np.float64]

_AMIN = 1e-10
_BAND_GROUPS = 4


def log_mel_db(windows: NDArray[np.int32], config: FrontendConfig) -> Decibels:
    """Log-mel power in dB by librosa's filters and a float64 STFT of the same integers.

    Parameters
    ----------
    windows
        (n, clip_samples) integers of ``config.sample_bits`` bits; full scale is 1.

    Returns
    -------
    float64, (n, n_mels, frames)
        dB, at least -100.

    Raises
    ------
    ToolError
        Where librosa is not installed.
    """
    try:
        import librosa
        from librosa.filters import mel
    except ImportError:
        raise missing("librosa", "librosa") from None
    spectrum = librosa.stft(
        windows / 2.0 ** (config.sample_bits - 1),
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        win_length=config.window_samples,
        window=config.window,
        center=config.grid == "clip",
        dtype=np.complex128,
        pad_mode="constant",
    )
    filters = mel(
        sr=config.sample_rate,
        n_fft=config.n_fft,
        n_mels=config.n_mels,
        fmin=config.fmin,
        fmax=config.top_frequency,
        htk=config.mel_scale == "htk",
        norm=None if config.mel_norm == "none" else config.mel_norm,
        dtype=np.float64,
    )
    power: Decibels = filters @ np.abs(spectrum) ** 2
    return 10 * np.log10(np.maximum(power, _AMIN))


def quantized(decibels: Decibels, config: FrontendConfig) -> NDArray[np.int8]:
    """INT8 features from dB values in float64: the ideal result of the integer front end."""
    lo, hi = (np.array(side)[:, None] for side in (config.lo_by_band, config.hi_by_band))
    q = np.floor((decibels - lo) / (hi - lo) * 255 + 0.5) - 128
    result: NDArray[np.int8] = np.clip(q, -128, 127).astype(np.int8)
    return result


@dataclass(frozen=True)
class Spread:
    """Absolute errors in dB: mean, 99th percentile, maximum, and number of values."""

    mean: float
    p99: float
    max: float
    values: int

    @classmethod
    def of(cls, errors: Decibels) -> Spread:
        """Summarise errors of any shape and sign."""
        size = np.abs(errors).ravel()
        return cls(float(size.mean()), float(np.percentile(size, 99)), float(size.max()), size.size)

    def __str__(self) -> str:
        return f"{self.mean:.5f} / {self.p99:.4f} / {self.max:.4f}"


@dataclass(frozen=True)
class ErrorReport:
    """Difference of the integer front end from librosa.

    Attributes
    ----------
    by_level, by_kind, by_band
        ``all`` split by the clip's peak level in dB, its kind, and quarters of the bands from the lowest.
    int8_values, int8_differ, int8_most
        Number of INT8 features that were compared, number that differ, and largest difference in steps.
    """

    clips: int
    all: Spread
    natural: Spread
    by_level: dict[int, Spread]
    by_kind: dict[str, Spread]
    by_band: dict[str, Spread]
    int8_values: int
    int8_differ: int
    int8_most: int

    def markdown(self) -> str:
        """Render as Markdown tables."""
        rows = [("all", self.all), ("natural-like", self.natural)]
        rows += [(f"peak {level} dB", spread) for level, spread in self.by_level.items()]
        rows += [(kind, spread) for kind, spread in self.by_kind.items()]
        rows += [(f"bands {bands}", spread) for bands, spread in self.by_band.items()]
        table = "\n".join(f"| {name} | {spread} |" for name, spread in rows)
        share = f"{self.int8_differ} of {self.int8_values} differ ({100 * self.int8_differ / self.int8_values:.4f} %)"
        return (
            f"| {self.clips} clips | error dB mean / p99 / max |\n|---|---|\n{table}\n\n"
            f"INT8 features: {share}, by {self.int8_most} at most.\n"
        )


def error_report(config: FrontendConfig, signals: Sequence[Signal] | None = None) -> ErrorReport:
    """Compare the integer front end with librosa on the same integer samples.

    Parameters
    ----------
    config
        The front end.
    signals
        Clips of ``config.clip_samples`` samples; by default :func:`scenelet.frontend.stimuli.trial_signals`.
    """
    if signals is None:
        signals = trial_signals(config.sample_rate, config.clip_samples, config.sample_bits)
    tables = make_tables(config)
    windows = np.stack([signal.samples for signal in signals])
    wanted = log_mel_db(windows, config)
    errors = fixed_point.log_mel_q16(windows, tables) * (10 * np.log10(2) / 65536) - wanted
    steps = np.abs(native.features(windows, tables).astype(int) - quantized(wanted, config))
    levels, kinds = np.array([s.level_db for s in signals]), np.array([s.kind for s in signals])
    natural = np.array([s.natural for s in signals])
    return ErrorReport(
        len(signals),
        Spread.of(errors),
        Spread.of(errors[natural] if natural.any() else errors[:1]),
        {level: Spread.of(errors[levels == level]) for level in LEVELS_DB if np.any(levels == level)},
        {kind: Spread.of(errors[kinds == kind]) for kind in dict.fromkeys(kinds.tolist())},
        {
            f"{group[0]}-{group[-1]}": Spread.of(errors[:, group])
            for group in np.array_split(np.arange(config.n_mels), _BAND_GROUPS)
        },
        int(steps.size),
        int(np.count_nonzero(steps)),
        int(steps.max()),
    )
