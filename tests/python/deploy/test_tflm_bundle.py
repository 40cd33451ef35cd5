"""The bundle for TensorFlow Lite Micro: its example as a program, and its arena in that interpreter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder

from scenelet.config.frontend import FrontendConfig
from scenelet.deploy.export import export
from scenelet.errors import InputError
from scenelet.frontend import fixed_point
from scenelet.frontend.tables import Tables
from scenelet.targets.tflm import TflmTarget, _runtime
from scenelet.tflite.metadata import ModelInfo, attach

API = Path(__file__).parents[2] / "support" / "tflm_api"
SMALLEST = FrontendConfig(n_fft=256, hop_length=256, n_mels=16, clip_seconds=0.032)


@pytest.fixture
def source(bundles: Path) -> Path:
    return bundles / "tflm" / "src"


def silence(tables: Tables) -> np.ndarray:
    """Features of a silent window."""
    return fixed_point.features(np.zeros((1, tables.config.clip_samples), np.int32), tables)


def test_it_holds_the_arrays_and_the_front_end_alone(source: Path) -> None:
    names = {path.name for path in source.iterdir()}
    assert {"g_model.c", "g_model_ops.h", "scn_clip.c", "scn_frontend_tables.c"} <= names
    assert not [name for name in names if "conv2d" in name or "classify" in name]


def test_the_example_gives_the_interpreter_the_features(source: Path, small: object, tmp_path: Path) -> None:
    """Against headers of ours with the declarations that it uses: TensorFlow Lite Micro comes with no package."""
    tables: Tables = small.tables  # type: ignore[attr-defined]
    features = silence(tables)
    run = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-c", *sorted(source.glob("*.c"))], **run)  # type: ignore[call-overload]
    sizes = (f"-DINPUT_BYTES={features.size}", "-DOUTPUT_BYTES=4")
    example = source.parent / "example" / "main.cc"
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Werror", *sizes, f"-I{API}", f"-I{source}")
    subprocess.run(["c++", *flags, example, *sorted(tmp_path.glob("*.o")), "-o", "example"], **run)  # type: ignore[call-overload]
    printed = subprocess.run([tmp_path / "example"], **run).stdout  # type: ignore[call-overload]
    assert printed == 'rain: 0\nsea waves: 1\nStraßenlärm: 2\nsay "100%": 3\n'
    assert (tmp_path / "features").read_bytes() == features.tobytes()


def test_the_stated_arena_is_enough_for_the_arrays_model(source: Path, small: object, small_file: Path) -> None:
    text = (source / "g_model.c").read_text("utf-8")
    model = bytes(int(value, 16) for value in re.findall(r"0x([0-9a-f]{2}),", text))
    assert model == small_file.read_bytes()
    stated = re.search(r"#define G_MODEL_ARENA_BYTES (\d+)", (source / "g_model_ops.h").read_text("utf-8"))
    assert stated
    interpreter = _runtime().Interpreter.from_bytes(model, arena_size=int(stated[1]))
    with TflmTarget(model) as target:
        features = silence(small.tables).reshape(1, 16, 9, 1)  # type: ignore[attr-defined]
        interpreter.set_input(features, 0)
        interpreter.invoke()
        assert interpreter.get_output(0).ravel().tolist() == target.run(features).ravel().tolist()


def test_a_model_whose_ends_are_real_numbers_is_refused(tmp_path: Path) -> None:
    """The example writes INT8 features to where the interpreter would read float32."""
    network = NetworkBuilder(2, (1, SMALLEST.n_mels, SMALLEST.frames, 1), outer="float32")
    content = network.model(network.softmax(network.fully_connected(network.mean(network.start), 3)))
    path = tmp_path / "ends.tflite"
    path.write_bytes(attach(content, ModelInfo(labels=("a", "b", "c"), frontend=SMALLEST, recipe="ends")))
    with pytest.raises(InputError, match="it takes or gives float32, and the front end gives INT8"):
        export(path, tmp_path / "tflm", bundle="tflm")
    assert not (tmp_path / "tflm").exists()
