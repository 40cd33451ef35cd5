"""Decimation from a microphone's rate to the front end's: symmetric FIR stages in integers, and a CIC for PDM.

The specification in NumPy, and the design of its taps. Samples are 24 bit between stages; a stage sums products of
64 bits exactly and rounds once, so the order of the sum does not matter. ``scn_decimator.c`` is bit-exact with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

TAP_BITS = 30
SAMPLE_LIMIT = 1 << 23
PDM_RATE = 1_024_000
CIC_ORDER = 5
CIC_FACTOR = 16
CIC_RATE = PDM_RATE // CIC_FACTOR
# One bit is +-1; the CIC's gain is 16^5 = 2^20; 24-bit full scale is 2^23.
CIC_SHIFT = 23 - CIC_ORDER * 4


@dataclass(frozen=True, eq=False)
class Fir:
    """One stage: a symmetric filter of odd length that keeps every ``factor``-th output.

    Attributes
    ----------
    factor
        2 or 3.
    halfband
        Whether every second tap is zero: ``outer`` is at the distances 1, 3, 5 .. from the centre, else at 1, 2, 3 ..
    centre
        Middle tap, Q30.
    outer
        int32, Q30: taps on one side, from the farthest to the nearest; an even number.
    """

    factor: int
    halfband: bool
    centre: int
    outer: NDArray[np.int32]

    @cached_property
    def taps(self) -> NDArray[np.int64]:
        """The whole impulse response, Q30."""
        side = self.outer.astype(np.int64)
        if self.halfband:
            side = np.stack([side, np.zeros_like(side)], axis=1).ravel()[:-1]
        return np.concatenate([side, [self.centre], side[::-1]])


def _lowpass(pairs: int, spacing: int, cutoff: float, beta: float) -> tuple[float, NDArray[np.float64]]:
    """Kaiser-windowed sinc: centre tap, and one side from the nearest tap on. ``cutoff`` is relative to the rate."""
    distance = np.arange(pairs) * spacing + 1
    window = np.i0(beta * np.sqrt(1 - (distance / (distance[-1] + 1)) ** 2)) / np.i0(beta)
    return 2 * cutoff, 2 * cutoff * np.sinc(2 * cutoff * distance) * window


def _quantized(factor: int, halfband: bool, centre: float, side: NDArray[np.float64]) -> Fir:
    """Scale to a gain of exactly 1 at 0 Hz in Q30; the innermost taps absorb the rounding error."""
    total = centre + 2 * side.sum()
    unit = 1 << TAP_BITS
    if halfband:  # the centre is exactly 1/2, which makes pass band and stop band mirror images
        side, middle = side * (0.5 / (2 * side.sum())), unit // 2
    else:
        side, middle = side / total, round(centre / total * unit)
    outer = np.rint(side * unit).astype(np.int64)
    rest = unit - middle - 2 * int(outer.sum())
    if halfband:
        outer[0] += rest // 2
    else:
        middle += rest
    farthest_first = outer[::-1].astype(np.int32)
    farthest_first.setflags(write=False)
    return Fir(factor, halfband, middle, farthest_first)


def _halfband(pairs: int, beta: float) -> Fir:
    return _quantized(2, True, *_lowpass(pairs, 2, 0.25, beta))


def _third(pairs: int, beta: float) -> Fir:
    return _quantized(3, False, *_lowpass(pairs, 1, 1 / 6, beta))


def _droop() -> Fir:
    """Stage after the CIC: halves the rate and compensates the CIC's droop in the pass band."""
    centre, side = _lowpass(11, 1, 14.8 / 64, 7.5)
    lift = 0.2257  # makes the product flat within 0.02 dB up to 6.8 kHz
    whole = np.concatenate([side[::-1], [centre], side])
    lifted = np.convolve(whole, [-lift, 1 + 2 * lift, -lift])
    middle = len(lifted) // 2
    return _quantized(2, False, float(lifted[middle]), lifted[middle + 1 :])


FILTERS: dict[str, Fir] = {
    "sharp": _halfband(16, 7.5),  # the last one: pass 0.2125, stop 0.2875 of its input's rate
    "short": _halfband(6, 7.5),  # before a sharp one
    "third": _third(48, 7.5),
    "short_third": _third(16, 7.5),
    "droop": _droop(),
}

CHAINS: dict[tuple[int, int], tuple[str, ...]] = {
    (16_000, 8_000): ("sharp",),
    (32_000, 8_000): ("short", "sharp"),
    (48_000, 8_000): ("short_third", "sharp"),
    (CIC_RATE, 8_000): ("droop", "short", "sharp"),
    (32_000, 16_000): ("sharp",),
    (48_000, 16_000): ("third",),
    (CIC_RATE, 16_000): ("droop", "sharp"),
}
"""Chain of filters by (input rate, output rate), Hz. 64 kHz is the CIC's output rate."""


