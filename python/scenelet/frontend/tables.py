"""All constants of the integer front end, from its settings.

The tables are part of the specification: the NumPy model and the firmware's C compute with these integers only, so
floating point ends here.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..errors import RecipeError
from . import decimator, mel

Q31_ONE = 2**31 - 1
LOG2_SEGMENTS = 64
# librosa's power_to_db clamps power at the same value; without it silence would be minus infinity.
POWER_FLOOR = 1e-10
# A gain must fit int32, and a base must leave room for the range of log2. No sound is beyond these limits.
_WIDEST_DB = 1000.0
_NARROWEST_RANGE_DB = 0.1
FEATURE_SCALE = 1 / 64
WINDOW_MEAN = {"hann": 0.5, "hamming": 0.54}
"""A window is a raised cosine about this mean."""
_DB_PER_LOG2 = 10 * math.log10(2)


@dataclass(frozen=True, eq=False)
class Tables:
    """The integer tables of a front end.

    Attributes
    ----------
    config
        The settings that they are computed from.
    input_scale, input_zero_point
        The network's input quantisation, folded into ``base``, ``gain`` and ``floor``.
    window
        int32, Q(window_bits): n_fft / 2 + 1 entries where ``window_step`` is -1 (the second half mirrors the first),
        all n_fft where it is 1.
    sine
        int32, Q31: sin(2 pi i / n_fft), i = 0..n_fft / 4.
    weight
        uint16, Q16: rising share of each bin from ``first_bin`` on.
    bins
        uint16, (n_mels + 1,): bins in each segment between band edges.
    log2
        uint16, Q16 modulo 1: log2(1 + i / 64), i = 0..64; the last entry wraps to 0.
    base
        int32, (n_mels,), Q16 log2 of the band's integer power at block exponent 0 that becomes INT8 -128.
    gain
        int32, Q32: INT8 steps per Q16 step of log2; one entry, or one per band.
    floor
        int8: the feature of a power of 1e-10; one entry, or one per band.
    norm
        int32, (n_mels,), Q16: log2 of the band's norm less the power's scale; for reports, not on the device.
    """

    config: FrontendConfig
    input_scale: float
    input_zero_point: int
    window_bits: int
    window_step: int
    first_bin: int
    window: NDArray[np.int32]
    sine: NDArray[np.int32]
    weight: NDArray[np.uint16]
    bins: NDArray[np.uint16]
    log2: NDArray[np.uint16]
    base: NDArray[np.int32]
    gain: NDArray[np.int32]
    floor: NDArray[np.int8]
    norm: NDArray[np.int32]

    DEVICE_ARRAYS = ("window", "sine", "weight", "bins", "log2", "base", "gain", "floor")

    @property
    def radix4_stages(self) -> int:
        """Radix-4 stages of the complex FFT of n_fft / 2 points; odd powers of two begin with a radix-2 stage."""
        return _radix4_stages(self.config.n_fft)

    @property
    def band_step(self) -> int:
        """0 where ``gain`` and ``floor`` have one entry for all bands, else 1."""
        return int(self.gain.size > 1)

    @property
    def padded(self) -> int:
        """Zero samples that are assumed before a clip."""
        return self.config.n_fft // 2 if self.config.grid == "clip" else 0

    @property
    def table_bytes(self) -> int:
        """Bytes of constants on the device."""
        return sum(getattr(self, name).nbytes for name in self.DEVICE_ARRAYS)

    @property
    def work_bytes(self) -> int:
        """Bytes of working memory per frame, in addition to its samples."""
        return 4 * self.config.n_fft

    @property
    def history_bytes(self) -> int:
        """Bytes of samples that the streaming driver keeps."""
        return 4 * self.config.n_fft

    @cached_property
    def full_window(self) -> NDArray[np.int32]:
        """All n_fft entries of the window."""
        if self.window_step == 1:
            return self.window
        return np.concatenate([self.window, self.window[-2:0:-1]])

    @cached_property
    def sha256(self) -> str:
        """Hash of all that determines the features: front ends with the same hash compute the same features."""
        config = self.config
        shape = {
            name: getattr(config, name)
            for name in (
                "sample_rate",
                "clip_samples",
                "n_fft",
                "hop_length",
                "n_mels",
                "frames",
                "grid",
                "sample_bits",
            )
        }
        if config.slide is not None:
            shape["slide"] = config.slide
        if config.capture_rate is not None:
            shape["capture_rate"] = config.capture_rate
            taps = b"".join(fir.taps.tobytes() for fir in decimator.chain(config.capture_rate, config.sample_rate))
            shape["capture_taps"] = hashlib.sha256(taps).hexdigest()
        scalars = {field.name: getattr(self, field.name) for field in fields(self) if field.type == "int"}
        digest = hashlib.sha256(json.dumps({**shape, **scalars}, sort_keys=True).encode())
        for name in self.DEVICE_ARRAYS:
            array = getattr(self, name)
            digest.update(name.encode() + array.astype(array.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()


def make_tables(config: FrontendConfig, input_scale: float = FEATURE_SCALE, input_zero_point: int = 0) -> Tables:
    """Compute a front end's tables.

    Parameters
    ----------
    config
        Its settings.
    input_scale, input_zero_point
        Quantisation of the network's input. A feature's real value runs from -128/64 at ``lo_db`` to 127/64 at
        ``hi_db``; with the default scale of 1/64, the network's INT8 input is the feature itself. Not looked at where
        ``config.levels`` is "input".

    Returns
    -------
    Tables
        Read-only arrays.

    Raises
    ------
    RecipeError
        Where the range in dB or the input quantisation cannot be expressed.
    """
    if config.levels == "input":
        input_scale, input_zero_point = FEATURE_SCALE, 0
    _check(config, input_scale, input_zero_point)
    segments = mel.segments(config)
    if not segments.rise.size:
        raise RecipeError("key 'frontend.fmax'", "leaves no FFT bin between fmin and fmax", "widen the range or n_fft")
    window, step = _window(config)
    norm = _rounded(mel.norm_log2(config) * 65536) - (2 * _spectrum_bits(config.n_fft) << 16)
    base, gain, floor = _int8_map(config, input_scale, input_zero_point, norm)
    arrays: dict[str, NDArray[Any]] = {
        "window": window,
        "sine": _sine(config.n_fft),
        "weight": _rounded(segments.rise * 65536).astype(np.uint16),
        "bins": segments.bins.astype(np.uint16),
        "log2": _rounded(np.log2(1 + np.arange(LOG2_SEGMENTS + 1) / LOG2_SEGMENTS) * 65536).astype(np.uint16),
        "base": base,
        "gain": gain,
        "floor": floor,
        "norm": norm.astype(np.int32),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return Tables(
        config,
        float(input_scale),
        int(input_zero_point),
        _window_bits(config.n_fft),
        step,
        segments.first_bin,
        **arrays,
    )


def _check(config: FrontendConfig, input_scale: float, input_zero_point: int) -> None:
    for key, values in (("lo_db", config.lo_by_band), ("hi_db", config.hi_by_band)):
        if not all(abs(value) <= _WIDEST_DB for value in values):
            raise RecipeError(
                f"key 'frontend.{key}'", f"lies outside +-{_WIDEST_DB:g} dB", "choose a level that occurs"
            )
    step = 64 * input_scale
    if not 0.1 <= step <= 10 or not -128 <= input_zero_point <= 127:
        raise RecipeError(
            "network input",
            f"scale {input_scale:g} and zero point {input_zero_point} do not fit the front end's features",
            "quantize with features from -2 to 1.984 (scale 1/64, zero point 0)",
        )
    widths = [hi - lo for lo, hi in zip(config.lo_by_band, config.hi_by_band, strict=True)]
    if min(widths) * min(step, 1) < _NARROWEST_RANGE_DB:
        raise RecipeError(
            "key 'frontend.hi_db'", f"is less than {_NARROWEST_RANGE_DB} dB over lo_db", "widen the range"
        )


def _rounded(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


def _radix4_stages(n_fft: int) -> int:
    return (n_fft.bit_length() - 2) // 2


def _spectrum_bits(n_fft: int) -> int:
    """log2 of the spectrum's scale: a full-scale tone under a Hann window then ends at 2^30."""
    return 32 - n_fft.bit_length()


