"""Reciprocals and reciprocal square roots in TFLite's integers, by Newton-Raphson steps: see scn_inverses.h."""

from __future__ import annotations

_ONE = 1 << 28
_HALF_ROOT_OF_TWO = 1518500250
"""Half the square root of 2 in Q0.31."""
_STEPS = 5
_INT32_MAX = 2**31 - 1


def inverse_sqrt(value: int) -> tuple[int, int]:
    """Compute ``1 / sqrt(value)`` as ``multiplier * 2^(shift - 31)``.

    Parameters
    ----------
    value
        0..2^31-1; 0 is taken for 1, as the interpreter takes it.

    Returns
    -------
    tuple of int
        Multiplier, 0..2^31-1, and shift, left where positive.
    """
    if value <= 1:
        return _INT32_MAX, 0
    shift = 11
    while value >= 1 << 29:
        value, shift = value // 4, shift + 1
    pairs = (31 - value.bit_length()) // 2 - 1
    value, shift = value << 2 * pairs, shift - pairs
    half = ((value >> 1) + 1) >> 1
    guess = _ONE
    for _ in range(_STEPS):
        cube = _saturated(_high(_high(guess, guess), guess) << 6)
        guess = _saturated((_high(_ONE + _ONE // 2, guess) - _high(half, cube)) << 3)
    multiplier = _high(guess, _HALF_ROOT_OF_TWO)
    return (multiplier << -shift, 0) if shift < 0 else (multiplier, -shift)


def reciprocal(value: int) -> tuple[int, int]:
    """Compute ``1 / value`` as ``multiplier * 2^-(31 + right)``.

    Parameters
    ----------
    value
        1..2^31-1.

    Returns
    -------
    tuple of int
        Multiplier, 2^30..2^31-1, and right.
    """
    zeros = 32 - value.bit_length()
    half_sum = ((value << zeros) - 2**31 + _INT32_MAX + 1) // 2
    guess = 1515870810 + _high(half_sum, -1010580540)  # 48/17 - 32/17 * half_sum, in Q2.29
    for _ in range(3):
        error = (1 << 29) - _high(half_sum, guess)
        guess += _saturated(_high(guess, error) * 4)
    return min(guess * 2, _INT32_MAX), 31 - zeros


def _high(one: int, other: int) -> int:
    """Product in units of 2^31, halves rounded up."""
    return (one * other + (1 << 30)) >> 31


def _saturated(value: int) -> int:
    return min(max(value, -(2**31)), _INT32_MAX)
