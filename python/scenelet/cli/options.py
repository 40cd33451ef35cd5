"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .output import note

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..training.distillation.outside_network import OutsideNetwork

MOST_JOBS = 1024
"""More threads or processes at a time are a slip of the keyboard, which a computer does not survive."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="An INT8 .tflite file.")]
Recipe = Annotated[str, typer.Argument(metavar="RECIPE", help="Name of a shipped recipe, or path of a .toml file.")]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        help="Folder of a data set: TAU 2022 Mobile, ESC-50, ESC-10, one folder per class, recordings with Audacity "
        "labels, or with a CSV of segments (docs/DATA.md).",
    ),
]
Subset = Annotated[
    str | None, typer.Option("--subset", help="Part of the data set: esc10, the ten classes of ESC-50 in ESC-10.")
]
SplitPercent = Annotated[
    int | None,
    typer.Option(
        "--split-percent", help="Train on a published part of the training clips: 5, 10, 25, 50 or 100 (DCASE 2024)."
    ),
]
Devices = Annotated[
    list[str] | None,
    typer.Option("--device", help="Only clips of this recording device; can be repeated. Default: all devices."),
]
TargetName = Annotated[str, typer.Option("--target", help="Where to run: litert, tflm, host, qemu or serial:PORT.")]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs", max=MOST_JOBS, help="Clips, members of a teacher or trials to process at a time; -1: all cores."
    ),
]
NetworkJobs = Annotated[
    int, typer.Option("--jobs", max=MOST_JOBS, help="Networks to train at a time; -1: one per core.")
]
Cluster = Annotated[
    str | None, typer.Option("--cluster", help="Cluster to use instead of --jobs: dask://HOST:PORT or ray://HOST:PORT.")
]
MeasureEnergy = Annotated[bool, typer.Option("--energy", help="Measure the energy used, with codecarbon.")]
Fusion = Annotated[
    bool, typer.Option("--fusion/--no-fusion", help="Fuse layers; without fusion, each operator runs separately.")
]
Weights = Annotated[
    str,
    typer.Option(help="packed (INT8, transformed on the fly), expanded (larger, faster), or auto: as flash permits."),
]
FrontendTables = Annotated[
    str, typer.Option(help="fast, compact (less flash, same results), or auto: compact with packed weights.")
]
Ram = Annotated[
    int | None,
    typer.Option(min=0, help="Largest acceptable arena, bytes; 0: as small as possible; default: what a board leaves."),
]
Board = Annotated[str | None, typer.Option("--board", help="Board: RAM for --ram, clock for cycles.")]
Limits = Annotated[
    str | None,
    typer.Option(
        "--limits",
        help="dcase (128,000 B, 30 million MACs, the board's memory), board (its memory), or none; default: the "
        "model's own, and board for one from elsewhere.",
    ),
]
AllClips = Annotated[
    bool,
    typer.Option("--all-clips", help="Train on the test clips too: the final network of a recipe tested by crossval."),
]

TeacherModel = Annotated[
    Path | None,
    typer.Option(
        "--teacher-model",
        metavar="FILE",
        help="A network from elsewhere, .h5 (YAMNet's first layers), .keras or .tflite; a linear head is fitted to it.",
    ),
]
TeacherFrontend = Annotated[
    str | None, typer.Option(help="Recipe, or TOML file, whose front end --teacher-model hears by; default: its own.")
]
TeacherName = Annotated[
    str | None,
    typer.Option(help="Name of --teacher-model and of its data, for metadata and card: 'YAMNet (AudioSet)'."),
]


def network_of(model: Path | None, name: str | None, frontend: str | None) -> OutsideNetwork | None:
    """Open the network of --teacher-model, if it is given."""
    if model is None:
        if name is not None or frontend is not None:
            option = "--teacher-name" if frontend is None else "--teacher-frontend"
            raise InputError(option, "needs --teacher-model", "give both, or leave it out")
        return None
    from ..training.distillation.outside_network import open_network

    return open_network(model, name, frontend)


def opened(
    data: Path,
    subset: str | None,
    percent: int | None = None,
    devices: list[str] | None = None,
    *,
    to: Path | None = None,
    all_clips: bool = False,
) -> Dataset:
    """Open a data set for training, and print its notes; refuse results ``to`` a place inside its classes' folders."""
    from ..core.files import require_place
    from ..data.datasets.registry import open_dataset, require_outside

    if all_clips and percent is not None:
        raise InputError("--all-clips and --split-percent", "exclude each other", "give one of them")
    dataset = open_dataset(data, subset=subset, percent=percent, devices=devices or ())
    if to is not None:
        require_outside(data, to)
        require_place(to / "run.json")  # before the seconds that TensorFlow takes
    note(dataset.notes)
    return dataset.untested() if all_clips else dataset


def arena_limit(ram: int | None, board: str | None = None) -> int:
    """Largest acceptable arena: as asked for, else what the board leaves, bytes."""
    from ..targets.boards import arena_bytes

    left = arena_bytes(board)  # an unknown board is an error whatever --ram says
    return left if ram is None else ram


def milliseconds(cycles: float, board: str | None = None) -> str:
    """Modelled cycles as time at the clock of a board, by default of the emulated board."""
    from ..targets.boards import clock_hz

    hertz = clock_hz(board)
    return f"{cycles / hertz * 1e3:,.3g} ms at {hertz / 1e6:g} MHz"


def flash_waits(board: str | None) -> int:
    """Wait states of the board's flash, by default of the emulated board's."""
    from ..targets.boards import wait_states

    return wait_states(board)
