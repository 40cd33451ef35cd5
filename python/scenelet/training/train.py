"""Training of a recipe on a data set, into a run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ..config import recipe as recipes
from ..config.recipe import OneAgainstAllConfig, Recipe
from ..core import metrics, toolchain
from ..core.energy import read_energy
from ..core.files import write_text
from ..data.augmentation.plan import augmented
from ..data.dataset import Dataset
from ..data.provenance import Trained, describe, training_splits
from ..data.splits import with_validation
from ..errors import DatasetError, InputError
from ..graph import limits
from ..models.architecture import cost_of_recipe
from ..models.backend import keras
from ..models.keras_model import build
from ..tflite.metadata import Provenance
from . import clip_head, one_vs_all, run_folder, windows
from .augmentation.batches import batch_augmentation
from .checkpoint import State
from .loop import Predictor, Trainer, Watch, cross_entropy, fit
from .run_folder import Request
from .tf_config import require_alone
from .windows import Windows

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class RunResult:
    """A finished run: its folder, and its scores as ``metrics.json`` holds them."""

    folder: Path
    metrics: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Folder and scores, and the energy of the training where it was measured."""
        energy = read_energy(self.folder)
        return {"run": str(self.folder), **self.metrics, **({"energy": asdict(energy)} if energy else {})}


def with_classes(recipe: Recipe, classes: int) -> Recipe:
    """Set the number of classes of a recipe's network."""
    return recipes.changed(recipe, "model", classes=classes)


def prepare(recipe: Recipe, dataset: Dataset, *, every_class: bool = True) -> tuple[Recipe, Dataset]:
    """Match a recipe and a data set: classes, validation split, altered copies; check the cost before any training.

    Parameters
    ----------
    every_class
        Whether each class must have a training clip. A device may have recorded only some; to fine-tune on, they do.

    Raises
    ------
    LimitExceeded
        Where a recipe for a board is over a limit.
    DatasetError
        Where the data set has fewer than two classes, or a class without training clips.
    """
    if len(dataset.labels) < 2:
        raise DatasetError(dataset.root, f"has {len(dataset.labels)} class", "give clips of two classes or more")
    recipe = with_classes(recipe, len(dataset.labels))
    cost = cost_of_recipe(recipe)
    if recipe.deployable:
        limits.require(cost, f"recipe {recipe.name}", limits.of_recipe(recipe))
    dataset = with_validation(dataset, recipe.training.validation_fraction, recipe.training.validation_seed)
    missing = sorted(set(dataset.labels) - {clip.label for clip in dataset.split("train")})
    if missing and dataset.devices and not every_class:
        missing = []
    if missing:
        of_device = f" of device {', '.join(dataset.devices)}" if dataset.devices else ""
        remedy = "fine-tune a run on all devices with --from" if dataset.devices else "add clips or drop the class"
        raise DatasetError(f"{dataset.root}: class '{missing[0]}'", f"has no training clip{of_device}", remedy)
    return recipe, augmented(dataset, recipe.augmentation)


