"""``card``, ``submission``: documents to publish with a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .options import Data, Json, Model, Subset, TargetName
from .output import note, out, print_json, progress, table

if TYPE_CHECKING:
    from ..data.datasets.registry import Dataset
    from ..evaluation.evaluate import Evaluation
    from ..publish.challenges.challenge import Entry
    from ..publish.model_card import Folds
    from ..tflite.metadata import ModelInfo


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (card, submission):
        app.command(rich_help_panel="Publish")(command)


def card(
    model: Model,
    data: Data,
    to: Annotated[Path, typer.Option("--out", help="Markdown file to write.")],
    subset: Subset = None,
    split: Annotated[list[str] | None, typer.Option(help="Split to score; can be repeated. Default: test.")] = None,
    crossval: Annotated[
        Path | None,
        typer.Option(
            "--crossval",
            help="Folder of a finished cross-validation: score its networks, each on its fold, instead of the model.",
        ),
    ] = None,
    target: TargetName = "litert",
    json: Json = False,
) -> None:
    """Evaluate a model and write its card: cost, data, scores, limitations, commands."""
    from ..core.files import require_place, write_text
    from ..data.datasets.registry import open_dataset
    from ..evaluation.evaluate import model_info
    from ..publish.model_card import card as write
    from ..tflite.metadata import read
    from ..tflite.reader import read_model

    if crossval and split:
        raise InputError("card", "takes --split or --crossval, not both", "give one of them")
    require_place(to, read=[model])
    read_model(model)
    info = model_info(read(model.read_bytes(), model), model)
    dataset = open_dataset(data, subset=subset)
    folds = _folds(crossval, info) if crossval else None
    scored = folds.networks if folds else [(model, name) for name in split or ["test"]]
    results = [_evaluated(path, dataset, name, target) for path, name in scored]
    write_text(to, write(model, info, results, folds=folds))
    if json:
        print_json({"card": str(to), "evaluations": [result.to_json() for result in results]})
    else:
        out.print(f"{to} written: {', '.join(f'{r.split} {r.accuracy:.1%}' for r in results)}")


def _folds(crossval: Path, info: ModelInfo) -> Folds:
    """Read a cross-validation; refuse one with other settings than the model's, the seed included."""
    from ..publish.model_card import read_folds
    from ..tflite.metadata import read

    if info.learned and not info.learned.all_clips:
        raise InputError(
            "--crossval", "is for a network trained on all clips", "give --split with a split it was not trained on"
        )
    found = read_folds(crossval)
    made = [read(path.read_bytes(), path) for path, _ in found.networks]
    if not any(one and one.recipe_sha256 == info.recipe_sha256 for one in made):
        raise InputError(crossval, f"holds no network of the model's settings of {info.recipe}", "give the model's own")
    return found


def _evaluated(model: Path, dataset: Dataset, split: str, target: str) -> Evaluation:
    from ..evaluation.evaluate import evaluate, model_info
    from ..targets import open_target
    from ..tflite.metadata import read

    info = model_info(read(model.read_bytes(), model), model)  # of this network: its own training clips
    with open_target(target, model) as place, progress(f"{model.name} on {target}") as step:
        return evaluate(model, info, dataset, split, place, progress=step)


def submission(
    challenge: Annotated[
        str,
        typer.Argument(metavar="CHALLENGE", help="dcase2023, dcase2024, dcase2025 or biodcase2026."),
    ],
    data: Data,
    label: Annotated[str, typer.Option("--label", help="Submission label, such as Doe_INST_task1_1.")],
    to: Annotated[Path, typer.Option("--out", help="Folder for the entry's folder.")],
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN...", help="Converted run folders, or .tflite files.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option("--audio", help="Folder of the clips to classify; dcase2025: the evaluation set.")
    ] = None,
    details: Annotated[
        Path | None, typer.Option("--details", help="TOML file: authors, source code, external data.")
    ] = None,
    subset: Subset = None,
    split: Annotated[str, typer.Option(help="Split of the development set to report in the metadata.")] = "test",
    target: TargetName = "litert",
    json: Json = False,
) -> None:
    """Write an entry to a challenge from finished runs: outputs, metadata, models, as the organisers want them."""
    from ..data.datasets.registry import open_dataset
    from ..publish.challenges import registry
    from ..publish.challenges.challenge import Job
    from ..publish.challenges.details import read_details
    from ..publish.challenges.entry import make_entry
    from ..publish.challenges.parts import read_part
    from ..targets import open_target

    paths = list(runs or ())
    if challenge not in registry.NAMES and not paths and Path(challenge).exists():
        challenge, paths = "dcase2023", [Path(challenge)]
    row = registry.find(challenge)
    row.require_label(label)
    told = read_details(details)
    parts = tuple(map(read_part, paths))
    dataset = open_dataset(data, subset=subset)
    with progress(f"{row.name} on {target}") as step:
        job = Job(row, label, parts, dataset, split, told, audio, partial(open_target, target), target, step)
        made = make_entry(job, to)
    if json:
        print_json(made.to_json())
    else:
        _show_entry(made, split)


def _show_entry(made: Entry, split: str) -> None:
    rows = [
        (
            part.path,
            ", ".join(["all" if part.percent is None else f"{part.percent} %", *part.devices]),
            f"{scored.accuracy:.1%}",
            f"{scored.log_loss:.3f}",
            part.cost.params_bytes,
            part.cost.macs,
            part.cost.macs_nessi,
        )
        for part, scored in zip(made.parts, made.evaluations, strict=True)
    ]
    columns = ["model", ">trained on", ">accuracy", ">log loss", ">bytes", ">MACs", ">by NeSsi"]
    out.print(table(f"{made.challenge}: scores on split {split} (macro)", columns, rows))
    for name, value in made.written.rows:
        out.print(f"{name}: {value}")
    clips = f", {made.written.clips:,} clips classified" if made.written.clips else ""
    out.print(f"{made.folder} written: {len(made.files)} files{clips}")
    note(made.written.notes)
