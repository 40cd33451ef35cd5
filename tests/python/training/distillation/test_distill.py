"""Students with a teacher: stages, teacher outputs online and cached, and runs that are resumed after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from scenelet.config.recipe import AugmentationConfig, DistillationConfig
from scenelet.errors import InputError
from scenelet.models.backend import keras, tf
from scenelet.models.embedding import EmbeddingModel
from scenelet.models.keras_model import build
from scenelet.training import run_folder, train
from scenelet.training.distillation import distill, losses, methods
from scenelet.training.teacher_outputs import CachedTeacher, OnlineTeacher
from scenelet.training.windows import Windows

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def teacher(dataset, tiny_recipe, cache, tmp_path_factory):
    return train.train(tiny_recipe(epochs=8), dataset, tmp_path_factory.mktemp("runs") / "teacher", cache=cache).folder


def _student(tiny_recipe, method, **changes):
    config = DistillationConfig(method=method)
    return tiny_recipe(**{"epochs": 2, **changes}).model_copy(update={"distillation": config})


def _weights(folder):
    return run_folder.load_model(folder).get_weights()


@pytest.mark.parametrize("method", ["response", "relational", "hint", "rrs"])
def test_a_run_has_its_stages(method, dataset, teacher, tiny_recipe, cache, tmp_path):
    seen = []
    run = distill.distill(
        _student(tiny_recipe, method), dataset, teacher, tmp_path / "run", cache=cache,
        watch=lambda epoch, _: seen.append(epoch.epoch),
    )  # fmt: skip
    stages = methods.STAGES[method]
    assert seen == [1, 2] * len(stages)
    early = sorted(path.name for path in run.folder.glob("stage*_history.csv"))
    assert early == [f"stage{number}_{stage}_history.csv" for number, stage in enumerate(stages[:-1], 1)]
    assert not list(run.folder.glob("*checkpoint*"))
    assert set(run.metrics) >= {"train", "validation", "test"}
    request = run_folder.request_of(run.folder)
    assert request.sources == {"teacher": run_folder.weights_sha256(run_folder.load_model(teacher))}
    assert request.recipe.distillation.method == method


def test_the_second_stage_starts_from_the_firsts_best_weights(dataset, teacher, tiny_recipe, cache, tmp_path):
    """With nothing to learn in stage 2 (a rate of next to nothing) the network is stage 1's."""
    starts = []
    original = distill.fit

    def spy(trainer, *rest):
        starts.append([np.copy(weight) for weight in trainer.model.get_weights()])
        state = original(trainer, *rest)
        starts.append(state.best_weights)
        return state

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distill, "fit", spy)
        distill.distill(_student(tiny_recipe, "rrs"), dataset, teacher, tmp_path / "run", cache=cache)
    first_start, first_best, second_start, _ = starts
    assert all(np.array_equal(a, b) for a, b in zip(first_best, second_start, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first_start, second_start, strict=True))


def test_methods_give_different_networks(dataset, teacher, tiny_recipe, cache, tmp_path):
    made = [
        _weights(
            distill.distill(_student(tiny_recipe, method), dataset, teacher, tmp_path / method, cache=cache).folder
        )
        for method in ("response", "relational")
    ]
    assert not np.allclose(made[0][0], made[1][0])


@pytest.fixture
def networks(tiny_recipe):
    keras.utils.set_random_seed(3)
    return build(tiny_recipe()), build(tiny_recipe())


@pytest.fixture
def batch():
    generator = np.random.default_rng(5)
    return generator.normal(0, 1, (6, 16, 8, 1)).astype(np.float32), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]


