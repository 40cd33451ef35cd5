"""The one-against-all teacher: one network a class learns "this scene against the rest", then all are joined.

Every member is trained on its own, gives up its two scores, and is frozen; what the caller then trains is the Dense
softmax over the members' joined embeddings.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..models.backend import keras
from ..models.keras_model import build_member
from ..recipe import Recipe
from .loop import Trainer, Watch, cross_entropy, fit
from .runfolder import CHECKPOINT
from .windows import Windows


def _against_the_rest(data: Windows, number: int) -> Windows:
    return replace(data, classes=(data.classes == number).astype(np.int64))


def _adopt(teacher: keras.Model, member: keras.Model) -> None:
    """Move a member's weights into the teacher, by layer name, and freeze them there."""
    for layer in member.layers:
        if layer.name.startswith("member"):
            place = teacher.get_layer(layer.name)
            place.set_weights(layer.get_weights())
            place.trainable = False


def train_members(
    recipe: Recipe, model: keras.Model, train: Windows, validation: Windows, out: Path, watch: Watch | None = None
) -> None:
    """Train the members one after the other into ``model``; each can be resumed and is trained once.

    Parameters
    ----------
    recipe
        A one-against-all recipe.
    model
        The teacher, built from it; its members' weights are replaced and frozen.
    train, validation
        Windows of all classes.
    out
        Run folder; member k keeps its state in ``member<k>_checkpoint.npz`` until the run is complete.
    watch
        Called after every epoch.

    Raises
    ------
    RecipeError
        Where a member's loss is no longer a number.
    """
    objective = cross_entropy(recipe.training.label_smoothing)
    for number in range(recipe.model.classes):
        keras.utils.set_random_seed(recipe.training.seed + 1 + number)
        member = build_member(recipe, number)
        trainer = Trainer(
            member,
            _against_the_rest(train, number),
            _against_the_rest(validation, number),
            recipe.training,
            objective,
        )
        fit(trainer, out / f"member{number}_{CHECKPOINT}", watch)
        _adopt(model, member)
