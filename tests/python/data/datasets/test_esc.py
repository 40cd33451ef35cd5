from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenelet.data.datasets.esc import ESC10_LABELS, ESC50_LABELS
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError

Write = Callable[..., Path]


def names(dataset: object, split: str) -> set[str]:
    return {clip.path.name for clip in dataset.split(split)}  # type: ignore[attr-defined]


def test_esc10_has_its_labels_folds_and_recordings(esc10: Path) -> None:
    dataset = open_dataset(esc10)
    assert dataset.name == "esc10"
    assert dataset.labels == tuple(sorted(ESC10_LABELS))
    assert len(dataset.clips) == 30
    assert dataset.split_names == ("train", "validation", "test", "fold1", "fold2", "fold3", "all")
    takes = [clip for clip in dataset.clips if clip.recording == "100"]
    assert [clip.path.name for clip in takes] == ["1-100-A.ogg", "1-100-B.ogg"]
    assert {(clip.label, clip.fold) for clip in takes} == {("rain", 1)}


def test_the_highest_fold_is_the_test_and_the_others_train(esc10: Path) -> None:
    dataset = open_dataset(esc10)
    assert names(dataset, "test") == names(dataset, "fold3")
    assert names(dataset, "train") | names(dataset, "validation") == names(dataset, "fold1") | names(dataset, "fold2")
    assert not names(dataset, "train") & names(dataset, "validation")


def test_no_source_recording_is_on_two_sides(esc10: Path) -> None:
    for seed in range(10):
        dataset = open_dataset(esc10, seed=seed)
        sides = [{clip.recording for clip in dataset.split(name)} for name in ("train", "validation", "test")]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 24


def test_absent_fold_says_which_are_there(esc10: Path) -> None:
    with pytest.raises(DatasetError, match=r"split 'fold5': fold 5 is not in this copy \(folds here: 1, 2, 3\)"):
        open_dataset(esc10).split("fold5")


def test_unknown_split_says_which_are_there(esc10: Path) -> None:
    with pytest.raises(DatasetError, match=r"split 'evaluation'.*use one of: train, validation, test, fold1"):
        open_dataset(esc10).split("evaluation")


def test_one_fold_alone_can_be_tested_but_not_trained_on(esc10: Path) -> None:
    table = esc10 / "meta.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if line.startswith(("filename", "2-"))))
    dataset = open_dataset(esc10)
    assert names(dataset, "test") == names(dataset, "fold2")
    with pytest.raises(DatasetError, match="split 'train': fold 2 alone is here"):
        dataset.split("train")


def test_targets_follow_the_labels(esc10: Path) -> None:
    dataset = open_dataset(esc10)
    clips = dataset.split("test")
    targets = dataset.targets(clips)
    assert [dataset.labels[target] for target in targets] == [clip.label for clip in clips]
    assert len(set(targets.tolist())) == 2


def test_the_hash_tells_other_data_and_other_splits_apart(esc10: Path) -> None:
    first = open_dataset(esc10).sha256
    assert open_dataset(esc10).sha256 == first
    assert open_dataset(esc10, seed=1).sha256 != first
    table = esc10 / "meta.csv"
    table.write_text(table.read_text().replace("3-303-A.ogg,3,rain", "3-303-A.ogg,3,sea_waves"))
    assert open_dataset(esc10).sha256 != first


@pytest.fixture
def esc50(tmp_path: Path, clip: Callable[[Path], Path], table: Write) -> Path:
    rows = [("filename", "fold", "target", "category", "esc10", "src_file", "take")]
    for fold in ("1", "2", "5"):
        for label, esc10 in (("dog", "True"), ("crackling_fire", "True"), ("pig", "False")):
            for source in range(2):
                number = f"{fold}{source}{ESC50_LABELS.index(label)}"
                name = f"{fold}-{number}-A-{ESC50_LABELS.index(label)}.wav"
                rows.append((name, fold, str(ESC50_LABELS.index(label)), label, esc10, number, "A"))
                clip(tmp_path / "ESC-50-master/audio" / name)
    table(tmp_path / "ESC-50-master/meta/esc50.csv", rows)
    return tmp_path / "ESC-50-master"


def test_esc50_is_read_as_published(esc50: Path) -> None:
    dataset = open_dataset(esc50)
    assert dataset.name == "esc50"
    assert len(dataset.labels) == len(set(dataset.labels)) == 50
    assert dataset.labels[:4] == ("dog", "rooster", "pig", "cow")
    assert dataset.labels[40] == "helicopter"
    assert len(dataset.clips) == 18
    assert {clip.fold for clip in dataset.split("test")} == {5}


