"""Which filters go, to what shape or budget, and the run that comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenelet.config import recipe
from scenelet.config.recipe import DistillationConfig
from scenelet.errors import InputError, LimitExceeded
from scenelet.graph.cost import count
from scenelet.models.architecture import graph_of
from scenelet.models.keras_model import build
from scenelet.quantization.convert import quantize_run
from scenelet.training import run_folder, train
from scenelet.training.pruning import prune
from scenelet.training.pruning.filters import filter_norms, remove_filters, with_filters
from scenelet.training.pruning.prune import filters_for_budget, largest_norms

pytestmark = pytest.mark.train

PUBLISHED = (20, 22, 22, 24, 24, 16)


@pytest.fixture(scope="module")
def sm3():
    loaded = recipe.load("sm3")
    return loaded, build(loaded)


@pytest.fixture(scope="module")
def run(dataset, tiny_recipe, cache, tmp_path_factory):
    return train.train(tiny_recipe(epochs=10), dataset, tmp_path_factory.mktemp("runs") / "wide", cache=cache)


def test_sm3_becomes_the_published_shape(sm3):
    loaded, model = sm3
    kept = largest_norms(filter_norms(model, 6), PUBLISHED, "sm3")
    narrow = with_filters(loaded, PUBLISHED, "sm3_pruned")
    made = remove_filters(model, loaded, narrow, kept)
    assert made.count_params() == 64_290
    cost = count(graph_of(narrow))
    assert (cost.params_bytes, cost.macs, cost.peak_activation_bytes) == (65_184, 26_711_936, 49_280)
    assert narrow.model == recipe.load("sm3_pruned").model


def test_sm3_becomes_the_shape_of_the_papers_text(sm3):
    loaded, _ = sm3
    cost = count(graph_of(with_filters(loaded, (20, 22, 22, 22, 22, 16), "sm3_pruned")))
    assert (cost.params_bytes, cost.macs) == (61_192 - 8, 25_764_696)  # less the no-op RESHAPE's constant


def test_the_strongest_stay_in_their_order():
    norms = [np.array([3.0, 1.0, 2.0, 2.0]), np.array([1.0, 5.0])]
    kept = largest_norms(norms, (2, 1), "x")
    assert [list(part) for part in kept] == [[0, 2], [1]]  # of equal norms the first


@pytest.mark.parametrize("filters", [(2,), (2, 1, 1), (0, 1), (5, 1)])
def test_filters_that_are_not_there_cannot_stay(filters):
    with pytest.raises(InputError, match="cannot be kept of 4,2; give one number per convolution"):
        largest_norms([np.ones(4), np.ones(2)], filters, "run")


def test_a_budget_takes_the_relatively_weakest_filters_and_no_more(sm3):
    loaded, model = sm3
    norms = filter_norms(model, 6)
    found = filters_for_budget(loaded, norms, 30_000_000)
    cost = count(graph_of(with_filters(loaded, found, "sm3")))
    assert cost.macs <= 30_000_000
    weak = [norm.copy() for norm in norms]
    weak[3][:20] /= 100
    targeted = filters_for_budget(loaded, weak, 30_000_000)
    assert targeted[3] < 28  # they go first, whatever else is there
    assert [n for k, n in enumerate(targeted) if k != 3] == [20, 28, 28, 28, 16]
    one_more = (*targeted[:3], targeted[3] + 1, *targeted[4:])
    assert count(graph_of(with_filters(loaded, one_more, "sm3"))).macs > 30_000_000
    with pytest.raises(LimitExceeded, match="with one filter per layer"):
        filters_for_budget(loaded, norms, 1000)


def test_a_pruned_run_is_tuned_and_converts(run, dataset, cache, tmp_path):
    made = prune.prune(run.folder, dataset, tmp_path / "narrow", filters=(3, 2), cache=cache)
    assert made.metrics["recipe"] == "tiny_pruned"
    assert made.metrics["test"]["accuracy"] > 0.5
    request = run_folder.request_of(made.folder)
    assert [block.filters for block in request.recipe.model.blocks] == [3, 2]
    assert request.sources == {"pruned": run_folder.weights_sha256(run_folder.load_model(run.folder))}
    assert quantize_run(made.folder).stat().st_size < quantize_run(run.folder).stat().st_size


def test_tuning_starts_from_what_is_left(run, dataset, cache, tmp_path, monkeypatch):
    starts = []
    original = prune.train_with_labels

    def spy(context, model):
        starts.append([np.copy(weight) for weight in model.get_weights()])
        return original(context, model)

    monkeypatch.setattr(prune, "train_with_labels", spy)
    prune.prune(run.folder, dataset, tmp_path / "narrow", filters=(3, 2), cache=cache)
    _, model = prune._pruned(run.folder, (3, 2), None)
    assert all(np.array_equal(a, b) for a, b in zip(starts[0], model.get_weights(), strict=True))


def test_a_teacher_helps_tuning_and_the_run_goes_on(run, dataset, cache, tmp_path):
    def stop(epoch, _):
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    def pruned(folder, **more):
        return prune.prune(run.folder, dataset, folder, filters=(3, 3), teacher=run.folder, cache=cache, **more)

    whole = pruned(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        pruned(tmp_path / "parts", watch=stop)
    seen = []
    parts = pruned(tmp_path / "parts", watch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen[0] == 4
    assert parts.metrics == whole.metrics
    request = run_folder.request_of(whole.folder)
    assert request.recipe.distillation.method == "response"
    assert set(request.sources) == {"pruned", "teacher"}


def test_a_method_leaves_the_recipes_other_settings(run, dataset, cache, tmp_path, monkeypatch):
    config = DistillationConfig(method="rrs", alpha=0.25, temperature=2.0)
    original = run_folder.request_of

    def described(folder):
        request = original(folder)
        taught = request.recipe.model_copy(update={"distillation": config})
        return replace(request, recipe=taught) if folder == run.folder else request

    monkeypatch.setattr(run_folder, "request_of", described)
    made = prune.prune(
        run.folder, dataset, tmp_path / "r", filters=(3, 3), teacher=run.folder, method="hint", cache=cache
    )
    assert original(made.folder).recipe.distillation == config.model_copy(update={"method": "hint"})


def test_a_run_that_may_have_learned_from_the_test_is_not_pruned(dataset, tiny_recipe, cache, tmp_path):
    whole = train.train(tiny_recipe(epochs=1), dataset.untested(), tmp_path / "all", cache=cache)
    with pytest.raises(InputError, match="all: was trained with another test split, so it may have been"):
        prune.prune(whole.folder, dataset, tmp_path / "pruned", filters=(3, 3), cache=cache)
    assert not (tmp_path / "pruned").exists()
    made = prune.prune(whole.folder, dataset.untested(), tmp_path / "pruned", filters=(3, 3), cache=cache)
    assert "test" not in made.metrics


def test_what_is_left_over_the_limits_is_refused(run, dataset, cache, tmp_path, monkeypatch):
    monkeypatch.setattr("scenelet.graph.limits.MACS", 1000)
    with pytest.raises(LimitExceeded, match="recipe tiny_pruned: MACs"):
        prune.prune(run.folder, dataset, tmp_path / "narrow", filters=(3, 2), cache=cache)
    assert not (tmp_path / "narrow").exists()
