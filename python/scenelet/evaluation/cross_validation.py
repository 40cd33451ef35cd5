"""Cross-validation over a data set's published folds: mean and spread of a recipe's scores.

Each fold is the test once. The others are the training, of which a part, in whole recordings, is the validation split
that stops it. The test fold takes part in no choice. Float and INT8 are scored on the same windows.

::

    OUT/fold1-seed0/    a run folder, with model.tflite and outcome.json
    OUT/fold1-teacher/  the fold's teacher, where a teacher's recipe is given
    OUT/fold1-seed0-whole/    the network before pruning
    OUT/leak-seed0/     the network of the leaky random split, where it is requested
    OUT/crossval.json   all results, mean and spread; written last
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import OneAgainstAllConfig, Recipe
from ..core import parallel, toolchain
from ..core.files import is_there, write_text
from ..core.metrics import last, merge, probabilities
from ..data.dataset import Clip, Dataset
from ..errors import DatasetError, InputError
from .clip_answers import ClipAnswer, clip_answers
from .crossval_results import OUTCOME, RESULT, CrossValidation, FoldResult, read_fold_result, require_room

if TYPE_CHECKING:
    from ..targets.litert import LitertTarget
    from ..training.distillation.outside_network import OutsideNetwork
    from ..training.windows import Windows

# The published 67 % are of a test with this share of 1-s windows, drawn without regard to their recordings.
_LEAK_TEST = 0.3


def parse_folds(text: str) -> tuple[int, ...] | None:
    """Read a list such as "1,2,4"; None for an empty text.

    Raises
    ------
    InputError
        Where the text is not a list of numbers.
    """
    if not text:
        return None
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"folds '{text}'", "is not a list of numbers", "write them like 1,2,3,4") from None


def folds_of(dataset: Dataset) -> tuple[int, ...]:
    """Numbers of the published folds.

    Raises
    ------
    DatasetError
        Where the data set has fewer than two folds.
    """
    folds = tuple(sorted({clip.fold for clip in dataset.clips if clip.fold}))
    if len(folds) < 2:
        raise DatasetError(
            dataset.root, "has no two published folds", "use `scenelet train`, which keeps its test apart"
        )
    return folds


def held_out(dataset: Dataset, fold: int) -> Dataset:
    """Use one fold as the test and all others for training."""
    train = tuple(clip for clip in dataset.clips if clip.fold != fold)
    test = tuple(clip for clip in dataset.clips if clip.fold == fold)
    return replace(dataset, splits={"train": train, "test": test})


def cross_validate(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    *,
    teacher: Recipe | Path | None = None,
    teacher_logits: str | OutsideNetwork | None = None,
    filters: Sequence[int] | None = None,
    folds: Sequence[int] | None = None,
    seeds: int = 1,
    leak: bool = False,
    jobs: int = 1,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CrossValidation:
    """Train and score a recipe once per fold and seed.

    Finished networks are not trained again; an interrupted one is resumed after its last whole epoch.

    Parameters
    ----------
    teacher
        Teacher for distillation: a recipe, which is trained once per fold on the same split, so that its training data
        hold neither test nor validation clips; or the folder of the teacher's own cross-validation, of which the first
        run of each fold is used.
    teacher_logits
        Instead, a network from elsewhere, or the file of its outputs; "{fold}" in its name is the test fold's number.
    filters
        Prune every network to these numbers of filters and fine-tune it, with the teacher where there is one.
    folds
        Folds that are the test in turn; by default all. One fold with several seeds shows the effect of the seed.
    seeds
        Networks per fold; the first has the recipe's seed, the others the seeds that follow. All networks of a fold are
        stopped on the same validation split.
    leak
        Also score the same recipe on a random split over windows, which leaks recordings into the test.
    jobs
        Networks to train at a time, each in its own process on one thread (see :mod:`scenelet.core.parallel`); below 1,
        as many as there are processors. With 1 they are trained in this process, on all of its threads.
    progress
        Called with (networks done, networks).

    Raises
    ------
    DatasetError
        Where the data set has no folds, or one of ``folds`` is missing.
    InputError
        Where the teacher's runs are missing, or were trained on another split.
    """
    _require_one_way(teacher, teacher_logits, filters, leak)
    networks = _networks(recipe, dataset, folds, seeds, leak)
    _require_trainable(recipe, dataset, teacher, filters)
    require_room(Path(out), networks)
    context = _Context(recipe, dataset, Path(out), cache or toolchain.build_folder() / "features", filters, jobs)
    teachers = _teachers(context, teacher, teacher_logits, dict.fromkeys(fold for fold, _ in networks if fold))
    results: list[FoldResult] = []
    for result in parallel.spread(_run_network, [(context, *one, teachers.get(one[0])) for one in networks], jobs):
        results.append(result)
        if progress:
            progress(len(results), len(networks))
    found = CrossValidation(
        recipe.name, dataset.name, tuple(r for r in results if r.fold), tuple(r for r in results if not r.fold)
    )
    write_text(Path(out) / RESULT, json.dumps(found.to_json(), indent=2) + "\n")
    return found


def _require_one_way(
    teacher: Recipe | Path | None, outputs: str | OutsideNetwork | None, filters: Sequence[int] | None, leak: bool
) -> None:
    """Refuse what cannot be done together."""
    if teacher is not None and outputs is not None:
        raise InputError("teacher", "is given twice, as a network and as outputs", "give one of them")
    if outputs is not None and filters:
        raise InputError("filters", "are pruned with a teacher's network, not with outputs", "leave one of them out")
    if leak and (teacher or outputs or filters):
        raise InputError("the leak", "is shown for plain training alone", "leave teacher and filters out")


def _networks(
    recipe: Recipe, dataset: Dataset, folds: Sequence[int] | None, seeds: int, leak: bool
) -> list[tuple[int, int]]:
    """(fold, seed) of every network to train; fold 0 is the leaky random split."""
    present = folds_of(dataset)
    chosen = tuple(folds or present)
    for fold in chosen:
        if fold not in present:
            raise DatasetError(f"{dataset.root}: fold {fold}", "is not there", f"use some of: {_listed(present)}")
    if seeds < 1:
        raise InputError("seeds", f"{seeds} is none", "give 1 or more")
    numbers = range(recipe.training.seed, recipe.training.seed + seeds)
    return [(fold, seed) for fold in chosen for seed in numbers] + [(0, seed) for seed in numbers if leak]


def _require_trainable(
    recipe: Recipe, dataset: Dataset, teacher: Recipe | Path | None, filters: Sequence[int] | None
) -> None:
    """Check what distillation and pruning will check, before any network is trained."""
    if teacher is not None and isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher, not a student", "give a recipe of one network")
    if isinstance(teacher, Recipe) and teacher.frontend != recipe.frontend:
        raise InputError(
            f"recipe {teacher.name}", f"has another front end than recipe {recipe.name}", "give both the same one"
        )
    if filters:
        from ..training.pruning.prune import require_filters
        from ..training.train import with_classes

        require_filters(with_classes(recipe, len(dataset.labels)), filters)


def _listed(folds: Sequence[int]) -> str:
    return ", ".join(map(str, folds))


@dataclass(frozen=True)
class _Context:
    """Settings that all networks share."""

    recipe: Recipe
    dataset: Dataset
    out: Path
    cache: Path
    filters: Sequence[int] | None
    jobs: int

    def begin(self) -> None:
        """Limit this process to one thread where several networks are trained at a time."""
        if parallel.uses_processes(self.jobs):
            from ..models.backend import one_thread

            one_thread()


def _teachers(
    context: _Context, teacher: Recipe | Path | None, outputs: str | OutsideNetwork | None, folds: Iterable[int]
) -> dict[int, Path]:
    """Run folder of every fold's teacher, or the file of its outputs."""
    if isinstance(outputs, str):
        return {fold: Path(outputs.replace("{fold}", str(fold))) for fold in folds}
    if outputs is not None:
        return {fold: _logits_of(context, outputs, fold) for fold in folds}
    if teacher is None:
        return {}
    if isinstance(teacher, Path):
        return {fold: _teacher_in(teacher, fold) for fold in folds}
    training = context.recipe.training
    shared = {"split_seed": training.validation_seed, "validation_fraction": training.validation_fraction}
    recipe = teacher.model_copy(update={"training": teacher.training.model_copy(update=shared)})
    made = parallel.spread(_train_teacher, [(context, recipe, fold) for fold in folds], context.jobs)
    return dict(zip(folds, made, strict=True))


