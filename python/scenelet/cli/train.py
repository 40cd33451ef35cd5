"""``train``, ``quantize``, ``crossval``, ``tune``: from recordings to a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    NetworkJobs,
    Recipe,
    SplitPercent,
    Subset,
    TeacherFrontend,
    TeacherModel,
    TeacherName,
    network_of,
    opened,
)
from .output import meter, note, out, print_json, progress, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.energy import Meter
    from ..data.dataset import Dataset
    from ..evaluation.crossval_results import CrossValidation
    from ..training.checkpoint import Epoch
    from ..training.distillation.outside_network import OutsideNetwork
    from ..training.loop import Watch
    from .output import Step


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (train, quantize, crossval, tune):
        app.command(rich_help_panel="Train")(command)


def train(
    recipe: Recipe,
    data: Data,
    to: Annotated[Path, typer.Option("--out", help="Run folder; an interrupted run in it resumes.")],
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="RUN", help="Fine-tune: begin with the weights of a finished run."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Largest number of epochs; default: the recipe's.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Learning rate; default: the recipe's.")] = None,
    subset: Subset = None,
    split_percent: SplitPercent = None,
    device: Devices = None,
    all_clips: AllClips = False,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    energy: MeasureEnergy = False,
    json: Json = False,
) -> None:
    """Train a recipe's network into a run folder. After an interruption, the same command resumes."""
    from ..config import recipe as recipes
    from ..core.parallel import cluster as tasks_on
    from ..training import tf_config

    described = recipes.load(recipe)
    given = {"epochs": epochs, "learning_rate": learning_rate}
    changes = {name: value for name, value in given.items() if value is not None}
    described = recipes.changed(described, "training", **changes) if changes else described
    if not described.deployable:
        note([f"{described.name} is not meant for a board; the limits are not checked"])
    if start:
        from ..training.run_folder import require_finished

        require_finished(start)
    dataset = opened(data, subset, split_percent, device, to=to, all_clips=all_clips)
    with tasks_on(cluster), progress(f"train {described.name}") as step:
        team = tf_config.workers()
        chief = team is None or team[0] == 0  # the worker that writes the run folder, with the energy in it
        settings: dict[str, Any] = {"jobs": jobs, "watch": watcher(step, meter(energy and chief, to))}
        if team and start:
            raise InputError("--from", "does not go with TF_CONFIG", "fine-tune on one computer")
        if start:
            from ..training.fine_tuning import fine_tune

            result = fine_tune(described, dataset, start, to, **settings)
        elif team:
            from ..training.distributed.worker_group import WorkerGroup, train_distributed

            result = train_distributed(described, dataset, to, WorkerGroup(), **settings)
        else:
            from ..training.train import train as fit

            result = fit(described, dataset, to, **settings)
    show_run(result.to_json(), json)


def quantize(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `scenelet train` finished.")],
    qat: Annotated[
        bool,
        typer.Option("--qat", "--aware", help="Quantization-aware training, on the run's own --data; resumes."),
    ] = False,
    data: Annotated[Path | None, typer.Option("--data", help="With --qat: the run's data set.")] = None,
    subset: Subset = None,
    split_percent: SplitPercent = None,
    device: Devices = None,
    jobs: Jobs = -1,
    json: Json = False,
) -> None:
    """Convert a run's network to full INT8: RUN/model.tflite, with labels and front-end settings in its metadata."""
    from ..training.run_folder import load_calibration, require_finished

    require_finished(run)
    load_calibration(run)  # before the seconds that TensorFlow takes
    if qat or data:
        if data is None or not qat:
            raise InputError("quantize", "needs both --qat and --data, or neither", "give both, or only the run")
        _quantize_with_qat(run, opened(data, subset, split_percent, device), jobs, json)
        return
    from ..quantization.convert import quantize_run

    made = quantize_run(run)
    if json:
        print_json({"run": str(run), "model": str(made), "bytes": made.stat().st_size})
    else:
        out.print(f"{made} written: {made.stat().st_size:,} bytes")


