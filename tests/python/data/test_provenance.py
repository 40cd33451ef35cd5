"""A model records which clips it was trained on, and they are found again in the data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenelet.config.recipe import FrontendConfig
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.data.provenance import describe, require_held_out, training_splits
from scenelet.data.splits import with_validation
from scenelet.errors import InputError
from scenelet.evaluation.cross_validation import held_out
from scenelet.tflite.metadata import ModelInfo, Provenance


@pytest.fixture
def dataset(esc10: Path) -> Dataset:
    return open_dataset(esc10)


def model(provenance: Provenance | None, name: str = "esc10") -> ModelInfo:
    return ModelInfo(labels=("rain",), frontend=FrontendConfig(), recipe="r", dataset=name, learned=provenance)


def test_the_validation_split_is_the_models_own(dataset: Dataset) -> None:
    own = with_validation(dataset, 0.4, 3)
    found = training_splits(dataset, model(describe(dataset, 0.4, 3)))
    assert found.dataset.split("validation") == own.split("validation") != dataset.split("validation")
    assert found.train_clips == frozenset(own.split("train"))
    assert found.overlap("validation") == found.overlap("test") == found.overlap("fold3") == 0
    assert found.overlap("train") == len(own.split("train"))
    assert found.overlap("all") == found.overlap("train")


def test_a_network_of_a_cross_validation_is_trained_on_other_folds(dataset: Dataset) -> None:
    split = held_out(dataset, 1)
    found = training_splits(dataset, model(describe(split, 0.2, 0)))
    assert found.train_clips == frozenset(with_validation(split, 0.2, 0).split("train"))
    assert found.overlap("fold1") == 0
    assert found.overlap("test")  # fold 3, which the published split holds out


def test_a_network_trained_on_all_clips_has_no_test(dataset: Dataset) -> None:
    info = model(describe(dataset.untested(), 0.2, 0))
    found = training_splits(dataset, info)
    assert found.overlap("test")
    assert found.overlap("validation") == 0
    with pytest.raises(InputError, match=r"^m: was trained on \d+ of the \d+ clips of split test; give a split"):
        require_held_out(dataset, info, "test", "m")
    require_held_out(dataset, info, "validation", "m")


def test_folders_without_folds(dataset: Dataset) -> None:
    plain = replace(dataset, clips=tuple(replace(clip, fold=0) for clip in dataset.clips))
    splits = {name: tuple(replace(clip, fold=0) for clip in clips) for name, clips in dataset.splits.items()}
    plain = replace(plain, splits=splits)
    found = training_splits(plain, model(describe(plain, 0.2, 5)))
    assert found.train_clips == frozenset(with_validation(plain, 0.2, 5).split("train"))


def test_a_validation_split_of_the_data_set_itself_stays_the_models(dataset: Dataset) -> None:
    plain = replace(dataset, clips=tuple(replace(clip, fold=0) for clip in dataset.clips))
    splits = {name: tuple(replace(clip, fold=0) for clip in clips) for name, clips in dataset.splits.items()}
    given = replace(plain, splits=splits, validation_given=True)
    found = training_splits(given, model(describe(given, 0.2, 5)))
    assert found.dataset.split("validation") == given.split("validation")
    assert found.train_clips == frozenset(given.split("train"))


def test_what_is_unknown(dataset: Dataset) -> None:
    provenance = describe(dataset, 0.2, 0)
    relabelled = tuple(replace(clip, label="sea_waves") for clip in dataset.clips)
    changed = replace(dataset, clips=relabelled)
    few = replace(dataset, clips=dataset.clips[:1])
    for info, data in ((model(None), dataset), (model(provenance), changed), (model(provenance), few)):
        found = training_splits(data, info)
        assert (found.dataset, found.train_clips, found.overlap("test")) == (data, None, None)
        require_held_out(data, info, "train", "m")


def test_no_clip_of_another_data_set_was_trained_on(dataset: Dataset) -> None:
    info = model(describe(dataset, 0.2, 0), name="kitchen")
    assert training_splits(dataset, info).overlap("train") == 0
    require_held_out(dataset, info, "train", "m")
