"""Hyperband (Li et al. 2018) over representation and architecture, under the limits.

::

    OUT/request.json            what is searched; a folder with another search is refused
    OUT/trials/<point>/         checkpoint.npz of every point on the windows that it heard; one that is promoted goes on
                                from its own last epoch
    OUT/best.toml               the best recipe, like any other
    OUT/best/                   its run folder, trained to the end
    OUT/tune.json               trials, and the points that were refused with the reason; written last

The checkpoints are all that a search keeps: the same seed draws the same points again, and what a point's checkpoint
holds already is not trained again. So a search that was killed is simply run again. A checkpoint's folder is named by
the point and by the hash of its windows: where recordings were replaced, none is found, and the point is trained anew.

A trial is the beginning of its recipe's own run: the last round of every bracket has all the recipe's epochs, and the
rounds before it stop earlier on the same schedule. So a point that is promoted goes on along one curve, and the rate of
an epoch depends neither on the round nor on the bracket.
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
from ...core.files import sweep, write_text
from ...data.augmentation.features import batch_augmentation
from ...data.datasets.registry import Dataset
from ...errors import InputError, RecipeError, ToolError
from ...graph import limits
from ...models.backend import keras, one_thread
from ...models.keras_model import build
from .. import run_folder
from ..checkpoint import State
from ..loop import Trainer, cross_entropy, fit
from ..tf_config import require_alone
from ..train import Conditions, RunResult, load_splits, prepare, train
from ..windows import Windows
from .space import PARTS, Part, Values, cost_at, declare, recipe_at, to_toml, verdict

try:
    import keras_tuner
except ImportError:
    raise ToolError("keras-tuner", "is not installed", "pip install 'scenelet[train]'") from None

REQUEST, RESULT, BEST, TRIALS = "request.json", "tune.json", "best", "trials"
LOSS = "val_loss"
_DRAWS = 10_000
_ELSEWHERE = "choose another folder or delete this one"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """A finished search: the best recipe's run, and all that was tried as ``tune.json`` holds it."""

    recipe: Recipe
    run: RunResult
    told: dict[str, Any]


class Oracle(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband that draws on where a point is over a limit, so that a bracket is full of networks that may be used."""

    def __init__(self, base: Recipe, parts: tuple[Part, ...], factor: int) -> None:
        self.base = base
        self.invalid: list[dict[str, Any]] = []
        space = keras_tuner.HyperParameters()
        declare(space, parts)
        super().__init__(
            objective=keras_tuner.Objective(LOSS, "min"),
            max_epochs=base.training.epochs,
            factor=factor,
            seed=base.training.seed + 1,  # KerasTuner takes 0 for none
            hyperparameters=space,
            allow_new_entries=False,
            tune_new_entries=False,
        )
        self.verbose = 0

    @property
    def most_trials(self) -> int:
        """Trials of all brackets and rounds; fewer where the space holds fewer points."""
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
            reason = verdict(self.base, values)
            if not reason:
                return values
            self.invalid.append({"values": values, "reason": reason})
        raise RecipeError(
            self.base.name, f"{_DRAWS:,} draws gave no network within the limits", "fix a part of the space"
        )


def plain(values: Values) -> Values:
    """Point of a trial: without Hyperband's notes, and with floats as they were before 32 bits carried them."""
    chosen = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in chosen.items()}


