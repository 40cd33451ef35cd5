"""DCASE 2024 task 1: data-efficient low-complexity acoustic scene classification.

One system is trained five times, on 5, 10, 25, 50 and 100 % of the training clips. Each of the five networks classifies
the evaluation set.

::

    OUT/task1/<label>/<label>.output.split_5.csv   ... _10, _25, _50, _100
    OUT/task1/<label>/<label>.meta.yaml
    OUT/<last name>_<institute>_task1.zip          all entries in OUT/task1, as they are handed in
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ...core.files import write_text
from ...evaluation.evaluate import Evaluation
from . import parts
from .challenge import Job, Written
from .metadata import external_datasets, open_points, require_groups, results_block, submission_block, to_yaml
from .outputs import audio_files, output_csv, unlike_evaluation_set


def metadata(job: Job, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """The challenge's metadata; where the five networks differ, the cost is that of the most expensive one."""
    first = job.parts[0]
    costs = [part.cost for part in job.parts]
    description = {
        **parts.description(first, job.parts, external=bool(external_datasets(job))),
        "split_adaptations": parts.adaptations(job.parts),
        "system_adaptations": "none",
    }
    return {
        "submission": submission_block(job),
        "system": {
            "description": job.details.described(description, job.challenge.name),
            "complexity": {
                "total_model_size": max(cost.params_bytes for cost in costs),
                "total_parameters": max(part.parameters for part in job.parts),
                "macs": max(cost.macs for cost in costs),
                "macs_nessi": max(cost.macs_nessi for cost in costs),
            },
            "external_datasets": external_datasets(job),
            "source_code": job.details.source_code,
        },
        "results": {
            "development_dataset": {
                f"split_{part.percent}": results_block(scored)
                for part, scored in zip(job.parts, evaluations, strict=True)
            }
        },
    }


def write(job: Job, evaluations: Sequence[Evaluation], folder: Path) -> Written:
    """Write the five outputs and the metadata; see :mod:`scenelet.publish.challenges.entry`."""
    assert job.audio is not None
    assert job.challenge.clips is not None
    for evaluation in evaluations:
        require_groups(job, evaluation)
    with ExitStack() as stack:
        targets = [stack.enter_context(job.open_target(part.model)) for part in job.parts]
        texts = output_csv(job.audio, [part.info for part in job.parts], targets, job.progress)
    for part, text in zip(job.parts, texts, strict=True):
        write_text(folder / f"{job.label}.output.split_{part.percent}.csv", text)
    write_text(folder / f"{job.label}.meta.yaml", to_yaml(metadata(job, evaluations)))
    unlike = unlike_evaluation_set(job.audio, job.challenge.clips)
    return Written(len(audio_files(job.audio)), notes=(*open_points(job), *((unlike,) if unlike else ())))
