from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError

Clip = Callable[[Path], Path]


def recordings(root: Path, label: str) -> set[str]:
    return {clip.recording for clip in open_dataset(root).clips if clip.label == label}


def fill(root: Path, clip: Clip, label: str, *names: str) -> None:
    for name in names:
        clip(root / label / name)


@pytest.fixture
def home(tmp_path: Path, clip: Clip) -> Path:
    """Two classes with ten recordings of two takes each."""
    root = tmp_path / "My Home"
    for label in ("kitchen", "bath"):
        for letter in "abcdefghij":
            fill(root, clip, label, f"day {letter}{letter}-1.wav", f"day {letter}{letter}-2.ogg")
    return root


def test_class_folders_are_labels_in_alphabetical_order(home: Path) -> None:
    dataset = open_dataset(home)
    assert (dataset.name, dataset.labels) == ("my_home", ("bath", "kitchen"))
    assert len(dataset.clips) == 40
    assert dataset.split_names == ("train", "validation", "test", "all")


def test_splits_keep_recordings_whole_and_classes_even(home: Path) -> None:
    dataset = open_dataset(home, validation_fraction=0.25)
    sides = [dataset.split(name) for name in ("train", "validation", "test")]
    assert [len(side) for side in sides] == [24, 8, 8]
    groups = [{clip.recording for clip in side} for side in sides]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 20
    for side in sides:
        assert sum(clip.label == "bath" for clip in side) * 2 == len(side)


def test_the_test_does_not_move_with_the_seed(home: Path) -> None:
    first, second = open_dataset(home, seed=1), open_dataset(home, seed=2)
    assert first.split("test") == second.split("test")
    assert first.split("validation") != second.split("validation")


@pytest.mark.parametrize("suffix", ["-1", "_2", " 12", "-A", "_b", "-take1", "_take_2", " part 3", "_segment004"])
def test_take_suffixes(tmp_path: Path, clip: Clip, suffix: str) -> None:
    fill(tmp_path, clip, "a", f"corner{suffix}.wav", "corner.wav", "other.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {"a/corner", "a/other"}


@pytest.mark.parametrize("suffix", ["-20240131", "-am", "_100032", "2", "-takeaway"])
def test_other_endings_belong_to_the_name(tmp_path: Path, clip: Clip, suffix: str) -> None:
    fill(tmp_path, clip, "a", f"corner{suffix}.wav", "corner.wav", "other.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {f"a/corner{suffix}", "a/corner", "a/other"}


def test_a_folder_inside_a_class_is_a_recording(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "monday/1.wav", "monday/2.wav", "monday/night/3.wav", "tuesday/1.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {"a/monday", "a/tuesday"}


def test_equal_names_in_two_classes_are_two_recordings(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "x.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert len({one.recording for one in open_dataset(tmp_path).clips}) == 2


def test_plain_numbering_of_a_whole_class_is_no_take(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", *(f"rain_{number:03}.wav" for number in range(5)))
    fill(tmp_path, clip, "b", "x.wav", "y.wav", "z.wav")
    assert len(recordings(tmp_path, "a")) == 5
    assert open_dataset(tmp_path).notes == ("a: the 5 numbered files of 'rain' count as recordings of their own",)
    assert len(open_dataset(tmp_path).split("test")) == 2


def test_too_few_recordings_can_be_scored_but_not_split(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "x.wav", "y.wav")
    fill(tmp_path, clip, "b", "x.wav", "y.wav", "z.wav")
    dataset = open_dataset(tmp_path)
    assert len(dataset.split("all")) == 5
    with pytest.raises(DatasetError, match="split 'train': class 'a' has 2 recordings where a split needs 3"):
        dataset.split("train")


def test_files_that_are_no_audio_are_noted(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "X.WAV", "y.wav", "z.flac")
    fill(tmp_path, clip, "b", "x.wav", "y.wav", "z.wav")
    (tmp_path / "a" / "song.mp3").touch()
    (tmp_path / "a" / ".hidden").touch()
    (tmp_path / ".git").mkdir()
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("a", "b")
    assert len(dataset.clips) == 6
    assert dataset.notes == ("a: ignored 1 .mp3",)


def test_folders_that_are_no_data_set(tmp_path: Path, clip: Clip) -> None:
    with pytest.raises(DatasetError, match="0 class folders, at least 2 are needed; give each class a folder"):
        open_dataset(tmp_path)
    fill(tmp_path, clip, "a", "x.wav")
    with pytest.raises(DatasetError, match="1 class folders"):
        open_dataset(tmp_path)
    (tmp_path / "b").mkdir()
    with pytest.raises(DatasetError, match="b: a class folder without audio"):
        open_dataset(tmp_path)


def test_ready_made_splits_are_not_mistaken_for_classes(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "train", "a/x.wav")
    fill(tmp_path, clip, "test", "a/y.wav")
    with pytest.raises(DatasetError, match="folders 'train' and 'test' instead of classes"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", [b"rain\xff/a.wav", b"rain/a\xff.wav", b"rain/monday\xff/a.wav"])
def test_a_name_that_is_not_utf_8_is_refused(home: Path, name: bytes) -> None:
    path = home / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="has a name that is not UTF-8, so it cannot be recorded; rename it"):
        open_dataset(home)


@pytest.mark.parametrize("target", [".", ".."])
def test_a_class_that_holds_its_own_data_set_is_refused(home: Path, target: str) -> None:
    (home / "again").symlink_to(target)
    with pytest.raises(DatasetError, match="again: is a link to a folder that it lies in; remove it"):
        open_dataset(home)


def test_links_to_themselves_are_no_classes_and_no_clips(home: Path) -> None:
    before = open_dataset(home)
    (home / "loop").symlink_to("loop")
    (home / before.labels[0] / "self").symlink_to(".")
    (home / before.labels[0] / "loop.wav").symlink_to("loop.wav")
    after = open_dataset(home)
    assert (after.labels, len(after.clips)) == (before.labels, len(before.clips))


def test_folders_may_lie_in_each_other_deeper_than_python_calls(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "rain", "a.wav")
    fill(tmp_path, clip, "wind", "b.wav")
    here = os.open(tmp_path / "rain", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert len(open_dataset(tmp_path).clips) == 2
    finally:  # pytest's own clearing calls itself once a folder
        subprocess.run(["rm", "-rf", tmp_path / "rain"], check=True)
