from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scenelet.data.datasets import class_folders
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


@pytest.mark.parametrize("long", ["-1000", "_take1000", " 99999"])
def test_a_number_that_goes_on_counts_takes(tmp_path: Path, clip: Clip, long: str) -> None:
    fill(tmp_path, clip, "a", f"corner{long}.wav", f"corner{long[0]}7.wav", "other.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {"a/corner", "a/other"}


@pytest.mark.parametrize("digits", [4, 5, 6, 7, 8, 12])
def test_a_padded_number_counts_takes_of_its_length(tmp_path: Path, clip: Clip, digits: int) -> None:
    fill(tmp_path, clip, "a", *(f"corner-{number:0{digits}}.wav" for number in (1, 2, 900)), "corner-20240131093.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {"a/corner", "a/corner-20240131093"}


def test_numbering_beyond_any_width_counts_on() -> None:
    counter = class_folders._Counter([str(number) for number in range(1, 200_001)])
    assert all(counter.counts(number) for number in ("1", "999", "1000", "123456"))
    assert not counter.counts("20240131")


@pytest.mark.parametrize("suffixes", [("-20240131", "-20240201"), ("_093000", "_100032"), ("-1001", "-2417")])
def test_dates_times_and_archive_numbers_belong_to_the_name(
    tmp_path: Path, clip: Clip, suffixes: tuple[str, str]
) -> None:
    fill(tmp_path, clip, "a", *(f"corner{suffix}.wav" for suffix in suffixes), "other.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {*(f"a/corner{suffix}" for suffix in suffixes), "a/other"}


def test_one_recordings_takes_are_joined_over_unicode_forms(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "caf\u00e9-1.wav", "cafe\u0301-2.wav", "other.wav")
    fill(tmp_path, clip, "b", "x.wav")
    assert recordings(tmp_path, "a") == {"a/caf\u00e9", "a/other"}


def test_a_class_is_the_same_in_either_unicode_form(tmp_path: Path, clip: Clip) -> None:
    for root, name in ((tmp_path / "1", "caf\u00e9"), (tmp_path / "2", "cafe\u0301")):
        for label in (name, "caff", "rain"):
            fill(root, clip, label, "x.wav", "y.wav", "z.wav")
    first, second = open_dataset(tmp_path / "1"), open_dataset(tmp_path / "2")
    assert first.labels == second.labels == ("caff", "caf\u00e9", "rain")
    assert [clip.recording for clip in first.split("train")] == [clip.recording for clip in second.split("train")]


def test_one_class_in_two_unicode_forms_is_refused(tmp_path: Path, clip: Clip) -> None:
    for label in ("caf\u00e9", "cafe\u0301", "rain"):
        fill(tmp_path, clip, label, "x.wav", "y.wav", "z.wav")
    with pytest.raises(DatasetError, match=r"two classes are named 'caf\u00e9'.*; put their files into one folder"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    "label", ["r" * 65, "é" * 65, " ", "a\nb", "a\x1b[2Jb", b"a\xff".decode("utf-8", "surrogateescape")]
)
def test_a_class_that_no_model_can_name_is_refused(tmp_path: Path, clip: Clip, label: str) -> None:
    fill(tmp_path, clip, "b", "x.wav", "y.wav", "z.wav")
    fill(tmp_path, clip, label, "x.wav")
    with pytest.raises(DatasetError, match=r"its name .*; rename it"):
        open_dataset(tmp_path)


def test_a_file_whose_name_is_not_utf8_is_refused(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "x.wav", b"y\xff.wav".decode("utf-8", "surrogateescape"))
    fill(tmp_path, clip, "b", "x.wav")
    with pytest.raises(DatasetError, match="its name inside the data set is not UTF-8; rename it"):
        open_dataset(tmp_path)


def test_a_folder_of_the_data_set_need_not_be_utf8(tmp_path: Path, clip: Clip) -> None:
    root = tmp_path / b"y\xff".decode("utf-8", "surrogateescape")
    for label in ("a", "b"):
        fill(root, clip, label, "x.wav", "y.wav", "z.wav")
    assert len(open_dataset(root).sha256) == 64


def test_links_out_of_the_data_set_are_followed(tmp_path: Path, clip: Clip) -> None:
    store, root = tmp_path / "store", tmp_path / "set"
    fill(store, clip, "0af1", "1.wav", "2.wav", "3.wav")
    fill(root, clip, "a", "x.wav", "y.wav")
    (root / "a" / "z.wav").symlink_to(store / "0af1" / "1.wav")
    (root / "b").symlink_to(store / "0af1")
    dataset = open_dataset(root)
    assert len(dataset.clips) == 6
    assert len(dataset.sha256) == 64, "names inside the data set count, wherever the links lead"


@pytest.mark.parametrize(
    ("to", "problem"),
    [(".", "holds the whole data set"), ("..", "holds the whole data set"),
     ("a", "lies in the folder of another class"), ("a/inner", "lies in the folder of another class")],
)  # fmt: skip
def test_a_link_that_gives_clips_two_classes_is_refused(tmp_path: Path, clip: Clip, to: str, problem: str) -> None:
    root = tmp_path / "set"
    fill(root, clip, "a", "x.wav", "y.wav", "inner/z.wav")
    (root / "c").symlink_to(to)
    with pytest.raises(DatasetError, match=f"{problem}.*; (remove it|keep one of the two)"):
        open_dataset(root)


def test_folders_may_be_nested_deeply(tmp_path: Path, clip: Clip) -> None:
    fill(tmp_path, clip, "a", "x.wav")
    fill(tmp_path, clip, "b", "x.wav")
    deep = tmp_path / "a" / "/".join("d" * 300)
    deep.mkdir(parents=True)
    (tmp_path / "a" / "x.wav").rename(deep / "x.wav")
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 200)
    try:
        assert recordings(tmp_path, "a") == {"a/d"}
    finally:
        sys.setrecursionlimit(usual)


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


@pytest.mark.parametrize("name", [b"rain\xff/a.wav", b"rain/a\xff.wav", b"rain/monday\xff/a.wav"])
def test_a_name_that_is_not_utf_8_is_refused(home: Path, name: bytes) -> None:
    path = home / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"UTF-8.*; rename it"):
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
