"""Quantisation-aware fine-tuning of a finished run."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from scenelet.core import metrics
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import InputError
from scenelet.quantization.qat import quantize_with_qat
from scenelet.targets.litert import LitertTarget
from scenelet.training import run_folder, windows
from scenelet.training.train import prepare, train

pytestmark = pytest.mark.train

QUANTIZE = {"calibration_windows": 12, "aware_epochs": 4, "aware_learning_rate": 0.003}


@pytest.fixture(scope="module")
def run(recordings, tiny_recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aware")
    recipe = tiny_recipe(epochs=3)
    recipe = recipe.model_copy(update={"quantize": recipe.quantize.model_copy(update=QUANTIZE)})
    train(recipe, open_dataset(recordings), folder / "run", cache=folder / "cache")
    return folder / "run"


def _copy(run, tmp_path, name):
    shutil.copytree(run, tmp_path / name)
    return tmp_path / name


def _int8_log_loss(run, recordings, cache):
    recipe, dataset = prepare(run_folder.request_of(run).recipe, open_dataset(recordings))
    data = windows.load(dataset, "validation", recipe.frontend, cache)
    target = LitertTarget((run / run_folder.TFLITE).read_bytes())
    told = np.array([target.tensors(np.asarray(window))[target.output.index].reshape(-1) for window in data.features])
    return metrics.measure(metrics.probabilities(told), data.classes).log_loss


def test_the_file_scores_as_the_fine_tuning_says(run, recordings, tmp_path):
    tuned = _copy(run, tmp_path, "tuned")
    made = quantize_with_qat(tuned, open_dataset(recordings), cache=run.parent / "cache")
    before, after = made.log_loss
    assert (made.path, made.epochs) == (tuned / run_folder.TFLITE, 4)
    assert made.best_epoch > 0
    assert after < before
    assert _int8_log_loss(tuned, recordings, run.parent / "cache") == pytest.approx(after, abs=0.01)
    assert (tuned / "aware_history.csv").read_text().count("\n") == 5
    assert not list(tuned.glob("*checkpoint*"))


def test_interrupted_it_ends_with_the_same_bytes(run, recordings, tmp_path):
    whole, parts = (_copy(run, tmp_path, name) for name in ("whole", "parts"))
    data, cache = open_dataset(recordings), run.parent / "cache"
    quantize_with_qat(whole, data, cache=cache)

    def stop(epoch, _most):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize_with_qat(parts, data, cache=cache, watch=stop)
    assert not (parts / run_folder.TFLITE).exists()
    seen = []
    quantize_with_qat(parts, data, cache=cache, watch=lambda epoch, _most: seen.append(epoch.epoch))
    assert seen == [3, 4]
    for name in (run_folder.TFLITE, "aware_history.csv"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name


def test_other_data_are_refused(run, tmp_path, recordings):
    other = tmp_path / "data"
    shutil.copytree(recordings, other)
    (other / "low" / "low0x.wav").rename(other / "low" / "low9x.wav")
    next((other / "middle").iterdir()).unlink()
    with pytest.raises(InputError, match=r"was trained on another '(train|validation)' split"):
        quantize_with_qat(run, open_dataset(other), cache=tmp_path / "cache")
    assert not (run / run_folder.TFLITE).exists()