def _name(point: Values, data: dict[str, Windows]) -> str:
    """Folder of a point's checkpoint: another one where files of the same names hold other samples."""
    content = json.dumps([point, {split: part.sha256 for split, part in data.items()}], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Search:
    """What every trial shares."""

    base: Recipe
    dataset: Dataset
    out: Path
    parts: tuple[Part, ...]
    factor: int
    jobs: int
    cache: Path

    def oracle(self) -> Oracle:
        """Make what draws points and promotes the best of them."""
        return Oracle(self.base, self.parts, self.factor)

    def trial(self, values: Values) -> float:
        """Train a point up to the epoch that Hyperband grants; validation loss of what it keeps, infinite if none."""
        point, epochs = plain(values), int(values["tuner/epochs"])
        recipe, dataset = prepare(recipe_at(self.base, point), self.dataset)
        config, conditions = recipe.training, Conditions(jobs=self.jobs, cache=self.cache)
        data = load_splits(recipe, dataset, conditions, ("train", "validation"))
        checkpoint = self.out / TRIALS / _name(point, data) / run_folder.CHECKPOINT
        state = State.load(checkpoint)
        if state is None or (len(state.history) < epochs and state.waited < config.patience):
            keras.backend.clear_session()
            keras.utils.set_random_seed(config.seed)
            objective, augment = cross_entropy(config.label_smoothing), batch_augmentation(recipe.augmentation)
            trainer = Trainer(build(recipe), data["train"], data["validation"], config, objective, augment)
            try:
                state = fit(trainer, checkpoint, until=epochs)
            except RecipeError:
                return math.inf
        # Of this trial's epochs alone: a point that was promoted before a kill has trained further.
        losses = [row.validation_loss for row in state.history[:epochs]]
        return losses[-1] if config.keep == "last" else min(losses)

    def told(self, trial: Any) -> dict[str, Any]:
        """One line of the result."""
        values = trial.hyperparameters.values
        cost = cost_at(self.base, plain(values))
        return {
            "trial": trial.trial_id,
            "epochs": int(values["tuner/epochs"]),
            "validation_loss": trial.score if math.isfinite(trial.score) else None,
            "params_bytes": cost.params_bytes,
            "macs": cost.macs,
            "values": plain(values),
        }


class Plan(TypedDict, total=False):
    """How a search is carried out; all of it may be left out.

    Attributes
    ----------
    parts
        What is searched, by default everything.
    factor
        Of Hyperband, by default 3: one in so many trials is promoted.
    jobs
        Trials at a time, each in a process of its own on one thread (see :mod:`scenelet.core.parallel`); below 1, as
        many as there are processors. With 1, the default, they run in this process, on all its threads.
    cache
        Folder of cached features; by default in the build folder.
    """

    parts: tuple[Part, ...]
    factor: int
    jobs: int
    cache: Path | None


def open_search(recipe: Recipe, dataset: Dataset, out: str | Path, **plan: Unpack[Plan]) -> Search:
    """Make a folder a search's, or find that it is; parameters and errors as in :func:`search`."""
    require_alone()
    if not isinstance(recipe.model, CnnConfig):
        raise RecipeError(recipe.name, "is no plain chain of convolutions", "search from one that is, such as sm1")
    base = prepare(recipe.model_copy(update={"deployable": True}), dataset)[0]
    folder, store = Path(out), plan.get("cache") or toolchain.build_folder() / "features"
    parts, factor = plan.get("parts", PARTS), plan.get("factor", 3)
    request = json.dumps([base.sha256, dataset.sha256, sorted(parts), factor])
    path = folder / REQUEST
    if folder.is_dir():
        sweep(folder)
    if path.is_file():
        if path.read_bytes() != request.encode():
            raise InputError(folder, "holds another search", _ELSEWHERE)
    elif folder.exists() and (not folder.is_dir() or any(not entry.name.startswith(".") for entry in folder.iterdir())):
        raise InputError(folder, "is not a search and not empty", "choose another folder")
    else:
        write_text(path, request)
    return Search(base, dataset, folder, parts, factor, plan.get("jobs", 1), store)


def search(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    *,
    progress: Progress | None = None,
    **plan: Unpack[Plan],
) -> Found:
    """Search for a better recipe by validation loss, then train the best one to the end.

    Trials of a round run beside each other, and every round is complete before the next one begins: how many run at a
    time does not change which points are promoted.

    Parameters
    ----------
    recipe
        A chain of convolutions; gives training, augmentation and whatever the search leaves alone. Its epochs are the
        most that a trial gets.
    progress
        Called with trials done, and the most there can be.
    plan
        Of :class:`Plan`.

    Raises
    ------
    InputError
        Where recipe, data or folder cannot be used.
    """
    return carry_out(open_search(recipe, dataset, out, **plan), progress)


def carry_out(shared: Search, progress: Progress | None = None) -> Found:
    """Do what :func:`open_search` opened, or find it done."""
    return known(shared) or conclude(shared, _run(shared, progress))


def known(shared: Search) -> Found | None:
    """Result of a search that is complete.

    Raises
    ------
    InputError
        Where it is of recordings that were replaced since, or damaged.
    """
    path = shared.out / RESULT
    if not path.is_file():
        return None
    best = shared.out / BEST
    told, recipe = run_folder.read_json(path), recipes.load(best.with_suffix(".toml"))
    heard = run_folder.request_of(best).features_sha256
    _require_same_windows(shared, recipe, heard)
    shutil.rmtree(shared.out / TRIALS, ignore_errors=True)
    return Found(recipe, RunResult(best, run_folder.done(best, heard) or {}), told)


def _require_same_windows(shared: Search, recipe: Recipe, heard: dict[str, str]) -> None:
    """Refuse a result of other samples: names and labels, which the request holds, do not tell them apart."""
    recipe, dataset = prepare(recipe, shared.dataset)
    data = load_splits(recipe, dataset, Conditions(jobs=shared.jobs, cache=shared.cache))
    if {split: part.sha256 for split, part in data.items()} != heard:
        raise InputError(shared.out, "holds a search of other recordings under the same names", _ELSEWHERE)


def conclude(shared: Search, oracle: Oracle) -> Found:
    """Train the best point of a finished search to the end, and write down what was tried."""
    folder, base = shared.out, shared.base
    done = [trial for trial in oracle.trials.values() if trial.status == "COMPLETED"]
    best = min(done, key=lambda trial: (trial.score, trial.trial_id))
    chosen = recipe_at(base, plain(best.hyperparameters.values))
    write_text(folder / f"{BEST}.toml", to_toml(chosen))
    run = train(chosen, shared.dataset, folder / BEST, jobs=shared.jobs, cache=shared.cache)
    told = {
        "recipe": base.name,
        "dataset": shared.dataset.name,
        "limits": {"params_bytes": limits.PARAMS_BYTES, "macs": limits.MACS},
        "best": best.trial_id,
        "trials": [shared.told(trial) for trial in sorted(done, key=lambda trial: trial.trial_id)],
        "invalid": oracle.invalid,
        "run": run.to_json(),
    }
    write_text(folder / RESULT, json.dumps(told, indent=2) + "\n")
    shutil.rmtree(folder / TRIALS, ignore_errors=True)
    return Found(chosen, run, told)


def _run(shared: Search, progress: Progress | None) -> Oracle:
    """Carry out Hyperband's rounds."""
    oracle, own, done = shared.oracle(), parallel.uses_processes(shared.jobs), 0
    with tempfile.TemporaryDirectory() as scratch:  # for what KerasTuner writes and nobody reads
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
