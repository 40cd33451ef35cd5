"""DCASE 2023 task 1: low-complexity acoustic scene classification.

::

    OUT/<label>/<label>.output.csv   tabs; filename, scene_label, and one probability per class
    OUT/<label>/<label>.meta.yaml    the system, its cost, its scores on the development set
    OUT/<label>/<label>.tflite       the model
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.files import write_bytes, write_text
from ...evaluation.evaluate import Evaluation
from . import parts
from .challenge import Job, Written
from .metadata import external_datasets, open_points, results_block, submission_block, to_yaml
from .outputs import audio_files, output_csv


def metadata(job: Job, development: Evaluation) -> dict[str, Any]:
    """The challenge's metadata."""
    (part,) = job.parts
    description = {
        "input_sampling_rate": f"{part.info.frontend.sample_rate / 1000:g}kHz",
        "acoustic_features": "log-mel energies",
        "data_augmentation": parts.augmentations(part),
        "machine_learning_method": parts.architecture(part),
        "framework": "keras/tensorflow",
        "complexity_management": parts.compression(job.parts),
        "development_data": part.info.dataset,
        "device": development.target,
    }
    return {
        "submission": submission_block(job),
        "system": {
            "description": job.details.described(description, job.challenge.name),
            "complexity": {
                "total_parameters": part.parameters,
                "total_parameters_bytes": part.cost.params_bytes,
                "macs": part.cost.macs,
                "macs_nessi": part.cost.macs_nessi,
            },
            "external_datasets": external_datasets(job),
            "source_code": job.details.source_code,
        },
        "results": {"development_dataset": {"split": development.split, **results_block(development)}},
    }


def write(job: Job, evaluations: Sequence[Evaluation], folder: Path) -> Written:
    """Write a system's files; see :mod:`scenelet.publish.challenges.entry`."""
    (part,) = job.parts
    assert job.audio is not None
    with job.open_target(part.model) as target:
        (text,) = output_csv(job.audio, [part.info], [target], job.progress)
    write_text(folder / f"{job.label}.output.csv", text)
    write_text(folder / f"{job.label}.meta.yaml", to_yaml(metadata(job, evaluations[0])))
    write_bytes(folder / f"{job.label}.tflite", part.model.read_bytes())
    return Written(len(audio_files(job.audio)), notes=open_points(job))
