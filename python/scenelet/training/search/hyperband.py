"""Hyperband (Li et al. 2018) over representation and architecture, under the limits.

::

    OUT/request.json            what is searched; a folder with another search is refused
    OUT/trials/<point>/         checkpoint.npz of every point; a point that is promoted continues from its last epoch
    OUT/best.toml               the best recipe, like any other
    OUT/best/                   its run folder, trained to the end
    OUT/tune.json               trials, and the rejected points with the reason; written last

The checkpoints are all that a search stores: the same seed draws the same points again, and epochs that a checkpoint
holds are not trained again. So a search that was killed is simply run again. A checkpoint's folder is named by the
point and by the hash of its windows: where recordings were replaced, none is found, and the point is trained anew.

A trial is the beginning of its recipe's own run: the last round of every bracket has all the recipe's epochs, and the
earlier rounds stop earlier on the same schedule. So a promoted point continues along one curve, and the learning rate
of an epoch depends neither on the round nor on the bracket.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from ...config import recipe as recipes
from ...config.recipe import CnnConfig, Recipe
from ...core import parallel, toolchain
from ...core.files import is_there, read_bytes, sweep, write_text
from ...core.json_files import Checked, require_keys
from ...data.dataset import Dataset
from ...errors import InputError, RecipeError
from ...graph import limits
from ...models.backend import keras, one_thread
from ...models.keras_model import build
from .. import run_folder
from ..augmentation.batches import batch_augmentation
from ..checkpoint import State
from ..loop import Trainer, cross_entropy, fit
from ..tf_config import require_alone
from ..train import RunOptions, RunResult, load_splits, prepare, train
from ..windows import Windows
from .backend import keras_tuner
from .space import PARTS, Part, Values, cost_at, declare, recipe_at, rejection_reason, to_toml

REQUEST, RESULT, BEST, TRIALS = "request.json", "tune.json", "best", "trials"
LOSS = "val_loss"
_DRAWS = 10_000
_ELSEWHERE = "choose another folder or delete this one"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SearchResult:
    """A finished search.

    Attributes
    ----------
    recipe, run
        The best recipe, and its run.
    summary
        All trials, as in ``tune.json``.
    """

    recipe: Recipe
    run: RunResult
    summary: dict[str, Any]


class Oracle(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband that draws again where a point is over a limit, so that brackets are full of usable networks."""

    def __init__(self, base: Recipe, parts: tuple[Part, ...], factor: int) -> None:
        self.base = base
        self.invalid: list[dict[str, Any]] = []
        space = keras_tuner.HyperParameters()
        declare(space, parts)
        super().__init__(
            objective=keras_tuner.Objective(LOSS, "min"),
            max_epochs=base.training.epochs,
            factor=factor,
            seed=base.training.seed + 1,  # KerasTuner takes 0 for no seed
            hyperparameters=space,
            allow_new_entries=False,
            tune_new_entries=False,
        )
        self.verbose = 0

    @property
    def most_trials(self) -> int:
        """Maximum number of trials, over all brackets and rounds; fewer run where the space holds fewer points."""
        return sum(
            self._get_size(bracket, number)
            for bracket in range(self._get_num_brackets())
            for number in range(bracket + 1)
        )

    def _random_values(self) -> Values | None:
        for _ in range(_DRAWS):
            values: Values | None = super()._random_values()
            if values is None:
                return None
            reason = rejection_reason(self.base, values)
            if not reason:
                return values
            self.invalid.append({"values": values, "reason": reason})
        raise RecipeError(
            self.base.name, f"{_DRAWS:,} draws gave no network within the limits", "fix a part of the space"
        )


def point_of(values: Values) -> Values:
    """Point of a trial: without Hyperband's own values, and with floats as they were before a round trip by float32."""
    chosen = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in chosen.items()}


