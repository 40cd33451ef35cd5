"""The search stays within the limits, resumes, and what it finds is a recipe like any other."""

from __future__ import annotations

import json
import math
import shutil
from types import SimpleNamespace

import keras_tuner
import numpy as np
import pytest
import soundfile

from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import InputError, LimitExceeded, RecipeError
from scenelet.graph import limits
from scenelet.graph.cost import count
from scenelet.models.architecture import graph_of
from scenelet.training.checkpoint import State
from scenelet.training.loop import Trainer
from scenelet.training.search import hyperband as module
from scenelet.training.search import space
from scenelet.training.search.hyperband import search
from scenelet.training.search.space import cost_at, declare, recipe_at, rejection_reason, to_toml

pytestmark = pytest.mark.train

MACS = 150_000  # in the place of 30 million, for networks that train in a blink


def _values(**changes):
    declared = keras_tuner.HyperParameters()
    declare(declared)
    return {**declared.values, **changes}


@pytest.fixture(scope="module")
def small():
    """A space of few, quick networks, of which some are over a limit that is lowered for them."""

    def declared(hyper, parts):
        assert parts == ("architecture",)
        for name, value in _values(blocks=2, units=32).items():
            if name == "filters1":
                hyper.Choice(name, [8, 12, 16, 20, 40])
            elif name in ("kernel_mel1", "kernel_mel2"):
                hyper.Choice(name, [3, 5])
            elif not name.startswith(("sample", "n_", "hop")):
                hyper.Fixed(name, value)

    return declared


@pytest.fixture(scope="module")
def run(recordings, tiny_recipe, tmp_path_factory, small):
    cache = tmp_path_factory.mktemp("cache")

    def run(out, data=recordings, **changes):
        settings = {"parts": ("architecture",), "cache": cache, **changes}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "declare", small)
            patch.setattr(limits, "MACS", MACS)
            return search(tiny_recipe(epochs=3), open_dataset(data), out, **settings)

    return run


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("search") / "out"
    return out, run(out)


def test_the_search_keeps_to_the_limits_and_its_best_is_a_recipe(whole):
    out, found = whole
    told = json.loads((out / "tune.json").read_text())
    assert told["invalid"]
    assert all("MACs" in point["reason"] for point in told["invalid"])
    assert all(trial["macs"] <= MACS for trial in told["trials"])
    best = min(told["trials"], key=lambda trial: trial["validation_loss"])
    assert told["best"] == best["trial"]
    read = recipe.load(out / "best.toml")
    assert read == found.recipe
    assert count(graph_of(read)).macs == best["macs"]
    assert found.run.folder == out / "best"
    assert (found.run.folder / "model.keras").is_file()
    assert {trial["epochs"] for trial in told["trials"]} == {1, 3}  # some were promoted


def _without_run(told):
    return {key: value for key, value in told.items() if key != "run"}