def score(
    probability: NDArray[np.float64],
    data: Windows,
    labels: tuple[str, ...],
    of_clips: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """Accuracy and log loss (nats) of windows, and accuracy of clips; all are means over classes.

    Parameters
    ----------
    probability
        Of every window, (n, classes). A clip's probabilities are the mean over its windows that are not silent; a clip
        that is all silence counts as missed.
    data
        The n windows; silent ones are not scored.
    labels
        Class names in the order of the columns.
    of_clips
        Probabilities of the clips by a clip head, in place of the mean, (clips, classes).
    """
    clips = int(data.clips.max()) + 1
    truth = np.zeros(clips, np.int64)
    truth[data.clips] = data.classes
    active = data.active
    merged = metrics.merge(probability[active], data.clips[active], clips) if of_clips is None else of_clips
    classes = data.classes[active]
    accuracy, log_loss = metrics.macro(
        metrics.by_group(probability[active], classes, [labels[k] for k in classes], labels)
    )
    clip_accuracy, _ = metrics.macro(metrics.by_group(merged, truth, [labels[k] for k in truth], labels))
    return {
        "windows": len(active),
        "clips": clips,
        "accuracy": accuracy,
        "log_loss": log_loss,
        "clip_accuracy": clip_accuracy,
        **({} if data.silent is None else {"silent_windows": len(data) - len(active)}),
    }


class RunOptions(TypedDict, total=False):
    """Options of every training run; each may be left out.

    Attributes
    ----------
    jobs
        Clips whose features are computed at a time, and members of a teacher that are trained at a time; below 1, as
        many as there are processors. By default 1.
    cache
        Folder of cached features; by default in the build folder.
    loading
        Called with (clips done, clips) while a split's features are computed.
    watch
        Called after every epoch with the epoch and the maximum number of epochs.
    """

    jobs: int
    cache: Path | None
    loading: Callable[[int, int], None] | None
    watch: Watch | None


def load_splits(
    recipe: Recipe, dataset: Dataset, options: RunOptions, splits: tuple[str, ...] = SPLITS
) -> dict[str, Windows]:
    """Load the windows of those of ``splits`` that the data set has."""
    cache = options.get("cache") or toolchain.build_folder() / "features"
    jobs, loading = options.get("jobs", 1), options.get("loading")
    data = {
        name: windows.load(
            dataset, name, recipe.frontend, cache, silence=recipe.silence_level, jobs=jobs, loading=loading
        )
        for name in splits
        if dataset.splits.get(name)
    }
    if "train" in data:
        _require_sound(data["train"], dataset)
    return data


def _require_sound(train: Windows, dataset: Dataset) -> None:
    """Refuse a class whose training windows are all silent."""
    silent = np.setdiff1d(train.classes, train.classes[train.active])
    if deaf := [dataset.labels[number] for number in silent]:
        problem = "all windows of its training clips are silent"
        raise DatasetError(f"{dataset.root}: class '{deaf[0]}'", problem, "lower the key 'silence.level_db'")


@dataclass(frozen=True)
class RunContext:
    """What a training function works with.

    Attributes
    ----------
    recipe
        With the data set's number of classes.
    data
        Windows by split.
    out
        Run folder.
    jobs, watch
        See :class:`RunOptions`.
    """

    recipe: Recipe
    data: dict[str, Windows]
    out: Path
    jobs: int = 1
    watch: Watch | None = None


START = "start"
"""Role of a run whose weights the new one begins with."""

# Run folders by the role that their networks have for the new one: "teacher", "pruned", "start".
Sources = Mapping[str, str | Path]


class Outside(Protocol):
    """A network from elsewhere: its name, and the hash of what is used of it."""

    @property
    def name(self) -> str:
        """Name of the network, for the metadata."""

    @property
    def sha256(self) -> str:
        """Hash of the file of its outputs, for the run's identity."""


# Trains a network from the recipe's seed, so that it can be called again after an interruption; returns it with its
# last state.
TrainFn = Callable[[RunContext], tuple[keras.Model, State]]


def train_with_labels(context: RunContext, model: keras.Model) -> State:
    """Train a network with the labels alone, without a teacher."""
    recipe, data = context.recipe, context.data
    objective = cross_entropy(recipe.training.label_smoothing)
    augment = batch_augmentation(recipe)
    trainer = Trainer(model, data["train"], data["validation"], recipe.training, objective, augment)
    return fit(trainer, context.out / run_folder.CHECKPOINT, context.watch)


def _train_network(context: RunContext) -> tuple[keras.Model, State]:
    recipe, data, watch = context.recipe, context.data, context.watch
    keras.utils.set_random_seed(recipe.training.seed)
    model = build(recipe)
    if isinstance(recipe.model, OneAgainstAllConfig):
        train, validation = data["train"], data["validation"]
        one_vs_all.train_members(recipe, model, train, validation, context.out, context.jobs, watch)
        return model, one_vs_all.train_scores(recipe, model, train, validation, context.out, watch)
    return model, train_with_labels(context, model)


def finish(out: Path, request: Request, model: keras.Model, state: State, data: dict[str, Windows]) -> dict[str, Any]:
    """Score a trained network and complete its run folder."""
    predict = Predictor(model)
    head = clip_head.fit_clip_head(model, data["train"], request.recipe) if request.recipe.clip_head else None
    if head:
        clip_head.save(out, head)
    of_clips = {
        name: head.of_clips(clip_head.embeddings_of(model, part), part) if head else None for name, part in data.items()
    }
    scores = {
        "recipe": request.recipe.name,
        "dataset": request.dataset,
        "seed": request.recipe.training.seed,
        "epochs": len(state.history),
        "best_epoch": state.best_epoch,
        **{name: score(predict(part), part, request.labels, of_clips[name]) for name, part in data.items()},
    }
    run_folder.write_history(out, state.history, state.best_epoch)
    run_folder.save_model(out, model)
    train = data["train"]
    count, seed = request.recipe.quantize.calibration_windows, request.recipe.training.seed
    chosen = windows.stratified(train.classes[train.active], count, seed)
    run_folder.save_calibration(out, train.features[train.active[chosen]])
    write_text(out / run_folder.METRICS, json.dumps(scores, indent=2) + "\n")
    run_folder.drop_checkpoints(out)
    return scores


def run_training(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    train_fn: TrainFn,
    *,
    sources: Sources | None = None,
    outside: Mapping[str, Outside] | None = None,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Train with a function in a run folder, or find the finished run there; other parameters as in :func:`train`.

    Parameters
    ----------
    train_fn
        Trains the network.
    sources
        Finished runs of other networks that ``train_fn`` uses. They are part of the run's identity.
    outside
        Networks from elsewhere that it uses, by the same roles.

    Raises
    ------
    InputError
        As :func:`train` does; also where a source may have been trained on the test.
    """
    require_alone()
    given = dataset
    recipe, dataset = prepare(recipe, dataset, every_class=START not in (sources or {}))
    data = load_splits(recipe, dataset, options)
    context = RunContext(recipe, data, Path(out), options.get("jobs", 1), options.get("watch"))
    used, runs = outside or {}, sources or {}
    teachers = _teachers([one.name for one in used.values()], runs)
    provenance = provenance_of(recipe, given).model_copy(update={"teachers": teachers})
    return _run(context, given, train_fn, runs, provenance, {role: one.sha256 for role, one in used.items()})


def _teachers(named: list[str], sources: Sources) -> tuple[str, ...]:
    """Networks from elsewhere behind a new one: those that teach it, and those behind the runs that it is made from."""
    behind = [run_folder.provenance_of(source) for source in sources.values()]
    return tuple(dict.fromkeys([*named, *(name for one in behind if one for name in one.teachers)]))


def provenance_of(recipe: Recipe, dataset: Dataset) -> Provenance:
    """Describe which clips a recipe is trained on; altered copies are not listed."""
    return describe(dataset, recipe.training.validation_fraction, recipe.training.validation_seed)


def _run(
    context: RunContext,
    dataset: Dataset,
    train_fn: TrainFn,
    sources: Sources,
    provenance: Provenance | None = None,
    hashes: Mapping[str, str] | None = None,
) -> RunResult:
    features = {name: part.sha256 for name, part in context.data.items()}
    for source in sources.values():
        _require_untested(source, dataset, features)
    weights = {name: run_folder.weights_sha256(run_folder.load_model(run)) for name, run in sources.items()}
    request = Request(context.recipe, dataset.name, dataset.labels, features, weights | dict(hashes or {}))
    run_folder.claim(context.out, request, provenance)
    scores = run_folder.done(context.out, context.data)
    if scores is None:
        model, state = train_fn(context)
        scores = finish(context.out, request, model, state, context.data)
    return RunResult(context.out, scores)


def _require_untested(source: str | Path, dataset: Dataset, features: dict[str, str]) -> None:
    """Refuse a run that may have been trained on the test: the windows of its test, or all its clips, tell."""
    test, request = features.get("test"), run_folder.request_of(source)
    if not test or request.features_sha256.get("test") == test:
        return
    learned = training_splits(dataset, Trained(request.dataset, run_folder.provenance_of(source)))
    if not learned.is_apart(dataset.split("test")):
        raise InputError(
            source,
            "was trained with another test split, so it may have been trained on this one",
            "give a run of the same data and split; --all-clips goes with --all-clips",
        )


def train(recipe: Recipe, dataset: Dataset, out: str | Path, **options: Unpack[RunOptions]) -> RunResult:
    """Train a recipe on a data set's "train" split, stopping early on its "validation" split.

    An interrupted run is resumed after its last whole epoch, to the same result; a complete run is returned as it is.
    The split "test", where the data set has it, is scored once, at the end.

    Parameters
    ----------
    recipe
        What to train; its last layer gets as many outputs as the data set has classes.
    dataset
        Opened by :func:`scenelet.data.datasets.registry.open_dataset`.
    out
        Run folder (see :mod:`scenelet.training.run_folder`).
    options
        See :class:`RunOptions`.

    Returns
    -------
    RunResult
        With the scores.

    Raises
    ------
    LimitExceeded
        Where a recipe for a board is over a limit.
    InputError
        Where data, recipe or folder cannot be used.
    """
    return run_training(recipe, dataset, out, _train_network, **options)


def train_windows(
    recipe: Recipe, dataset: Dataset, data: dict[str, Windows], folder: Path, watch: Watch | None = None
) -> RunResult:
    """Train a prepared recipe on windows that are split already: "train", "validation" and optionally "test".

    Only name and labels of the data set are used. Resumes and raises as :func:`train` does.
    """
    return _run(RunContext(recipe, data, folder, watch=watch), dataset, _train_network, {})
