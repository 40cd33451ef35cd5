"""The integer front end in NumPy: the readable form of the specification, bit-exact with the firmware's C.

int64 holds every int32 and every product; uint64 holds powers and their sums. See docs/SPEC.md for the ranges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tables import LOG2_SEGMENTS, Q31_ONE, Tables
from .windows import checked

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]

_HALF = np.int64(1 << 31)
_LOG2_SILENCE = -(1 << 30)
_BATCH = 32


def features(windows: NDArray[np.int32], tables: Tables) -> NDArray[np.int8]:
    """INT8 log-mel features of windows of audio.

    Parameters
    ----------
    windows
        (n, clip_samples) integers of ``sample_bits`` bits.
    tables
        From :func:`scenelet.frontend.tables.make_tables`.

    Returns
    -------
    int8, (n, n_mels, frames)
        Each value is ``round((dB - lo_db) / (hi_db - lo_db) * 255) - 128``, saturated.

    Raises
    ------
    AudioError
        Where type, shape or range of ``windows`` is wrong.
    """
    windows = checked(windows, tables.config)
    result = np.empty((len(windows), tables.config.n_mels, tables.config.frames), np.int8)
    for start in range(0, len(windows), _BATCH):
        level = _levels(frames_of(windows[start : start + _BATCH], tables), tables)
        q = ((level * tables.gain + _HALF) >> 32) - 128
        result[start : start + _BATCH] = np.clip(q, tables.floor, 127).swapaxes(1, 2)
    return result


def log_mel_q16(windows: NDArray[np.int32], tables: Tables) -> NDArray[np.int32]:
    """log2 of the mel power before quantization to INT8: int32 Q16, (n, n_mels, frames), at least log2(1e-10).

    Full scale is 1, as in librosa's float audio; a value times 10 log10(2) / 65536 is in dB. Parameters and errors as
    in :func:`features`.
    """
    windows = checked(windows, tables.config)
    result = np.empty((len(windows), tables.config.n_mels, tables.config.frames), np.int32)
    least = round(float(np.log2(1e-10)) * 65536)
    for start in range(0, len(windows), _BATCH):
        level = _levels(frames_of(windows[start : start + _BATCH], tables), tables)
        log2 = level + tables.base + tables.norm
        result[start : start + _BATCH] = np.maximum(log2, least).swapaxes(1, 2)
    return result


def frames_of(windows: NDArray[np.int32], tables: Tables) -> NDArray[np.int32]:
    """Cut windows into frames: (n, clip_samples) -> (n, frames, n_fft), zero padded on the "clip" grid."""
    config = tables.config
    padded = np.pad(windows, ((0, 0), (tables.padded, config.n_fft)))
    view = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft, axis=1)
    frames: NDArray[np.int32] = view[:, :: config.hop_length][:, : config.frames]
    return frames


def frame_levels(frames: NDArray[np.int32], tables: Tables) -> NDArray[np.int32]:
    """Result of ``scn_frontend_log_mel``: Q16 log2 above each band's base, (..., n_fft) -> (..., n_mels)."""
    return _levels(np.asarray(frames), tables).astype(np.int32)


def _levels(frames: NDArray[np.int32], tables: Tables) -> Int64:
    shift = _block_shift(frames)
    exponent = shift - (32 - tables.config.sample_bits)
    energy = _mel(_power(_fft(_windowed(frames, shift, tables), tables), tables), tables)
    return _log2_q16(energy, tables) - (exponent << 17) - tables.base.astype(np.int64)


def _block_shift(frames: NDArray[np.int32]) -> Int64:
    """Left shift, (..., 1), by which the largest sample fills 32 bits (block floating point)."""
    magnitude = np.bitwise_or.reduce(frames ^ (frames >> 31), axis=-1, keepdims=True).astype(np.int64)
    bits = np.frexp(magnitude.astype(np.float64))[1]  # exact: int32 fits float64
    return (31 - bits).astype(np.int64)