def _quantize_with_qat(run: Path, dataset: Dataset, jobs: int, json: bool) -> None:
    from ..quantization.qat import quantize_with_qat  # TensorFlow, after all checks

    with progress(f"quantize {run.name}") as step:
        made = quantize_with_qat(run, dataset, jobs=jobs, watch=watcher(step))
    if json:
        print_json({"run": str(run), "bytes": made.path.stat().st_size, **made.to_json()})
        return
    before, after = made.log_loss
    best = f"best epoch {made.best_epoch} of {made.epochs}"
    out.print(f"validation log loss {before:.3f} before QAT, {after:.3f} after ({best})")
    out.print(f"{made.path} written: {made.path.stat().st_size:,} bytes")


FoldTeacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        help="Teacher to distil from: a recipe, trained once per fold, or the folder of its own cross-validation.",
    ),
]
FoldLogits = Annotated[
    str | None,
    typer.Option(
        "--teacher-logits",
        metavar="FILE",
        help="Outputs of a network from elsewhere by clip, .csv or .npz; {fold} in the name stands for the fold.",
    ),
]
Method = Annotated[
    str | None, typer.Option("--method", help="response, relational, hint or rrs; default: the recipe's.")
]


def crossval(
    recipe: Recipe,
    data: Data,
    to: Annotated[Path, typer.Option("--out", help="Folder for the networks' run folders; interrupted ones resume.")],
    subset: Subset = None,
    teacher: FoldTeacher = None,
    teacher_logits: FoldLogits = None,
    teacher_model: TeacherModel = None,
    teacher_name: TeacherName = None,
    teacher_frontend: TeacherFrontend = None,
    method: Method = None,
    filters: Annotated[
        str | None, typer.Option("--filters", help="Filters to prune every network to: 20,22,22,24,24,16.")
    ] = None,
    folds: Annotated[str, typer.Option(help="Folds to test on, such as 1,2,3,4; default: all.")] = "",
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Networks per fold, with consecutive seeds.")] = 1,
    leaky_random_split: Annotated[
        bool,
        typer.Option(
            "--leaky-random-split",
            help="Also report the inflated score of a random split over pieces of recordings, as a warning.",
        ),
    ] = False,
    jobs: NetworkJobs = 1,
    cluster: Cluster = None,
    json: Json = False,
) -> None:
    """Train and score a recipe on each published fold: mean and standard deviation, float and INT8."""
    from ..config import recipe as recipes
    from ..core.parallel import cluster as tasks_on
    from ..evaluation.cross_validation import cross_validate, parse_folds
    from ..training.distillation.methods import with_method

    described, chosen = recipes.load(recipe), parse_folds(folds)
    kept = None if filters is None else filter_numbers(filters)
    if method:
        if teacher is None and teacher_logits is None and teacher_model is None:
            raise InputError("--method", "needs a teacher", "give --teacher or leave it out")
        described = with_method(described, method)
    taught_by = None if teacher is None else Path(teacher) if Path(teacher).is_dir() else recipes.load(teacher)
    outputs = _one_of(teacher_logits, network_of(teacher_model, teacher_name, teacher_frontend))
    dataset = opened(data, subset, to=to)
    with tasks_on(cluster), progress(f"crossval {described.name}") as step:
        result = cross_validate(
            described,
            dataset,
            to,
            teacher=taught_by,
            teacher_logits=outputs,
            filters=kept,
            folds=chosen,
            seeds=seeds,
            leak=leaky_random_split,
            jobs=jobs,
            progress=step,
        )
    if json:
        print_json(result.to_json())
        return
    columns = ["", "format", ">accuracy", ">of clips", ">log loss"]
    out.print(table(f"{result.recipe} on {result.dataset}, fold by fold (macro)", columns, result.rows()))
    for line in _remarks(result):
        out.print(line)


