"""Every alteration does what its name says, measured on the sound."""

import numpy as np
import pytest

from scenelet.data.augmentation.waveform import (
    convolve,
    device_response,
    fit_length,
    shift_pitch,
    shift_time,
    stretch_time,
)

RATE = 8000


def tone(frequency: float, seconds: float = 2.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE)


def strongest(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 8 * samples.size))
    return float(np.argmax(spectrum)) * RATE / (8 * samples.size)


@pytest.mark.parametrize("semitones", [-2, -0.5, 1, 2])
def test_pitch_moves_by_semitones_and_duration_stays(semitones: float) -> None:
    sound = tone(700)
    moved = shift_pitch(sound, semitones)
    assert moved.size == sound.size
    assert strongest(moved) == pytest.approx(700 * 2 ** (semitones / 12), rel=1e-3)
    assert moved.std() == pytest.approx(sound.std(), rel=0.05)


@pytest.mark.parametrize("rate", [0.9, 1.15, 2.0])
def test_tempo_changes_duration_and_pitch_stays(rate: float) -> None:
    sound = tone(700)
    stretched = stretch_time(sound, rate)
    assert stretched.size == round(sound.size / rate)
    assert strongest(stretched) == pytest.approx(700, rel=1e-3)
    assert stretched.std() == pytest.approx(sound.std(), rel=0.05)


@pytest.mark.parametrize("rate", [0.9, 1.15])
def test_tempo_moves_what_happens(rate: float) -> None:
    sound = np.zeros(2 * RATE)
    sound[RATE : RATE + 400] = np.random.default_rng(0).normal(0, 0.3, 400)
    energy = stretch_time(sound, rate) ** 2
    centre = np.sum(np.arange(energy.size) * energy) / energy.sum()
    assert centre == pytest.approx((RATE + 200) / rate, abs=0.01 * RATE)


@pytest.mark.parametrize("change", [lambda x: shift_pitch(x, 0), lambda x: stretch_time(x, 1)])
def test_nothing_asked_is_nothing_done(change) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 1000)
    np.testing.assert_array_equal(change(sound), sound)


@pytest.mark.parametrize("count", [1, 10, 100, 700])
def test_the_shortest_sounds_pass(count: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, count)
    for changed in (shift_pitch(sound, -2), shift_pitch(sound, 2), convolve(sound, np.ones(256))):
        assert changed.shape == sound.shape
        assert np.isfinite(changed).all()
    assert stretch_time(sound, 1.15).size == max(1, round(count / 1.15))


def test_a_shift_in_time_loses_no_sample() -> None:
    assert shift_time(np.arange(5.0), 2).tolist() == [3, 4, 0, 1, 2]


def test_a_length_is_filled_with_sound_not_with_silence() -> None:
    assert fit_length(np.array([1.0, 2, 3]), 5).tolist() == [1, 2, 3, 1, 2]
    assert fit_length(np.array([1.0, 2, 3]), 2).tolist() == [1, 2]


def test_a_response_is_convolved_linearly() -> None:
    generator = np.random.default_rng(0)
    sound, response = generator.normal(size=900), generator.normal(size=256)
    np.testing.assert_allclose(convolve(sound, response), np.convolve(sound, response)[:900], atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_a_microphone_has_the_gains_that_were_drawn_and_no_delay(seed: int) -> None:
    response = device_response(np.random.default_rng(seed), RATE, 5.0)
    assert np.sum(response**2) == pytest.approx(1)
    assert np.argmax(np.abs(response)) < 4
    drawn = np.random.default_rng(seed).normal(0, 5.0, 7)
    corners = np.geomspace(100, RATE / 2, 7)
    measured = np.array([_gain_db(response, frequency) for frequency in corners[1:-1]])
    level = np.mean(measured - drawn[1:-1])  # unit energy sets the common level
    np.testing.assert_allclose(measured - level, drawn[1:-1], atol=1.0)


def _gain_db(response: np.ndarray, frequency: float) -> float:
    sound = tone(frequency)
    heard = convolve(sound, response)[2000:]  # behind the onset
    return float(20 * np.log10(heard.std() / sound[2000:].std()))


def test_microphones_spread_as_asked() -> None:
    gains = [
        20 * np.log10(np.abs(np.fft.rfft(device_response(np.random.default_rng(seed), RATE, 3.0)))[64])
        for seed in range(300)
    ]
    assert 1.5 < np.std(gains) < 3.5  # the common level is taken out, and corners are joined by lines
