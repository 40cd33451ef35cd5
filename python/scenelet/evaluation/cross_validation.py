"""Cross-validation over a data set's published folds: what a recipe is worth, with its spread.

Each fold is the test once. The others are trained on, less a part, in whole recordings, that stops the training; the
test fold takes part in no choice. Float and INT8 are scored on the same windows.

::

    OUT/fold1-seed0/    a run folder, with model.tflite and outcome.json
    OUT/fold1-teacher/  the fold's teacher, where one was asked for by its recipe
    OUT/fold1-seed0-whole/    the network that another was pruned from
    OUT/leak-seed0/     the leak, where it was asked for
    OUT/crossval.json   every outcome, mean and spread; written last
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import OneAgainstAllConfig, Recipe
from ..core import parallel, toolchain
from ..core.files import write_text
from ..core.metrics import probabilities
from ..data.datasets.registry import Dataset
from ..errors import DatasetError, InputError
from .crossval_results import OUTCOME, RESULT, CrossValidation, Outcome, read_outcome, require_room

if TYPE_CHECKING:
    from ..training.windows import Windows

# The published 67 % come from this share of 1-s windows, drawn without a look at what they were cut from.
_LEAK_TEST = 0.3


def parse_folds(text: str) -> tuple[int, ...] | None:
    """Read a list such as "1,2,4"; None for an empty one.

    Raises
    ------
    InputError
        Where it is no such list.
    """
    if not text:
        return None
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"folds '{text}'", "is no list of numbers", "write them like 1,2,3,4") from None


def folds_of(dataset: Dataset) -> tuple[int, ...]:
    """Numbers of the published folds.

    Raises
    ------
    DatasetError
        Where the data set has fewer than two.
    """
    folds = tuple(sorted({clip.fold for clip in dataset.clips if clip.fold}))
    if len(folds) < 2:
        raise DatasetError(
            dataset.root, "has no two published folds", "use `scenelet train`, which keeps its test apart"
        )
    return folds


def held_out(dataset: Dataset, fold: int) -> Dataset:
    """Make one fold the test and all others the training."""
    train = tuple(clip for clip in dataset.clips if clip.fold != fold)
    test = tuple(clip for clip in dataset.clips if clip.fold == fold)
    return replace(dataset, splits={"train": train, "test": test})


def cross_validate(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    *,
    teacher: Recipe | Path | None = None,
    filters: Sequence[int] | None = None,
    folds: Sequence[int] | None = None,
    seeds: int = 1,
    leak: bool = False,
    jobs: int = 1,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CrossValidation:
    """Train and score a recipe once a fold and seed.

    What is done already is not done again; a network that was interrupted goes on after its last whole epoch.

    Parameters
    ----------
    teacher
        Distilled from: a recipe, trained once a fold on the same split, so that it has heard neither test nor
        validation; or the folder of its own cross-validation, of which the first run of each fold is taken.
    filters
        Cut every network down to so many filters a convolution and train it on
        (:mod:`scenelet.training.pruning.prune`), with the teacher where there is one.
    folds
        That are the test in turn; by default all. One fold with several seeds tells how much a seed matters.
    seeds
        Networks a fold; the first has the recipe's seed, the next ones count on. All of a fold are stopped on the same
        validation split.
    leak
        Also show what a random split over windows makes the same recipe look like.
    jobs
        Networks to train at a time, each in a process of its own on one thread (see :mod:`scenelet.core.parallel`);
        below 1, as many as there are processors. With 1 they are trained in this process, on all its threads.
    progress
        Called with (networks done, networks).

    Raises
    ------
    DatasetError
        Where the data set has no folds, or not the wanted ones.
    InputError
        Where the teacher's runs are missing, or heard what they must not know.
    """
    if leak and (teacher or filters):
        raise InputError("the leak", "is shown for plain training alone", "leave teacher and filters out")
    known = folds_of(dataset)
    wanted = tuple(folds or known)
    for fold in wanted:
        if fold not in known:
            raise DatasetError(f"{dataset.root}: fold {fold}", "is not there", f"use some of: {_listed(known)}")
    if seeds < 1:
        raise InputError("seeds", f"{seeds} is none", "give 1 or more")
    _require_sense(recipe, dataset, teacher, filters)
    drawn = range(recipe.training.seed, recipe.training.seed + seeds)
    tasks = [(fold, seed) for fold in wanted for seed in drawn] + [(0, seed) for seed in drawn if leak]
    require_room(Path(out), tasks)
    plan = _Plan(recipe, dataset, Path(out), cache or toolchain.build_folder() / "features", filters, jobs)
    mentors = _teachers(plan, teacher, wanted)
    calls = [(plan, *task, mentors.get(task[0])) for task in tasks]
    outcomes = []
    for outcome in parallel.spread(_one, calls, jobs):
        outcomes.append(outcome)
        if progress:
            progress(len(outcomes), len(tasks))
    result = CrossValidation(
        recipe.name, dataset.name, tuple(o for o in outcomes if o.fold), tuple(o for o in outcomes if not o.fold)
    )
    write_text(Path(out) / RESULT, json.dumps(result.to_json(), indent=2) + "\n")
    return result


def _require_sense(
    recipe: Recipe, dataset: Dataset, teacher: Recipe | Path | None, filters: Sequence[int] | None
) -> None:
    """Refuse before hours of training what would be refused after them."""
    if teacher is not None and isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher, not a student", "give a recipe of one network")
    if isinstance(teacher, Recipe) and teacher.frontend != recipe.frontend:
        raise InputError(
            f"recipe {teacher.name}", f"hears another front end than recipe {recipe.name}", "give both the same one"
        )
    if filters:
        from ..training.pruning.prune import require_filters
        from ..training.train import fitted

        require_filters(fitted(recipe, len(dataset.labels)), filters)


def _listed(folds: Sequence[int]) -> str:
    return ", ".join(map(str, folds))


@dataclass(frozen=True)
class _Plan:
    """What all networks have in common."""

    recipe: Recipe
    dataset: Dataset
    out: Path
    cache: Path
    filters: Sequence[int] | None
    jobs: int

    def begin(self) -> None:
        """Set this process up for one of several networks that are trained at a time."""
        if parallel.uses_processes(self.jobs):
            from ..models.backend import one_thread

            one_thread()


def _teachers(plan: _Plan, teacher: Recipe | Path | None, folds: Sequence[int]) -> dict[int, Path]:
    """Run folder of every fold's teacher."""
    if teacher is None:
        return {}
    if isinstance(teacher, Path):
        return {fold: _teacher_in(teacher, fold) for fold in folds}
    training = plan.recipe.training
    shared = {"split_seed": training.validation_seed, "validation_fraction": training.validation_fraction}
    recipe = teacher.model_copy(update={"training": teacher.training.model_copy(update=shared)})
    made = parallel.spread(_train_teacher, [(plan, recipe, fold) for fold in folds], plan.jobs)
    return dict(zip(folds, made, strict=True))