def _logits_of(context: _Context, network: OutsideNetwork, fold: int) -> Path:
    from ..training.distillation.outside_network import logits_file

    return logits_file(network, context.recipe, held_out(context.dataset, fold))


def _teacher_in(folder: Path, fold: int) -> Path:
    names = (f"fold{fold}-seed*", f"fold{fold}-teacher")
    runs = [path.parent for name in names for path in sorted(folder.glob(f"{name}/metrics.json"), key=_by_seed)]
    if not runs:
        raise InputError(folder, f"holds no finished run of fold {fold}", "cross-validate the teacher first")
    return runs[0]


def _by_seed(path: Path) -> tuple[int, str]:
    """Sort key of run folders: the number in the name, so that seed 9 comes before seed 10."""
    seed = "".join(filter(str.isdigit, path.parent.name.partition("-")[2]))
    return int(seed or 0), path.parent.name


def _train_teacher(context: _Context, recipe: Recipe, fold: int) -> Path:
    from ..training.train import train

    context.begin()
    return train(
        recipe, held_out(context.dataset, fold), context.out / f"fold{fold}-teacher", cache=context.cache
    ).folder


def _seeded(recipe: Recipe, seed: int) -> Recipe:
    """Change the seed of a recipe and keep its validation split."""
    if seed == recipe.training.seed:
        return recipe
    update = {"seed": seed, "split_seed": recipe.training.validation_seed}
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=update)})