def test_a_search_that_was_killed_goes_on_to_the_same_end(whole, run, tmp_path, monkeypatch):
    out, undisturbed = whole
    real, epochs = Trainer.advance, []

    def counted(self, state):
        if len(epochs) == 5:
            epochs.append("killed")
            raise KeyboardInterrupt
        epochs.append(len(state.history))
        real(self, state)

    monkeypatch.setattr(Trainer, "advance", counted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed")
    again = run(tmp_path / "killed")
    assert _without_run(again.summary) == _without_run(undisturbed.summary)
    assert again.run.metrics == undisturbed.run.metrics
    # A point's epochs are counted once, in its longest trial, and those of the best one's run.
    longest = {json.dumps(trial["values"]): 0 for trial in again.summary["trials"]}
    for trial in again.summary["trials"]:
        key = json.dumps(trial["values"])
        longest[key] = max(longest[key], trial["epochs"])
    assert len(epochs) - 1 == sum(longest.values()) + again.run.metrics["epochs"]  # nothing was trained twice
    monkeypatch.setattr(module.Search, "trial", lambda *_: pytest.fail("searched again"))
    found = run(out)
    assert (found.summary, found.recipe) == (undisturbed.summary, undisturbed.recipe)


def test_a_point_that_diverges_is_the_worst(recordings, tiny_recipe, tmp_path, monkeypatch):
    def fit(*_, **__):
        raise RecipeError("tiny", "the loss of epoch 1 is nan", "lower the key 'training.learning_rate'")

    monkeypatch.setattr(module, "fit", fit)
    shared = module.open_search(tiny_recipe(), open_dataset(recordings), tmp_path / "out", cache=tmp_path / "cache")
    values = _values(blocks=2, n_mels=20, filters1=8, filters2=8, **{"tuner/epochs": 1})
    assert shared.trial(values) == math.inf
    trial = SimpleNamespace(trial_id="0", score=math.inf, hyperparameters=SimpleNamespace(values=values))
    assert shared.row(trial)["validation_loss"] is None


def test_a_promoted_trial_goes_on_along_the_recipes_own_schedule(recordings, tiny_recipe, tmp_path):
    base = tiny_recipe(epochs=4, schedule="cosine")
    values = _values(blocks=2, n_mels=20, filters1=8, filters2=8)

    def searched(name, *rounds):
        shared = module.open_search(base, open_dataset(recordings), tmp_path / name, cache=tmp_path / "cache")
        scores = [shared.trial({**values, "tuner/epochs": epochs}) for epochs in rounds]
        (path,) = (tmp_path / name / module.TRIALS).glob("*/checkpoint.npz")
        return scores, State.load(path)

    scores, promoted = searched("promoted", 2, 4)
    _, straight = searched("straight", 4)
    assert [row.epoch for row in promoted.history] == [1, 2, 3, 4]
    assert promoted.history == straight.history
    assert all(np.array_equal(one, other) for one, other in zip(promoted.weights, straight.weights, strict=True))
    losses = [row.validation_loss for row in straight.history]
    assert scores == [min(losses[:2]), min(losses)]


def _replaced(root):
    """Other samples under the same names."""
    for path in root.rglob("*.wav"):
        samples, rate = soundfile.read(path, dtype="int32")
        soundfile.write(path, samples // 2, rate, subtype="PCM_24")


def test_a_trial_of_recordings_that_were_replaced_is_trained_anew(recordings, tiny_recipe, tmp_path):
    data = shutil.copytree(recordings, tmp_path / "data")
    values = _values(blocks=2, n_mels=20, filters1=8, filters2=8, **{"tuner/epochs": 2})

    def searched():
        shared = module.open_search(tiny_recipe(epochs=2), open_dataset(data), tmp_path / "out", cache=tmp_path / "c")
        return shared.trial(values)

    before = searched()
    _replaced(data)
    assert searched() != before
    kept = [State.load(path) for path in (tmp_path / "out" / module.TRIALS).glob("*/checkpoint.npz")]
    assert [len(state.history) for state in kept] == [2, 2]


def test_a_finished_search_of_recordings_that_were_replaced_is_refused(whole, run, recordings, tmp_path):
    out = shutil.copytree(whole[0], tmp_path / "out")
    data = shutil.copytree(recordings, tmp_path / "data")
    _replaced(data)
    with pytest.raises(InputError, match="out: holds a search of other recordings under the same names; choose"):
        run(out, data=data)


def test_a_damaged_result_is_named(whole, run, tmp_path):
    out = shutil.copytree(whole[0], tmp_path / "out")
    (out / "tune.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"tune\.json: is damaged: not JSON: 'utf-8' codec"):
        run(out)


@pytest.mark.parametrize("request_", [b"[]", b"\xff\xfe"])
def test_a_folder_of_another_search_is_left_alone(run, tmp_path, request_):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/request.json").write_bytes(request_)
    with pytest.raises(InputError, match="holds another search"):
        run(tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/photo.jpg").write_text("x")
    with pytest.raises(InputError, match="is not a search and not empty"):
        run(tmp_path / "other")


def test_a_space_without_a_valid_point_is_an_error(run, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "rejection_reason", lambda *_: "never")
    monkeypatch.setattr(module, "_DRAWS", 3)
    with pytest.raises(RecipeError, match="3 draws gave no network within the limits"):
        run(tmp_path / "out")


def test_a_point_becomes_what_it_says():
    values = _values(
        sample_rate=16000, n_fft=1024, hop_percent=75, n_mels=64, blocks=3, filters2=16, pool_frame2=2, units=96
    )
    found = recipe_at(recipe.load("sm1"), values)
    assert found.name == "sm1_tuned"
    assert (found.frontend.sample_rate, found.frontend.n_fft, found.frontend.hop_length) == (16000, 1024, 768)
    assert [block.filters for block in found.model.blocks] == [8, 16, 8]
    assert found.model.blocks[1].pool == (1, 2)
    assert found.model.head.units == 96
    assert found.training == recipe.load("sm1").training


def test_points_over_a_limit_and_impossible_ones_are_told_apart():
    base = recipe.load("sm1")
    large = _values(sample_rate=32000, hop_percent=25, n_mels=200, filters1=40, filters2=40)
    with pytest.raises(LimitExceeded):
        cost_at(base, large)
    assert "MACs" in rejection_reason(base, large)
    flat = _values(
        sample_rate=8000, n_fft=2048, hop_percent=75, blocks=5, n_mels=20, **{f"pool_frame{k}": 2 for k in range(1, 6)}
    )
    assert "larger than its map" in rejection_reason(base, flat)
    assert rejection_reason(base, _values(n_mels=40, n_fft=1024)) == ""


@pytest.mark.parametrize("name", ["sm1", "baseline", "sm1_augmented"])
def test_a_recipe_survives_its_own_text(name, tmp_path):
    (tmp_path / "r.toml").write_text(to_toml(recipe.load(name)))
    assert recipe.load(tmp_path / "r.toml") == recipe.load(name)


def test_a_teacher_is_not_searched(recordings, tmp_path):
    with pytest.raises(RecipeError, match="not a plain chain"):
        search(recipe.load("teacher"), open_dataset(recordings), tmp_path / "out")
    assert space.PARTS == ("representation", "architecture")


def test_parts_by_name():
    assert space.parts_named("") == space.PARTS
    assert space.parts_named("architecture") == ("architecture",)
    with pytest.raises(InputError, match="part 'colour': is not one of the search's"):
        space.parts_named("colour")
