"""Parts of metadata that several challenges share, and YAML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import yaml

from ...errors import DatasetError
from ...evaluation.evaluate import Evaluation
from .challenge import Job
from .details import LONGEST_ABBREVIATION


def submission_block(job: Job) -> dict[str, Any]:
    """Label, name and authors."""
    recipe = job.parts[0].info.recipe
    return {
        "label": job.label,
        "name": job.details.name or recipe,
        "abbreviation": job.details.abbreviation or recipe[:LONGEST_ABBREVIATION],
        "authors": job.details.authors_for(job.label),
    }


def open_points(job: Job) -> tuple[str, ...]:
    """What the entrant has to fill in."""
    points = [] if job.details.authors else ["fill in the authors in the .meta.yaml, or give them with --details"]
    for name in _undeclared_teachers(job):
        what = f"fill in url and total_audio_length of {name}, which taught the network"
        points.append(f"{what}, in the .meta.yaml, or give them with --details")
    return tuple(points)


def external_datasets(job: Job) -> list[dict[str, Any]]:
    """External data as they were declared, and the networks from elsewhere that the models' metadata name."""
    declared = [one.model_dump(mode="json") for one in job.details.external_datasets]
    return declared + [{"name": name, "url": "", "total_audio_length": 0.0} for name in _undeclared_teachers(job)]


def _undeclared_teachers(job: Job) -> list[str]:
    """Networks from elsewhere that taught one of the models, without those that the entrant has declared."""
    declared = [one.name.casefold() for one in job.details.external_datasets]
    learned = [part.info.learned for part in job.parts]
    taught = dict.fromkeys(name for one in learned if one for name in one.teachers)
    return [name for name in taught if not any(one in name.casefold() for one in declared)]


def results_block(evaluation: Evaluation) -> dict[str, Any]:
    """Scores of a split: overall, by class and by device."""
    return {
        "overall": _scores(evaluation),
        "class_wise": {name: _scores(one) for name, one in evaluation.by_class.items()},
        "device_wise": {name: _scores(one) for name, one in evaluation.by_device.items()},
    }


def _scores(one: Any) -> dict[str, float]:
    """Accuracy in percent and log loss, as Python's numbers, which YAML knows."""
    return {"accuracy": round(100 * float(one.accuracy), 2), "logloss": round(float(one.log_loss), 4)}


def require_groups(job: Job, evaluation: Evaluation) -> None:
    """Check that a split holds every class and device whose scores the challenge asks for.

    Raises
    ------
    DatasetError
        Naming the first one that is missing.
    """
    wanted = (
        ("class", job.challenge.classes, evaluation.by_class),
        ("device", job.challenge.devices, evaluation.by_device),
    )
    for kind, names, found in wanted:
        for name in names:
            if name not in found:
                problem = f"holds no clip of {kind} {name}, whose scores {job.challenge.name} asks for"
                raise DatasetError(
                    f"{job.dataset.root}: split '{job.split}'", problem, "give the whole development set"
                )


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """PyYAML's safe dumper; text that is not printable goes between double quotes, where YAML has escapes for it."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Represent a string; single quotes would fold some of Unicode's line ends into spaces."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(value: Mapping[str, Any]) -> str:
    """Write nested dictionaries and lists as YAML in the order of their keys, whatever names they hold."""
    return str(yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf))
