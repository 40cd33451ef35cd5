"""DCASE 2025 task 1: low-complexity acoustic scene classification with device information.

A general model, and models for known recording devices, all trained on the 25 % split. The organisers run the entry's
own code, an installable package with four functions.

::

    OUT/<label>/inference/                       the repository that is handed in by its address
        <team>/<label>.py                        load_model, load_inputs, get_model_for_device, predict
        <team>/models/                           the INT8 networks as PyTorch modules
        <team>/submission_<n>/scenelet_frontend/ the front end
        <team>/ckpts/<label>.npz, resources/dummy.wav, resources/test.csv
        setup.py, requirements.txt, README.md
    OUT/<label>/task1/<label>/<label>.meta.yaml  and <label>.output.csv where --audio is given
    OUT/<team>.zip                               the folders task1/ of all entries, as they are handed in
"""

from __future__ import annotations

import csv
import io
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...core import metrics
from ...core.files import write_bytes, write_text
from ...core.templating import render
from ...data.datasets.csv_table import Row, read_table
from ...errors import InputError
from ...evaluation.evaluate import Evaluation
from ...frontend.capture import read_capture
from ...frontend.windows import cut
from . import int8_network, parts
from .challenge import Job, Written
from .frontend_package import write_frontend
from .metadata import external_datasets, open_points, require_groups, results_block, submission_block, to_yaml
from .outputs import clip_probabilities
from .parts import Part

GENERAL = "general"
_TABLE = Path("evaluation_setup/fold1_test.csv")
_REQUIREMENTS = ("numpy", "soundfile", "soxr", "torch")
_DUMMY_RATE = 44_100


def by_device(job: Job) -> dict[str, Part]:
    """The models by device, the general one under :data:`GENERAL`.

    Raises
    ------
    InputError
        Where there is not exactly one general model, or a model of several devices, or two of one device.
    """
    found: dict[str, Part] = {}
    for part in job.parts:
        if len(part.devices) > 1:
            said = f"was trained on clips of the devices {', '.join(part.devices)}"
            raise InputError(part.path, said, "train on one device, or on all for the general model")
        name = part.devices[0] if part.devices else GENERAL
        if name in found:
            which = "general model" if name == GENERAL else f"model of device {name}"
            raise InputError(part.path, f"is a second {which} beside {found[name].path}", "give one")
        found[name] = part
    if GENERAL not in found:
        raise InputError(job.challenge.name, "needs a general model for unknown devices", "train one without --device")
    general = found[GENERAL]
    for part in job.parts:
        if part.info.frontend != general.info.frontend:
            raise InputError(part.path, f"has another front end than {general.path}", "train both from one recipe")
    return dict(sorted(found.items(), key=lambda item: (item[0] != GENERAL, item[0])))


def combined(job: Job, evaluations: Mapping[str, Evaluation]) -> Evaluation:
    """Scores of the whole system: each clip by its device's model, or by the general one where the device has none."""
    general = evaluations[GENERAL]
    device_of = {clip.path.name: clip.device for clip in job.dataset.splits[job.split]}
    own = {(row[0], row[1]): row for name, one in evaluations.items() if name != GENERAL for row in one.rows}
    rows = tuple(own.get((row[0], row[1]), row) for row in general.rows)
    probability = metrics.probabilities(np.array([row[3] for row in rows], np.int8))
    truth = np.array([general.labels.index(row[2]) for row in rows])
    classes = metrics.by_group(probability, truth, [row[2] for row in rows], general.labels)
    names = [device_of[row[0]] for row in rows]
    accuracy, log_loss = metrics.macro(classes)
    return Evaluation(
        model=general.model,
        target=general.target,
        split=general.split,
        labels=general.labels,
        windows=len(rows),
        clips=general.clips,
        accuracy=accuracy,
        log_loss=log_loss,
        clip_accuracy=accuracy,
        learned_clips=general.learned_clips,
        by_class=classes,
        by_device=metrics.by_group(probability, truth, names, sorted(set(names))),
        confusion=general.confusion,
        rows=rows,
    )


def metadata(job: Job, system: Evaluation, general: Evaluation, models: Mapping[str, Part]) -> dict[str, Any]:
    """Metadata with the fields of 2024 and the device models; cost is that of the most expensive model."""
    first = models[GENERAL]
    own = [name for name in models if name != GENERAL]
    context = f"one model per device for {', '.join(own)}; a general one for all others" if own else "none"
    description = {
        **parts.description(first, job.parts, external=bool(external_datasets(job))),
        "device_context": context,
    }
    counted = [int8_network.counted_by_torchinfo(part.graph) for part in job.parts]
    return {
        "submission": submission_block(job),
        "system": {
            "description": job.details.described(description, job.challenge.name),
            "complexity": {
                "total_model_size": max(part.cost.params_bytes for part in job.parts),
                "total_parameters": max(part.parameters for part in job.parts),
                "macs": max(part.cost.macs for part in job.parts),
                "macs_torchinfo": max(one[0] for one in counted),
                "parameter_bytes_torch": max(one[1] for one in counted),
                "models": len(models),
            },
            "external_datasets": external_datasets(job),
            "source_code": job.details.source_code,
        },
        "results": {
            "development_dataset": {**results_block(system), "general_model": results_block(general)["overall"]}
        },
    }