def _teacher_in(folder: Path, fold: int) -> Path:
    names = (f"fold{fold}-seed*", f"fold{fold}-teacher")
    runs = [path.parent for name in names for path in sorted(folder.glob(f"{name}/metrics.json"), key=_by_seed)]
    if not runs:
        raise InputError(folder, f"holds no finished run of fold {fold}", "cross-validate the teacher first")
    return runs[0]


def _by_seed(path: Path) -> tuple[int, str]:
    """Order of run folders: by the number in the name, so that seed 9 comes before seed 10."""
    seed = "".join(filter(str.isdigit, path.parent.name.partition("-")[2]))
    return int(seed or 0), path.parent.name


def _train_teacher(plan: _Plan, recipe: Recipe, fold: int) -> Path:
    from ..training.train import train

    plan.begin()
    return train(recipe, held_out(plan.dataset, fold), plan.out / f"fold{fold}-teacher", cache=plan.cache).folder


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    """Give a recipe another seed, but not another validation split."""
    if seed == recipe.training.seed:
        return recipe
    update = {"seed": seed, "split_seed": recipe.training.validation_seed}
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=update)})


def _one(plan: _Plan, fold: int, seed: int, mentor: Path | None) -> Outcome:
    """Train, convert and score one network; every step is skipped that is done."""
    plan.begin()
    recipe = _seeded(plan.recipe, seed)
    folder = plan.out / (f"fold{fold}-seed{seed}" if fold else f"leak-seed{seed}")
    begun = time.process_time()
    if fold:
        metrics, test = _train_fold(plan, recipe, mentor, fold, folder)
    else:
        metrics, test = _train_leaking(recipe, plan.dataset, folder, plan.cache)
    spent = round(time.process_time() - begun)
    path = folder / OUTCOME
    if not path.is_file():
        deployable = recipe.deployable or plan.filters is not None
        int8 = _score_int8(folder, test, plan.dataset.labels) if deployable else None
        scores = metrics["validation"], metrics["test"], int8
        outcome = Outcome(fold, seed, folder.name, metrics["epochs"], *scores, spent)
        write_text(path, json.dumps(asdict(outcome), indent=2) + "\n")
    return read_outcome(path)


