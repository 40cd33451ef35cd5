"""Hyperband (Li et al. 2018) over representation and architecture, under the limits.

::

    OUT/search/         KerasTuner's own state; a search that was killed goes on from it
    OUT/trials/<id>/    checkpoint.npz of every trial; one that is promoted goes on from its forerunner's
    OUT/best.toml       the best recipe, like any other
    OUT/best/           its run folder, trained to the end
    OUT/tune.json       trials, and the points that were refused with the reason; written last
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import limits, toolchain
from ..data.dataset import Dataset
from ..errors import InputError, RecipeError, ToolError
from ..files import write_bytes, write_text
from ..models.backend import keras
from ..models.keras_model import build
from ..recipe import CnnConfig, Recipe
from . import windows
from .augment import batch_augmentation
from .fit import RunResult, prepare, train
from .loop import Trainer, cross_entropy, fit
from .runfolder import CHECKPOINT
from .search_space import PARTS, Part, Values, cost_at, declare, recipe_at, to_toml, verdict

try:
    import keras_tuner
except ImportError:
    raise ToolError("keras-tuner", "is not installed", "pip install 'scenelet[train]'") from None

RESULT, BEST = "tune.json", "best"
_OBJECTIVE = keras_tuner.Objective("val_loss", "min")
_DRAWS = 10_000


@dataclass(frozen=True)
class Found:
    """A finished search: the best recipe's run, and all that was tried as ``tune.json`` holds it."""

    recipe: Recipe
    run: RunResult
    told: dict[str, Any]


class _Oracle(keras_tuner.oracles.HyperbandOracle):  # type: ignore[misc]
    """Hyperband that draws on where a point is over a limit, so that a bracket is full of networks that may be used."""

    def __init__(self, base: Recipe, **settings: Any) -> None:
        self.base = base
        self.invalid: list[dict[str, Any]] = []
        super().__init__(**settings)

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

    def get_state(self) -> dict[str, Any]:
        return {**super().get_state(), "invalid": self.invalid}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.invalid = state["invalid"]


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):  # type: ignore[misc]
    def __init__(self, oracle: _Oracle, trial: Callable[[str, Values], float], **settings: Any) -> None:
        self._trial = trial
        super().__init__(oracle, **settings)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        try:
            return {"val_loss": self._trial(trial.trial_id, trial.hyperparameters.values)}
        except InputError as error:  # nothing that another trial would do better
            raise keras_tuner.errors.FatalError(str(error)) from error


@dataclass(frozen=True)
class _Search:
    """What every trial shares."""

    base: Recipe
    dataset: Dataset
    out: Path
    jobs: int
    cache: Path

    def trial(self, name: str, values: Values) -> float:
        """Train one point for as many epochs as Hyperband grants; its lowest validation loss."""
        recipe, dataset = prepare(recipe_at(self.base, values), self.dataset)
        config = recipe.training.model_copy(update={"epochs": int(values["tuner/epochs"])})
        data = {
            split: windows.load(dataset, split, recipe.frontend, self.cache, jobs=self.jobs)
            for split in ("train", "validation")
        }
        keras.backend.clear_session()
        keras.utils.set_random_seed(config.seed)
        trainer = Trainer(
            build(recipe),
            data["train"],
            data["validation"],
            config,
            cross_entropy(config.label_smoothing),
            batch_augmentation(recipe.augmentation),
        )
        return fit(trainer, self._checkpoint(name, values)).best_loss

    def _checkpoint(self, name: str, values: Values) -> Path:
        path = self.out / "trials" / name / CHECKPOINT
        forerunner = values.get("tuner/trial_id")
        if forerunner and not path.is_file():
            write_bytes(path, (self.out / "trials" / forerunner / CHECKPOINT).read_bytes())
        return path

    def told(self, trial: Any) -> dict[str, Any]:
        """One line of the result."""
        values = trial.hyperparameters.values
        cost = cost_at(self.base, values)
        return {
            "trial": trial.trial_id,
            "epochs": int(values["tuner/epochs"]),
            "validation_loss": trial.score,
            "params_bytes": cost.params_bytes,
            "macs": cost.macs,
            "values": {key: value for key, value in values.items() if not key.startswith("tuner/")},
        }


