from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenelet.data.dataset import Clip
from scenelet.data.splits import hold_out
from scenelet.errors import DatasetError


def make(groups: dict[str, list[int]]) -> list[Clip]:
    """Clips by label; one recording of so many clips for each number."""
    return [
        Clip(Path(f"{label}-{index}-{take}.wav"), label, f"{label}-{index}", f"place-{label}-{index // 2}")
        for label, sizes in groups.items()
        for index, size in enumerate(sizes)
        for take in range(size)
    ]


corpora = st.dictionaries(st.sampled_from("abcde"), st.lists(st.integers(1, 6), min_size=2, max_size=12), min_size=1)
fractions = st.floats(0.05, 0.95)
seeds = st.integers(0, 1000)


@given(corpora, fractions, seeds)
def test_every_clip_goes_to_one_side_with_its_whole_group(
    groups: dict[str, list[int]], fraction: float, seed: int
) -> None:
    clips = make(groups)
    train, held = hold_out(clips, fraction, seed, "recording")
    assert sorted(train + held, key=clips.index) == clips
    assert not {clip.recording for clip in train} & {clip.recording for clip in held}


@given(corpora, fractions, seeds)
def test_every_class_is_on_both_sides_near_its_fraction(
    groups: dict[str, list[int]], fraction: float, seed: int
) -> None:
    train, held = hold_out(make(groups), fraction, seed, "recording")
    for label, sizes in groups.items():
        taken = sum(clip.label == label for clip in held)
        assert 0 < taken < sum(sizes)
        assert abs(taken - fraction * sum(sizes)) <= max(sizes)
        assert any(clip.label == label for clip in train)


@given(corpora, fractions, seeds, st.randoms())
def test_the_order_of_the_clips_does_not_matter(
    groups: dict[str, list[int]], fraction: float, seed: int, random: object
) -> None:
    clips = make(groups)
    shuffled = clips.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(hold_out(clips, fraction, seed, "recording")[1]) == set(
        hold_out(shuffled, fraction, seed, "recording")[1]
    )


def test_known_answer() -> None:
    _, held = hold_out(make({"a": [1] * 10, "b": [1] * 10}), 0.2, 0, "recording")
    assert [clip.recording for clip in held] == ["a-5", "a-6", "b-0", "b-9"]


def test_seeds_differ() -> None:
    clips = make({"a": [1] * 20})
    chosen = {tuple(clip.recording for clip in hold_out(clips, 0.2, seed, "recording")[1]) for seed in range(10)}
    assert len(chosen) > 5


def test_locations_can_be_the_groups() -> None:
    clips = make({"a": [2] * 20, "b": [2] * 20})
    train, held = hold_out(clips, 0.2, 0, "location")
    assert len(held) == 16
    assert not {clip.location for clip in train} & {clip.location for clip in held}


def test_a_group_of_two_classes_stays_whole() -> None:
    clips = make({"a": [1] * 6, "b": [1] * 6})
    shared = [Clip(Path(f"s{n}.wav"), label, "shared") for n, label in enumerate("aab")]
    for seed in range(20):
        _, held = hold_out(clips + shared, 0.4, seed, "recording")
        assert sum(clip.recording == "shared" for clip in held) in (0, 3)


def test_a_group_of_two_classes_counts_for_its_main_one() -> None:
    shared = [Clip(Path(f"s{n}.wav"), label, "shared") for n, label in enumerate("aab")]
    for seed in range(20):  # the only group of "a" stays, whichever of the two of "b" goes
        train, held = hold_out(make({"b": [1, 1]}) + shared, 0.5, seed, "recording")
        assert len(held) == 1
        assert set(shared) <= set(train)


def test_a_class_with_one_group_stays_in_training() -> None:
    train, held = hold_out(make({"a": [5], "b": [1, 1]}), 0.5, 0, "recording")
    assert {clip.label for clip in held} == {"b"}
    assert sum(clip.label == "a" for clip in train) == 5


def test_nothing_to_hold_out_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no class has two recordings"):
        hold_out(make({"a": [5], "b": [3]}), 0.5, 0, "recording")


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_impossible_fractions(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction"):
        hold_out(make({"a": [1, 1]}), fraction, 0, "recording")