def _name(point: Values, data: dict[str, Windows]) -> str:
    """Name of a point's checkpoint folder; it changes where files of the same names hold other samples."""
    content = json.dumps([point, {split: part.sha256 for split, part in data.items()}], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


class _Trial(Checked):
    """Keys of a trial in ``tune.json`` that are read back."""

    trial: str
    epochs: int
    validation_loss: float | None
    params_bytes: int
    macs: int


@dataclass(frozen=True)
class Search:
    """Settings that all trials share."""

    base: Recipe
    dataset: Dataset
    out: Path
    parts: tuple[Part, ...]
    factor: int
    jobs: int
    cache: Path

    def oracle(self) -> Oracle:
        """Create the oracle, which draws points and promotes the best of them."""
        return Oracle(self.base, self.parts, self.factor)

    def trial(self, values: Values) -> float:
        """Train a point up to the epoch that Hyperband assigns.

        Returns
        -------
        float
            Validation loss (nats) of the epoch that is kept; infinite where training diverges.
        """
        point, epochs = point_of(values), int(values["tuner/epochs"])
        recipe, dataset = prepare(recipe_at(self.base, point), self.dataset)
        config, options = recipe.training, RunOptions(jobs=self.jobs, cache=self.cache)
        data = load_splits(recipe, dataset, options, ("train", "validation"))
        checkpoint = self.out / TRIALS / _name(point, data) / run_folder.CHECKPOINT
        state = State.load(checkpoint)
        if state is None or (len(state.history) < epochs and state.waited < config.patience):
            keras.backend.clear_session()
            keras.utils.set_random_seed(config.seed)
            objective, augment = cross_entropy(config.label_smoothing), batch_augmentation(recipe)
            trainer = Trainer(build(recipe), data["train"], data["validation"], config, objective, augment)
            try:
                state = fit(trainer, checkpoint, until=epochs)
            except RecipeError:
                return math.inf
        # Only the epochs of this trial count: a point that was promoted before a kill has trained further.
        losses = [row.validation_loss for row in state.history[:epochs]]
        return losses[-1] if config.keep == "last" else min(losses)

    def row(self, trial: Any) -> dict[str, Any]:
        """Entry of a trial in ``tune.json``."""
        values = trial.hyperparameters.values
        cost = cost_at(self.base, point_of(values))
        return {
            "trial": trial.trial_id,
            "epochs": int(values["tuner/epochs"]),
            "validation_loss": trial.score if math.isfinite(trial.score) else None,
            "params_bytes": cost.params_bytes,
            "macs": cost.macs,
            "values": point_of(values),
        }


class SearchOptions(TypedDict, total=False):
    """Options of a search; each may be left out.

    Attributes
    ----------
    parts
        Parts of the space to search, by default all.
    factor
        Hyperband's reduction factor, by default 3: one of so many trials is promoted.
    jobs
        Trials at a time, each in its own process on one thread (see :mod:`scenelet.core.parallel`); below 1, as
        many as there are processors. With 1, the default, they run in this process, on all its threads.
    cache
        Folder of cached features; by default in the build folder.
    """

    parts: tuple[Part, ...]
    factor: int
    jobs: int
    cache: Path | None


def open_search(recipe: Recipe, dataset: Dataset, out: str | Path, **options: Unpack[SearchOptions]) -> Search:
    """Open a search in a new folder, or one that is there already; parameters and errors as in :func:`search`."""
    require_alone()
    if not isinstance(recipe.model, CnnConfig):
        raise RecipeError(recipe.name, "is not a plain chain of convolutions", "search from one that is, such as sm1")
    base = prepare(recipe.model_copy(update={"deployable": True}), dataset)[0]
    folder, store = Path(out), options.get("cache") or toolchain.build_folder() / "features"
    parts, factor = options.get("parts", PARTS), options.get("factor", 3)
    request = json.dumps([base.sha256, dataset.sha256, sorted(parts), factor])
    path = folder / REQUEST
    if folder.is_dir():
        sweep(folder)
    if is_there(path):
        if read_bytes(path) != request.encode():
            raise InputError(folder, "holds another search", _ELSEWHERE)
    elif folder.exists() and (not folder.is_dir() or any(not entry.name.startswith(".") for entry in folder.iterdir())):
        raise InputError(folder, "is not a search and not empty", "choose another folder")
    else:
        write_text(path, request)
    return Search(base, dataset, folder, parts, factor, options.get("jobs", 1), store)


def search(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    *,
    progress: Progress | None = None,
    **options: Unpack[SearchOptions],
) -> SearchResult:
    """Search for the recipe with the lowest validation loss, then train it to the end.

    Trials of a round run in parallel, and every round is complete before the next one begins: the number of parallel
    trials does not change which points are promoted.

    Parameters
    ----------
    recipe
        A chain of convolutions. The search keeps its training, its augmentation and the parts that are not searched.
        Its epochs are the maximum of a trial.
    progress
        Called with (trials done, maximum number of trials).
    options
        See :class:`SearchOptions`.

    Raises
    ------
    InputError
        Where recipe, data or folder cannot be used.
    """
    return run_search(open_search(recipe, dataset, out, **options), progress)


def run_search(shared: Search, progress: Progress | None = None) -> SearchResult:
    """Run an opened search, or find its result."""
    return finished(shared) or finish(shared, _run(shared, progress))


def finished(shared: Search) -> SearchResult | None:
    """Result of a complete search; None where it is not complete.

    Raises
    ------
    InputError
        Where it is damaged, or recordings have been replaced since.
    """
    path = shared.out / RESULT
    if not is_there(path):
        return None
    best = shared.out / BEST
    summary, recipe = run_folder.read_json(path), recipes.load(best.with_suffix(".toml"))
    require_keys(summary, path, f"delete {shared.out} and search again", trials=list[_Trial], invalid=list[Any])
    features = run_folder.request_of(best).features_sha256
    _require_same_windows(shared, recipe, features)
    shutil.rmtree(shared.out / TRIALS, ignore_errors=True)
    return SearchResult(recipe, RunResult(best, run_folder.done(best, features) or {}), summary)


def _require_same_windows(shared: Search, recipe: Recipe, features: dict[str, str]) -> None:
    """Refuse a result of other samples: the request holds only names and labels, which do not show a difference."""
    recipe, dataset = prepare(recipe, shared.dataset)
    data = load_splits(recipe, dataset, RunOptions(jobs=shared.jobs, cache=shared.cache))
    if {split: part.sha256 for split, part in data.items()} != features:
        raise InputError(shared.out, "holds a search of other recordings under the same names", _ELSEWHERE)


def finish(shared: Search, oracle: Oracle) -> SearchResult:
    """Train the best point to the end, and write all trials to ``tune.json``."""
    folder, base = shared.out, shared.base
    done = [trial for trial in oracle.trials.values() if trial.status == "COMPLETED"]
    best = min(done, key=lambda trial: (trial.score, trial.trial_id))
    chosen = recipe_at(base, point_of(best.hyperparameters.values))
    write_text(folder / f"{BEST}.toml", to_toml(chosen))
    run = train(chosen, shared.dataset, folder / BEST, jobs=shared.jobs, cache=shared.cache)
    held = limits.of_recipe(base)
    summary = {
        "recipe": base.name,
        "dataset": shared.dataset.name,
        "limits": {"params_bytes": held.params_bytes, "macs": held.macs},
        "best": best.trial_id,
        "trials": [shared.row(trial) for trial in sorted(done, key=lambda trial: trial.trial_id)],
        "invalid": oracle.invalid,
        "run": run.to_json(),
    }
    write_text(folder / RESULT, json.dumps(summary, indent=2) + "\n")
    shutil.rmtree(folder / TRIALS, ignore_errors=True)
    return SearchResult(chosen, run, summary)


def _run(shared: Search, progress: Progress | None) -> Oracle:
    """Run Hyperband's rounds."""
    oracle, own, done = shared.oracle(), parallel.uses_processes(shared.jobs), 0
    with tempfile.TemporaryDirectory() as scratch:  # for KerasTuner's own files, which are not used
        oracle._set_project_dir(scratch, "search")
        while trials := list(_round(oracle)):
            tasks = [(shared, trial.hyperparameters.values, own) for trial in trials]
            for trial, loss in zip(trials, parallel.spread(_trial, tasks, shared.jobs), strict=True):
                oracle.update_trial(trial.trial_id, {LOSS: loss})
                trial.status = "COMPLETED"
                oracle.end_trial(trial)
                done += 1
                if progress:
                    progress(done, oracle.most_trials)
    return oracle


def _round(oracle: Oracle) -> Iterator[Any]:
    """Yield every trial that can run now."""
    number = 0
    while (trial := oracle.create_trial(f"trial{number}")).status == "RUNNING":
        yield trial
        number += 1


def _trial(shared: Search, values: Values, own_process: bool) -> float:
    if own_process:
        one_thread()
    return shared.trial(values)
