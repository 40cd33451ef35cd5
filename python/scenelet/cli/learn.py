"""``train``, ``quantize``: from recordings to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Data, Jobs, Json, Subset
from .output import err, out, print_json, progress, table


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (train, quantize):
        app.command()(command)


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe, or path of a .toml file.")],
    data: Data,
    to: Annotated[Path, typer.Option("--out", help="Run folder; an interrupted run in it goes on.")],
    subset: Subset = None,
    jobs: Jobs = -1,
    json: Json = False,
) -> None:
    """Train a recipe's network into a run folder; run the same command again to go on after an interruption."""
    from .. import recipe as recipes
    from ..data.dataset import open_dataset
    from ..training.fit import train as fit

    described = recipes.load(recipe)
    if not described.deployable:
        err.print(f"note: {described.name} is not meant for a board and not held to the limits", markup=False)
    dataset = open_dataset(data, subset=subset)
    with progress(f"train {described.name}") as step:
        result = fit(described, dataset, to, jobs=jobs, watch=lambda epoch, most: step(epoch.epoch, most))
    _show(result.to_json(), json)


def quantize(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `scenelet train` finished.")],
    json: Json = False,
) -> None:
    """Convert a run's network to full INT8: RUN/model.tflite, with labels and front end inside."""
    from ..quantize import quantize_run

    made = quantize_run(run)
    if json:
        print_json({"run": str(run), "model": str(made), "bytes": made.stat().st_size})
    else:
        out.print(f"{made} written: {made.stat().st_size:,} bytes")


def _show(result: dict[str, Any], json: bool) -> None:
    """Print a run's scores: one row a split."""
    if json:
        print_json(result)
        return
    rows = [
        (
            name,
            part["windows"],
            part["clips"],
            f"{part['accuracy']:.1%}",
            f"{part['clip_accuracy']:.1%}",
            f"{part['log_loss']:.3f}",
        )
        for name, part in result.items()
        if isinstance(part, dict) and "accuracy" in part
    ]
    columns = ["split", ">windows", ">clips", ">accuracy", ">of clips", ">log loss"]
    out.print(table(f"{result['recipe']} on {result['dataset']} (macro)", columns, rows))
    out.print(f"{result['run']}: done")