def _one_of(file: str | None, network: OutsideNetwork | None) -> str | OutsideNetwork | None:
    if file is not None and network is not None:
        raise InputError("--teacher-logits and --teacher-model", "exclude each other", "give one of them")
    return file if network is None else network


def _remarks(result: CrossValidation) -> Iterator[str]:
    """Lines with the interval of the accuracy of clips, the clips that every network misses, and a leak's warning."""
    from ..evaluation.intervals import shown

    if interval := result.clip_interval:
        yield f"clips, INT8: 95 % interval {shown(interval)}, by bootstrap over recordings"
        for one in result.missed:
            yield f"missed by every network: {one.file} of {one.truth}, taken for {', '.join(one.answers)}"
    if result.leaks:
        yield f"leak: {result.warning}"


def filter_numbers(text: str) -> tuple[int, ...]:
    """Parse a list of filters, one number per convolution."""
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise InputError("--filters", f"'{text}' is not a list of numbers", "write 20,22,22,24,24,16") from None


def tune(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A chain of convolutions to start from, such as sm1.")
    ],
    data: Data,
    to: Annotated[Path, typer.Option("--out", help="Folder of the search; an interrupted one in it resumes.")],
    subset: Subset = None,
    split_percent: SplitPercent = None,
    only: Annotated[str, typer.Option(help="Part to search alone: representation or architecture.")] = "",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Largest number of epochs per trial; default: the recipe's.")
    ] = None,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    json: Json = False,
) -> None:
    """Search representation and architecture within the limits (Hyperband), then train and convert the best network."""
    from ..config import recipe as recipes
    from ..core.parallel import cluster as tasks_on
    from ..training.search.space import parts_named

    described, parts = recipes.load(recipe), parts_named(only)
    if epochs:
        described = recipes.changed(described, "training", epochs=epochs)
    dataset = opened(data, subset, split_percent, to=to)
    from ..quantization.convert import quantize_run
    from ..training.search.hyperband import open_search, run_search  # TensorFlow, after all checks
    from ..training.search.workers import role, run_chief, run_worker

    part = role()
    with tasks_on(cluster), progress(f"tune {described.name}") as step:
        search = open_search(described, dataset, to, parts=parts, jobs=jobs)
        if part == "worker":
            out.print(f"{run_worker(search, step):,} trials done by this worker; the chief writes {to / 'tune.json'}")
            return
        found = run_chief(search) if part == "chief" else run_search(search, step)
    model = quantize_run(found.run.folder)
    if json:
        print_json({**found.summary, "recipe_file": str(to / "best.toml"), "model": str(model)})
        return
    trained = [trial for trial in found.summary["trials"] if trial["validation_loss"] is not None]
    ranked = sorted(trained, key=lambda trial: trial["validation_loss"])[:10]
    rows = [(t["trial"], t["epochs"], f"{t['validation_loss']:.3f}", t["params_bytes"], t["macs"]) for t in ranked]
    columns = ["trial", ">epochs", ">validation loss", ">parameter bytes", ">MACs"]
    trials, invalid = len(found.summary["trials"]), len(found.summary["invalid"])
    out.print(table(f"best of {trials:,} trials; {invalid:,} candidates were over a limit or invalid", columns, rows))
    out.print(f"{to / 'best.toml'} is the recipe, {model} its network")
    show_run(found.run.to_json(), json)


def watcher(step: Step, energy: Meter | None = None) -> Watch:
    """Show the progress and add up the energy after every epoch; the work after the last epoch is negligible."""

    def watch(epoch: Epoch, most: int) -> None:
        if energy:
            energy.lap()
        step(epoch.epoch, most, f"loss {epoch.loss:.3f}, validation accuracy {epoch.validation_accuracy:.1%}")

    return watch


def show_run(result: dict[str, Any], json: bool) -> None:
    """Print a run's scores, one row per split."""
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
    if "energy" in result:
        used = result["energy"]
        out.print(f"energy of training: {used['kwh'] * 1000:.3g} Wh in {used['seconds']:.0f} s, by codecarbon")
    out.print(f"{result['run']}: done")
