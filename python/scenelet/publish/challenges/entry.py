"""An entry from finished runs: checked against the challenge's rules, scored, and written whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ...core.files import scratch_beside, write_bytes, writing
from ...core.processes import undisturbed
from ...data.provenance import require_held_out
from ...errors import InputError
from ...evaluation.evaluate import Evaluation, evaluate
from ...graph import limits
from .challenge import Challenge, Entry, Job
from .outputs import audio_files
from .parts import Part

Score = Callable[[Job, Part], Evaluation]


def make_entry(job: Job, out: Path, *, score: Score | None = None) -> Entry:
    """Write an entry.

    Parameters
    ----------
    job
        What to write; its parts may come in any order.
    out
        Folder of all entries; see the challenge's module for the layout. An entry of the same label is replaced.
    score
        Scores a model on the job's split; by default on the job's target.

    Raises
    ------
    InputError
        Where the models, the label, the clips or the details are not what the challenge asks for.
    LimitExceeded
        Where a model is over the challenge's limits.
    """
    job = replace(job, parts=_require_parts(job.challenge, job.parts))
    _require_form(job)
    evaluations = tuple((score or scored)(job, part) for part in job.parts)
    folder = out / job.challenge.place.format(label=job.label)
    with writing(folder), scratch_beside(folder) as place:
        (place / "new").mkdir()
        written = job.challenge.write(job, evaluations, place / "new")
        with undisturbed():
            if folder.exists():
                folder.replace(place / "old")
            (place / "new").replace(folder)
    if job.challenge.zipped:
        _pack(out, folder.parent, job)
    return Entry(folder, job.challenge.name, written, evaluations, job.parts)


def scored(job: Job, part: Part) -> Evaluation:
    """Score a model on the job's split and target.

    Raises
    ------
    InputError
        Where it was trained on clips of the split.
    """
    dataset = replace(job.dataset, devices=part.devices)  # a model of a device is scored on that device's clips
    require_held_out(dataset, part.info, job.split, part.path)
    with job.open_target(part.model) as target:
        return evaluate(part.model, part.info, dataset, job.split, target, progress=job.progress)


def _require_form(job: Job) -> None:
    challenge = job.challenge
    challenge.require_label(job.label)
    if (challenge.audio == "needed" and job.audio is None) or (challenge.audio == "none" and job.audio):
        asks = "classifies a folder of clips" if challenge.audio == "needed" else "classifies no clips"
        raise InputError("--audio", f"{challenge.name} {asks}", "give it" if job.audio is None else "leave it out")
    if job.audio is not None:
        audio_files(job.audio)


def _require_parts(challenge: Challenge, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Check the models, and sort them by their training split."""
    if not challenge.several and len(parts) != 1:
        raise InputError(challenge.name, f"takes {challenge.parts}, not {len(parts)}", "give that")
    for part in parts:
        limits.require(part.cost, part.path, replace(challenge.held, set_by=f"by {challenge.name}"))
        if challenge.classes and part.info.labels != challenge.classes:
            wanted = f"train on {challenge.name}'s classes: {', '.join(challenge.classes)}"
            raise InputError(part.path, f"has the classes {', '.join(part.info.labels)}", wanted)
    if challenge.percents is None:
        return tuple(parts)
    return _by_percent(challenge, challenge.percents, parts)


def _by_percent(challenge: Challenge, percents: Sequence[int], parts: Sequence[Part]) -> tuple[Part, ...]:
    for part in parts:
        if part.percent not in percents:
            was = "all training clips" if part.percent is None else f"{part.percent} %"
            raise InputError(part.path, f"was trained on {was} without one of the splits", f"give {challenge.parts}")
    found = sorted(parts, key=lambda part: part.percent or 0)
    given = [part.percent for part in found]
    if len(percents) > 1 and given != [*percents]:
        said = ", ".join(f"{percent} %" for percent in given)
        raise InputError(
            challenge.name, f"needs {challenge.parts}; these are of {said}", "train those that are missing"
        )
    return tuple(found)


def _pack(out: Path, folder: Path, job: Job) -> None:
    """Write the archive with all entries of the label's team."""
    team = job.label.rsplit("_", 2)[0]
    packed = job.challenge.packed
    roots = [entry if packed else out for entry in folder.glob(f"{team}_*") if entry.is_dir()]
    inside = [entry / packed for entry in folder.glob(f"{team}_*") if entry.is_dir()]
    files = sorted(
        (path.relative_to(root).as_posix(), path)
        for root, place in zip(roots, inside, strict=True)
        for path in place.rglob("*")
        if path.is_file()
    )
    with writing(out), scratch_beside(out / "archive") as place:
        archive = place / "archive.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
            for name, path in files:
                made.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
        write_bytes(out / job.challenge.zipped.format(team=team), archive.read_bytes())
