"""BioDCASE-Tiny 2026 (task 3): birds on tiny hardware.

::

    OUT/<label>/<label>.meta.yaml
    OUT/<label>/config_submission.yaml                   how the organisers' scripts load the models
    OUT/<label>/feature_handler.py, scenelet_frontend/   the front end, in place of the organisers'
    OUT/<label>/your_submission_model/label_dict.yaml, <recipe>.keras, <recipe>.tflite
    OUT/biodcase_2026_task3_submission_package.zip       all entries of the team, as they are handed in

The hidden test is scored by the organisers; here the scores are those of the folder Validation, as their baseline's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.files import is_there, write_bytes, write_text
from ...core.metrics import roc_auc
from ...core.templating import render
from ...errors import InputError, SceneletError
from ...evaluation.evaluate import Evaluation
from ...graph import Graph
from ...graph.cost import macs
from . import parts
from .challenge import Job, Written
from .frontend_package import write_frontend
from .metadata import external_datasets, open_points, submission_block, to_yaml
from .parts import Part

MODELS = "your_submission_model"
NETWORK = "model.keras"
# Bytes and MACs of the organisers' Keras baseline (submission/your_submission_model/test_model.tflite). Scores of the
# INT8 network and the arena on their board as their README has them; here, the same file's arena is 203,600.
BASELINE = {"bytes": 109_312, "macs": 23_318_560, "arena": 202_556, "accuracy": 0.5628, "roc_auc": 0.8923}
_COUNTED = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "TRANSPOSE_CONV",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
    "ADD",
)
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_UNKNOWN = "N/A"


def organisers_macs(graph: Graph) -> int:
    """Multiply-accumulates as the organisers' ``compute_macs`` counts them: without MEAN, with MUL and SUB."""
    elements = sum(graph.tensors[op.outputs[0]].elements for op in graph.operators if op.op in ("MUL", "SUB"))
    return elements + sum(macs(graph, op) for op in graph.operators if op.op in _COUNTED)


def organisers_parameters(graph: Graph) -> int:
    """Weights as the organisers' inference handler counts them: those of convolutions and dense layers, no biases."""
    return sum(graph.tensors[op.inputs[1]].elements for op in graph.operators if op.op in _WEIGHTED)


