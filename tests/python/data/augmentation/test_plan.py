"""Altered copies: how many of what, the same for the same seed, cached like any clip."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.config.recipe import AugmentationConfig, FrontendConfig
from scenelet.data import audio
from scenelet.data.augmentation.plan import Alteration, Altered, altered, apply_to, augmented, copies, draw
from scenelet.data.dataset import Clip
from scenelet.data.datasets.registry import open_dataset
from scenelet.frontend.cache import cached_features

ALL = AugmentationConfig(copies=2, pitch_semitones=2, stretch=(0.9, 1.15), shift=True, impulse_response=0.5)


def clips(**counts: int) -> list[Clip]:
    """``a_rain=3``: three clips of rain by device a."""
    made = []
    for key, count in counts.items():
        device, label = key.split("_")
        made += [Clip(Path(f"{key}{number}.wav"), label, f"{key}{number}", device=device) for number in range(count)]
    return made


def totals(config: AugmentationConfig, given: list[Clip], key: str) -> Counter[str]:
    every = Counter(getattr(clip, key) for clip in given)
    for clip, count in zip(given, copies(config, given), strict=True):
        every[getattr(clip, key)] += count
    return every


def test_every_clip_gets_its_copies() -> None:
    made = altered(ALL, clips(a_rain=3, b_rain=2))
    assert Counter(clip.recording for clip in made) == {
        "a_rain0": 2,
        "a_rain1": 2,
        "a_rain2": 2,
        "b_rain0": 2,
        "b_rain1": 2,
    }


@pytest.mark.parametrize("key", ["device", "class"])
def test_rare_groups_become_as_large_as_the_largest(key: str) -> None:
    given = clips(a_rain=11, b_rain=2, b_wind=3)
    config = AugmentationConfig(balance=(key,), shift=True)
    expected = {"device": {"a": 11, "b": 11}, "class": {"rain": 13, "wind": 13}}
    assert totals(config, given, {"device": "device", "class": "label"}[key]) == expected[key]
    largest = {"device": "a_rain", "class": "a_rain"}[key]
    assert all(
        count == 0
        for clip, count in zip(given, copies(config, given), strict=True)
        if clip.path.name.startswith(largest)
    )


def test_classes_by_device_are_balanced_together_and_evenly() -> None:
    given = clips(a_rain=7, a_wind=7, b_rain=2, b_wind=3)
    counts = copies(AugmentationConfig(balance=("class", "device"), copies=1, shift=True), given)
    sizes = Counter[str]()
    for clip, count in zip(given, counts, strict=True):
        sizes[f"{clip.device}_{clip.label}"] += 1 + count
    assert set(sizes.values()) == {14}
    assert counts[-3:] == [4, 4, 3]


def test_one_clip_is_not_copied_for_ever() -> None:
    config = AugmentationConfig(balance=("device",), most_copies=4, shift=True)
    assert totals(config, clips(a_rain=100, b_rain=2), "device") == {"a": 100, "b": 10}


def test_draws_depend_on_seed_clip_and_number_alone() -> None:
    one, other = clips(a_rain=2)
    first = draw(ALL, one, 0)
    assert draw(ALL, replace(one, path=Path("/elsewhere") / one.path.name), 0) == first
    assert len({first, draw(ALL.model_copy(update={"seed": 1}), one, 0), draw(ALL, other, 0), draw(ALL, one, 1)}) == 4


def test_draws_stay_in_their_ranges_and_fill_them() -> None:
    drawn = [draw(ALL, clip, number) for clip in clips(a_rain=40) for number in range(10)]
    for values, low, high in (
        ([d.tempo for d in drawn], 0.9, 1.15),
        ([d.semitones for d in drawn], -2, 2),
        ([d.turn for d in drawn], 0, 1),
    ):
        assert low <= min(values) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < max(values) <= high
    assert 0.4 < np.mean([d.response_seed is not None for d in drawn]) < 0.6


def test_what_is_off_leaves_its_part_alone() -> None:
    (clip,) = clips(a_rain=1)
    only_pitch = draw(AugmentationConfig(copies=1, pitch_semitones=2), clip, 0)
    assert only_pitch == Alteration(semitones=only_pitch.semitones)
    assert only_pitch.semitones != 0


def test_samples_keep_length_type_and_range() -> None:
    loud = np.where(np.arange(8000) % 20 < 10, 2**23 - 1, -(2**23)).astype(np.int32)
    heard = draw(ALL, *clips(a_rain=1), 1).apply(loud, 8000, 24)
    assert (heard.dtype, heard.shape) == (np.int32, loud.shape)
    assert -(2**23) <= heard.min() < heard.max() <= 2**23 - 1
    np.testing.assert_array_equal(Alteration().apply(loud, 8000, 24), loud)


def test_a_copy_is_read_altered_and_its_original_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 8000), 8000, subtype="PCM_24")
    clip = Clip(path, "rain", "x")
    copy = Altered(path, "rain", "x", alteration=Alteration(turn=0.25))
    samples = audio.read_audio(path, 8000)
    np.testing.assert_array_equal(apply_to(clip, samples, 8000, 24), samples)
    np.testing.assert_array_equal(apply_to(copy, samples, 8000, 24), np.roll(samples, 2000))


def test_copies_are_cached_apart_from_their_clip_and_from_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 16000), 8000)
    clip = Clip(path, "rain", "x")
    given = [clip, *altered(ALL, [clip])]
    config = FrontendConfig(n_fft=1024, n_mels=16)
    together, owner = cached_features(given, config, tmp_path / "cache", 2)
    assert owner.tolist() == [0, 0, 1, 1, 2, 2]
    for number, one in enumerate(given):
        alone, _ = cached_features([one], config, tmp_path / "cache")
        np.testing.assert_array_equal(alone, together[owner == number])
    assert not np.array_equal(together[owner == 0], together[owner == 1])
    assert not np.array_equal(together[owner == 1], together[owner == 2])
    kept = {entry: entry.stat().st_mtime_ns for entry in (tmp_path / "cache").rglob("*.*")}
    cached_features(given, config, tmp_path / "cache", 2)
    assert {entry: entry.stat().st_mtime_ns for entry in (tmp_path / "cache").rglob("*.*")} == kept


def test_only_training_is_augmented(esc10: Path) -> None:
    plain = open_dataset(esc10)
    more = augmented(plain, ALL)
    assert len(more.split("train")) == 3 * len(plain.split("train"))
    for name in ("validation", "test", "fold1"):
        assert more.split(name) == plain.split(name)
    assert augmented(plain, None) is plain
    assert augmented(plain, AugmentationConfig(mixup=0.2)) is plain