def _run_network(context: _Context, fold: int, seed: int, teacher: Path | None) -> FoldResult:
    """Train, convert and score one network; finished steps are skipped."""
    context.begin()
    recipe = _seeded(context.recipe, seed)
    folder = context.out / (f"fold{fold}-seed{seed}" if fold else f"leak-seed{seed}")
    start = time.process_time()
    if fold:
        metrics, test = _train_fold(context, recipe, teacher, fold, folder)
    else:
        metrics, test = _train_leaking(recipe, context.dataset, folder, context.cache)
    spent = round(time.process_time() - start)
    path = folder / OUTCOME
    if not is_there(path):
        deployable = recipe.deployable or context.filters is not None
        clips = held_out(context.dataset, fold).split("test") if fold else []
        int8, answers = _score_int8(folder, test, clips, context.dataset.labels) if deployable else (None, ())
        scores = metrics["validation"], metrics["test"], int8
        result = FoldResult(fold, seed, folder.name, metrics["epochs"], *scores, spent, answers)
        write_text(path, json.dumps(result.to_json(), indent=2) + "\n")
    return read_fold_result(path)


def _train_fold(
    context: _Context, recipe: Recipe, teacher: Path | None, fold: int, folder: Path
) -> tuple[dict[str, Any], Windows]:
    from ..training import windows
    from ..training.distillation.distill import distill
    from ..training.pruning.prune import prune
    from ..training.train import train

    split = held_out(context.dataset, fold)
    test = windows.load(split, "test", recipe.frontend, context.cache, silence=recipe.silence_level)
    first = folder.with_name(f"{folder.name}-whole") if context.filters else folder
    if teacher:
        run = distill(recipe, split, teacher, first, cache=context.cache)
    else:
        run = train(recipe, split, first, cache=context.cache)
    if context.filters:
        run = prune(run.folder, split, folder, filters=context.filters, teacher=teacher, cache=context.cache)
    return run.metrics, test


def _train_leaking(recipe: Recipe, dataset: Dataset, folder: Path, cache: Path) -> tuple[dict[str, Any], Windows]:
    """Split windows at random, across recordings; altered copies are left out."""
    from ..training import windows
    from ..training.train import prepare, train_windows

    recipe, _ = prepare(recipe, dataset)
    whole = replace(dataset, splits={"all": dataset.clips})
    every = windows.load(whole, "all", recipe.frontend, cache, silence=recipe.silence_level)
    order = np.random.default_rng(recipe.training.seed).permutation(len(every))
    test, rest = np.split(order, [round(_LEAK_TEST * len(order))])
    validation, train = np.split(rest, [round(recipe.training.validation_fraction * len(rest))])
    parts = {"train": train, "validation": validation, "test": test}
    data = {name: _some(every, np.sort(index)) for name, index in parts.items()}
    return train_windows(recipe, dataset, data, folder).metrics, data["test"]


def _some(every: Windows, index: NDArray[np.int64]) -> Windows:
    _, clips = np.unique(every.clips[index], return_inverse=True)
    return replace(every.some(index), clips=clips)


def _score_int8(
    folder: Path, test: Windows, clips: Sequence[Clip], labels: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[ClipAnswer, ...]]:
    """Scores of the INT8 network on the reference kernels, and its answers to the clips; none where none are given."""
    from ..quantization.convert import quantize_run
    from ..targets.litert import LitertTarget
    from ..training.run_folder import TFLITE
    from ..training.train import score

    path = folder / TFLITE
    with LitertTarget(path if path.is_file() else quantize_run(folder)) as target:
        outputs, of_clips = _outputs(target, test)
    probability = probabilities(outputs)
    if of_clips is None:
        merged = merge(probability[test.active], test.clips[test.active], int(test.clips.max()) + 1)
    else:
        merged = of_clips
    return score(probability, test, labels, of_clips), clip_answers(clips, merged[: len(clips)], labels)


def _outputs(target: LitertTarget, test: Windows) -> tuple[NDArray[np.int8], NDArray[np.float64] | None]:
    """INT8 scores of all windows, and what the model's clip head, if it has one, says of each clip."""
    features = np.asarray(test.features)[..., np.newaxis]
    if target.clip_head is None:
        return target.run(features), None
    outputs, embeddings = target.run_watched(features, target.clip_head)
    active, clips = test.active, int(test.clips.max()) + 1
    said = np.full_like(outputs, -128)
    for clip in np.unique(test.clips[active]):
        own = active[test.clips[active] == clip]
        answers = target.clip_answers(embeddings[own], np.zeros(len(own), np.bool_))
        said[own] = said[own] if answers is None else answers
    return outputs, last(said[active], test.clips[active], clips)
