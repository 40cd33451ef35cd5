"""``scenelet data``: make and inspect data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Data, Json, Subset
from .output import note, out, print_json, progress, table

app = typer.Typer(help="Make and inspect data sets.", rich_markup_mode=None)


@app.command()
def synth(
    to: Annotated[Path, typer.Option("--out", help="Folder to write the data set into.")],
    like: Annotated[
        Literal["tau", "biodcase"], typer.Option(help="Whose layout: TAU's, or BioDCASE-Tiny 2026's.")
    ] = "tau",
    seed: Annotated[int, typer.Option(help="Seed of the recordings.")] = 0,
    json: Json = False,
) -> None:
    """Write synthetic recordings in the exact layout of TAU 2022 Mobile (a city) or BioDCASE-Tiny 2026 (birds)."""
    from ..data.datasets.registry import open_dataset
    from ..data.synthetic.birds import write_birds
    from ..data.synthetic.city import write_city

    with progress("write the recordings") as step:
        (write_city if like == "tau" else write_birds)(to, seed=seed, progress=step)
    _describe(to, open_dataset(to), json)


@app.command()
def info(data: Data, subset: Subset = None, json: Json = False) -> None:
    """Show a data set's classes and splits. Checks its tables and that its files exist; reads no audio."""
    from ..data.datasets.registry import open_dataset

    _describe(data, open_dataset(data, subset=subset), json)


def _describe(root: Path, dataset: object, json: bool) -> None:
    from ..data.datasets.registry import Dataset

    assert isinstance(dataset, Dataset)
    splits = {name: dataset.split(name) for name in dataset.split_names}
    if json:
        print_json(
            {
                "data": str(root),
                "name": dataset.name,
                "labels": list(dataset.labels),
                "clips": len(dataset.clips),
                "splits": {name: len(clips) for name, clips in splits.items()},
                "absent": dict(dataset.absent),
                "notes": list(dataset.notes),
            }
        )
        return
    note(dataset.notes)
    for reason in dict.fromkeys(dataset.absent.values()):
        note([f"no split {', '.join(name for name, why in dataset.absent.items() if why == reason)}: {reason}"])
    parts = [f"split{percent}" for percent in dataset.percents]
    shown = {name: clips for name, clips in splits.items() if name not in parts}
    rows = [
        (label, *(sum(clip.label == label for clip in clips) for clips in shown.values())) for label in dataset.labels
    ]
    rows.append(("all", *(len(clips) for clips in shown.values())))
    out.print(table(f"{dataset.name}: {len(dataset.clips):,} clips", ["class", *(f">{s}" for s in shown)], rows))
    if parts:
        sizes = ", ".join(f"{name.removeprefix('split')} %: {len(splits[name]):,}" for name in parts)
        out.print(f"training clips with --split-percent: {sizes}")
