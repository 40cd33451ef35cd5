"""Fine-tuning begins where a finished run ended, and refuses a run that is of something else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenelet.cli import main
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError, InputError
from scenelet.training import run_folder, train
from scenelet.training.fine_tuning import fine_tune

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def start(dataset, tiny_recipe, cache, tmp_path_factory):
    return train.train(tiny_recipe(epochs=2), dataset, tmp_path_factory.mktemp("runs") / "start", cache=cache).folder


def test_it_begins_with_the_runs_weights(start, dataset, tiny_recipe, cache, tmp_path):
    still = tiny_recipe(epochs=1, learning_rate=1e-12)
    tuned = fine_tune(still, dataset, start, tmp_path / "tuned", cache=cache)
    before, after = (run_folder.load_model(folder) for folder in (start, tuned.folder))
    for one, other in zip(before.trainable_variables, after.trainable_variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6)
    sources = run_folder.request_of(tuned.folder).sources
    assert sources == {train.START: run_folder.weights_sha256(before)}
    assert fine_tune(still, dataset, start, tmp_path / "tuned", cache=cache) == tuned


def test_another_network_front_end_or_class_is_refused(start, dataset, tiny_recipe, recordings, cache, tmp_path):
    from scenelet.config import recipe

    other = recipe.changed(tiny_recipe(), "frontend", n_mels=20)
    with pytest.raises(InputError, match="start: has another front end than recipe tiny; give a run of tiny"):
        fine_tune(other, dataset, start, tmp_path / "a", cache=cache)
    wider = recipe.changed(tiny_recipe(), "model", head={"pooling": "flatten", "units": 9})
    with pytest.raises(InputError, match="start: has another network than recipe tiny"):
        fine_tune(wider, dataset, start, tmp_path / "a", cache=cache)
    (tmp_path / "two").mkdir()
    for label in ("low", "high"):
        (tmp_path / "two" / label).symlink_to(recordings / label)
    with pytest.raises(InputError, match="start: was trained on other classes than"):
        fine_tune(tiny_recipe(), open_dataset(tmp_path / "two"), start, tmp_path / "a", cache=cache)
    assert not (tmp_path / "a").exists()


def test_a_run_that_was_trained_on_the_test_is_refused(dataset, tiny_recipe, cache, tmp_path):
    whole = train.train(tiny_recipe(epochs=1), dataset.untested(), tmp_path / "whole", cache=cache).folder
    with pytest.raises(InputError, match="whole: was trained with another test split"):
        fine_tune(tiny_recipe(epochs=1), dataset, whole, tmp_path / "a", cache=cache)


def test_a_device_need_not_have_recorded_every_class(start, dataset, tiny_recipe, cache, tmp_path):
    """Clips of class "low" by device x, of the others by y."""
    devices = {label: "x" if label == "low" else "y" for label in dataset.labels}

    def named(clips):
        return tuple(replace(clip, device=devices[clip.label]) for clip in clips)

    splits = {name: named(clips) for name, clips in dataset.splits.items()}
    only = replace(dataset, clips=named(dataset.clips), splits=splits, devices=("y",))
    with pytest.raises(DatasetError, match="class 'low': has no training clip of device y; fine-tune a run on all"):
        train.train(tiny_recipe(epochs=1), only, tmp_path / "a", cache=cache)
    tuned = fine_tune(tiny_recipe(epochs=1), only, start, tmp_path / "b", cache=cache)
    whole = run_folder.metrics_of(start)
    assert whole
    assert tuned.metrics["test"]["clips"] == whole["test"]["clips"] * 2 // 3
    told = run_folder.provenance_of(tuned.folder)
    assert told
    assert told.devices == ("y",)


def test_the_command(start, recordings, tmp_path, capsys):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('name = "tiny"\n[model]\nkind = "cnn"\nblocks = [{filters = 2, kernel = [3, 3]}]\n')
    wanted = ["train", str(recipe), "--data", str(recordings), "--out", str(tmp_path / "out"), "--from"]
    assert main([*wanted, str(start), "--epochs", "1", "--learning-rate", "0.001"]) == 2
    assert "start: has another front end than recipe tiny" in capsys.readouterr().err
    assert main([*wanted, str(tmp_path)]) == 2
    assert "run.json: no such file; give the folder of a training run" in capsys.readouterr().err
    assert main([*wanted, str(start), "--split-percent", "25", "--all-clips"]) == 2
    assert "--all-clips and --split-percent: exclude each other" in capsys.readouterr().err
