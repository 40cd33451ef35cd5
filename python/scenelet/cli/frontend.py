"""``frontend``: the log-mel front end alone, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Recipe
from .output import out, print_json, table

app = typer.Typer(help="The mel front end alone: as C, and compared with librosa.", rich_markup_mode=None)


@app.command()
def export(
    recipe: Recipe,
    to: Annotated[Path, typer.Option("--out", help="Folder for the library.")],
    tables: Annotated[str, typer.Option("--frontend-tables", help="fast, or compact (less flash).")] = "fast",
    json: Json = False,
) -> None:
    """Write a recipe's front end as a C library with an example, without a network."""
    from ..config import recipe as recipes
    from ..core.files import write_folder
    from ..deploy.bundles.bundle import frontend_library
    from ..frontend.flash_tables import check_form

    check_form(tables)
    files = frontend_library(recipes.load(recipe).frontend, form="fast" if tables == "auto" else tables)
    write_folder(to, files)
    if json:
        print_json({"folder": str(to), "files": sorted(files)})
    else:
        out.print(f"{to} written: {len(files)} files; README.md in it says more")


@app.command()
def compare(recipe: Recipe, json: Json = False) -> None:
    """Compare a recipe's integer front end with librosa's log-mel in floating point, by level, signal and band."""
    from dataclasses import asdict

    from ..config import recipe as recipes
    from ..frontend.accuracy import error_report

    found = error_report(recipes.load(recipe).frontend)
    if json:
        print_json(asdict(found))
        return
    groups = [("all", found.all), ("natural-like", found.natural)]
    groups += [(f"peak {level} dB", spread) for level, spread in found.by_level.items()]
    groups += [(f"bands {bands}", spread) for bands, spread in found.by_band.items()]
    rows = [(name, f"{one.mean:.5f}", f"{one.p99:.4f}", f"{one.max:.4f}") for name, one in groups]
    columns = [f"{found.clips} clips", ">mean error, dB", ">99th percentile", ">largest"]
    out.print(table(f"{recipe}: integers against librosa", columns, rows))
    out.print(f"{found.int8_differ:,} of {found.int8_values:,} INT8 features differ, by {found.int8_most} at most")
