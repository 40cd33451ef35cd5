"""An entry to DCASE 2024 task 1 has the files and the fields that the organisers' validator asks for.

The lists were read from main.py and validators.py of github.com/toni-heittola/dcase2024_task1_submission_validator.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from fixtures_entries import LABEL, scores

from scenelet.data.datasets.tau import DEVICES, SCENES
from scenelet.errors import DatasetError
from scenelet.evaluation.evaluate import Evaluation
from scenelet.publish.challenges.challenge import Entry, Job
from scenelet.publish.challenges.entry import make_entry
from scenelet.publish.challenges.parts import Part

PERCENTS = (5, 10, 25, 50, 100)
FIELDS = {
    "submission": {"label", "name", "abbreviation", "authors"},
    "author": {"lastname", "firstname", "email", "affiliation"},
    "system": {"description", "complexity", "external_datasets", "source_code"},
    "description": {
        "input_sampling_rate", "acoustic_features", "data_augmentation", "machine_learning_method",
        "external_data_usage", "complexity_management", "pipeline", "framework",
        "split_adaptations", "system_adaptations",
    },
    "complexity": {"total_model_size", "total_parameters", "macs"},
    "external_datasets": {"name", "url", "total_audio_length"},
    "split": {"overall", "class_wise", "device_wise"},
    "scores": {"accuracy", "logloss"},
}  # fmt: skip


def score(_: Job, part: Part) -> Evaluation:
    return scores(part)


@pytest.fixture
def made(scene_model: Callable[..., Path], entry_job: Callable[..., Job], tmp_path: Path) -> Entry:
    models = [scene_model(f"m{percent}", percent=percent) for percent in reversed(PERCENTS)]
    return make_entry(entry_job("dcase2024", *models), tmp_path / "out", score=score)


def test_the_archive_is_laid_out_as_the_validator_reads_it(made: Entry, tmp_path: Path) -> None:
    outputs = {f"{LABEL}.output.split_{percent}.csv" for percent in PERCENTS}
    assert set(made.files) == {*outputs, f"{LABEL}.meta.yaml"}
    with zipfile.ZipFile(tmp_path / "out/Almeida_AI4EDGE_task1.zip") as archive:
        assert set(archive.namelist()) == {f"task1/{LABEL}/{name}" for name in made.files}
        assert archive.testzip() is None


def test_outputs_have_the_validators_columns_and_names(made: Entry) -> None:
    texts = {(made.folder / name).read_text("utf-8") for name in made.files if name.endswith(".csv")}
    assert len(texts) == 1  # the fixture's target gives the same scores to all five
    rows = list(csv.DictReader(texts.pop().splitlines(), delimiter="\t"))
    assert set(rows[0]) == {"filename", "scene_label", *SCENES}
    assert [row["filename"] for row in rows] == ["0.wav", "1.wav", "2.wav", "3.wav"]
    for row in rows:
        assert row["scene_label"] in SCENES
        assert all(0 <= float(row[scene]) <= 1 for scene in SCENES)
    assert any("135,730 clips, 0.wav to 135729.wav" in note for note in made.written.notes)


def test_metadata_have_every_field_of_the_validator(made: Entry) -> None:
    told = yaml.safe_load((made.folder / f"{LABEL}.meta.yaml").read_text("utf-8"))
    submission, system, results = told["submission"], told["system"], told["results"]
    assert set(submission) >= FIELDS["submission"]
    assert submission["label"] == LABEL
    assert len(submission["abbreviation"]) <= 10
    assert all(set(author) >= FIELDS["author"] for author in submission["authors"])
    assert sum(bool(author["corresponding"]) for author in submission["authors"]) == 1
    assert set(system) >= FIELDS["system"]
    assert set(system["description"]) == FIELDS["description"]
    assert all(isinstance(text, str) and text for text in system["description"].values())
    assert set(system["complexity"]) >= FIELDS["complexity"]
    assert all(isinstance(system["complexity"][name], int) for name in FIELDS["complexity"])
    splits = results["development_dataset"]
    assert list(splits) == [f"split_{percent}" for percent in PERCENTS]
    for percent, split in zip(PERCENTS, splits.values(), strict=True):
        assert set(split) == FIELDS["split"]
        assert set(split["class_wise"]) == {*SCENES}
        assert set(split["device_wise"]) == {*DEVICES}
        for one in (split["overall"], *split["class_wise"].values(), *split["device_wise"].values()):
            assert one == {"accuracy": percent / 2, "logloss": 1.25}


def test_a_split_without_one_of_the_devices_is_refused(
    scene_model: Callable[..., Path], entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    models = [scene_model(f"m{percent}", percent=percent) for percent in PERCENTS]

    def partial(_: Job, part: Part) -> Evaluation:
        whole = scores(part)
        return replace(whole, by_device={name: one for name, one in whole.by_device.items() if name != "s6"})

    with pytest.raises(DatasetError, match="split 'test': holds no clip of device s6, whose scores dcase2024 asks for"):
        make_entry(entry_job("dcase2024", *models), tmp_path / "out", score=partial)
    assert not (tmp_path / "out" / "task1" / LABEL).exists()


def test_entries_of_one_team_share_an_archive(
    made: Entry, scene_model: Callable[..., Path], entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    models = [scene_model(f"m{percent}", percent=percent) for percent in PERCENTS]
    for label in (f"{LABEL[:-1]}2", "Other_INST_task1_1"):
        make_entry(entry_job("dcase2024", *models, label=label), tmp_path / "out", score=score)
    with zipfile.ZipFile(tmp_path / "out/Almeida_AI4EDGE_task1.zip") as archive:
        assert {name.split("/")[1] for name in archive.namelist()} == {made.folder.name, f"{LABEL[:-1]}2"}
