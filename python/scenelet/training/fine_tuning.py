"""Fine-tuning: training that begins with the weights of a finished run, on other clips or with other settings."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from ..config.recipe import OneAgainstAllConfig, Recipe
from ..data.dataset import Dataset
from ..errors import InputError
from ..models.backend import keras
from ..models.keras_model import build
from . import run_folder
from .checkpoint import State
from .train import START, RunContext, RunOptions, RunResult, run_training, train_with_labels


def fine_tune(
    recipe: Recipe, dataset: Dataset, start: str | Path, out: str | Path, **options: Unpack[RunOptions]
) -> RunResult:
    """Train a recipe from the weights of a finished run of the same front end, network and classes.

    Everything else is as in :func:`scenelet.training.train.train`: settings of training and augmentation are the
    recipe's, with a fresh optimizer.

    Parameters
    ----------
    start
        Finished run folder. It must not have been trained on a clip of the new run's test.

    Raises
    ------
    InputError
        Where the run has another front end, network or classes, is not finished, or may have been trained on the test;
        also as :func:`scenelet.training.train.train` does.
    """
    _require_alike(recipe, dataset, start)

    def train_fn(context: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(recipe.training.seed)
        model = build(context.recipe)
        model.set_weights(run_folder.load_model(start).get_weights())
        return model, train_with_labels(context, model)

    return run_training(recipe, dataset, out, train_fn, sources={START: start}, **options)


def _require_alike(recipe: Recipe, dataset: Dataset, start: str | Path) -> None:
    request = run_folder.request_of(start)
    if isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(
            recipe.name, "is one network per class, which is not fine-tuned", "give a recipe of one network"
        )
    if request.labels != dataset.labels:
        raise InputError(start, f"was trained on other classes than {dataset.root}", "give a run on the same classes")
    wanted = recipe.model.model_copy(update={"classes": len(dataset.labels)})
    for part, own, other in (
        ("front end", recipe.frontend, request.recipe.frontend),
        ("network", wanted, request.recipe.model),
    ):
        if own != other:
            problem = f"has another {part} than recipe {recipe.name}"
            raise InputError(start, problem, f"give a run of {recipe.name}, or its recipe {request.recipe.name}")
