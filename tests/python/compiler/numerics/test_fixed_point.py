"""Multipliers hold their factor as exactly as 31 and 62 bits can."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenelet.compiler.numerics.fixed_point import activation_bounds, fine_multiplier, quantize_multiplier
from scenelet.graph import Quantization, Tensor

FACTORS = st.floats(2.0**-31, 2.0**29, allow_subnormal=False)


def tensor(scale: float, zero_point: int) -> Tensor:
    return Tensor(0, "t", (1,), quantization=Quantization(np.array([scale], np.float32), np.array([zero_point])))


@given(FACTORS)
def test_a_q31_multiplier_is_within_half_a_unit(factor: float) -> None:
    multiplier, shift = quantize_multiplier(factor)
    assert 2**30 <= multiplier < 2**31
    unit = Fraction(2) ** (shift - 31)
    assert abs(multiplier * unit - Fraction(factor)) <= unit / 2


@given(FACTORS)
def test_a_fine_multiplier_is_exact(factor: float) -> None:
    multiplier, fraction, shift = fine_multiplier(factor)
    assert 2**30 <= multiplier < 2**31
    assert 0 <= fraction < 2**31
    assert (multiplier + Fraction(fraction, 2**31)) * Fraction(2) ** (shift - 31) == Fraction(factor)


def test_corners() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(1.0) == (1 << 30, 1)
    assert quantize_multiplier(np.nextafter(1.0, 0.0)) == (1 << 30, 1)
    assert quantize_multiplier(2.0**-33) == (0, 0)
    assert fine_multiplier(0.0) == (0, 0, 0)
    assert fine_multiplier(2.0**-33) == (0, 0, 0)
    assert fine_multiplier(0.75) == (3 << 29, 0, 0)


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        ("NONE", 0.1, 3, (-128, 127)),
        ("RELU", 0.1, 3, (3, 127)),
        ("RELU", 0.1, -128, (-128, 127)),
        ("RELU6", 0.1, 3, (3, 63)),
        ("RELU6", 0.01, 3, (3, 127)),
        ("RELU6", 4.0, 0, (0, 2)),
        ("RELU_N1_TO_1", 0.1, 3, (-7, 13)),
        ("RELU_N1_TO_1", 2.0, 3, (2, 4)),
    ],
)
def test_activation_bounds(activation: str, scale: float, zero_point: int, expected: tuple[int, int]) -> None:
    # 6 / 4 = 1.5 and 1 / 2 = 0.5 round away from zero.
    assert activation_bounds(activation, tensor(scale, zero_point)) == expected
