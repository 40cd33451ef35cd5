"""``distill``, ``prune``, ``sqnr``: distillation, filter pruning, and the noise of INT8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .options import (
    AllClips,
    Cluster,
    Data,
    Devices,
    Jobs,
    Json,
    MeasureEnergy,
    Recipe,
    SplitPercent,
    Subset,
    TeacherFrontend,
    TeacherModel,
    TeacherName,
    network_of,
    opened,
)
from .output import meter, out, print_json, progress, table
from .train import Method, filter_numbers, show_run, watcher

Out = Annotated[Path, typer.Option("--out", help="Run folder; an interrupted run in it resumes.")]
Teacher = Annotated[Path | None, typer.Option("--teacher", metavar="RUN", help="Finished run folder of the teacher.")]
TeacherLogits = Annotated[
    Path | None,
    typer.Option(
        "--teacher-logits", metavar="FILE", help="Outputs of a network from elsewhere by clip, .csv or .npz, instead."
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (distill, prune, sqnr):
        app.command(rich_help_panel="Compress")(command)


def distill(
    recipe: Recipe,
    data: Data,
    to: Out,
    teacher: Teacher = None,
    teacher_logits: TeacherLogits = None,
    teacher_model: TeacherModel = None,
    teacher_name: TeacherName = None,
    teacher_frontend: TeacherFrontend = None,
    method: Method = None,
    subset: Subset = None,
    split_percent: SplitPercent = None,
    device: Devices = None,
    all_clips: AllClips = False,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    energy: MeasureEnergy = False,
    json: Json = False,
) -> None:
    """Train a recipe's network with a teacher, stage by stage. After an interruption, the same command resumes."""
    from ..config import recipe as recipes
    from ..core.parallel import cluster as tasks_on
    from ..training.distillation.methods import with_method
    from ..training.run_folder import require_finished

    chosen = [one for one in (teacher, teacher_logits, teacher_model) if one is not None]
    if len(chosen) != 1:
        raise InputError("distill", "needs --teacher, --teacher-logits or --teacher-model", "give one of them")
    given = chosen[0]
    described = recipes.load(recipe)
    described = with_method(described, method) if method else described
    if teacher:
        require_finished(teacher)
    network = network_of(teacher_model, teacher_name, teacher_frontend)
    dataset = opened(data, subset, split_percent, device, to=to, all_clips=all_clips)
    from ..training.distillation.distill import distill as train_student  # TensorFlow, after all checks

    if network:
        from ..training.distillation.outside_network import logits_file

        given = logits_file(network, described, dataset)

    with tasks_on(cluster), progress(f"distill {described.name}") as step:
        watch = watcher(step, meter(energy, to))
        result = train_student(described, dataset, given, to, jobs=jobs, watch=watch)
    show_run(result.to_json(), json)


def prune(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder that `scenelet train` or `distill` finished.")
    ],
    data: Data,
    to: Out,
    filters: Annotated[
        str | None, typer.Option("--filters", help="Filters to keep, one number per convolution: 20,22,22,24,24,16.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", min=1, help="Largest number of MACs; default: the challenge's limit.")
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option("--teacher", metavar="RUN", help="Finished run folder of a teacher for the fine-tuning."),
    ] = None,
    method: Method = None,
    subset: Subset = None,
    split_percent: SplitPercent = None,
    device: Devices = None,
    all_clips: AllClips = False,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    json: Json = False,
) -> None:
    """Remove the filters with the smallest L1 norm from a run's network and fine-tune it, optionally with a teacher."""
    from ..core.parallel import cluster as tasks_on
    from ..training.distillation.methods import method_config
    from ..training.run_folder import require_finished

    if filters is not None and budget is not None:
        raise InputError("--filters and --budget", "exclude each other", "give one of them")
    if method is not None and teacher is None:
        raise InputError("--method", "needs a teacher", "give --teacher RUN or leave it out")
    if method is not None:
        method_config(method)
    kept = None if filters is None else filter_numbers(filters)
    for network in (run, *([teacher] if teacher else [])):
        require_finished(network)
    dataset = opened(data, subset, split_percent, device, to=to, all_clips=all_clips)
    from ..training.pruning.prune import prune as prune_run  # TensorFlow, after all checks

    with tasks_on(cluster), progress(f"prune {run}") as step:
        result = prune_run(
            run,
            dataset,
            to,
            filters=kept,
            macs=budget,
            teacher=teacher,
            method=method,
            jobs=jobs,
            watch=watcher(step),
        )
    show_run(result.to_json(), json)


def _decibels(value: float | None) -> str:
    return "exact" if value is None else f"{value:.1f}"


def sqnr(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder that `scenelet train` or `distill` finished.")
    ],
    windows: Annotated[
        int, typer.Option("-n", min=1, help="Number of windows, from those that the run kept for calibration.")
    ] = 32,
    json: Json = False,
) -> None:
    """Compare INT8 with float by layer: signal-to-quantization-noise ratio, and the noise that each layer adds."""
    from ..training.run_folder import require_finished

    require_finished(run)
    from ..evaluation.sqnr import compare  # TensorFlow, after all checks

    found = compare(run, windows)
    if json:
        print_json(found.to_json())
        return
    rows = [
        (row.name, row.op, f"{row.scale:.3g}", f"{row.rms:.3g}", _decibels(row.sqnr_db), f"{row.added:+.3%}")
        for row in found.layers
    ]
    columns = ["layer", "operator", ">scale", ">RMS, float", ">SQNR, dB", ">noise added"]
    out.print(table(f"{run}: INT8 against float, {found.windows} windows", columns, rows))
    out.print(f"most noise is added by {found.worst.name}; same decision on {found.agreement:.1%} of the windows")
