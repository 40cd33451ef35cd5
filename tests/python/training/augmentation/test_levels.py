"""Mixing as powers, gain, tilt and microphone: each has its defining property, in powers."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.config.recipe import FrontendConfig
from scenelet.training.augmentation.levels import HIGHEST, LOWEST, Scale, device_curves, gains, power_mix, tilts

FRONTEND = FrontendConfig(n_mels=20)
SCALE = Scale.of(FRONTEND)
COUNT = 400


@pytest.fixture
def inputs() -> np.ndarray:
    """Windows of levels 15 dB apart, none of them near the ends of the range, in steps of features."""
    chance = np.random.default_rng(0)
    drawn = chance.normal(0, 0.1, (COUNT, 20, 8, 1)) + chance.uniform(-0.4, 0.4, (COUNT, 1, 1, 1))
    return (np.rint(drawn * 64) / 64).astype(np.float32)


def test_a_feature_is_the_power_that_the_front_end_says() -> None:
    features = np.array([-128, -127, 0, 127], np.float32).reshape(1, -1, 1, 1) / 64
    scale = Scale.of(FRONTEND.model_copy(update={"n_mels": 16, "lo_db": -50.0, "hi_db": 10.0}))
    powers = scale.powers(np.broadcast_to(features, (16, 4, 1, 1)).transpose(1, 0, 2, 3))[:, 0, 0, 0]
    np.testing.assert_allclose(10 * np.log10(powers[1:]), -50 + 60 / 255 * np.array([1, 128, 255]), rtol=1e-5)
    assert powers[0] == 0, "the lowest feature is anything down to silence"


def test_bands_may_have_ranges_of_their_own() -> None:
    lows = tuple(np.linspace(-70.0, -40.0, 20).tolist())
    scale = Scale.of(FrontendConfig(n_mels=20, lo_db=lows, hi_db=20.0))
    half = np.full((1, 20, 2, 1), (LOWEST + HIGHEST) / 2, np.float32)
    np.testing.assert_allclose(10 * np.log10(scale.powers(half))[0, :, 0, 0], (np.array(lows) + 20) / 2, rtol=1e-4)


def test_powers_and_inputs_are_inverse(inputs: np.ndarray) -> None:
    np.testing.assert_allclose(SCALE.inputs(SCALE.powers(inputs)), inputs, atol=1e-5)


def test_a_mixture_is_the_sum_of_powers_at_one_level(inputs: np.ndarray) -> None:
    told = np.eye(COUNT, dtype=np.float32)
    said = np.random.default_rng(1).normal(size=(COUNT, 3)).astype(np.float32)
    mixed, (shares, outputs) = power_mix(np.random.default_rng(2), inputs, (told, said), 1.0, SCALE)
    np.testing.assert_allclose(outputs, shares @ said, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    powers = SCALE.powers(inputs).reshape(COUNT, -1).astype(np.float64)
    levels = powers.mean(axis=1)
    for row in range(0, COUNT, 7):
        pair = np.flatnonzero(shares[row])
        weights = shares[row, pair].astype(np.float64) ** 2
        parts = powers[pair] * (levels[row] / levels[pair])[:, np.newaxis]
        wanted = weights @ parts / weights.sum()
        np.testing.assert_allclose(SCALE.powers(mixed[row : row + 1]).reshape(-1), wanted, rtol=1e-3)
    np.testing.assert_allclose(SCALE.powers(mixed).reshape(COUNT, -1).mean(axis=1), levels, rtol=1e-3)


def test_a_share_of_the_windows_is_mixed_and_the_others_stay(inputs: np.ndarray) -> None:
    mixed, (shares,) = power_mix(np.random.default_rng(3), inputs, (np.eye(COUNT, dtype=np.float32),), 0.25, SCALE)
    alone = np.diag(shares) == 1
    assert 0.65 < alone.mean() < 0.85
    np.testing.assert_array_equal(mixed[alone], inputs[alone])


def test_silence_adds_nothing_to_a_mixture() -> None:
    both = np.full((2, 20, 8, 1), LOWEST, np.float32)
    both[0, :10] = 0.5
    mixed, (shares,) = power_mix(np.random.default_rng(5), both, (np.eye(2, dtype=np.float32),), 1.0, SCALE)
    assert np.isfinite(mixed).all()
    assert (mixed[:, 10:] == LOWEST).all()
    assert np.isfinite(shares).all()


def test_a_gain_moves_all_bands_and_leaves_silence(inputs: np.ndarray) -> None:
    drawn = gains(np.random.default_rng(1), COUNT, 6)
    assert -6 <= drawn.min() < -5
    assert 5 < drawn.max() <= 6
    inputs[:, 3] = LOWEST
    raised = SCALE.raised(inputs, drawn)
    assert (raised[:, 3] == LOWEST).all()
    step = 80 / 255 * 64
    np.testing.assert_allclose((raised - inputs)[:, 4:] * step, np.broadcast_to(drawn, (COUNT, 16, 8, 1)), atol=1e-3)


def test_levels_stay_in_the_range_of_features() -> None:
    loud = np.full((2, 20, 8, 1), 1.9, np.float32)
    raised = SCALE.raised(loud, np.array([40.0, -200.0]).reshape(-1, 1, 1, 1))
    assert raised.max() == HIGHEST
    assert raised.min() == LOWEST


def test_a_tilt_is_a_line_about_the_middle() -> None:
    drawn = tilts(np.random.default_rng(1), COUNT, 3, 20)[..., 0, 0]
    np.testing.assert_allclose(np.diff(drawn, 2, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(drawn[:, 0], -drawn[:, -1])
    assert 2.5 < np.abs(drawn).max() <= 3


def test_device_curves_are_smooth_and_keep_the_level() -> None:
    drawn = device_curves(np.random.default_rng(1), COUNT, 4, FRONTEND)[..., 0, 0]
    np.testing.assert_allclose(drawn.mean(axis=1), 0, atol=1e-9)
    assert 2 < drawn.std() < 5
    assert np.abs(np.diff(drawn, axis=1)).mean() < drawn.std(), "neighbours are alike"
