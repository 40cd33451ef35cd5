"""An entry to DCASE 2025 task 1 has the package, the functions and the fields that the organisers' scripts use.

Layout and functions were read from README.md, test_complexity.py and evaluate_submission.py of
github.com/CPJKU/dcase2025_task1_inference, as entrants' public copies have them. A template of the year's metadata was
not to be had; the fields are those of 2024's validator.
"""

from __future__ import annotations

import ast
import csv
import importlib
import json
import sys
import wave
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_torch
import yaml
from fixtures_entries import LABEL, scores

from scenelet.core.metrics import Measures
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.datasets.tau import DEVICES, SCENES
from scenelet.data.synthetic.city import City
from scenelet.errors import DatasetError, InputError
from scenelet.evaluation.evaluate import Evaluation, clip_windows
from scenelet.frontend.available import open_frontend
from scenelet.frontend.tables import make_tables
from scenelet.publish.challenges import dcase2025
from scenelet.publish.challenges.challenge import Entry, Job
from scenelet.publish.challenges.entry import make_entry
from scenelet.publish.challenges.parts import Part, read_part
from scenelet.targets import open_target
from scenelet.targets.base import Heard

TEAM = "Almeida_AI4EDGE_task1"
# Arguments that the organisers' scripts pass.
FUNCTIONS = {
    "load_model": ["model_file_path"],
    "load_inputs": ["file_paths", "device_ids", "model"],
    "get_model_for_device": ["model", "device_id"],
    "predict": ["file_paths", "device_ids", "model_file_path", "use_cuda"],
}


@pytest.fixture
def models(scene_model: Callable[..., Path]) -> list[Path]:
    return [
        scene_model(name, percent=25, devices=(name,) if name != "general" else ()) for name in ("s1", "general", "a")
    ]


def on_split(job: Job, part: Part) -> Evaluation:
    """The general model is always right about "bus" and never else; each device's model is always right."""
    clips = replace(job.dataset, devices=part.devices).split(job.split)
    rows = []
    for clip in clips:
        answer = clip.label if part.devices else "bus"
        values = np.full(len(SCENES), -128, np.int8)
        values[SCENES.index(answer)] = 127
        rows.append((clip.path.name, 0, clip.label, tuple(int(value) for value in values)))
    return replace(scores(part), rows=tuple(rows), windows=len(rows), clips=len(rows))


@pytest.fixture
def evaluation_set(eval_clips: Path) -> Path:
    """Four clips of the devices a, s1, s2 and of one that no model knows."""
    (eval_clips / "evaluation_setup").mkdir()
    lines = ["filename\tdevice_id", "0.wav\ta", "1.wav\ts1", "2.wav\ts2", "3.wav\ts10"]
    (eval_clips / "evaluation_setup/fold1_test.csv").write_text("\n".join(lines) + "\n")
    return eval_clips


@pytest.fixture
def made(models: list[Path], entry_job: Callable[..., Job], evaluation_set: Path, tmp_path: Path) -> Entry:
    return make_entry(entry_job("dcase2025", *models, audio=evaluation_set), tmp_path / "out", score=on_split)


def test_the_package_has_the_organisers_layout(made: Entry) -> None:
    front = {f"submission_1/scenelet_frontend/{name}" for name in (
        "log_mel.py", "audio.py", "fixed_point.py", "tables.py", "tables.npz", "windows.py")}  # fmt: skip
    inside = {
        "__init__.py", f"{LABEL}.py", "models/__init__.py", "models/int8_ops.py", "models/network.py",
        "resources/__init__.py", "resources/dummy.wav", "resources/test.csv", f"ckpts/{LABEL}.npz",
        "submission_1/__init__.py", *front,
    }  # fmt: skip
    wanted = {f"inference/{TEAM}/{name}" for name in inside}
    wanted |= {f"inference/{name}" for name in ("setup.py", "requirements.txt", "README.md")}
    wanted |= {f"task1/{LABEL}/{LABEL}.{name}" for name in ("meta.yaml", "output.csv")}
    assert set(made.files) == wanted
    with zipfile.ZipFile(made.folder.parent / f"{TEAM}.zip") as archive:
        assert set(archive.namelist()) == {f"task1/{LABEL}/{LABEL}.{name}" for name in ("meta.yaml", "output.csv")}


