"""Structured pruning: filters of a trained network are removed, smallest norm first, and the rest is fine-tuned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import CnnConfig, DistillationConfig, Recipe
from ...data.dataset import Dataset
from ...errors import InputError, LimitExceeded
from ...graph import limits
from ...graph.cost import Cost
from ...models.architecture import cost_of_recipe
from ...models.backend import keras
from .. import run_folder
from ..checkpoint import State
from ..distillation.distill import TEACHER, load_teacher, teacher_cache, train_stages
from ..distillation.methods import with_method
from ..train import RunContext, RunOptions, RunResult, run_training, train_with_labels
from .filters import Kept, filter_norms, remove_filters, with_filters

PRUNED = "pruned"
_NO_CHAIN = "is not a plain chain of convolutions"
Norms = Sequence[NDArray[np.float64]]


def _require_counts(filters: Sequence[int], have: Sequence[int], source: str) -> None:
    if len(filters) != len(have) or any(not 1 <= wanted <= most for wanted, most in zip(filters, have, strict=True)):
        raise InputError(
            source,
            f"filters {','.join(map(str, filters))} cannot be kept of {','.join(map(str, have))}",
            "give one number per convolution, from 1 to the filters that it has",
        )


def require_filters(recipe: Recipe, filters: Sequence[int]) -> None:
    """Check that a recipe's network can be pruned to these numbers of filters, and that the result fits a board.

    Raises
    ------
    InputError
        Where the network is not a plain chain of convolutions, or there is not one count per convolution.
    LimitExceeded
        Where the pruned network is over a limit.
    """
    source = f"recipe {recipe.name}"
    if not isinstance(recipe.model, CnnConfig):
        raise InputError(source, _NO_CHAIN, "prune a student")
    _require_counts(filters, [block.filters for block in recipe.model.blocks], source)
    cost = cost_of_recipe(with_filters(recipe, filters, recipe.name))
    limits.require(cost, f"{source}, pruned", limits.of_recipe(recipe))


def largest_norms(norms: Norms, filters: Sequence[int], source: str) -> Kept:
    """Choose the filters with the largest norms.

    Parameters
    ----------
    norms
        Of every filter, one array per convolution.
    filters
        Number of filters that each convolution keeps.
    source
        Subject of errors.

    Returns
    -------
    Kept
        Sorted indices of the kept filters; of equal norms the first.

    Raises
    ------
    InputError
        Where there is not one count per convolution, from 1 to the filters that it has.
    """
    _require_counts(filters, [len(norm) for norm in norms], source)
    return [np.sort(np.argsort(-norm, kind="stable")[:wanted]) for norm, wanted in zip(norms, filters, strict=True)]


def _fits(cost: Cost, macs: int, held: limits.Limits) -> bool:
    return cost.macs <= macs and (held.params_bytes is None or cost.params_bytes <= held.params_bytes)


def filters_for_budget(recipe: Recipe, norms: Norms, macs: int) -> tuple[int, ...]:
    """Find how many filters each convolution keeps under a budget of MACs and the limit on parameters.

    Filters of all convolutions are removed in the order of their norm divided by their convolution's mean norm, until
    the network fits.

    Raises
    ------
    LimitExceeded
        Where one filter per convolution is still too many.
    """
    filters = [len(norm) for norm in norms]
    order = sorted((value / norm.mean(), layer) for layer, norm in enumerate(norms) for value in norm)
    queue = iter(layer for _, layer in order)
    held = limits.of_recipe(recipe)
    while not _fits(cost_of_recipe(with_filters(recipe, filters, recipe.name)), macs, held):
        layer = next((layer for layer in queue if filters[layer] > 1), None)
        if layer is None:
            raise LimitExceeded(
                f"recipe {recipe.name}", f"exceeds {macs:,} MACs with one filter per layer", "allow more"
            )
        filters[layer] -= 1
    return tuple(filters)


def _pruned(run: str | Path, filters: Sequence[int] | None, macs: int | None) -> tuple[Recipe, keras.Model]:
    """Recipe and network of a finished run after its filters are removed."""
    recipe = run_folder.request_of(run).recipe
    if not isinstance(recipe.model, CnnConfig):
        raise InputError(run, _NO_CHAIN, "prune a student")
    model = run_folder.load_model(run)
    norms = filter_norms(model, len(recipe.model.blocks))
    if filters is None:
        most = limits.of_recipe(recipe).macs if macs is None else macs
        if most is None:
            raise InputError(run, f"recipe {recipe.name} limits no MACs", "give --budget or --filters")
        filters = filters_for_budget(recipe, norms, most)
    kept = largest_norms(norms, filters, str(run))
    narrow = with_filters(recipe, filters, f"{recipe.name.removesuffix('_pruned')}_pruned")
    return narrow, remove_filters(model, recipe, narrow, kept)


def prune(
    run: str | Path,
    dataset: Dataset,
    out: str | Path,
    *,
    filters: Sequence[int] | None = None,
    macs: int | None = None,
    teacher: str | Path | None = None,
    method: str | None = None,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Prune a finished run's network and fine-tune it; other parameters as in :func:`scenelet.training.train.train`.

    Parameters
    ----------
    run
        Finished run folder.
    filters
        Number of filters that each convolution keeps; by default as many as fit.
    macs
        Budget of MACs where ``filters`` is not given; by default the challenge's limit.
    teacher
        Run folder of a teacher; without one, the network is fine-tuned with the labels alone.
    method
        Method of distillation; by default that of the run's recipe, else "response". The other settings of
        ``distillation`` are the recipe's.

    Raises
    ------
    InputError
        Where run, teacher, filters or data cannot be used, or run or teacher may have been trained on the test.
    LimitExceeded
        Where the pruned network is over a limit.
    """
    recipe, model = _pruned(run, filters, macs)
    labels = run_folder.request_of(run).labels
    if labels != dataset.labels:
        raise InputError(run, f"was trained on other classes than {dataset.root}", "give its own data set")
    sources = {PRUNED: run}
    if teacher is None:
        recipe = recipe.model_copy(update={"distillation": None})
        network = None
    else:
        recipe = with_method(recipe, method or (recipe.distillation or DistillationConfig(method="response")).method)
        network = load_teacher(recipe, dataset, teacher)
        sources[TEACHER] = teacher

    def fine_tune(context: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(context.recipe.training.seed)
        if network is None:
            return model, train_with_labels(context, model)
        return model, train_stages(context, model, network, teacher_cache(options.get("cache")))

    return run_training(recipe, dataset, out, fine_tune, sources=sources, **options)
