"""An entry to BioDCASE-Tiny 2026 has the files and the fields that the organisers' scripts read.

The lists were read from submission/README.md, (your_lastname)_task3_(x).meta.yaml, config_submission.yaml and
evaluate_submissions.py of github.com/birdnet-team/BioDCASE-Tiny-2026.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from scenelet.cli import main
from scenelet.config import recipe
from scenelet.data.datasets.biodcase_tiny import CLASSES
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.synthetic.birds import write_birds
from scenelet.publish.challenges import biodcase2026
from scenelet.publish.challenges.parts import read_part
from scenelet.quantization.convert import quantize_run
from scenelet.targets import open_target
from scenelet.training import run_folder, train

pytestmark = pytest.mark.train

LABEL = "Almeida_task3_1"
SUBMISSION = {"label", "name", "abbreviation", "authors", "coding_agents_ai_used"}
DESCRIPTION = {
    "machine_learning_framework", "acoustic_features", "data_augmentation", "embeddings", "model_architecture",
    "training_objective", "model_compression", "external_data_usage",
}  # fmt: skip
RESULTS = {
    "accuracy_inference", "accuracy_tflite", "roc_auc_inference", "roc_auc_tflite", "model_size_inference_bytes",
    "model_size_tflite_bytes", "macs_inference", "macs_tflite", "num_params_inference", "num_params_tflite",
    "embedded_time_ms_setup", "embedded_time_ms_preprocessing", "embedded_time_ms_model", "embedded_time_ms_total",
    "embedded_ram_usage_bytes",
}  # fmt: skip
HANDLER = {
    "add_python_paths", "target_sample_rate", "target_wav_length_sec", "model_dir", "saved_model_extension",
    "tflite_model_extension", "label_dict_yaml_path", "feature_handler", "model",
}  # fmt: skip
FEATURES = {
    "target_sample_rate", "window_len", "window_stride", "window_scaling_bits", "mel_n_channels", "mel_low_hz",
    "mel_high_hz", "mel_post_scaling_bits", "transpose_features_extracted", "normalize_features", "to_float",
    "add_channel_dimension", "add_batch_dimension", "channel_dimension_at_end",
}  # fmt: skip
# Names of files in the organisers' repository.
THEIRS = {
    "CITATION.cff", "CMakeLists.txt", "LICENSE", "README.md", "TASK_DESCRIPTION.md", "__init__.py", "check_model.py",
    "compile_embedded_src_code.py", "config.yaml", "config_submission.yaml", "convert_csv_to_yaml.py", "datamodule.py",
    "deploy_embedded_compiled_code.py", "embedded_code_generation.py", "esp_monitor_parser.py", "esp_target.py",
    "esp_toolchain.py", "evaluate_submissions.py", "feature_config.fbs", "feature_config_generated.py",
    "feature_extraction.py", "feature_handler.py", "inference_handler.py", "label_dict.yaml", "model.py",
    "model_base.py", "model_evaluation.py", "model_quantization.py", "model_tiny_ml.py", "model_training.py",
    "nb_fft.py", "nb_isqrt.py", "nb_log32.py", "nb_mel.py", "nb_shift_scale.py", "paths.py", "plots.py",
    "pytorch_datamodule.py", "submission_test.py",
}  # fmt: skip
# Loads the entry as inference_handler.py does, and calls its feature handler.
PROGRAM = """
import sys, numpy, yaml
config = yaml.safe_load(open("config_submission.yaml"))["inference_handler"]
module = __import__(config["feature_handler"]["module"])
handler = getattr(module, config["feature_handler"]["attr"])(**config["feature_handler"]["kwargs"])
assert callable(handler.extract)
numpy.save(sys.argv[2], handler.extract(numpy.load(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_birds(tmp_path_factory.mktemp("data") / "birds", train=3, validation=1).folder


@pytest.fixture(scope="module")
def run(birds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = {
        "name": "little",
        "frontend": {"sample_rate": 24000, "n_fft": 1024, "hop_length": 1024, "n_mels": 16, "clip_seconds": 3.0},
        "model": {"kind": "cnn", "blocks": [{"filters": 4, "kernel": [3, 3], "pool": [2, 2]}]},
        "training": {"epochs": 1, "batch_size": 8},
    }
    folder = tmp_path_factory.mktemp("runs") / "little"
    train.train(recipe.parse(values, "little"), open_dataset(birds), folder, cache=folder.parent / "cache")
    quantize_run(folder)
    return folder


@pytest.fixture(scope="module")
def out(run: Path, birds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    words = ["submission", "biodcase2026", str(run), "--data", str(birds), "--label", LABEL, "--out", str(folder)]
    assert main(words) == 0
    return folder


def test_the_archive_is_laid_out_as_the_organisers_unpack_it(out: Path) -> None:
    package = {f"scenelet_frontend/{name}.py" for name in ("log_mel", "audio", "fixed_point", "tables", "windows")}
    files = {
        f"{LABEL}.meta.yaml", "config_submission.yaml", "feature_handler.py", "scenelet_frontend/tables.npz", *package,
        *(f"your_submission_model/{name}" for name in ("label_dict.yaml", "little.keras", "little.tflite")),
    }  # fmt: skip
    with zipfile.ZipFile(out / "biodcase_2026_task3_submission_package.zip") as archive:
        assert set(archive.namelist()) == {f"{LABEL}/{name}" for name in files}
    # The organisers put a file over every file of that name in their repository.
    replaced = {Path(name).name for name in files} & THEIRS
    assert replaced == {"config_submission.yaml", "feature_handler.py", "label_dict.yaml"}


def test_metadata_have_every_field(out: Path, run: Path) -> None:
    told = yaml.safe_load((out / LABEL / f"{LABEL}.meta.yaml").read_text("utf-8"))
    assert set(told["submission"]) == SUBMISSION
    assert set(told["system"]) == {"description", "source_code", "external_datasets"}
    assert set(told["system"]["description"]) == DESCRIPTION
    results = told["results"]
    assert set(results) == RESULTS
    assert results["model_size_tflite_bytes"] == (run / "model.tflite").stat().st_size
    assert results["model_size_inference_bytes"] == (run / "model.keras").stat().st_size
    assert results["num_params_inference"] == run_folder.load_model(run).count_params()
    assert 0 <= results["roc_auc_tflite"] <= 1
    assert results["embedded_ram_usage_bytes"] == "N/A"  # no board was there


def test_the_configuration_has_every_key(out: Path) -> None:
    told = yaml.safe_load((out / LABEL / "config_submission.yaml").read_text("utf-8"))
    assert set(told) == {"report_dir", "test_file_dir", "test_files_ext", "inference_handler", "generate_embedded_code"}
    assert set(told["inference_handler"]) == HANDLER
    assert set(told["inference_handler"]["feature_handler"]["kwargs"]) == FEATURES
    assert told["inference_handler"]["model"] == {"module": "keras", "attr": "Model", "args": [], "kwargs": {}}
    labels = yaml.safe_load((out / LABEL / "your_submission_model/label_dict.yaml").read_text("utf-8"))
    assert labels == {"label_dict": {label: number for number, label in enumerate(CLASSES)}}


def test_both_networks_answer_the_handlers_features_as_they_were_scored(
    out: Path, run: Path, birds: Path, tmp_path: Path
) -> None:
    import soundfile

    clip = open_dataset(birds).split("test")[5]
    sound, _ = soundfile.read(clip.path)
    np.save(tmp_path / "sound.npy", sound)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "sound.npy"), str(tmp_path / "features.npy")]
    environment = {"PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=out / LABEL, check=True, env=environment)
    features = np.load(tmp_path / "features.npy")
    part = read_part(run)
    assert features.shape == (1, *part.graph.tensors[part.graph.inputs[0]].shape[1:])
    tensor = part.graph.tensors[part.graph.inputs[0]]
    quantized = np.clip(features / np.float32(1 / 64), -128, 127).astype(np.int8)  # as the organisers do
    with open_target("litert", part.model) as target:
        (given,) = target.run(quantized.reshape(1, *tensor.shape[1:]))
        from scenelet.evaluation.evaluate import clip_windows

        np.testing.assert_array_equal(given.reshape(-1), target.classify(clip_windows(clip, part.info)).reshape(-1))
    model = run_folder.load_model(run)
    assert model.predict(features, verbose=0).shape == (1, len(CLASSES))


def test_counts_are_those_of_the_organisers_formulas(run: Path) -> None:
    graph = read_part(run).graph
    shapes = {op.op: graph.tensors[op.outputs[0]].shape for op in graph.operators}
    assert set(shapes) == {"CONV_2D", "MUL", "ADD", "MAX_POOL_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"}
    conv, pooled = 16 * 71 * 4, 8 * 35 * 4
    assert biodcase2026.organisers_parameters(graph) == 4 * 9 + 4 * 256 + 256 * 11
    assert biodcase2026.organisers_macs(graph) == 9 * conv + 2 * conv + 4 * pooled + 4 * 256 + 256 * 11


def test_scores_are_scikit_learns_of_the_softmax() -> None:
    from scipy.special import softmax
    from sklearn.metrics import roc_auc_score

    chance = np.random.default_rng(3)
    truth = np.arange(40) % 4
    outputs = chance.random((40, 4)) + 0.3 * np.eye(4)[truth]
    found = biodcase2026.scores(outputs, truth)
    assert found["roc_auc"] == round(roc_auc_score(truth, softmax(outputs, axis=1), multi_class="ovr"), 4)
    assert found["accuracy"] == round(float(np.mean(outputs.argmax(axis=1) == truth)), 4)


def test_what_the_challenge_does_not_take_is_refused(
    run: Path, birds: Path, tmp_path: Path, sm1: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def problem(model: Path, *more: str, label: str = LABEL) -> str:
        words = ["submission", "biodcase2026", str(model), "--data", str(birds), "--out", str(tmp_path / "o")]
        assert main([*words, "--label", label, *more]) == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("scenelet")]
        return line

    assert "label 'Almeida_INST_task1_1': is not a submission label of biodcase2026; use <last name>_task3_" in problem(
        run, label="Almeida_INST_task1_1"
    )
    assert "--audio: biodcase2026 classifies no clips; leave it out" in problem(run, "--audio", str(birds))
    assert "has the classes baby_cry" in problem(sm1)
    (tmp_path / "model.tflite").write_bytes((run / "model.tflite").read_bytes())
    assert "model.tflite: holds no model.keras, which is handed in beside the .tflite; give a run" in problem(
        tmp_path / "model.tflite"
    )
    assert not (tmp_path / "o" / LABEL).exists()


def test_the_recipe_beats_the_baseline_in_cost() -> None:
    from scenelet.graph.cost import count
    from scenelet.models.architecture import graph_of

    cost = count(graph_of(recipe.load("birds24k")))
    assert cost.params_bytes < 0.4 * biodcase2026.BASELINE["bytes"]
    assert cost.macs < 0.3 * biodcase2026.BASELINE["macs"]
    assert cost.peak_activation_bytes < 0.4 * biodcase2026.BASELINE["arena"]