@pytest.mark.parametrize(("on", "picked"), [("embedding", 0), ("softmax", 1)])
def test_relational_objective_weighs_labels_and_relations(on, picked, networks, batch):
    student, mentor = networks
    for layer in student.layers:  # the same network with and without training
        layer.trainable = False
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    config = DistillationConfig(relational_on=on, alpha=0.3, relational_weight=5.0)
    told = EmbeddingModel(mentor)(batch[0], training=False)
    said = EmbeddingModel(student)(batch[0], training=False)
    found = distill.objective("relational", config, 0.1, student)(student, *map(tf.constant, batch), told)
    seen = [(a, tf.nn.softmax(b)) for a, b in (told, said)]
    relations = losses.relational(seen[0][picked], seen[1][picked], config.distance_weight, config.angle_weight)
    labels = losses.smoothed_cross_entropy(batch[1], said[1], 0.1)
    assert float(found) == pytest.approx(0.3 * float(labels) + 0.7 * 5.0 * float(relations), rel=1e-5)


def test_response_softens_logits_once(networks, batch):
    """A student that says what its teacher says has nothing to learn but the labels, and KL is that of softmax(z/T)."""
    student, mentor = networks
    for layer in student.layers:
        layer.trainable = False
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0
    config = DistillationConfig(method="response", alpha=0.0, temperature=3.0)
    objective = distill.objective("response", config, 0.0, student)
    own = EmbeddingModel(student)(batch[0], training=False)
    assert float(objective(student, *map(tf.constant, batch), own)) == pytest.approx(0, abs=1e-6)
    told = EmbeddingModel(mentor)(batch[0], training=False)
    p, q = (tf.nn.softmax(logits / 3.0).numpy().astype(np.float64) for logits in (told[1], own[1]))
    wanted = 9 * (p * np.log(p / q)).sum(axis=1).mean()
    assert float(objective(student, *map(tf.constant, batch), told)) == pytest.approx(wanted, rel=1e-4)


def _windows(count=300):
    generator = np.random.default_rng(0)
    return Windows(generator.integers(-128, 128, (count, 16, 8), np.int8), np.arange(count) % 3, np.arange(count))


