"""A model says which clips it learned from, and they are found again in the data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenelet.config.recipe import FrontendConfig
from scenelet.data.datasets.registry import Dataset, open_dataset
from scenelet.data.provenance import describe, known, require_held_out
from scenelet.errors import InputError
from scenelet.evaluation.cross_validation import held_out
from scenelet.tflite.metadata import Provenance, ModelInfo


@pytest.fixture
def dataset(esc10: Path) -> Dataset:
    return open_dataset(esc10)


def model(learned: Provenance | None, name: str = "esc10") -> ModelInfo:
    return ModelInfo(labels=("rain",), frontend=FrontendConfig(), recipe="r", dataset=name, learned=learned)


def test_the_validation_split_is_the_models_own(dataset: Dataset) -> None:
    own = dataset.with_validation(0.4, 3)
    found = known(dataset, model(describe(dataset, 0.4, 3)))
    assert found.dataset.split("validation") == own.split("validation") != dataset.split("validation")
    assert found.clips == frozenset(own.split("train"))
    assert found.learned("validation") == found.learned("test") == found.learned("fold3") == 0
    assert found.learned("train") == len(own.split("train"))
    assert found.learned("all") == found.learned("train")


def test_a_network_of_a_cross_validation_knows_other_folds(dataset: Dataset) -> None:
    split = held_out(dataset, 1)
    found = known(dataset, model(describe(split, 0.2, 0)))
    assert found.clips == frozenset(split.with_validation(0.2, 0).split("train"))
    assert found.learned("fold1") == 0
    assert found.learned("test")  # fold 3, which the published split holds out


def test_a_network_that_learned_from_all_clips_has_no_test(dataset: Dataset) -> None:
    info = model(describe(dataset.untested(), 0.2, 0))
    found = known(dataset, info)
    assert found.learned("test")
    assert found.learned("validation") == 0
    with pytest.raises(InputError, match=r"^m: has learned from \d+ of the \d+ clips of split test; give a split"):
        require_held_out(dataset, info, "test", "m")
    require_held_out(dataset, info, "validation", "m")


def test_folders_without_folds(dataset: Dataset) -> None:
    plain = replace(dataset, clips=tuple(replace(clip, fold=0) for clip in dataset.clips))
    splits = {name: tuple(replace(clip, fold=0) for clip in clips) for name, clips in dataset.splits.items()}
    plain = replace(plain, splits=splits)
    found = known(plain, model(describe(plain, 0.2, 5)))
    assert found.clips == frozenset(plain.with_validation(0.2, 5).split("train"))


def test_what_cannot_be_told(dataset: Dataset) -> None:
    learned = describe(dataset, 0.2, 0)
    relabelled = tuple(replace(clip, label="sea_waves") for clip in dataset.clips)
    changed = replace(dataset, clips=relabelled)
    few = replace(dataset, clips=dataset.clips[:1])
    for info, data in ((model(None), dataset), (model(learned), changed), (model(learned), few)):
        found = known(data, info)
        assert (found.dataset, found.clips, found.learned("test")) == (data, None, None)
        require_held_out(data, info, "train", "m")


def test_nothing_was_learned_from_another_data_set(dataset: Dataset) -> None:
    info = model(describe(dataset, 0.2, 0), name="kitchen")
    assert known(dataset, info).learned("train") == 0
    require_held_out(dataset, info, "train", "m")
