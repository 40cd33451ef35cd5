from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError

Write = Callable[[Path], Path]


def fill(root: Path, clip: Write, *folders: str, names: tuple[str, ...] = ("a.wav", "b.wav", "c.wav")) -> Path:
    for folder in folders:
        for label in ("bus", "tram"):
            for name in names:
                clip(root / folder / label / name)
    return root


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "dev", "eval"),
     ("training", "validation", "evaluation")],
)  # fmt: skip
def test_split_folders_are_the_splits_and_their_folders_the_classes(
    tmp_path: Path, clip: Write, train: str, validation: str, test: str
) -> None:
    dataset = open_dataset(fill(tmp_path / "Street", clip, train, validation, test))
    assert (dataset.name, dataset.labels) == ("street", ("bus", "tram"))
    for split, folder in (("train", train), ("validation", validation), ("test", test)):
        assert {item.path.parts[-3] for item in dataset.split(split)} == {folder}
        assert len(dataset.split(split)) == 6
    assert len(dataset.split("all")) == 18


def test_a_given_validation_split_does_not_move_with_seed_or_fraction(tmp_path: Path, clip: Write) -> None:
    root = fill(tmp_path, clip, "train", "validation")
    first, second = open_dataset(root), open_dataset(root, validation_fraction=0.7, seed=5)
    assert first.split("validation") == second.split("validation")
    with pytest.raises(DatasetError, match=r"split 'test': .* has no folder 'test'; use one of: train, validation"):
        first.split("test")


def test_without_a_validation_folder_it_is_taken_from_the_training(tmp_path: Path, clip: Write) -> None:
    dataset = open_dataset(fill(tmp_path, clip, "train", "test"))
    held = dataset.split("validation")
    assert held
    assert {item.path.parts[-3] for item in held} == {"train"}
    assert len(dataset.split("train")) + len(held) == 6


def test_fold_folders_are_folds(tmp_path: Path, clip: Write) -> None:
    dataset = open_dataset(fill(tmp_path, clip, "fold1", "Fold_2", "fold 10"))
    assert {item.fold for item in dataset.clips} == {1, 2, 10}
    assert {item.fold for item in dataset.split("test")} == {10}
    assert len(dataset.split("fold2")) == 6


def test_edge_impulses_export_is_read(tmp_path: Path, clip: Write) -> None:
    for folder in ("training", "testing"):
        for label in ("bus", "tram"):
            for name in ("1k2", "3ab.s1", "3ab.s2", "9zz"):
                clip(tmp_path / folder / f"{label}.{name}.wav")
    (tmp_path / "info.labels").write_text("{}")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("bus", "tram")
    assert len({item.recording for item in dataset.split("test")}) == 6


def test_folders_of_classes_that_are_called_like_splits_are_classes(tmp_path: Path, clip: Write) -> None:
    for label in ("train", "tram", "test bench"):
        for name in ("a.wav", "b.wav", "c.wav"):
            clip(tmp_path / label / name)
    assert open_dataset(tmp_path).labels == ("test bench", "train", "tram")


def test_takes_of_one_recording_in_two_splits_are_noted(tmp_path: Path, clip: Write) -> None:
    fill(tmp_path, clip, "train", names=("monday-1.wav", "monday-2.wav", "tuesday-1.wav", "wednesday-1.wav"))
    fill(tmp_path, clip, "test", names=("monday-3.wav", "friday-1.wav"))
    assert (
        "bus: takes of 'monday' are in test and train; of one recording, they are no test"
        in open_dataset(tmp_path).notes
    )


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (("val", "validation", "train"), "validation: is the same split as 'val'; put their files into one folder"),
        (("train", "test/loose.wav"), "loose.wav: lies beside class folders"),
    ],
)
def test_what_is_no_layout_is_refused_by_name(
    tmp_path: Path, clip: Write, broken: tuple[str, ...], problem: str
) -> None:
    for name in broken:
        if name.endswith(".wav"):
            clip(tmp_path / name)
            name = str(Path(name).parent)
        fill(tmp_path, clip, name)
    with pytest.raises(DatasetError, match=problem):
        open_dataset(tmp_path)


def test_splits_of_one_class_are_refused(tmp_path: Path, clip: Write) -> None:
    clip(tmp_path / "train" / "a" / "x.wav")
    clip(tmp_path / "test" / "a" / "y.wav")
    with pytest.raises(DatasetError, match="its splits hold 1 class, at least 2 are needed"):
        open_dataset(tmp_path)


def test_a_file_without_a_label_in_its_name_is_refused(tmp_path: Path, clip: Write) -> None:
    clip(tmp_path / "training" / "bus.1.wav")
    clip(tmp_path / "testing" / "nolabel.wav")
    with pytest.raises(DatasetError, match=r"nolabel.wav: its name holds no label; .* label.name.wav"):
        open_dataset(tmp_path)


def test_links_to_nothing_are_noted(tmp_path: Path, clip: Write) -> None:
    fill(tmp_path, clip, ".")
    (tmp_path / "bus" / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    (tmp_path / "metro").symlink_to(tmp_path / "nowhere")
    notes = open_dataset(tmp_path).notes
    assert "bus: ignored 1 links to nothing, the first one gone.wav" in notes
    assert "metro: a link to nothing, ignored" in notes