def test_outputs_are_computed_once_and_equal_those_online(networks, tmp_path, monkeypatch):
    mentor, some = networks[1], _windows()
    online, cached = OnlineTeacher(mentor), CachedTeacher(mentor, some, tmp_path)
    index = np.array([299, 4, 256])
    for a, b in zip(online(index, some.batch(index)), cached(index, some.batch(index)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr("scenelet.training.teacher_outputs._compute", lambda *_: pytest.fail("computed again"))
    again = CachedTeacher(mentor, some, tmp_path)
    for a, b in zip(again(index, some.batch(index)), cached(index, some.batch(index)), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY cut"])
def test_damaged_outputs_are_computed_again(damage, networks, tmp_path):
    mentor, some, index = networks[1], _windows(20), np.arange(20)
    before = CachedTeacher(mentor, some, tmp_path)(index, some.batch(index))
    for path in tmp_path.iterdir():
        path.write_bytes(damage)
    for a, b in zip(CachedTeacher(mentor, some, tmp_path)(index, some.batch(index)), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_teacher_has_outputs_of_its_own(networks, tmp_path):
    some, index = _windows(20), np.arange(20)
    said = [CachedTeacher(network, some, tmp_path)(index, some.batch(index))[1] for network in networks]
    assert not np.allclose(*said)


def test_augmented_batches_run_through_the_teacher_online(dataset, teacher, tiny_recipe, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(distill, "CachedTeacher", lambda *_: pytest.fail("cached what changes every epoch"))
    student = _student(tiny_recipe, "response").model_copy(update={"augmentation": AugmentationConfig(mixup=0.3)})
    assert distill.distill(student, dataset, teacher, tmp_path / "run", cache=cache).metrics["epochs"] == 2


def test_a_recipe_may_use_cached_outputs_all_the_same(dataset, teacher, tiny_recipe, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(distill, "OnlineTeacher", lambda *_: pytest.fail("ran on every batch"))
    student = _student(tiny_recipe, "rrs").model_copy(update={"augmentation": AugmentationConfig(mixup=0.3)})
    config = student.distillation.model_copy(update={"teacher_hears": "windows"})
    student = student.model_copy(update={"distillation": config})
    assert distill.distill(student, dataset, teacher, tmp_path / "run", cache=cache).metrics["epochs"] == 2


def test_a_teacher_that_may_have_been_trained_on_the_test_is_refused(dataset, tiny_recipe, cache, tmp_path):
    mentor = train.train(tiny_recipe(epochs=1), dataset.untested(), tmp_path / "all", cache=cache).folder
    student = _student(tiny_recipe, "response")
    with pytest.raises(InputError, match="all: was trained with another test split, so it may have been"):
        distill.distill(student, dataset, mentor, tmp_path / "run", cache=cache)
    assert not (tmp_path / "run").exists()
    assert "test" not in distill.distill(student, dataset.untested(), mentor, tmp_path / "run", cache=cache).metrics


def test_a_teacher_that_does_not_fit_is_refused(dataset, teacher, tiny_recipe, cache, tmp_path):
    student = _student(tiny_recipe, "rrs")
    other = student.model_copy(update={"frontend": student.frontend.model_copy(update={"hi_db": 10.0})})
    with pytest.raises(InputError, match="was trained with another front end than recipe tiny"):
        distill.distill(other, dataset, teacher, tmp_path / "run", cache=cache)
    with pytest.raises(InputError, match="method magic: is not known; give one of: response"):
        methods.with_method(student, "magic")
    with pytest.raises(InputError, match="no such file; give the folder of a training run"):
        distill.distill(student, dataset, tmp_path / "nowhere", tmp_path / "run", cache=cache)


def test_another_teacher_does_not_touch_the_run(dataset, teacher, tiny_recipe, cache, tmp_path):
    student = _student(tiny_recipe, "response", epochs=1)
    run = distill.distill(student, dataset, teacher, tmp_path / "run", cache=cache)
    other = train.train(tiny_recipe(epochs=1), dataset, tmp_path / "other", cache=cache)
    with pytest.raises(InputError, match=r"holds another run: sources\.teacher was"):
        distill.distill(student, dataset, other.folder, run.folder, cache=cache)


PROGRAM = """
import json, sys
from pathlib import Path
from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.training.distillation.distill import distill
values, data, teacher, out, cache = sys.argv[1:]
loaded = recipe.parse(json.loads(values), "tiny")
watch = lambda epoch, _: print(epoch.epoch, flush=True)
distill(loaded, open_dataset(data), teacher, out, cache=Path(cache), watch=watch)
"""


def _start(values, recordings, teacher, out, cache):
    command = [sys.executable, "-c", PROGRAM, values, *map(str, (recordings, teacher, out, cache))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_in_the_second_stage_it_ends_the_same(recordings, dataset, teacher, tiny_recipe, cache, tmp_path):
    epochs = 20
    student = _student(tiny_recipe, "rrs", epochs=epochs, patience=epochs)
    whole = distill.distill(student, dataset, teacher, tmp_path / "whole", cache=cache)
    values = json.dumps(student.model_dump(mode="json", exclude_none=True))
    killed = tmp_path / "killed"
    process = _start(values, recordings, teacher, killed, cache)
    for _ in range(epochs + 2):
        assert process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert not (killed / run_folder.METRICS).exists()
    assert (killed / "stage1_relational_history.csv").exists()

    seen = []
    distill.distill(student, dataset, teacher, killed, cache=cache, watch=lambda epoch, _: seen.append(epoch.epoch))
    assert 3 <= seen[0] == epochs + 1 - len(seen)  # only what was left of the second stage
    for name in (run_folder.METRICS, run_folder.HISTORY, "stage1_relational_history.csv"):
        assert (killed / name).read_bytes() == (whole.folder / name).read_bytes(), name
    assert all(np.array_equal(a, b) for a, b in zip(_weights(killed), _weights(whole.folder), strict=True))