def scores(outputs: NDArray[np.float64], truth: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy and ROC AUC as the organisers compute them: of clips, the latter of the softmax of the outputs."""
    power = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    area = roc_auc(power / power.sum(axis=1, keepdims=True), truth)
    return {"accuracy": round(float((outputs.argmax(axis=1) == truth).mean()), 4), "roc_auc": round(area, 4)}


def int8_scores(evaluation: Evaluation) -> dict[str, float]:
    """Scores of the INT8 network."""
    outputs = np.array([row[3] for row in evaluation.rows], np.float64)
    truth = np.array([evaluation.labels.index(row[2]) for row in evaluation.rows])
    return scores((outputs + 128) / 256, truth)


def float_scores(job: Job, part: Part) -> tuple[dict[str, float], int]:
    """Scores of the Keras network, and its number of parameters."""
    # TensorFlow takes seconds to import, and no other challenge needs it.
    from ...core import toolchain
    from ...training import run_folder, windows
    from ...training.loop import Predictor

    model = run_folder.load_model(part.path)
    cache = toolchain.build_folder() / "features"
    data = windows.load(job.dataset, job.split, part.info.frontend, cache, jobs=-1)
    return scores(Predictor(model)(data), data.classes), int(model.count_params())


def arena_bytes(part: Part) -> int | None:
    """Arena that TensorFlow Lite Micro measures on this computer; None where it does not run here."""
    try:
        from ...targets.tflm import TflmTarget

        with TflmTarget(part.model) as target:
            return target.arena_bytes()["total"]
    except SceneletError:
        return None


def configuration(part: Part) -> dict[str, Any]:
    """Content of config_submission.yaml.

    The settings of the feature handler are for the organisers' own firmware; this entry's handler does not read them.
    """
    front = part.info.frontend
    return {
        "report_dir": "./reports",
        "test_file_dir": "./test_wav_files",
        "test_files_ext": ".wav",
        "inference_handler": {
            "add_python_paths": [],
            "target_sample_rate": front.sample_rate,
            "target_wav_length_sec": int(front.clip_seconds),
            "model_dir": f"./{MODELS}",
            "saved_model_extension": ".keras",
            "tflite_model_extension": ".tflite",
            "label_dict_yaml_path": f"./{MODELS}/label_dict.yaml",
            "feature_handler": {
                "module": "feature_handler",
                "attr": "FeatureHandler",
                "args": [],
                "kwargs": {
                    "target_sample_rate": front.sample_rate,
                    "window_len": front.n_fft,
                    "window_stride": front.hop_length,
                    "window_scaling_bits": 12,
                    "mel_n_channels": front.n_mels,
                    "mel_low_hz": front.fmin,
                    "mel_high_hz": front.top_frequency,
                    "mel_post_scaling_bits": 6,
                    "transpose_features_extracted": True,
                    "normalize_features": True,
                    "to_float": True,
                    "add_channel_dimension": True,
                    "add_batch_dimension": True,
                    "channel_dimension_at_end": True,
                },
            },
            "model": {"module": "keras", "attr": "Model", "args": [], "kwargs": {}},
        },
        "generate_embedded_code": {
            "template_dir": "../biodcase_tiny/embedded/firmware",
            "gen_code_dir": "./your_generated_code",
            "gen_code_source_folder_name": "src",
            "serial_device": "/dev/ttyUSB0",
            "quantize": False,
        },
    }


def metadata(job: Job, results: dict[str, Any]) -> dict[str, Any]:
    """The challenge's metadata."""
    (part,) = job.parts
    description = {
        "machine_learning_framework": "tensorflow",
        "acoustic_features": "log mel spectrogram",
        "data_augmentation": parts.augmentations(part),
        "embeddings": "none",
        "model_architecture": parts.architecture(part),
        "training_objective": "cross entropy",
        "model_compression": parts.compression(job.parts),
        "external_data_usage": "external data" if external_datasets(job) else "none",
    }
    return {
        "submission": {**submission_block(job), "coding_agents_ai_used": None},
        "system": {
            "description": job.details.described(description, job.challenge.name),
            "source_code": job.details.source_code or None,
            "external_datasets": external_datasets(job),
        },
        "results": results,
    }


def write(job: Job, evaluations: Sequence[Evaluation], folder: Path) -> Written:
    """Write an entry; see :mod:`scenelet.publish.challenges.entry`."""
    (part,) = job.parts
    front = part.info.frontend
    if (front.sample_rate, front.clip_seconds) != (24_000, 3):
        said = f"hears {front.clip_seconds:g} s at {front.sample_rate:,} Hz"
        raise InputError(part.path, said, "train a recipe for the challenge's 3 s at 24,000 Hz, such as birds24k")
    if not (part.path.is_dir() and is_there(part.path / NETWORK)):
        raise InputError(part.path, f"holds no {NETWORK}, which is handed in beside the .tflite", "give a run folder")
    int8, (plain, parameters) = int8_scores(evaluations[0]), float_scores(job, part)
    arena = arena_bytes(part)
    network, tflite = part.path / NETWORK, part.model
    results = {
        "accuracy_inference": plain["accuracy"],
        "accuracy_tflite": int8["accuracy"],
        "roc_auc_inference": plain["roc_auc"],
        "roc_auc_tflite": int8["roc_auc"],
        "model_size_inference_bytes": network.stat().st_size,
        "model_size_tflite_bytes": tflite.stat().st_size,
        "macs_inference": organisers_macs(part.graph),
        "macs_tflite": organisers_macs(part.graph),
        "num_params_inference": parameters,
        "num_params_tflite": organisers_parameters(part.graph),
        **dict.fromkeys(
            (f"embedded_time_ms_{name}" for name in ("setup", "preprocessing", "model", "total")), _UNKNOWN
        ),
        "embedded_ram_usage_bytes": _UNKNOWN,
    }
    write_text(folder / f"{job.label}.meta.yaml", to_yaml(metadata(job, results)))
    write_text(folder / "config_submission.yaml", to_yaml(configuration(part)))
    write_text(folder / "feature_handler.py", render(__package__, "biodcase_feature_handler.py", {}))
    write_frontend(folder, front, part.path)
    labels = {label: number for number, label in enumerate(part.info.labels)}
    write_text(folder / MODELS / "label_dict.yaml", to_yaml({"label_dict": labels}))
    write_bytes(folder / MODELS / f"{part.info.recipe}.keras", network.read_bytes())
    write_bytes(folder / MODELS / f"{part.info.recipe}.tflite", tflite.read_bytes())
    return Written(rows=_beside_baseline(job, results, part, arena), notes=open_points(job))


def _beside_baseline(job: Job, results: dict[str, Any], part: Part, arena: int | None) -> tuple[tuple[str, str], ...]:
    """Figures of the INT8 network beside the baseline's; scores only where they are of the same recordings."""
    same = job.dataset.name == "biodcase_tiny" and job.split == "test"

    def scored(name: str) -> str:
        return f"{results[f'{name}_tflite']:.4f}" + (f" (baseline {BASELINE[name]:.4f})" if same else "")

    used = "not measured, for TFLite Micro does not run here" if arena is None else f"{arena:,} bytes"
    return (
        ("accuracy of clips", scored("accuracy")),
        ("ROC AUC", scored("roc_auc")),
        ("model", f"{results['model_size_tflite_bytes']:,} bytes (baseline {BASELINE['bytes']:,})"),
        ("MACs", f"{part.cost.macs:,} (baseline {BASELINE['macs']:,}); {results['macs_tflite']:,} by the organisers"),
        ("arena of TFLite Micro", f"{used} (baseline {BASELINE['arena']:,})"),
    )