def write(job: Job, evaluations: Sequence[Evaluation], folder: Path) -> Written:
    """Write an entry; see :mod:`scenelet.publish.challenges.entry`."""
    models = by_device(job)
    known = [*job.challenge.devices, GENERAL]
    for name, part in models.items():
        if name not in known:
            raise InputError(part.path, f"is a model of device {name}", f"use: {', '.join(job.challenge.devices)}")
    scored = {name: evaluations[job.parts.index(part)] for name, part in models.items()}
    system = combined(job, scored)
    require_groups(job, system)
    inner = folder / "task1" / job.label
    write_text(inner / f"{job.label}.meta.yaml", to_yaml(metadata(job, system, scored[GENERAL], models)))
    _write_package(job, models, folder / "inference")
    clips = 0
    if job.audio is not None:
        text, clips = _output(job, models)
        write_text(inner / f"{job.label}.output.csv", text)
    rows = (
        ("whole system", f"accuracy {system.accuracy:.1%}, log loss {system.log_loss:.3f}"),
        *_gains(system, scored[GENERAL], models),
        *((f"{name} by torchinfo", _counted(part)) for name, part in models.items()),
    )
    return Written(clips, rows, notes=open_points(job))


def _gains(system: Evaluation, general: Evaluation, models: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    """Accuracy of each device's model beside the general model's on the same clips."""
    for name in models:
        if name in system.by_device and name in general.by_device:
            own, other = (one.by_device[name].accuracy for one in (system, general))
            yield f"device {name}", f"accuracy {own:.1%}, of the general model {other:.1%}"


def _counted(part: Part) -> str:
    macs, size = int8_network.counted_by_torchinfo(part.graph)
    return f"{macs:,} MACs, {size:,} bytes of parameters"


def _write_package(job: Job, models: Mapping[str, Part], folder: Path) -> None:
    team, index = job.label.rsplit("_", 1)
    part = f"submission_{index}"
    first = models[GENERAL]
    package = folder / team
    own = ", ".join(name for name in models if name != GENERAL)
    values = {
        "label": job.label,
        "team": team,
        "index": index,
        "part": part,
        "version": __version__,
        "models": "a general model" + (f" and models of the devices {own}" if own else ""),
    }
    for place in ("", "models", "resources", part):
        write_text(package / place / "__init__.py", "")
    write_text(package / f"{job.label}.py", render(__package__, "dcase2025_module.py", values))
    write_text(package / "models" / "int8_ops.py", render(__package__, "dcase2025_int8_ops.py", values))
    write_text(package / "models" / "network.py", render(__package__, "dcase2025_network.py", values))
    write_frontend(package / part, first.info.frontend, first.path)
    graphs = {name: one.graph for name, one in models.items()}
    packed = int8_network.pack(graphs, first.path, {"labels": list(first.info.labels)})
    write_bytes(package / "ckpts" / f"{job.label}.npz", packed)
    write_bytes(package / "resources" / "dummy.wav", _dummy())
    write_text(package / "resources" / "test.csv", _test_table(job))
    write_text(folder / "setup.py", render(__package__, "dcase2025_setup.py", values))
    write_text(folder / "README.md", render(__package__, "dcase2025_README.md", values))
    write_text(folder / "requirements.txt", "".join(f"{name}\n" for name in _REQUIREMENTS))


def _dummy() -> bytes:
    """A second of quiet noise, to count a model's complexity with."""
    samples = np.random.default_rng(0).integers(-100, 101, _DUMMY_RATE).astype("<i2")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_DUMMY_RATE)
        file.writeframes(samples.tobytes())
    return content.getvalue()


def _test_table(job: Job) -> str:
    """Clips of the split whose scores are told, as the organisers' table of the test has them."""
    clips = job.dataset.splits[job.split]
    lines = [f"{clip.path.relative_to(job.dataset.root).as_posix()}\t{clip.label}" for clip in clips]
    return "\n".join(["filename\tscene_label", *sorted(lines)]) + "\n"


def _evaluation_clips(folder: Path) -> list[Row]:
    """Rows of the evaluation set's table: file and device."""
    return read_table(folder / _TABLE, ("filename", "device_id"), delimiter="\t")


def _output(job: Job, models: Mapping[str, Part]) -> tuple[str, int]:
    """Classify the evaluation set, every clip by its device's model; the table, and the number of clips."""
    assert job.audio is not None
    rows = _evaluation_clips(job.audio)
    labels, front = models[GENERAL].info.labels, models[GENERAL].info.frontend
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["filename", "scene_label", *labels])
    with ExitStack() as stack:
        targets = {name: stack.enter_context(job.open_target(part.model)) for name, part in models.items()}
        for number, row in enumerate(rows, 1):
            windows = cut(read_capture(row.file(job.audio), front), front)
            name = row["device_id"] if row["device_id"] in models else GENERAL
            values = clip_probabilities(windows, targets[name])
            scores = [f"{value:.6f}" for value in values]
            writer.writerow([row["filename"], labels[int(values.argmax())], *scores])
            if job.progress:
                job.progress(number, len(rows))
    return text.getvalue(), len(rows)