def _mulr(a: Int64, b: Int64 | int) -> Int64:
    """SMMULR."""
    return (a * b + _HALF) >> 32


def _mlar(total: Int64, a: Int64, b: Int64) -> Int64:
    """SMMLAR."""
    return total + ((a * b + _HALF) >> 32)


def _mlsr(total: Int64, a: Int64, b: Int64) -> Int64:
    """SMMLSR."""
    return total + ((_HALF - a * b) >> 32)


def _turn(re: Int64, im: Int64, cosine: Int64, sine: Int64) -> tuple[Int64, Int64]:
    """Half of z * e^(-j w): multiplication by a twiddle factor."""
    return _mlar(_mulr(re, cosine), im, sine), _mlsr(_mulr(im, cosine), re, sine)


def _windowed(frames: NDArray[np.int32], shift: Int64, tables: Tables) -> tuple[Int64, Int64]:
    """Window, pack x[2n] + j x[2n+1], and put into bit-reversed order."""
    z = _mulr(frames.astype(np.int64) << shift, tables.full_window.astype(np.int64))
    order = _bit_reversed(tables.config.n_fft // 2)
    return z[..., 0::2][..., order], z[..., 1::2][..., order]


def _bit_reversed(points: int) -> NDArray[np.intp]:
    bits = points.bit_length() - 1
    index = np.arange(points)
    return sum((((index >> bit) & 1) << (bits - 1 - bit) for bit in range(bits)), np.zeros(points, np.intp))


def _twiddle(angle: NDArray[np.intp], tables: Tables) -> tuple[Int64, Int64]:
    """Cosine and sine, Q31, at ``angle`` steps of the quarter-wave table, below three quarters of a turn."""
    quarter = tables.config.n_fft // 4
    sine = tables.sine.astype(np.int64)
    turn, rest = angle // quarter, angle % quarter
    up, down = sine[rest], sine[quarter - rest]
    return np.choose(turn, [down, -up, -down]), np.choose(turn, [up, down, -up])


def _fft(z: tuple[Int64, Int64], tables: Tables) -> tuple[Int64, Int64]:
    """Complex FFT of n_fft / 2 points from bit-reversed order; halved in every radix-4 stage."""
    points = tables.config.n_fft // 2
    if tables.radix4_stages * 2 == points.bit_length() - 1:
        z, span = _first_radix4(*z), 4
    else:
        z, span = _first_radix2(*z), 2
    while span < points:
        z = _radix4(*z, span, tables)
        span *= 4
    return z


def _first_radix2(re: Int64, im: Int64) -> tuple[Int64, Int64]:
    def pairs(v: Int64) -> Int64:
        return np.stack([v[..., 0::2] + v[..., 1::2], v[..., 0::2] - v[..., 1::2]], -1).reshape(v.shape)

    return pairs(re), pairs(im)


def _first_radix4(re: Int64, im: Int64) -> tuple[Int64, Int64]:
    a, b, c, d = (re[..., leg::4] for leg in range(4))
    aj, bj, cj, dj = (im[..., leg::4] for leg in range(4))
    real = [a + b + c + d, a - b + cj - dj, a + b - c - d, a - b - cj + dj]
    imag = [aj + bj + cj + dj, aj - bj - c + d, aj + bj - cj - dj, aj - bj + c - d]
    return tuple(((np.stack(part, -1) + 1) >> 1).reshape(re.shape) for part in (real, imag))  # type: ignore[return-value]


def _radix4(re: Int64, im: Int64, span: int, tables: Tables) -> tuple[Int64, Int64]:
    shape = re.shape
    re, im = (v.reshape(*shape[:-1], -1, 4, span) for v in (re, im))
    angle = np.arange(span) * (tables.config.n_fft // (4 * span))
    t0, t0j = _mulr(re[..., 0, :], Q31_ONE), _mulr(im[..., 0, :], Q31_ONE)
    t2, t2j = _turn(re[..., 1, :], im[..., 1, :], *_twiddle(2 * angle, tables))
    t1, t1j = _turn(re[..., 2, :], im[..., 2, :], *_twiddle(angle, tables))
    t3, t3j = _turn(re[..., 3, :], im[..., 3, :], *_twiddle(3 * angle, tables))
    even, evenj, odd, oddj = t0 + t2, t0j + t2j, t0 - t2, t0j - t2j
    total, totalj, diff, diffj = t1 + t3, t1j + t3j, t1 - t3, t1j - t3j
    real = np.stack([even + total, odd + diffj, even - total, odd - diffj], -2)
    imag = np.stack([evenj + totalj, oddj - diff, evenj - totalj, oddj + diff], -2)
    return real.reshape(shape), imag.reshape(shape)


def _power(z: tuple[Int64, Int64], tables: Tables) -> UInt64:
    """Power of the real frame's bins 0 .. n_fft / 2 - 1 from the packed frame's spectrum."""
    re, im = z
    half = tables.config.n_fft // 2
    power = np.empty(re.shape, np.uint64)
    power[..., 0] = ((re[..., 0] + im[..., 0]) ** 2).astype(np.uint64)
    k = np.arange(1, half // 2 + 1)
    a, aj, b, bj = re[..., k], im[..., k], re[..., half - k], im[..., half - k]
    even, evenj = _mulr(a + b, Q31_ONE), _mulr(aj - bj, Q31_ONE)
    odd, oddj = _turn(aj + bj, b - a, *_twiddle(k, tables))
    # In the middle both are the same bin; the sum is the valid one, so it is stored last.
    power[..., half - k] = ((even - odd) ** 2 + (evenj - oddj) ** 2).astype(np.uint64)
    power[..., k] = ((even + odd) ** 2 + (evenj + oddj) ** 2).astype(np.uint64)
    return power


def _mel(power: UInt64, tables: Tables) -> UInt64:
    """Band m = rising part of segment m + falling part of segment m + 1."""
    weight = tables.weight.astype(np.uint64)
    used = power[..., tables.first_bin : tables.first_bin + weight.size]
    ends = np.cumsum(tables.bins.astype(np.intp))
    low, high, whole = (
        _segment_sums(terms, ends)
        for terms in ((used & np.uint64(0xFFFFFFFF)) * weight, (used >> np.uint64(32)) * weight, used)
    )
    rise = (high << np.uint64(16)) + (low >> np.uint64(16))
    return rise[..., :-1] + (whole - rise)[..., 1:]


def _segment_sums(terms: UInt64, ends: NDArray[np.intp]) -> UInt64:
    """Sums between segment ends; segments may be empty. Differences of running sums are exact modulo 2^64."""
    running = np.concatenate([np.zeros((*terms.shape[:-1], 1), np.uint64), np.cumsum(terms, -1)], -1)
    return np.diff(running[..., np.concatenate([[0], ends])], axis=-1)


def _log2_q16(value: UInt64, tables: Tables) -> Int64:
    """log2 by leading zeros and linear interpolation in 64 segments."""
    table = np.append(tables.log2[:-1].astype(np.int64), 65536)
    silent = value == 0
    value = np.where(silent, np.uint64(1), value)
    top = _top_bit(value)
    mantissa = ((value << (63 - top).astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
    line, part = (mantissa >> 25) & (LOG2_SEGMENTS - 1), (mantissa >> 9) & 0xFFFF
    log2 = (top << 16) + table[line] + (((table[line + 1] - table[line]) * part + 0x8000) >> 16)
    return np.where(silent, _LOG2_SILENCE, log2)


def _top_bit(value: UInt64) -> Int64:
    """Position of the highest set bit, exact for all 64 bits (float64 would round 2^54 - 1 up)."""
    top = np.zeros(value.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        rest = value >> np.uint64(step)
        top += np.where(rest != 0, step, 0)
        value = np.where(rest != 0, rest, value)
    return top
