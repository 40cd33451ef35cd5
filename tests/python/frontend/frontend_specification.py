"""The specification of docs/SPEC.md once more, word by word: one sample, one bin at a time, in Python's integers.

Slow, and shares no code with the package. Every value is checked against the width that the device gives it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def wide(value: int, bits: int) -> int:
    assert -(1 << (bits - 1)) <= value < 1 << (bits - 1), f"{value} does not fit {bits} bits"
    return value


def unsigned(value: int) -> int:
    assert 0 <= value < 1 << 64, f"{value} does not fit uint64"
    return value


def product(a: int, b: int) -> int:
    return (wide(wide(a, 32) * wide(b, 32), 64) + (1 << 31)) >> 32


def half_up(x: float) -> int:
    return math.floor(Fraction(x) + Fraction(1, 2))


def q31(x: float) -> int:
    return min(half_up(x * 2**31), 2**31 - 1)


def turned(re: int, im: int, angle: float) -> tuple[int, int]:
    """Half of (re + j im) * e^(-j angle), rounded as SMMULR then SMMLAR and SMMLSR round."""
    c, s = q31(math.cos(angle)), q31(math.sin(angle))
    return (
        wide(product(re, c) + product(im, s), 32),
        wide(product(im, c) + (((1 << 31) - re * s) >> 32), 32),
    )


def fft(z: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Radix 4 down to 4 or 2 points, by recursion on every fourth point."""
    n = len(z)
    if n == 2:
        (a, aj), (b, bj) = z
        return [(wide(a + b, 32), wide(aj + bj, 32)), (wide(a - b, 32), wide(aj - bj, 32))]
    if n == 4:
        sums = [(0, 0)] * 4
        for k in range(4):
            re = im = 0
            for i, (x, y) in enumerate(z):
                # times (-j)^(i k)
                u, v = [(x, y), (y, -x), (-x, -y), (-y, x)][i * k % 4]
                re, im = re + u, im + v
            sums[k] = (wide(re + 1, 32) >> 1, wide(im + 1, 32) >> 1)
        return sums
    legs = [fft(z[i::4]) for i in range(4)]
    out = [(0, 0)] * n
    for k in range(n // 4):
        t = [turned(*legs[i][k], 2 * math.pi * i * k / n) for i in (1, 2, 3)]
        t0 = (product(legs[0][k][0], 2**31 - 1), product(legs[0][k][1], 2**31 - 1))
        for quarter in range(4):
            re, im = t0
            for i, (x, y) in enumerate(t, 1):
                u, v = [(x, y), (y, -x), (-x, -y), (-y, x)][i * quarter % 4]
                re, im = re + u, im + v
            out[k + quarter * n // 4] = (wide(re, 32), wide(im, 32))
    return out


def powers(frame: Sequence[int], window: Sequence[int], bits: int) -> tuple[list[int], int]:
    """Powers of bins 0 .. n/2 - 1, and the block exponent."""
    magnitude = 0
    for x in frame:
        magnitude |= x ^ (x >> 31)
    shift = 31 - magnitude.bit_length()
    w = [product(wide(x << shift, 32), c) for x, c in zip(frame, window, strict=True)]
    n, half = len(frame), len(frame) // 2
    z = fft(list(zip(w[0::2], w[1::2], strict=True)))
    power = [0] * half
    power[0] = wide(z[0][0] + z[0][1], 32) ** 2
    for k in range(1, half // 2 + 1):
        (a, aj), (b, bj) = z[k], z[half - k]
        e, ej = product(a + b, 2**31 - 1), product(aj - bj, 2**31 - 1)
        o, oj = turned(aj + bj, b - a, 2 * math.pi * k / n)
        power[half - k] = unsigned(wide(e - o, 32) ** 2 + wide(ej - oj, 32) ** 2)
        power[k] = unsigned(wide(e + o, 32) ** 2 + wide(ej + oj, 32) ** 2)
    return power, shift - (32 - bits)


def log2_q16(value: int) -> int:
    if not value:
        return -(1 << 30)
    top = value.bit_length() - 1
    mantissa = (value << (63 - top)) >> 32
    line, part = (mantissa >> 25) & 63, (mantissa >> 9) & 0xFFFF
    here, there = (half_up(math.log2(1 + i / 64) * 65536) for i in (line, line + 1))
    return (top << 16) + here + (((there - here) * part + 0x8000) >> 16)


def levels(
    frame: Sequence[int], window: Sequence[int], bits: int, segments: Sequence[Sequence[tuple[int, int]]]
) -> list[int]:
    """log2 of each band's integer power in Q16, the block exponent taken out.

    ``segments``: for each pair of neighbouring band edges its bins and their rising Q16 weights.
    """
    power, exponent = powers(frame, window, bits)
    rise, whole = [], []
    for segment in segments:
        low = unsigned(sum((power[b] & 0xFFFFFFFF) * w for b, w in segment))
        high = unsigned(sum((power[b] >> 32) * w for b, w in segment))
        rise.append(unsigned((high << 16) + (low >> 16)))
        whole.append(unsigned(sum(power[b] for b, _ in segment)))
    bands = [rise[m] + whole[m + 1] - rise[m + 1] for m in range(len(segments) - 1)]
    return [wide(log2_q16(unsigned(band)) - (exponent << 17), 32) for band in bands]
