"""From recordings to a finished run folder, and to INT8."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.errors import DatasetError, InputError, LimitExceeded, RecipeError
from scenelet.graph import limits
from scenelet.models.backend import keras
from scenelet.quantization.convert import quantize_run
from scenelet.tflite import metadata
from scenelet.tflite.reader import read_model
from scenelet.training import run_folder, train
from scenelet.training.windows import Windows

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def run(dataset, tiny_recipe, cache, tmp_path_factory):
    return train.train(tiny_recipe(epochs=12), dataset, tmp_path_factory.mktemp("runs") / "run", cache=cache)


def test_the_folder_holds_what_its_module_says(run):
    assert sorted(path.name for path in run.folder.iterdir() if path.name != run_folder.TFLITE) == [
        "calibration.npy",
        "curves.png",
        "history.csv",
        "learned.json",
        "metrics.json",
        "model.keras",
        "run.json",
    ]


def test_metrics_are_by_split_and_in_range(run):
    assert json.loads((run.folder / "metrics.json").read_text()) == run.metrics
    for split in train.SPLITS:
        scores = run.metrics[split]
        assert 0 <= scores["accuracy"] <= 1
        assert scores["windows"] == 3 * scores["clips"]
    assert run.metrics["test"]["accuracy"] > 0.6  # three classes of tones
    assert run.metrics["epochs"] == len((run.folder / "history.csv").read_text().splitlines()) - 1


def test_a_finished_run_is_not_trained_again(run, dataset, tiny_recipe, cache):
    before = {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()}
    epochs = []
    again = train.train(
        tiny_recipe(epochs=12), dataset, run.folder, cache=cache, watch=lambda *seen: epochs.append(seen)
    )
    assert (again, epochs) == (run, [])
    assert {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()} == before


def test_checkpoints_that_a_kill_left_in_a_finished_run_go(run, dataset, tiny_recipe, cache, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    for name in ("checkpoint.npz", "member0_checkpoint.npz", "aware_checkpoint.npz"):
        (folder / name).write_bytes(b"")
    train.train(tiny_recipe(epochs=12), dataset, folder, cache=cache)
    # An interrupted fine-tuning of the finished run is none of its training's.
    assert [path.name for path in folder.glob("*checkpoint*")] == ["aware_checkpoint.npz"]


def test_more_classes_than_a_network_can_have_are_told(dataset, tiny_recipe):
    many = replace(dataset, labels=tuple(map(str, range(1001))))
    with pytest.raises(RecipeError, match=r"recipe tiny with model\.classes = 1001: key 'model\.classes'"):
        train.prepare(tiny_recipe(), many)


def test_another_recipe_does_not_touch_the_run(run, dataset, tiny_recipe, cache):
    with pytest.raises(InputError, match=r"training\.epochs was 12 and is 13"):
        train.train(tiny_recipe(epochs=13), dataset, run.folder, cache=cache)


def test_the_run_converts_to_int8(run):
    first = quantize_run(run.folder).read_bytes()
    assert quantize_run(run.folder).read_bytes() == first
    info = metadata.read(first)
    assert info is not None
    assert info.labels == ("high", "low", "middle")
    assert info.recipe_sha256 == run_folder.request_of(run.folder).recipe.sha256
    assert read_model(first).tensors[read_model(first).outputs[0]].shape == (1, 3)


def test_calibration_is_stratified(run):
    assert run_folder.load_calibration(run.folder).shape == (12, 16, 8)


def test_the_same_seed_gives_the_same_run(run, dataset, tiny_recipe, cache, tmp_path):
    again = train.train(tiny_recipe(epochs=12), dataset, tmp_path / "run", cache=cache)
    assert again.metrics == run.metrics
    pairs = zip(
        run_folder.load_model(run.folder).get_weights(), run_folder.load_model(again.folder).get_weights(), strict=True
    )
    assert all(np.array_equal(first, second) for first, second in pairs)


def test_the_network_takes_the_data_sets_number_of_classes(dataset):
    prepared, _ = train.prepare(recipe.load("sm1"), dataset)
    assert prepared.model.classes == 3


def test_over_a_limit_is_refused_before_any_audio_is_read(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(train.windows, "load", lambda *_, **__: pytest.fail("read audio"))
    large = recipe.load("sm3").model_copy(update={"deployable": True})
    with pytest.raises(LimitExceeded, match="recipe sm3: MACs"):
        train.train(large, dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_not_meant_for_a_board_may_be_larger(dataset):
    assert train.prepare(recipe.load("sm3"), dataset)[0].name == "sm3"
    assert limits.MACS == 30_000_000


def test_validation_keeps_recordings_whole(dataset, tiny_recipe):
    _, split = train.prepare(tiny_recipe(), dataset)
    learned, validation, test = ({clip.recording for clip in split.split(name)} for name in train.SPLITS)
    assert validation
    assert not learned & validation
    assert not (learned | validation) & test


def test_all_clips_are_learned_from_and_none_is_left_for_a_test(dataset, tiny_recipe, cache, tmp_path):
    made = train.train(tiny_recipe(epochs=1), dataset.untested(), tmp_path / "run", cache=cache)
    assert "test" not in made.metrics
    assert made.metrics["train"]["clips"] + made.metrics["validation"]["clips"] == len(dataset.clips)
    assert quantize_run(made.folder).is_file()


def test_a_class_without_training_clips_is_named(dataset, tiny_recipe):
    kept = tuple(clip for clip in dataset.splits["train"] if clip.label != "low")
    held = tuple(clip for clip in dataset.splits["validation"] if clip.label != "low")
    with pytest.raises(DatasetError, match="class 'low': has no training clip"):
        train.prepare(tiny_recipe(), replace(dataset, splits={"train": kept, "validation": held}))


def test_scores_by_hand():
    windows = Windows(np.zeros((4, 1, 1), np.int8), np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]))
    probability = np.array([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8], [0.25, 0.75]])
    scores = train.score(probability, windows, ("a", "b"))
    assert scores["accuracy"] == pytest.approx((1 / 3 + 1) / 2)  # macro: every class weighs the same
    assert scores["clip_accuracy"] == pytest.approx((1 / 2 + 1) / 2)  # clip 0: mean (0.65, 0.35) is right
    by_class = -np.log([0.4, 0.9, 0.2]).mean(), -np.log(0.75)
    assert scores["log_loss"] == pytest.approx(np.mean(by_class))
    assert (scores["windows"], scores["clips"]) == (4, 3)


def test_scores_without_silence_by_hand():
    windows = Windows(
        np.zeros((5, 1, 1), np.int8), np.array([0, 0, 0, 1, 0]), np.array([0, 0, 1, 2, 3]),
        np.array([False, True, False, False, True]),
    )  # fmt: skip
    probability = np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.25, 0.75], [0.9, 0.1]])
    scores = train.score(probability, windows, ("a", "b"))
    assert scores["accuracy"] == pytest.approx((1 / 2 + 1) / 2)
    # Of class a: clip 0 is missed by its one active window, clip 1 is right, clip 3 is all silence.
    assert scores["clip_accuracy"] == pytest.approx((1 / 3 + 1) / 2)
    assert (scores["windows"], scores["clips"], scores["silent_windows"]) == (3, 4, 2)


def test_a_class_of_silence_is_named(dataset, tiny_recipe, cache):
    recipe = tiny_recipe()
    data = train.load_splits(recipe, dataset, {"cache": cache}, ("train",))["train"]
    quiet = replace(data, silent=data.classes == 1)
    with pytest.raises(
        DatasetError, match=f"class '{dataset.labels[1]}': all windows of its training clips are silent"
    ):
        train._require_sound(quiet, dataset)


def test_the_teacher_learns_member_by_member(dataset, tiny_recipe, cache, tmp_path):
    member = {**tiny_recipe().model.model_dump(), "classes": 2}
    teacher = tiny_recipe(epochs=3, model={"kind": "one_against_all", "classes": 3, "member": member})
    seen = []
    run = train.train(teacher, dataset, tmp_path / "run", cache=cache, watch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen == [1, 2, 3] * 4  # three members, then the joint softmax
    model = run_folder.load_model(run.folder)
    assert model.count_params() == train.build(run_folder.request_of(run.folder).recipe).count_params()
    assert [layer.name for layer in model.layers if layer.weights and layer.trainable] == ["scores"]
    assert not list(run.folder.glob("*checkpoint*"))
    keras.utils.clear_session()


def _teacher(tiny_recipe):
    member = {**tiny_recipe().model.model_dump(), "classes": 2}
    return tiny_recipe(epochs=2, model={"kind": "one_against_all", "classes": 3, "member": member})


def test_members_in_processes_resume_and_do_not_depend_on_their_number(dataset, tiny_recipe, cache, tmp_path):
    whole = train.train(_teacher(tiny_recipe), dataset, tmp_path / "whole", cache=cache, jobs=2)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # when the first member is done
        train.train(_teacher(tiny_recipe), dataset, tmp_path / "parts", cache=cache, jobs=2, watch=stop)
    assert list((tmp_path / "parts").glob("member*_checkpoint.npz"))
    seen = []
    parts = train.train(
        _teacher(tiny_recipe),
        dataset,
        tmp_path / "parts",
        cache=cache,
        jobs=3,
        watch=lambda epoch, _: seen.append(epoch),
    )
    assert parts.metrics == whole.metrics
    assert [epoch.epoch for epoch in seen] == [2, 2, 2, 1, 2]  # three members, then the joint softmax
    pairs = zip(*(run_folder.load_model(run.folder).get_weights() for run in (whole, parts)), strict=True)
    assert all(np.array_equal(first, second) for first, second in pairs)
