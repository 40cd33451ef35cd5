"""Run folders that something has happened to: the file is named, and what to do; nothing passes as done."""

from __future__ import annotations

import json
import shutil

import pytest

from scenelet.errors import InputError
from scenelet.quantization.convert import quantize_run
from scenelet.training import run_folder
from scenelet.training.distillation.distill import distill
from scenelet.training.pruning.prune import prune
from scenelet.training.train import train

pytestmark = pytest.mark.train

REMEDY = "delete the folder and train again"


@pytest.fixture(scope="module")
def whole(dataset, tiny_recipe, cache, tmp_path_factory):
    return train(tiny_recipe(epochs=1), dataset, tmp_path_factory.mktemp("runs") / "run", cache=cache).folder


@pytest.fixture
def run(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: {},
        lambda scores: {**scores, "recipe": 3},
        lambda scores: {**scores, "validation": None},
        lambda scores: {**scores, "train": {**scores["train"], "accuracy": "high"}},
        lambda scores: {name: part for name, part in scores.items() if name != "test"},
    ],
)
def test_damaged_scores_are_named(run, dataset, tiny_recipe, cache, damage):
    path = run / run_folder.METRICS
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(InputError, match=rf"metrics\.json: is damaged: key .*; {REMEDY}"):
        train(tiny_recipe(epochs=1), dataset, run, cache=cache)


@pytest.mark.parametrize("name", [run_folder.MODEL, run_folder.CALIBRATION])
def test_a_finished_run_that_lacks_a_file_does_not_pass_as_done(run, dataset, tiny_recipe, cache, name):
    (run / name).unlink()
    with pytest.raises(InputError, match=f"{name}: is missing from a finished run; {REMEDY}"):
        train(tiny_recipe(epochs=1), dataset, run, cache=cache)
    with pytest.raises(InputError, match=f"{name}: is missing.*; {REMEDY}"):
        quantize_run(run)


@pytest.mark.parametrize("name", [run_folder.MODEL, run_folder.CALIBRATION])
@pytest.mark.parametrize("share", [0, 0.2, 0.9])
def test_a_file_that_was_cut_off_is_named(run, name, share):
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=rf"{name}: is .*damaged; {REMEDY}"):
        quantize_run(run)


def test_without_its_network_a_run_neither_teaches_nor_is_pruned(run, dataset, tiny_recipe, cache, tmp_path):
    (run / run_folder.MODEL).unlink()
    told = rf"model\.keras: is missing from a finished run; {REMEDY}"
    with pytest.raises(InputError, match=told):
        distill(tiny_recipe(epochs=1), dataset, run, tmp_path / "out", cache=cache)
    with pytest.raises(InputError, match=told):
        prune(run, dataset, tmp_path / "out", filters=(2, 2), cache=cache)
    assert not (tmp_path / "out").exists()