def chain(rate_in: int, rate_out: int) -> tuple[Fir, ...]:
    """Chain of filters from a microphone's rate to a front end's.

    Raises
    ------
    InputError
        Where there is none for these rates.
    """
    names = CHAINS.get((rate_in, rate_out))
    if names is None:
        known = ", ".join(f"{one} to {other}" for one, other in CHAINS)
        raise InputError(f"decimation from {rate_in} to {rate_out} Hz", "is not specified", f"choose one of: {known}")
    return tuple(FILTERS[name] for name in names)


def _limited(values: NDArray[np.int64]) -> NDArray[np.int32]:
    return values.clip(-SAMPLE_LIMIT, SAMPLE_LIMIT - 1).astype(np.int32)


def filtered(samples: NDArray[np.int32], fir: Fir) -> NDArray[np.int32]:
    """One stage: int32 (n,) of 24 bits -> int32 (n // factor,); zeros are assumed before the first sample."""
    if not len(samples):
        return np.empty(0, np.int32)
    sums = np.convolve(samples.astype(np.int64), fir.taps)[: len(samples)][fir.factor - 1 :: fir.factor]
    return _limited((sums + (1 << (TAP_BITS - 1))) >> TAP_BITS)


def decimate(samples: NDArray[np.int32], rate_in: int, rate_out: int) -> NDArray[np.int32]:
    """Decimate samples.

    Parameters
    ----------
    samples
        int32 (n,), of 24 bits.
    rate_in, rate_out
        Hz; one of :data:`CHAINS`.

    Returns
    -------
    int32, of 24 bits
        One sample per rate_in / rate_out input samples, delayed by half of each filter's length.

    Raises
    ------
    InputError
        Where there is no chain of filters for these rates.
    """
    for fir in chain(rate_in, rate_out):
        samples = filtered(samples, fir)
    return samples


def cic(words: NDArray[np.uint16]) -> NDArray[np.int32]:
    """PDM to 64 kHz.

    Parameters
    ----------
    words
        uint16 (n,): one bit per sample at 1.024 MHz, first bit highest; 1 is +1 and 0 is -1. Before them, alternating
        bits are assumed, which is silence.

    Returns
    -------
    int32 (n,), of 24 bits
        A stream of ones is full scale.
    """
    if not words.size:
        return np.empty(0, np.int32)
    taps = cic_taps()
    before = np.full(-(-taps.size // CIC_FACTOR), 0x5555, np.uint16)
    padded = np.concatenate([before, words])
    bits = np.unpackbits(padded.astype(">u2").view(np.uint8)).astype(np.int64) * 2 - 1
    sums = np.convolve(bits, taps)[: bits.size][CIC_FACTOR - 1 :: CIC_FACTOR]
    return _limited(sums[before.size :] << CIC_SHIFT)


def cic_table() -> NDArray[np.int32]:
    """Contribution of every four bits to a sample, int32 (nibbles, 16): newest four bits first, newest bit lowest."""
    taps = cic_taps().reshape(-1, 4) << CIC_SHIFT
    signs = (np.arange(16)[:, np.newaxis] >> np.arange(4) & 1) * 2 - 1
    return np.asarray(taps @ signs.T, np.int32)


def cic_taps() -> NDArray[np.int64]:
    """Impulse response of the CIC: a box of 16 taps, convolved five times."""
    taps = np.ones(1, np.int64)
    for _ in range(CIC_ORDER):
        taps = np.convolve(taps, np.ones(CIC_FACTOR, np.int64))
    return taps


def response(rate_in: int, rate_out: int, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain (linear) of a whole chain, before aliasing, at frequencies in Hz.

    ``rate_in`` may be :data:`PDM_RATE`; the CIC is then part of the chain.
    """
    pdm = rate_in == PDM_RATE
    stages = [cic_taps() / float(CIC_FACTOR**CIC_ORDER)] if pdm else []
    rates = [rate_in] if pdm else []
    rate = CIC_RATE if pdm else rate_in
    for fir in chain(rate, rate_out):
        stages.append(fir.taps / float(1 << TAP_BITS))
        rates.append(rate)
        rate //= fir.factor
    gain = np.ones_like(frequency)
    for taps, at in zip(stages, rates, strict=True):
        distance = np.arange(len(taps)) - (len(taps) - 1) / 2
        gain = gain * (taps[:, None] * np.cos(2 * np.pi * np.outer(distance, frequency / at))).sum(axis=0)
    return np.abs(gain)
