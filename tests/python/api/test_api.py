"""The Python interface gives what the commands give."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures_firmware import LABELS, Small

import scenelet as sc
from scenelet.config import recipe
from scenelet.errors import AudioError, ModelError, RecipeError
from scenelet.frontend import native
from scenelet.frontend.capture import read_capture
from scenelet.frontend.tables import make_tables
from scenelet.frontend.windows import cut


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Two seconds of stereo noise at 44.1 kHz, 16 bits."""
    path = tmp_path / "noise.wav"
    values = np.random.default_rng(0).normal(scale=3000, size=(88_200, 2)).clip(-32768, 32767)
    soundfile.write(path, values.astype(np.int16), 44_100)
    return path


@pytest.mark.parametrize("target", ["litert", "host"])
def test_samples_in_memory_give_the_scores_of_the_file(
    small_file: Path, noise: Path, target: str, scenelet: Any
) -> None:
    samples, rate = soundfile.read(noise, dtype="int16")
    with sc.load(small_file, target) as model:
        found = model.classify(samples, rate)
    assert model.labels == LABELS
    wanted = json.loads(scenelet("run", small_file, noise, "--json").out)["results"]
    assert [list(one.scores) for one in found] == [one["scores"] for one in wanted]
    assert [one.label for one in found] == [one["label"] for one in wanted]
    assert found[1].start == pytest.approx(0.256)
    assert all(0 <= one.probability <= 1 for one in found)


def test_floats_and_integers_of_any_width_are_the_same_samples(small: Small, small_file: Path) -> None:
    config = small.tables.config
    values = np.random.default_rng(1).integers(-(2**15), 2**15, config.clip_samples).astype(np.int16)
    with sc.load(small_file) as model:
        expected = model.classify(values, config.sample_rate)
        for same in (values / 2.0**15, (values / 2.0**15).astype(np.float32), values.astype(np.int32) << 16):
            assert model.classify(same, config.sample_rate) == expected


@pytest.mark.parametrize("name", ["sm1", "cnn32k_large"])
def test_features_are_the_devices(noise: Path, name: str) -> None:
    config = recipe.load(name).frontend
    samples, rate = soundfile.read(noise, dtype="float64")
    found = sc.features(samples, rate, name)
    wanted = native.features(cut(read_capture(noise, config), config), make_tables(config))
    assert np.array_equal(found, wanted)
    assert np.array_equal(sc.features(samples, rate, config), wanted)


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (np.zeros(8000, np.uint8), "samples: are uint8; give floats of full scale 1, int16 or int32"),
        (np.zeros((2, 2, 2)), r"samples: have shape \(2, 2, 2\); give \(n,\) or \(n, channels\)"),
        (np.zeros(0), r"samples: have shape \(0,\)"),
        (np.array([0.0, np.nan]), "samples: sample 1 is not a finite number"),
    ],
)
def test_samples_that_cannot_be_used_are_refused(samples: np.ndarray, problem: str) -> None:
    with pytest.raises(AudioError, match=problem):
        sc.features(samples, 8000, "sm1")


def test_what_is_no_model_and_no_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        sc.load(tmp_path / "none.tflite")
    with pytest.raises(RecipeError, match="no such recipe"):
        sc.features(np.zeros(10), 8000, "none")


def test_a_model_is_exported_as_a_library(small_file: Path, tmp_path: Path) -> None:
    with sc.load(small_file) as model:
        done = sc.export(model, tmp_path / "out", bundle="arduino", tflm=False)
    assert (tmp_path / "out" / "library.properties").is_file()
    assert "library.properties" in done.files


def test_importing_is_light_and_names_are_listed() -> None:
    code = (
        "import sys, scenelet; assert 'numpy' not in sys.modules; "
        "assert {'load', 'features', 'train', 'export'} <= set(dir(scenelet)); scenelet.load; "
        "assert 'tensorflow' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="has no attribute 'lod'"):
        sc.lod  # noqa: B018


@pytest.mark.train
def test_training_gives_a_model_that_hears(recordings: Path, tiny_recipe: Any, tmp_path: Path) -> None:
    with sc.train(tiny_recipe(epochs=1), recordings, tmp_path / "run") as model:
        assert model.path == tmp_path / "run" / "model.tflite"
        rate = model.frontend.sample_rate
        assert len(model.classify(np.zeros(2 * rate), rate)) == 2
