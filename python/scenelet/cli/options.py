"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="An INT8 .tflite file.")]
Data = Annotated[Path, typer.Option("--data", help="Data set: TAU 2022 Mobile, ESC-50, ESC-10, or class folders.")]
Subset = Annotated[
    str | None, typer.Option("--subset", help="Part of a data set: esc10, the ten classes of ESC-50 that make ESC-10.")
]
TargetName = Annotated[str, typer.Option("--target", help="Where to run: litert, tflm, host, qemu or serial:PORT.")]
Jobs = Annotated[
    int, typer.Option("--jobs", help="Clips, members of a teacher or trials to work on at a time; -1: all cores.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="Work on dask://HOST:PORT or ray://HOST:PORT in the place of --jobs.")
]
MeasureEnergy = Annotated[bool, typer.Option("--energy", help="Measure the energy that it takes, with codecarbon.")]
Fusion = Annotated[
    bool, typer.Option("--fusion/--no-fusion", help="Without, every operator of the file runs and shows by itself.")
]
Weights = Annotated[
    str, typer.Option(help="packed (INT8, transformed on the fly), expanded (larger, quicker), or auto: by flash.")
]
FrontendTables = Annotated[
    str, typer.Option(help="fast, compact (less flash, the same bits), or auto: compact with packed weights.")
]
Ram = Annotated[int, typer.Option(min=0, help="Arena in bytes that is small enough; 0 for the smallest.")]
AllClips = Annotated[
    bool,
    typer.Option("--all-clips", help="Learn from the test clips too: the last network of a recipe tested by crossval."),
]