def _window_bits(n_fft: int) -> int:
    """Q format of the window.

    The window product keeps 31 - 32 + bits of it, and each radix-4 stage halves: what remains must be the
    spectrum's scale. The radix-2 stage does not halve.
    """
    return _spectrum_bits(n_fft) + _radix4_stages(n_fft) + 1


def _window(config: FrontendConfig) -> tuple[NDArray[np.int32], int]:
    """Periodic window, centred in n_fft; only the first half where the second mirrors it."""
    length, n_fft = config.window_samples, config.n_fft
    mean = WINDOW_MEAN[config.window]
    curve = mean - (1 - mean) * np.cos(2 * np.pi * np.arange(length) / length)
    left = (n_fft - length) // 2
    window = np.zeros(n_fft, np.int32)
    window[left : left + length] = _rounded(curve * 2 ** _window_bits(n_fft))
    if np.array_equal(window[1:], window[:0:-1]):
        return window[: n_fft // 2 + 1].copy(), -1
    return window, 1


def _sine(n_fft: int) -> NDArray[np.int32]:
    wave = _rounded(np.sin(2 * np.pi * np.arange(n_fft // 4 + 1) / n_fft) * 2**31)
    return np.minimum(wave, Q31_ONE).astype(np.int32)


def _int8_map(
    config: FrontendConfig, scale: float, zero_point: int, norm: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Compute ``base``, ``gain`` and ``floor``: dB to the network's INT8 input in one multiplication."""
    lo, hi = np.array(config.lo_by_band), np.array(config.hi_by_band)
    step = (hi - lo) / 255
    # The level at which the network's input, rather than the feature, is -128; and its step.
    bottom = lo + ((-128 - zero_point) * scale / FEATURE_SCALE + 128) * step
    step = step * (scale / FEATURE_SCALE)
    zero = _rounded(bottom / _DB_PER_LOG2 * 65536)
    gain = _rounded(_DB_PER_LOG2 / 65536 / step * 2**32)
    least = round(math.log2(POWER_FLOOR) * 65536) - zero
    floor = np.clip(((least * gain + 2**31) >> 32) - 128, -128, 127)
    if np.all(lo == lo[0]) and np.all(hi == hi[0]):
        gain, floor = gain[:1], floor[:1]
    return (zero - norm).astype(np.int32), gain.astype(np.int32), floor.astype(np.int8)
