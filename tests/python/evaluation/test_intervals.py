"""Intervals by bootstrap over recordings: of known spread, wider for fewer recordings, and the same in every call."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.evaluation.certainty import clips_interval, missed_by_all
from scenelet.evaluation.clip_answers import ClipAnswer
from scenelet.evaluation.intervals import accuracy_interval, shown


def test_for_independent_clips_it_is_the_binomials() -> None:
    """Of 400 clips of one class, 320 right: 80 % with a standard deviation of 2 %."""
    correct = np.arange(400) % 5 != 0
    low, high = accuracy_interval(correct, np.zeros(400, np.int64), [str(number) for number in range(400)])
    assert low == pytest.approx(0.8 - 1.96 * 0.02, abs=0.006)
    assert high == pytest.approx(0.8 + 1.96 * 0.02, abs=0.006)


def test_clips_of_one_recording_are_one_trial() -> None:
    """The same clips from 40 recordings, each right or wrong as a whole: the spread is that of 40 trials."""
    recording = np.arange(400) // 10
    low, high = accuracy_interval(recording % 5 != 0, np.zeros(400, np.int64), [str(one) for one in recording])
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.16 / 40), abs=0.04)


def test_classes_weigh_the_same_and_none_is_lost() -> None:
    """Nine right clips of one class, one wrong clip of another: every draw has both."""
    interval = accuracy_interval(
        np.array([True] * 9 + [False]), np.array([0] * 9 + [1]), [str(number) for number in range(10)]
    )
    assert interval == (0.5, 0.5)


def test_a_recording_of_several_classes_is_drawn_as_a_whole() -> None:
    truth = np.array([0, 1, 0, 1])
    low, high = accuracy_interval(np.array([1, 1, 0, 0]), truth, ["a", "a", "b", "b"])
    assert (low, high) == (0, 1)


def test_the_same_arguments_give_the_same_interval() -> None:
    chance = np.random.default_rng(0)
    correct, truth = chance.random(60) < 0.7, chance.integers(0, 3, 60)
    names = [str(number // 2) for number in range(60)]
    assert accuracy_interval(correct, truth, names) == accuracy_interval(correct, truth, names)


def test_an_interval_is_written_in_per_cent() -> None:
    assert shown((0.8714, 1.0)) == "87.1 to 100.0 %"


def answer(file: str, truth: str, said: str) -> ClipAnswer:
    return ClipAnswer(file, f"recording of {file}", truth, said)


def test_a_clip_is_missed_where_no_network_recognises_it() -> None:
    first = [answer("1", "rain", "sea"), answer("2", "rain", "rain"), answer("3", "sea", "rain")]
    second = [answer("1", "rain", "fire"), answer("2", "rain", "sea"), answer("3", "sea", "sea")]
    other = [answer("1", "rain", "rain")]  # another fold's clip of the same name
    (missed,) = missed_by_all([(1, first), (1, second), (2, other)])
    assert (missed.file, missed.truth, missed.answers) == ("1", "rain", ("fire", "sea"))
    assert missed.to_json()["recording"] == "recording of 1"


def test_seeds_are_no_further_clips() -> None:
    fold = [answer(str(number), "rain", "rain" if number % 4 else "sea") for number in range(40)]
    once, thrice = clips_interval([(1, fold)]), clips_interval([(1, fold)] * 3)
    assert once == thrice
    assert clips_interval([(1, fold), (2, [])]) is None
    assert clips_interval([]) is None


def test_a_clip_of_silence_is_not_right_even_where_a_class_is_called_so() -> None:
    assert not ClipAnswer("1", "1", "silence", "silence", silent=True).right
    assert ClipAnswer("1", "1", "silence", "silence").right
