"""Rescaling in two instructions against TFLite's arithmetic, for every sum that a channel can have."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from scenelet.compiler.kernels.requantize import SUM_SHIFT, two_instructions

INT8 = -128, 127


def reference(sums: NDArray[np.int64], scale: tuple[int, int], zero_point: int) -> NDArray[np.int64]:
    """Doubling high product, halves up; division by 2^right, halves away from zero; zero point; clamp."""
    multiplier, right = scale
    high = (sums * multiplier + 2**30) >> 31
    magnitude = (2 * np.abs(high) + 2**right) >> (right + 1)
    return np.clip(np.where(high < 0, -magnitude, magnitude) + zero_point, *INT8)


def made(sums: NDArray[np.int64], constants: tuple[int, int, int]) -> NDArray[np.int64]:
    """What SMMLA and SSAT compute; asserts that nothing leaves int32."""
    more, multiplier, added = constants
    large = (sums << SUM_SHIFT) + more
    total = (large * multiplier >> 32) + added
    for values in (large, total, np.array(constants)):
        assert np.abs(values).max() < 2**31
    return np.clip(total >> 12, *INT8)


def every(low: int, high: int) -> NDArray[np.int64]:
    """All sums of a range of at most a hundred thousand; of a larger one its ends and as many between."""
    if high - low < 10**5:
        return np.arange(low, high + 1, dtype=np.int64)
    inside = np.random.default_rng(abs(high)).integers(low, high, 10**5)
    return np.concatenate([inside, np.arange(low, low + 1000), np.arange(high - 1000, high + 1)])


@pytest.mark.parametrize("right", range(1, 21))
@pytest.mark.parametrize("bound", [3, 40_000, 2**19, 2**23 - 300])
def test_what_is_found_is_exact(right: int, bound: int) -> None:
    chance = np.random.default_rng(right)
    multipliers = [2**30, 2**31 - 1, *chance.integers(2**30, 2**31, 4)]
    for multiplier in map(int, multipliers):
        for zero_point in (-128, -127, -5, 127):
            found = two_instructions((multiplier, right), zero_point, -bound, bound)
            if found:
                sums = every(-bound, bound)
                wanted = reference(sums, (multiplier, right), zero_point)
                np.testing.assert_array_equal(made(sums, found), wanted, f"{multiplier} {right} {zero_point}")


@pytest.mark.parametrize("right", range(6, 10))
def test_most_channels_behind_a_relu_have_constants(right: int) -> None:
    multipliers = np.random.default_rng(right).integers(2**30, 2**31, 50)
    found = [two_instructions((int(one), right), -128, -(2**19), 2**19) for one in multipliers]
    assert sum(constants is not None for constants in found) >= 48


def test_both_sides_of_zero_have_none() -> None:
    # TFLite's halves go away from zero: no straight line keeps the steps of both sides.
    assert two_instructions((1_500_000_001, 8), 0, -(2**17), 2**17) is None


def test_a_channel_of_one_output_has_constants() -> None:
    for low, high, zero_point in ((-5, 5, -128), (7, 7, 30), (-(2**20), -(2**19), -128), (2**19, 2**20, 127)):
        constants = two_instructions((2**30, 7), zero_point, low, high)
        sums = every(low, high)
        assert constants is not None
        np.testing.assert_array_equal(made(sums, constants), reference(sums, (2**30, 7), zero_point))