def test_its_esc10_subset_has_the_names_of_esc10(esc50: Path) -> None:
    dataset = open_dataset(esc50, subset="esc10")
    assert (dataset.name, dataset.labels) == ("esc10", ESC10_LABELS)
    assert {clip.label for clip in dataset.clips} == {"dog_bark", "fire_crackling"}
    assert len(dataset.clips) == 12


def test_subsets_that_are_not_there(esc50: Path, tau: Path) -> None:
    with pytest.raises(DatasetError, match=r"unknown subset 'esc20'.*esc10"):
        open_dataset(esc50, subset="esc20")
    with pytest.raises(DatasetError, match="has no subset 'esc10'"):
        open_dataset(tau, subset="esc10")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("category", "class", r"meta\.csv:1: column 'category' is missing \(columns: filename, fold, class"),
        ("1-101-A.ogg,1,rain", "1-101-A.ogg,1,hail", r"meta\.csv:4: unknown category 'hail'; use one of: baby_cry"),
        ("1-101-A.ogg,1,rain", "1-101-A.ogg,6,rain", r"meta\.csv:4: unknown fold '6'"),
        ("1-101-A.ogg,1", "1-999-A.ogg,1", r"meta\.csv:4: audio file '1-999-A\.ogg' is missing from .*audio;"),
        ("1-101-A.ogg,1", "1-100-A.ogg,1", r"meta\.csv:4: filename '1-100-A\.ogg' stands on line 2 already"),
        ("1-101-A.ogg,1,rain,101,A", "1-101-A.ogg,1", r"meta\.csv:4: no value for column 'category'"),
        ("1-101-A.ogg,1,rain,101,A", "1-101-A.ogg,1,,101,A", r"meta\.csv:4: no value for column 'category'"),
        ("1-101-A.ogg,1,rain,101,A", '1-101-A.ogg,1,"rain"x,101,A', r"meta\.csv:4: not CSV"),
    ],
)
def test_bad_rows_name_file_and_line(esc10: Path, old: str, new: str, told: str) -> None:
    edit(esc10 / "meta.csv", old, new)
    with pytest.raises(DatasetError, match=told) as caught:
        open_dataset(esc10)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/usr/share/sounds/1-100-A.ogg", "filename '/usr/share/sounds/1-100-A.ogg' leads out of the data set"),
        ("../../1-100-A.ogg", "filename '../../1-100-A.ogg' leads out of the data set"),
        ("sub/../1-100-A.ogg", "filename 'sub/../1-100-A.ogg' leads out of the data set"),
        ("./1-100-A.ogg", "filename './1-100-A.ogg' is a detour; write 1-100-A.ogg"),
        ("sub//1-100-A.ogg", "filename 'sub//1-100-A.ogg' is a detour; write sub/1-100-A.ogg"),
    ],
)
def test_rows_that_leave_the_data_set_are_refused(esc10: Path, name: str, told: str) -> None:
    table = esc10 / "meta.csv"
    table.write_text(table.read_text().replace("1-100-A.ogg", name), "utf-8")
    with pytest.raises(DatasetError) as caught:
        open_dataset(esc10)
    assert str(caught.value).startswith(f"{table}:2: {told}")


def test_rows_with_absolute_paths_are_refused_even_to_the_data_set_itself(esc10: Path) -> None:
    table = esc10 / "meta.csv"
    table.write_text(table.read_text().replace("1-100-A.ogg", str(esc10 / "audio" / "1-100-A.ogg")), "utf-8")
    with pytest.raises(DatasetError, match=r"meta\.csv:2: .* is an absolute path; write 1-100-A\.ogg$"):
        open_dataset(esc10)


def test_files_may_be_links_into_a_store(esc10: Path, tmp_path: Path) -> None:
    file = esc10 / "audio" / "1-100-A.ogg"
    file.rename(tmp_path / "stored.ogg")
    file.symlink_to(tmp_path / "stored.ogg")
    assert len(open_dataset(esc10).sha256) == 64


def test_bad_tables(esc10: Path) -> None:
    table = esc10 / "meta.csv"
    table.write_text("filename,fold,category,source_clip,take\n")
    with pytest.raises(DatasetError, match="a header without rows"):
        open_dataset(esc10)
    table.write_text("")
    with pytest.raises(DatasetError, match=r"column 'filename' is missing \(columns: none\)"):
        open_dataset(esc10)
    table.write_bytes(b"filename,fold,category,source_clip,take\n1-1-A.ogg,1,caf\xe9,1,A\n")
    with pytest.raises(DatasetError, match="not UTF-8 text"):
        open_dataset(esc10)


def test_byte_order_mark_and_crlf_are_no_harm(esc10: Path) -> None:
    before = open_dataset(esc10).clips
    table = esc10 / "meta.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert open_dataset(esc10).clips == before


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        open_dataset(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="is a file"):
        open_dataset(tmp_path / "file")
