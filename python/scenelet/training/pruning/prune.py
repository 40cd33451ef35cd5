"""Structured pruning: whole filters of a trained network go, the weakest first, and what is left is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import CnnConfig, DistillationConfig, Recipe
from ...data.datasets.registry import Dataset
from ...errors import InputError, LimitExceeded
from ...graph import limits
from ...graph.cost import Cost, count
from ...models.architecture import graph_of
from ...models.backend import keras
from .. import run_folder
from ..checkpoint import State
from ..distillation.distill import TEACHER, answers, load_teacher, teach, with_method
from ..train import RunContext, RunOptions, RunResult, run_training, train_with_labels
from .filters import Kept, cut, filter_norms, with_filters

PRUNED = "pruned"
_NO_CHAIN = "is not a plain chain of convolutions"
Norms = Sequence[NDArray[np.float64]]


def _require_counts(filters: Sequence[int], have: Sequence[int], source: str) -> None:
    if len(filters) != len(have) or any(not 1 <= wanted <= most for wanted, most in zip(filters, have, strict=True)):
        raise InputError(
            source,
            f"filters {','.join(map(str, filters))} cannot be kept of {','.join(map(str, have))}",
            "give one number a convolution, from 1 to what it has",
        )


def require_filters(recipe: Recipe, filters: Sequence[int]) -> None:
    """Insist that a recipe's network can be cut down to so many filters, and that what is left fits.

    Raises
    ------
    InputError
        Where the network is no plain chain of convolutions, or there is not one count for each.
    LimitExceeded
        Where what is left is over a limit.
    """
    source = f"recipe {recipe.name}"
    if not isinstance(recipe.model, CnnConfig):
        raise InputError(source, _NO_CHAIN, "prune a student")
    _require_counts(filters, [block.filters for block in recipe.model.blocks], source)
    limits.require(count(graph_of(with_filters(recipe, filters, recipe.name))), f"{source}, pruned")


def largest_norms(norms: Norms, filters: Sequence[int], source: str) -> Kept:
    """Choose the filters with the largest norms.

    Parameters
    ----------
    norms
        Of every filter, an array a convolution.
    filters
        How many stay of each convolution.
    source
        Named in errors.

    Returns
    -------
    Kept
        Sorted numbers of the filters that stay; of equal norms the first.

    Raises
    ------
    InputError
        Where there is not one count a convolution, between 1 and what it has.
    """
    _require_counts(filters, [len(norm) for norm in norms], source)
    return [np.sort(np.argsort(-norm, kind="stable")[:wanted]) for norm, wanted in zip(norms, filters, strict=True)]


def _fits(cost: Cost, macs: int) -> bool:
    return cost.macs <= macs and cost.params_bytes <= limits.PARAMS_BYTES


def filters_for_budget(recipe: Recipe, norms: Norms, macs: int) -> tuple[int, ...]:
    """Find how many filters each convolution keeps under a number of MACs and the limit on parameters.

    Filters of all convolutions go in the order of their norm over their convolution's mean norm, until it fits.

    Raises
    ------
    LimitExceeded
        Where one filter a convolution is still too many.
    """
    filters = [len(norm) for norm in norms]
    order = sorted((value / norm.mean(), layer) for layer, norm in enumerate(norms) for value in norm)
    queue = iter(layer for _, layer in order)
    while not _fits(count(graph_of(with_filters(recipe, filters, recipe.name))), macs):
        layer = next((layer for layer in queue if filters[layer] > 1), None)
        if layer is None:
            raise LimitExceeded(f"recipe {recipe.name}", f"exceeds {macs:,} MACs with one filter a layer", "allow more")
        filters[layer] -= 1
    return tuple(filters)


def _plan(run: str | Path, filters: Sequence[int] | None, macs: int | None) -> tuple[Recipe, keras.Model]:
    """Recipe and network that are left of a finished run."""
    recipe = run_folder.request_of(run).recipe
    if not isinstance(recipe.model, CnnConfig):
        raise InputError(run, _NO_CHAIN, "prune a student")
    model = run_folder.load_model(run)
    norms = filter_norms(model, len(recipe.model.blocks))
    if filters is None:
        filters = filters_for_budget(recipe, norms, limits.MACS if macs is None else macs)
    kept = largest_norms(norms, filters, str(run))
    narrow = with_filters(recipe, filters, f"{recipe.name.removesuffix('_pruned')}_pruned")
    return narrow, cut(model, recipe, narrow, kept)


def prune(
    run: str | Path,
    dataset: Dataset,
    out: str | Path,
    *,
    filters: Sequence[int] | None = None,
    macs: int | None = None,
    teacher: str | Path | None = None,
    method: str | None = None,
    **conditions: Unpack[RunOptions],
) -> RunResult:
    """Cut a finished run's network and train it on; other parameters as in :func:`scenelet.training.train.train`.

    Parameters
    ----------
    run
        Finished run folder.
    filters
        How many filters each convolution keeps; by default as many as fit.
    macs
        MACs that must suffice where ``filters`` is not given; by default the challenge's limit.
    teacher
        Run folder of a teacher; without one, the labels alone tune.
    method
        How the teacher teaches; by default as the run's recipe says, else by its scores ("response"). The other
        settings of ``distillation`` are the recipe's.

    Raises
    ------
    InputError
        Where run, teacher, filters or data cannot be used, or run or teacher may have learned from the test.
    LimitExceeded
        Where what is left is over a limit.
    """
    recipe, model = _plan(run, filters, macs)
    labels = run_folder.request_of(run).labels
    if labels != dataset.labels:
        raise InputError(run, f"knows other classes than {dataset.root}", "give the data set that it was trained on")
    sources = {PRUNED: run}
    if teacher is None:
        recipe = recipe.model_copy(update={"distillation": None})
        mentor = None
    else:
        recipe = with_method(recipe, method or (recipe.distillation or DistillationConfig(method="response")).method)
        mentor = load_teacher(recipe, dataset, teacher)
        sources[TEACHER] = teacher

    def fine_tune(work: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(work.recipe.training.seed)
        kept = answers(conditions.get("cache"))
        return model, teach(work, model, mentor, kept) if mentor else train_with_labels(work, model)

    return run_training(recipe, dataset, out, fine_tune, sources=sources, **conditions)