def search(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    *,
    parts: tuple[Part, ...] = PARTS,
    factor: int = 3,
    jobs: int = 1,
    cache: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Found:
    """Search for a better recipe by validation loss, then train the best one to the end.

    Points over 128,000 B or 30 MMAC, and impossible ones, are marked invalid before a sample is read for them. The test
    split is scored once, with the best network.

    Parameters
    ----------
    recipe
        A chain of convolutions; gives training, augmentation and whatever the search leaves alone. Its epochs are the
        most that a trial gets.
    parts
        What is searched.
    factor
        Of Hyperband: one in so many trials is promoted.
    jobs
        Clips whose features are computed at a time.
    progress
        Called with trials done.

    Raises
    ------
    InputError
        Where recipe, data or folder cannot be used.
    """
    if not isinstance(recipe.model, CnnConfig):
        raise RecipeError(recipe.name, "is no plain chain of convolutions", "search from one that is, such as sm1")
    folder = Path(out)
    recipe = prepare(recipe.model_copy(update={"deployable": True}), dataset)[0]
    _claim(folder, recipe, dataset, parts, factor)
    shared = _Search(recipe, dataset, folder, jobs, cache or toolchain.build_folder() / "features")
    oracle = _run(shared, parts, factor, progress)
    done = [trial for trial in oracle.trials.values() if trial.status == "COMPLETED"]
    best = min(done, key=lambda trial: (trial.score, trial.trial_id))
    chosen = recipe_at(recipe, best.hyperparameters.values)
    write_text(folder / f"{BEST}.toml", to_toml(chosen))
    run = train(chosen, dataset, folder / BEST, jobs=jobs, cache=cache)
    told = {
        "recipe": recipe.name,
        "dataset": dataset.name,
        "limits": {"params_bytes": limits.PARAMS_BYTES, "macs": limits.MACS},
        "best": best.trial_id,
        "trials": [shared.told(trial) for trial in sorted(done, key=lambda trial: trial.trial_id)],
        "invalid": oracle.invalid,
        "run": run.to_json(),
    }
    write_text(folder / RESULT, json.dumps(told, indent=2) + "\n")
    shutil.rmtree(folder / "trials", ignore_errors=True)
    return Found(chosen, run, told)


def _claim(folder: Path, recipe: Recipe, dataset: Dataset, parts: tuple[Part, ...], factor: int) -> None:
    """Make a folder this search's, or find that it is already."""
    request = json.dumps([recipe.sha256, dataset.sha256, sorted(parts), factor])
    path = folder / "request.json"
    if path.is_file():
        if path.read_text("utf-8") != request:
            raise InputError(folder, "holds another search", "choose another folder or delete this one")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(folder, "is not a search and not empty", "choose another folder")
    write_text(path, request)


def _run(shared: _Search, parts: tuple[Part, ...], factor: int, progress: Callable[[int], None] | None) -> _Oracle:
    space = keras_tuner.HyperParameters()
    declare(space, parts)
    oracle = _Oracle(
        shared.base,
        objective=_OBJECTIVE,
        max_epochs=shared.base.training.epochs,
        factor=factor,
        seed=shared.base.training.seed + 1,  # KerasTuner takes 0 for none
        hyperparameters=space,
        allow_new_entries=False,
        tune_new_entries=False,
    )

    def trial(name: str, values: Values) -> float:
        loss = shared.trial(name, values)
        if progress:
            progress(len(oracle.end_order) + 1)
        return loss

    tuner = _Tuner(oracle, trial, directory=str(shared.out), project_name="search", overwrite=False)
    tuner.search(verbose=0)
    return oracle
