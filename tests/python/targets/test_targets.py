"""Targets on this computer: one contract, whatever runs inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder, random_network
from tflite_writer import GraphBuilder, lacking, write_model

from scenelet.compiler.pipeline import compile_model
from scenelet.config.recipe import FrontendConfig
from scenelet.errors import InputError, ModelError, ToolError, UnsupportedError
from scenelet.frontend import fixed_point as integer_model
from scenelet.targets import open_target
from scenelet.targets.host import HostTarget
from scenelet.targets.interpreter import LocalTarget
from scenelet.targets.litert import LitertTarget
from scenelet.targets.tflm import TflmTarget
from scenelet.tflite import metadata

LOCAL = ("litert", "tflm", "host")
FRONTEND = FrontendConfig(n_fft=512, hop_length=512, n_mels=24, clip_seconds=0.5)


def listening_model(config: FrontendConfig = FRONTEND) -> bytes:
    network = NetworkBuilder(21, (1, FRONTEND.n_mels, FRONTEND.frames, 1), (1 / 64, 0))
    maps = network.convolution(network.start, 4, (3, 3), activation="RELU")
    model = network.model(network.softmax(network.fully_connected(network.mean(maps), 3)))
    info = metadata.ModelInfo(labels=("bus", "park", "tram"), frontend=config, recipe="small")
    return metadata.attach(model, info)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "scene.tflite"
    path.write_bytes(listening_model())
    return path


@pytest.mark.parametrize("name", LOCAL)
def test_audio_becomes_scores_through_the_models_own_front_end(path: Path, name: str) -> None:
    chance = np.random.default_rng(2)
    windows = chance.integers(-(2**20), 2**20, (3, FRONTEND.clip_samples)).astype(np.int32)
    with open_target(name, path) as target, LitertTarget(path) as reference:
        features = integer_model.features(windows, reference.tables)
        expected = reference.run(features[..., None])
        assert expected.shape == (3, 3)
        got = target.classify(windows)
        # TFLM rounds FULLY_CONNECTED twice; SOFTMAX passes at most one unit of that on.
        assert np.abs(got.astype(int) - expected).max() <= (1 if name == "tflm" else 0)
        assert len(np.unique(expected, axis=0)) > 1


@pytest.mark.parametrize("name", LOCAL)
def test_inputs_with_and_without_batch_dimension(path: Path, name: str) -> None:
    values = np.random.default_rng(1).integers(-128, 128, (4, FRONTEND.n_mels, FRONTEND.frames, 1)).astype(np.int8)
    with open_target(name, path) as target:
        plain = target.run(values)
        assert plain.shape == (4, 3)
        assert plain.dtype == np.int8
        np.testing.assert_array_equal(target.run(values[:, None]), plain)
        shown = target.tensors(values[0])
        np.testing.assert_array_equal(shown[target.input.index].ravel(), values[0].ravel())  # type: ignore[attr-defined]
        np.testing.assert_array_equal(shown[target.output.index].ravel(), plain[0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", LOCAL)
def test_no_inputs_give_no_scores(path: Path, name: str) -> None:
    with open_target(name, path) as target:
        assert target.run(np.empty((0, FRONTEND.n_mels, FRONTEND.frames, 1), np.int8)).shape == (0, 3)


@pytest.mark.parametrize("kind", [LitertTarget, TflmTarget, HostTarget])
def test_wrong_inputs_are_refused(path: Path, kind: type[LocalTarget]) -> None:
    with kind(path) as target:
        with pytest.raises(InputError, match="are float32; give int8 values"):
            target.run(np.zeros((1, *target.input.shape[1:]), np.float32))  # type: ignore[arg-type]
        with pytest.raises(InputError, match=r"have shape \(2, 7\)"):
            target.run(np.zeros((2, 7), np.int8))


def test_a_foreign_model_takes_no_audio() -> None:
    with LitertTarget(random_network(1, 2)) as target, pytest.raises(ModelError, match="has no front-end settings"):
        target.classify(np.zeros((1, 8000), np.int32))


def test_a_front_end_that_does_not_fit_is_refused() -> None:
    target = LitertTarget(listening_model(FrontendConfig()))
    with pytest.raises(ModelError, match=r"front end makes 140x8 values, its input is \(1, 24, 8, 1\)"):
        target.classify(np.zeros((1, 8000), np.int32))


def test_batches_are_refused() -> None:
    network = NetworkBuilder(3, (2, 4))
    with pytest.raises(UnsupportedError, match=r"input has shape \(2, 4\); export the model with batch 1"):
        HostTarget(network.model(network.softmax(network.start)))


def test_unknown_target_names_the_choices(path: Path) -> None:
    with pytest.raises(InputError, match="choose one of"):
        open_target("gpu", path)


@pytest.mark.parametrize("kind", [LitertTarget, TflmTarget])
def test_an_interpreter_that_refuses_a_model_says_so(kind: type[LocalTarget]) -> None:
    network = GraphBuilder("mismatch")
    x = network.input((1, 4), 0.1, 0)
    y = network.operator("SOFTMAX", (x,), (1, 4), 0.5, 3, beta=1.0)
    with pytest.raises(UnsupportedError, match="refuses it"):
        kind(write_model(network.graph(y)))


def test_no_compiler_names_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(ToolError, match="no-such-compiler: not found on PATH"):
        HostTarget(path)


def test_tflms_arena_holds_at_least_the_tensors_that_are_alive(path: Path) -> None:
    with TflmTarget(path) as target:
        measured = target.arena_bytes()
    compiled = compile_model(path)
    assert measured["total"] >= measured["head"] + measured["tail"]
    assert compiled.cost.peak_activation_bytes <= measured["head"] < measured["total"]
    # Ours holds scratch and activations in less than TFLM's activations and structures.
    assert compiled.plan.arena_bytes < measured["total"]


def test_refused_by_the_engine_but_not_by_the_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "select.tflite"
    path.write_bytes(lacking((1, 4)))
    with LitertTarget(path) as target:
        assert target.run(np.array([[0, 127, -128, 5]], np.int8)).shape == (1, 4)
    with pytest.raises(UnsupportedError, match="select: SELECT_V2 0:t3"):
        HostTarget(path)
