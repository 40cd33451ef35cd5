"""The files of a DCASE task 1 submission: the system's output on a folder of clips, and metadata.

::

    OUT/<label>/<label>.output.csv   tabs; filename, scene_label, and one probability per class
    OUT/<label>/<label>.meta.yaml    the system, its cost, its scores on the development set
    OUT/<label>/<label>.tflite       the model
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ..benchmark.budget import budget_of
from ..core.files import write_bytes, write_text
from ..core.metrics import probabilities
from ..core.names import is_utf8
from ..data import audio
from ..errors import AudioError, InputError
from ..evaluation.evaluate import Evaluation
from ..frontend.capture import read_capture
from ..frontend.windows import cut
from ..targets.base import Target
from ..tflite.metadata import ModelInfo

_LABEL = re.compile(r"[A-Za-z]+_[A-Za-z0-9]+_task1_[1-4]")


@dataclass(frozen=True)
class Submission:
    """A written submission: its folder, and the number of classified clips."""

    folder: Path
    clips: int

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {"folder": str(self.folder), "clips": self.clips, "files": sorted(p.name for p in self.folder.iterdir())}


def audio_files(folder: Path) -> list[Path]:
    """Audio files anywhere below a folder, sorted by name.

    Raises
    ------
    AudioError
        Where there is no audio file, or one has a name that no table can hold.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in audio.SUFFIXES and path.is_file())
    if not found:
        raise AudioError(folder, "holds no audio file", "give the folder of the evaluation set's clips")
    for path in found:
        if not is_utf8(path.relative_to(folder).as_posix()):
            raise AudioError(path, "its name is not UTF-8", "rename it")
    return found


def clip_probabilities(path: Path, info: ModelInfo, target: Target) -> NDArray[np.float64]:
    """Mean of the probabilities of a clip's windows, float64 (classes,)."""
    config = info.frontend
    windows = cut(read_capture(path, config), config)
    return np.asarray(probabilities(target.classify(windows)).mean(axis=0))


def output_csv(
    folder: Path, info: ModelInfo, target: Target, progress: Callable[[int, int], None] | None = None
) -> str:
    """Classify every clip below a folder: one line per clip, tabs between the columns."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["filename", "scene_label", *info.labels])
    files = audio_files(folder)
    for number, path in enumerate(files, 1):
        values = clip_probabilities(path, info, target)
        scores = [f"{value:.6f}" for value in values]
        writer.writerow([path.relative_to(folder).as_posix(), info.labels[int(values.argmax())], *scores])
        if progress:
            progress(number, len(files))
    return text.getvalue()


def metadata(label: str, model: Path, info: ModelInfo, development: Evaluation) -> dict[str, Any]:
    """The challenge's metadata, as far as model and scores determine them; authors and source code are left open."""
    cost = budget_of(str(model)).cost
    measured = _scores(development)
    return {
        "submission": {
            "label": label,
            "name": info.recipe,
            "abbreviation": info.recipe[:10],
            "authors": [{"lastname": label.split("_")[0], "firstname": "", "email": "", "corresponding": True}],
        },
        "system": {
            "description": {
                "input_sampling_rate": f"{info.frontend.sample_rate / 1000:g}kHz",
                "acoustic_features": "log-mel energies",
                "machine_learning_method": "CNN",
                "framework": "keras/tensorflow",
                "complexity_management": "weight and activation quantization (int8)",
                "development_data": info.dataset,
                "device": development.target,
            },
            "complexity": {"total_parameters_bytes": cost.params_bytes, "macs": cost.macs},
            "source_code": "",
        },
        "results": {
            "development_dataset": {
                "split": development.split,
                "overall": measured,
                "class_wise": _groups(development.by_class),
                "device_wise": _groups(development.by_device),
            }
        },
    }


def _groups(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _scores(one) for name, one in groups.items()}


def _scores(one: Any) -> dict[str, float]:
    """Accuracy in percent and log loss, as Python's numbers, which YAML knows."""
    return {"accuracy": round(100 * float(one.accuracy), 2), "logloss": round(float(one.log_loss), 4)}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """PyYAML's safe dumper; text that is not printable goes between double quotes, where YAML has escapes for it."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Represent a string; single quotes would fold some of Unicode's line ends into spaces."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def to_yaml(value: Mapping[str, Any]) -> str:
    """Write nested dictionaries and lists as YAML in the order of their keys, whatever names they hold."""
    return str(yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf))


def require_form(label: str) -> None:
    """Check that a label has the challenge's form.

    Raises
    ------
    InputError
        Where it has not.
    """
    if not _LABEL.fullmatch(label):
        raise InputError(f"label '{label}'", "is not a submission label", "use <last name>_<institute>_task1_<1 to 4>")


def write_submission(
    label: str,
    model: Path,
    info: ModelInfo,
    clips: Path,
    development: Evaluation,
    target: Target,
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Submission:
    """Write a system's files.

    Parameters
    ----------
    label
        <last name>_<institute>_task1_<1 to 4>.
    clips
        Folder of the clips to classify; no labels are needed.
    development
        The model's scores on the development set.

    Raises
    ------
    InputError
        Where the label is not of that form.
    AudioError
        Where there is no clip, or one cannot be read.
    """
    require_form(label)
    text = output_csv(clips, info, target, progress)
    folder = out / label
    write_text(folder / f"{label}.output.csv", text)
    write_text(folder / f"{label}.meta.yaml", to_yaml(metadata(label, model, info, development)))
    write_bytes(folder / f"{label}.tflite", model.read_bytes())
    return Submission(folder, len(audio_files(clips)))
