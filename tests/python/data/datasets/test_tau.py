from __future__ import annotations

from pathlib import Path

import pytest

from scenelet.data.datasets.registry import open_dataset
from scenelet.data.datasets.tau import FOLDER, SCENES
from scenelet.data.splits import with_validation
from scenelet.errors import DatasetError


def test_layout_is_read(tau: Path) -> None:
    dataset = open_dataset(tau)
    assert (dataset.name, dataset.labels, dataset.group) == ("tau2022", SCENES, "location")
    assert dataset.split_names == ("train", "validation", "test", "all")
    assert len(dataset.clips) == 100
    assert len(dataset.split("train")) + len(dataset.split("validation")) == 80
    first = dataset.clips[0]
    assert first.path == tau / "audio/airport-lyon-0-77-0-a.wav"
    assert (first.label, first.recording, first.location, first.device) == (
        "airport",
        "airport-lyon-0-77",
        "lyon-0",
        "a",
    )


def test_parallel_devices_share_their_recording(tau: Path) -> None:
    a, b = open_dataset(tau).clips[:2]
    assert (a.device, b.device) == ("a", "b")
    assert a.recording == b.recording


def test_the_test_is_fold1_evaluate(tau: Path) -> None:
    test = open_dataset(tau).split("test")
    assert len(test) == 20
    assert {clip.device for clip in test} == {"a", "s4"}


def test_validation_holds_whole_locations_of_every_scene(tau: Path) -> None:
    dataset = open_dataset(tau, validation_fraction=0.25)
    train, validation = dataset.split("train"), dataset.split("validation")
    assert not {clip.location for clip in train} & {clip.location for clip in validation}
    assert {label: sum(clip.label == label for clip in validation) for label in SCENES} == dict.fromkeys(SCENES, 2)


def test_validation_follows_the_seed_and_leaves_the_test_alone(tau: Path) -> None:
    first, second = open_dataset(tau, seed=0), open_dataset(tau, seed=1)
    assert first.split("validation") == open_dataset(tau, seed=0).split("validation")
    assert first.split("validation") != second.split("validation")
    assert first.split("test") == second.split("test")
    assert with_validation(second, 0.2, 0).splits == first.splits


def test_the_folder_that_archives_unpack_into_will_do(tau: Path, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    tau.rename(tmp_path / "unpacked" / FOLDER)
    dataset = open_dataset(tmp_path / "unpacked")
    assert dataset.root == tmp_path / "unpacked" / FOLDER
    assert len(dataset.clips) == 100


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


NAME = "audio/airport-lyon-0-77-0-a.wav"
ROW = f"{NAME}\tairport\tlyon-0\ta\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("meta.csv", "source_label", "device", r"meta\.csv:1: column 'source_label' is missing"),
        (
            "meta.csv",
            ROW,
            ROW.replace("\tairport", "\tport"),
            r"meta\.csv:2: unknown scene_label 'port'; use one of: air",
        ),
        ("meta.csv", ROW, ROW.replace("\ta\n", "\td\n"), r"meta\.csv:2: unknown source_label 'd'"),
        ("meta.csv", ROW, ROW + ROW, r"meta\.csv:3: filename 'audio/airport-lyon-0-77-0-a.wav' stands on line 2"),
        ("meta.csv", ROW, ROW.replace("-77-0-a", "-77-1-a"), r"meta\.csv:2: audio file .*-77-1-a.wav' is missing"),
        (
            "meta.csv",
            ROW,
            ROW.replace("-77-0-a", ""),
            r"meta\.csv:2: filename 'audio/airport-lyon-0.wav' is not of the",
        ),
        ("meta.csv", ROW, ROW.replace("audio/", "../audio/"), r"meta\.csv:2: filename '\.\./audio/.*' is not of the"),
        ("meta.csv", ROW, "", r"fold1_train\.csv:2: 'audio/airport-lyon-0-77-0-a\.wav' is not in meta\.csv"),
        (
            "evaluation_setup/fold1_train.csv",
            f"{NAME}\tairport",
            f"{NAME}\tbus",
            r"fold1_train\.csv:2: scene_label 'bus' is 'airport' in meta\.csv",
        ),
        (
            "evaluation_setup/fold1_evaluate.csv",
            "audio/airport-lyon-4-77-0-a.wav",
            NAME,
            r"fold1_evaluate\.csv:2: '.*' is in fold1_train\.csv too",
        ),
    ],
)
def test_bad_rows_name_file_and_line(tau: Path, file: str, old: str, new: str, told: str) -> None:
    edit(tau / file, old, new)
    with pytest.raises(DatasetError, match=told) as caught:
        open_dataset(tau)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "file", ["meta.csv", "evaluation_setup/fold1_train.csv", "evaluation_setup/fold1_evaluate.csv"]
)
def test_missing_tables_are_named(tau: Path, file: str) -> None:
    (tau / file).unlink()
    with pytest.raises(DatasetError, match=f"{file}: No such file"):
        open_dataset(tau)


def test_without_its_setup_folder_it_is_still_tau(tau: Path) -> None:
    (tau / "evaluation_setup").rename(tau / "elsewhere")
    with pytest.raises(DatasetError, match=r"evaluation_setup/fold1_train\.csv: No such file"):
        open_dataset(tau)
