"""Settings of the log-mel front end in a recipe."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .section import Section

# From any higher capture rate; the filters are in scenelet.frontend.decimator.
_DECIMATED_RATES = (8000, 16000)
_DB_PER = {"log10": 10.0, "ln": 10 / math.log(10)}


class FrontendConfig(Section):
    """Settings of the log-mel front end; stored in the .tflite file, and their hash in the firmware.

    A device and a host with different hashes compute different features.

    Attributes
    ----------
    sample_rate
        Hz.
    n_fft, win_length, hop_length
        Samples. ``win_length`` (default ``n_fft``) is centred in ``n_fft`` like librosa's.
    n_mels, fmin, fmax
        Mel bands between ``fmin`` and ``fmax`` Hz (default: half the sample rate).
    mel_scale
        "slaney": librosa's default. "htk": torchaudio's default, librosa's ``htk=True``.
    mel_norm
        "slaney": every triangle's area is 1, librosa's default. "none": its peak is 1, torchaudio's default.
    grid
        "clip": librosa's centred frames of one clip, zero padded. "continuous": one frame every hop, never padded.
    clip_seconds
        Length of one inference window, seconds.
    sample_bits
        16 or 24: width of the samples up to the block exponent.
    lo_db, hi_db
        Log-mel power that becomes INT8 -128 and +127, in ``log_unit``; one number, or one per band.
    log_unit
        Unit of ``lo_db`` and ``hi_db``: "db" (10 log10), "log10", or "ln" of the power. With -2 and 1.984375, the
        network's input of scale 1/64 is the logarithm itself.
    levels
        "features": as above for a network whose input has scale 1/64; one of another scale sees the same real values.
        "input": ``lo_db`` and ``hi_db`` are INT8 -128 and +127 of the network's input, whatever its scale.
    capture_rate
        Hz of a microphone whose samples the device decimates (docs/FRONTEND.md); training audio passes the same
        filters. None: audio arrives at ``sample_rate``.
    slide
        Hop between windows in columns of the feature map, 1 to all of them; for grid "continuous" only. None: windows
        do not overlap.
    """

    sample_rate: Literal[8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000] = 8000
    n_fft: Literal[256, 512, 1024, 2048, 4096] = 2048
    win_length: Annotated[int, Field(ge=16)] | None = None
    hop_length: Annotated[int, Field(ge=16)] = 1024
    n_mels: Annotated[int, Field(ge=16, le=256)] = 140
    fmin: Annotated[float, Field(ge=0)] = 0.0
    fmax: float | None = None
    window: Literal["hann", "hamming"] = "hann"
    grid: Literal["clip", "continuous"] = "clip"
    clip_seconds: Annotated[float, Field(gt=0, le=10)] = 1.0
    sample_bits: Literal[16, 24] = 24
    lo_db: float | tuple[float, ...] = -60.0
    hi_db: float | tuple[float, ...] = 20.0
    levels: Literal["features", "input"] = "features"
    capture_rate: Literal[16000, 32000, 48000] | None = None
    slide: Annotated[int, Field(ge=1)] | None = None
    mel_scale: Literal["slaney", "htk"] = "slaney"
    mel_norm: Literal["slaney", "none"] = "slaney"
    log_unit: Literal["db", "log10", "ln"] = "db"

    later: ClassVar[tuple[str, ...]] = ("levels", "capture_rate", "slide", "mel_scale", "mel_norm", "log_unit")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.capture_rate is not None and (
            self.capture_rate <= self.sample_rate or self.sample_rate not in _DECIMATED_RATES
        ):
            raise ValueError(f"capture_rate {self.capture_rate} does not lead to {self.sample_rate} Hz")
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length {self.hop_length} is over n_fft {self.n_fft}")
        if self.window_samples > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is over n_fft {self.n_fft}")
        if not self.fmin < self.top_frequency <= self.sample_rate / 2:
            raise ValueError(f"fmin {self.fmin} < fmax {self.top_frequency} <= {self.sample_rate / 2} does not hold")
        if self.clip_samples != self.clip_seconds * self.sample_rate:
            raise ValueError(f"clip_seconds {self.clip_seconds} is not a whole number of samples")
        if self.frames < 1:
            raise ValueError(f"a clip of {self.clip_samples} samples holds no frame of {self.n_fft}")
        if self.slide is not None and (self.grid != "continuous" or self.slide > self.frames):
            raise ValueError(f"slide {self.slide} needs the continuous grid and at most {self.frames} columns")
        for name, value in (("lo_db", self.lo_db), ("hi_db", self.hi_db)):
            if isinstance(value, tuple) and len(value) != self.n_mels:
                raise ValueError(f"{name} has {len(value)} values for {self.n_mels} bands")
        if any(lo >= hi for lo, hi in zip(self.lo_by_band, self.hi_by_band, strict=True)):
            raise ValueError("lo_db must be below hi_db in every band")
        return self

    @property
    def top_frequency(self) -> float:
        """Upper edge of the mel bands, Hz."""
        return self.sample_rate / 2 if self.fmax is None else self.fmax

    @property
    def window_samples(self) -> int:
        """Length of the window, samples."""
        return self.win_length or self.n_fft

    @property
    def clip_samples(self) -> int:
        """Samples of one inference window."""
        return round(self.clip_seconds * self.sample_rate)

    @property
    def frames(self) -> int:
        """Columns of the feature map."""
        if self.grid == "clip":
            return 1 + self.clip_samples // self.hop_length
        return max(0, 1 + (self.clip_samples - self.n_fft) // self.hop_length)

    @property
    def live_columns(self) -> int:
        """Hop between live windows of the continuous grid, in columns."""
        return self.slide or self.frames

    @property
    def lo_by_band(self) -> tuple[float, ...]:
        """``lo_db`` of every band, dB."""
        return self._by_band(self.lo_db)

    @property
    def hi_by_band(self) -> tuple[float, ...]:
        """``hi_db`` of every band, dB."""
        return self._by_band(self.hi_db)

    def _by_band(self, level: float | tuple[float, ...]) -> tuple[float, ...]:
        levels = level if isinstance(level, tuple) else (level,) * self.n_mels
        return levels if self.log_unit == "db" else tuple(one * _DB_PER[self.log_unit] for one in levels)
