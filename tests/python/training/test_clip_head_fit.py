"""The clip head is fitted after the network, travels with the model, and answers for clips on every target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenelet.config.recipe import Recipe, RecipeError, parse
from scenelet.core import metrics
from scenelet.evaluation.decision import clips_of
from scenelet.evaluation.evaluate import evaluate
from scenelet.quantization.convert import quantize_run
from scenelet.targets.host import HostTarget
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.metadata import cost_of, read
from scenelet.tflite.reader import read_model
from scenelet.training import clip_head, run_folder, train
from scenelet.training.softmax_regression import SoftmaxLayer, fit_softmax, softmax
from scenelet.training.windows import Windows

pytestmark = pytest.mark.train


def headed(tiny_recipe: Any, **values: Any) -> Recipe:
    found = tiny_recipe(epochs=6).model_dump(mode="json", exclude_none=True)
    return parse(found | {"clip_head": values}, "tiny")


@pytest.fixture(scope="module")
def run(dataset: Any, tiny_recipe: Any, cache: Any, tmp_path_factory: Any) -> Any:
    out = tmp_path_factory.mktemp("runs") / "run"
    found = train.train(headed(tiny_recipe, windows=2), dataset, out, cache=cache)
    quantize_run(out)
    return found


def test_the_score_of_clips_is_the_heads(run: Any, dataset: Any, tiny_recipe: Any, cache: Any) -> None:
    recipe = run_folder.request_of(run.folder).recipe
    model, head = run_folder.load_model(run.folder), clip_head.load(run.folder, recipe)
    assert head is not None
    prepared, split = train.prepare(headed(tiny_recipe, windows=2), dataset)
    data = train.load_splits(prepared, split, {"cache": cache})
    for name, part in data.items():
        embeddings = clip_head.embeddings_of(model, part)
        truth = np.array([part.classes[part.clips == clip][0] for clip in range(part.clips.max() + 1)])
        found = [head.probabilities(embeddings[part.clips == clip]) for clip in range(len(truth))]
        labels = [dataset.labels[one] for one in truth]
        wanted, _ = metrics.macro(metrics.by_group(np.array(found), truth, labels, dataset.labels))
        assert run.metrics[name]["clip_accuracy"] == pytest.approx(wanted)
    again = clip_head.fit_clip_head(model, data["train"], recipe)
    assert np.array_equal(again.weights, head.weights), "the same for the same network"


def test_every_target_gives_the_same_answers_and_they_are_those_of_the_last_windows(run: Any, dataset: Any) -> None:
    path = run.folder / run_folder.TFLITE
    info = read(path.read_bytes())
    assert info is not None
    assert info.clip_head is not None
    assert (info.clip_head.windows, info.clip_head.width) == (2, 8)
    assert cost_of(read_model(path.read_bytes()), info).layers[-1].name == "clip_head"
    with LitertTarget(path) as litert, HostTarget(path) as host:
        found = [evaluate(path, info, dataset, "test", target) for target in (litert, host)]
    assert found[0].streamed == found[1].streamed
    assert len(found[0].streamed) == len(found[0].rows)
    last = [row for row, (_, window, _, _) in zip(found[0].streamed, found[0].rows, strict=True) if window == 2]
    assert [one.answer for one in found[0].answers] == [dataset.labels[int(np.argmax(row))] for row in last]
    assert [tuple(scores[-1]) for _, scores in clips_of(found[0])] == last, "the rule takes the head's scores"


def test_a_clip_of_silence_has_no_answer_of_the_head(tiny_recipe: Any) -> None:
    config = headed(tiny_recipe).clip_head
    assert config is not None
    head = clip_head.FloatHead(config, np.ones((3 * 4, 3)), np.zeros(3))
    silent = np.array([False, True, True])
    data = Windows(np.zeros((3, 2, 2), np.int8), np.zeros(3, np.int64), np.array([0, 0, 1]), silent)
    found = head.of_clips(np.random.default_rng(0).normal(size=(3, 4)), data)
    assert found[0].sum() == pytest.approx(1)
    assert not found[1].any()


def test_a_teacher_has_no_head(tiny_recipe: Any) -> None:
    member = tiny_recipe().model_dump(mode="json", exclude_none=True)["model"] | {"classes": 2}
    model = {"kind": "one_against_all", "classes": 3, "member": member}
    found = tiny_recipe().model_dump(mode="json", exclude_none=True) | {"model": model, "clip_head": {}}
    with pytest.raises(RecipeError):
        parse(found, "teacher")


def test_the_fit_is_at_the_minimum() -> None:
    """The gradient vanishes there; far decay leaves the layer at its start."""
    chance = np.random.default_rng(5)
    rows, classes = chance.normal(size=(60, 4)), np.arange(60) % 3
    start = SoftmaxLayer(chance.normal(size=(4, 3)), np.zeros(3))
    layer = fit_softmax(rows, classes, start, 0.05, 0.1)
    target = np.full((60, 3), 0.1 / 3) + 0.9 * np.eye(3)[classes]
    error = (softmax(layer.logits(rows)) - target) / 60
    assert np.abs(rows.T @ error + 0.1 * (layer.weights - start.weights)).max() < 1e-6
    assert np.abs(error.sum(axis=0)).max() < 1e-6
    assert np.abs(fit_softmax(rows, classes, start, 1e6, 0.1).weights - start.weights).max() < 1e-5