def _train_fold(
    plan: _Plan, recipe: Recipe, mentor: Path | None, fold: int, folder: Path
) -> tuple[dict[str, Any], Windows]:
    from ..training import windows
    from ..training.distillation.distill import distil
    from ..training.pruning.prune import prune
    from ..training.train import train

    split = held_out(plan.dataset, fold)
    test = windows.load(split, "test", recipe.frontend, plan.cache)
    first = folder.with_name(f"{folder.name}-whole") if plan.filters else folder
    if mentor:
        run = distil(recipe, split, mentor, first, cache=plan.cache)
    else:
        run = train(recipe, split, first, cache=plan.cache)
    if plan.filters:
        run = prune(run.folder, split, folder, filters=plan.filters, teacher=mentor, cache=plan.cache)
    return run.metrics, test


def _train_leaking(recipe: Recipe, dataset: Dataset, folder: Path, cache: Path) -> tuple[dict[str, Any], Windows]:
    """Draw windows at random, whatever recording they come from; altered copies are left out."""
    from ..training import windows
    from ..training.train import prepare, train_windows

    recipe, _ = prepare(recipe, dataset)
    every = windows.load(replace(dataset, splits={"all": dataset.clips}), "all", recipe.frontend, cache)
    order = np.random.default_rng(recipe.training.seed).permutation(len(every))
    test, rest = np.split(order, [round(_LEAK_TEST * len(order))])
    validation, train = np.split(rest, [round(recipe.training.validation_fraction * len(rest))])
    parts = {"train": train, "validation": validation, "test": test}
    data = {name: _some(every, np.sort(index)) for name, index in parts.items()}
    return train_windows(recipe, dataset, data, folder).metrics, data["test"]


def _some(every: Windows, index: NDArray[np.int64]) -> Windows:
    _, clips = np.unique(every.clips[index], return_inverse=True)
    return replace(every, features=every.features[index], classes=every.classes[index], clips=clips)


def _score_int8(folder: Path, test: Windows, labels: tuple[str, ...]) -> dict[str, Any]:
    """Scores of the INT8 network on the reference kernels."""
    from ..quantization.convert import quantize_run
    from ..targets.litert import LitertTarget
    from ..training.run_folder import TFLITE
    from ..training.train import score

    path = folder / TFLITE
    with LitertTarget(path if path.is_file() else quantize_run(folder)) as target:
        outputs = target.run(np.asarray(test.features)[..., np.newaxis])
    return score(probabilities(outputs), test, labels)