def test_the_module_has_the_four_functions(made: Entry) -> None:
    package = made.folder / "inference" / TEAM
    for path in package.rglob("*.py"):
        ast.parse(path.read_text("utf-8"))
    tree = ast.parse((package / f"{LABEL}.py").read_text("utf-8"))
    defined = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name, arguments in FUNCTIONS.items():
        given = [argument.arg for argument in defined[name].args.args]
        assert given[: len(arguments)] == arguments
        required = len(given) - len(defined[name].args.defaults)
        assert required <= (1 if name == "load_model" else len(arguments))
    assert ast.parse((made.folder / "inference/setup.py").read_text("utf-8"))


def test_the_checkpoint_holds_a_network_per_device(made: Entry) -> None:
    with np.load(made.folder / "inference" / TEAM / "ckpts" / f"{LABEL}.npz") as held:
        told = json.loads(bytes(held["description"]))
        weights = {name: held[f"{name}.0.weight"] for name in told["networks"]}
    assert set(weights) == {"general", "a", "s1"}
    assert told["labels"] == [*SCENES]
    np.testing.assert_array_equal(weights["a"], weights["general"])  # the fixture's models differ in metadata alone


def test_the_package_answers_as_the_networks_do(
    made: Entry, models: list[Path], small_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_torch.install(monkeypatch)
    monkeypatch.syspath_prepend(str(made.folder / "inference"))
    for name in [name for name in sys.modules if name.split(".")[0] == TEAM]:
        monkeypatch.delitem(sys.modules, name)
    api = importlib.import_module(f"{TEAM}.{LABEL}")
    clips = open_dataset(small_city.folder).split("test")[:5]
    paths, devices = [str(clip.path) for clip in clips], ["a", "s1", "s9", "a", "unknown"]
    outputs, classes = api.predict(file_paths=paths, device_ids=devices, model_file_path=None, use_cuda=False)
    assert classes == [*SCENES]
    part = read_part(models[1])
    logits = part.graph.tensors[part.graph.operators[-1].inputs[0]]
    assert logits.quantization
    with open_target("litert", part.model) as target:
        for clip, output in zip(clips, outputs, strict=True):
            features = open_frontend(make_tables(part.info.frontend)).features(clip_windows(clip, part.info))
            found = target.tensors(features.reshape(part.graph.tensors[part.graph.inputs[0]].shape))[logits.index]
            scale, zero = logits.quantization.scale[0], logits.quantization.zero_point[0]
            np.testing.assert_allclose(output, (found.reshape(-1).astype(np.float32) - zero) * scale, rtol=1e-6)
    model = api.load_model()
    (inputs,) = api.load_inputs(paths[:1], ["a"], model)
    assert inputs.shape == (1, 1, 140, 8)
    own = api.get_model_for_device(model, "a")
    assert own is not api.get_model_for_device(model, "s5") is api.get_model_for_device(model, "unknown")
    assert sum(one.nbytes for one in own.parameters()) == 52_836
    np.testing.assert_array_equal(own(inputs)[0], outputs[0])


def test_resources_are_as_the_scripts_read_them(made: Entry, small_city: City) -> None:
    resources = made.folder / "inference" / TEAM / "resources"
    with wave.open(str(resources / "dummy.wav")) as file:
        assert (file.getframerate(), file.getnframes(), file.getnchannels()) == (44_100, 44_100, 1)
    rows = list(csv.DictReader((resources / "test.csv").read_text("utf-8").splitlines(), delimiter="\t"))
    assert len(rows) == 90
    assert all((small_city.folder / row["filename"]).is_file() and row["scene_label"] in SCENES for row in rows)


def test_scores_are_the_systems(made: Entry) -> None:
    told = yaml.safe_load((made.folder / "task1" / LABEL / f"{LABEL}.meta.yaml").read_text("utf-8"))
    results = told["results"]["development_dataset"]
    assert set(results["device_wise"]) == {*DEVICES}
    found = {device: one["accuracy"] for device, one in results["device_wise"].items()}
    assert found == {device: 100.0 if device in ("a", "s1") else 10.0 for device in DEVICES}
    assert results["class_wise"]["bus"]["accuracy"] == 100.0
    assert results["class_wise"]["tram"]["accuracy"] == pytest.approx(100 * 2 / 9, abs=0.01)
    assert results["overall"]["accuracy"] == pytest.approx(100 * (1 + 9 * 2 / 9) / 10, abs=0.01)
    assert told["system"]["complexity"]["models"] == 3
    assert told["system"]["complexity"]["parameter_bytes_torch"] == 52_836
    assert "one model per device for a, s1" in told["system"]["description"]["device_context"]
    figures = dict(made.written.rows)
    assert figures["s1 by torchinfo"].endswith("MACs, 52,836 bytes of parameters")
    assert figures["device s1"] == "accuracy 100.0%, of the general model 12.5%"  # of the fixture's scores


def test_every_clip_is_classified_by_its_devices_model(
    models: list[Path], entry_job: Callable[..., Job], evaluation_set: Path, tmp_path: Path
) -> None:
    class Constant:
        """Answers the class of its model's number."""

        def __init__(self, path: Path) -> None:
            self.answer = {"s1": 1, "general": 0, "a": 2}[path.stem]

        def __enter__(self) -> Constant:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def hear(self, windows: np.ndarray) -> Heard:
            scores = np.eye(10, dtype=np.int8)[[self.answer] * len(windows)] * np.int8(100)
            return Heard(scores, np.zeros(len(windows), np.bool_), None)

    job = replace(entry_job("dcase2025", *models, audio=evaluation_set), open_target=Constant)  # type: ignore[arg-type]
    made = make_entry(job, tmp_path / "out", score=on_split)
    text = (made.folder / "task1" / LABEL / f"{LABEL}.output.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    answers = [row["scene_label"] for row in rows]
    assert answers == [SCENES[2], SCENES[1], SCENES[0], SCENES[0]]
    assert [row["filename"] for row in rows] == ["0.wav", "1.wav", "2.wav", "3.wav"]


def test_an_entry_without_an_evaluation_set_has_no_output(
    models: list[Path], entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    made = make_entry(entry_job("dcase2025", models[1], audio=None), tmp_path / "out", score=on_split)
    assert made.written.clips == 0
    assert not any(name.endswith("output.csv") for name in made.files)


def test_models_that_make_no_system_are_refused(
    models: list[Path],
    scene_model: Callable[..., Path],
    entry_job: Callable[..., Job],
    tmp_path: Path,
    eval_clips: Path,
) -> None:
    s1, general, _ = models
    again = scene_model("again", percent=25, devices=("s1",))
    both = scene_model("both", percent=25, devices=("a", "s1"))
    half = scene_model("half", percent=50)

    def refused(*paths: Path, audio: Path | None = None) -> str:
        with pytest.raises(InputError) as caught:
            make_entry(entry_job("dcase2025", *paths, audio=audio), tmp_path / "out", score=on_split)
        return str(caught.value)

    assert "dcase2025: needs a general model for unknown devices; train one without --device" in refused(s1)
    assert f"is a second model of device s1 beside {s1}; give one" in refused(general, s1, again)
    assert "was trained on clips of the devices a, s1; train on one device" in refused(general, both)
    assert "half.tflite: was trained on 50 % without one of the splits; give a general model" in refused(half)
    with pytest.raises(DatasetError, match=r"fold1_test\.csv: "):
        make_entry(entry_job("dcase2025", general, audio=eval_clips), tmp_path / "out", score=on_split)
    assert not (tmp_path / "out" / LABEL).exists()


def test_combined_scores_keep_the_general_models_where_a_device_has_none(
    models: list[Path], entry_job: Callable[..., Job]
) -> None:
    job = entry_job("dcase2025", models[1], audio=None)
    (part,) = job.parts
    whole = on_split(job, part)
    found = dcase2025.combined(job, {dcase2025.GENERAL: whole})
    assert found.rows == whole.rows
    assert found.by_device["s6"] == Measures(10, 0.1, found.by_device["s6"].log_loss)
