"""The one-against-all teacher: one network per class is trained as "this scene against the rest", then all are joined.

Every member is trained on its own, loses its last layer, and is frozen. Then a Dense softmax over the members'
concatenated embeddings is trained. The embeddings no longer change, so they are computed once, and an epoch of that
last layer is cheap.

Members share nothing, so several are trained at a time, each in its own process on one thread. The weights do not
depend on how many run at a time. (Sums that are split over another number of threads round differently.)
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import Recipe
from ..core import parallel
from ..errors import ToolError
from ..models.backend import keras, one_thread
from ..models.keras_model import build_member
from .augmentation.batches import batch_augmentation
from .checkpoint import Epoch, State
from .loop import Trainer, Watch, cross_entropy, fit
from .run_folder import CHECKPOINT
from .teacher_outputs import CachedTeacher
from .windows import Windows


def _one_against_rest(data: Windows, number: int) -> Windows:
    return replace(data, classes=(data.classes == number).astype(np.int64))


def _insert_member(teacher: keras.Model, member: keras.Model) -> None:
    """Copy a member's weights into the teacher, by layer name, and freeze them there."""
    for layer in member.layers:
        if layer.name.startswith("member"):
            place = teacher.get_layer(layer.name)
            place.set_weights(layer.get_weights())
            place.trainable = False


def _train_member(
    recipe: Recipe, number: int, train: Windows, validation: Windows, checkpoint: Path, watch: Watch | None = None
) -> State:
    keras.utils.set_random_seed(recipe.training.seed + 1 + number)
    trainer = Trainer(
        build_member(recipe, number),
        _one_against_rest(train, number),
        _one_against_rest(validation, number),
        recipe.training,
        cross_entropy(recipe.training.label_smoothing),
        batch_augmentation(recipe),
    )
    return fit(trainer, checkpoint, watch)


def _in_own_process(recipe: Recipe, number: int, train: Windows, validation: Windows, checkpoint: Path) -> Epoch:
    """Train a member in a worker process; its state stays in the checkpoint, and its last epoch is returned."""
    one_thread()
    return _train_member(recipe, number, train, validation, checkpoint).history[-1]


def train_members(
    recipe: Recipe,
    model: keras.Model,
    train: Windows,
    validation: Windows,
    out: Path,
    jobs: int = 1,
    watch: Watch | None = None,
) -> None:
    """Train the members and copy them into ``model``; a member that is interrupted is resumed.

    Parameters
    ----------
    recipe
        A one-against-all recipe.
    model
        The teacher, built from the recipe; its members' weights are replaced and frozen.
    train, validation
        Windows of all classes.
    out
        Run folder; the state of member k is in ``member<k>_checkpoint.npz`` until the run is complete.
    jobs
        Members to train at a time (see :mod:`scenelet.core.parallel`). With 1 they are trained in this process, on all
        of its threads.
    watch
        Called after every epoch; with several processes, with the last epoch of every finished member.

    Raises
    ------
    RecipeError
        Where a member's loss is not a finite number.
    ToolError
        Where a member's checkpoint is missing.
    DamagedFileError
        Where one is damaged.
    """
    numbers = range(recipe.model.classes)
    checkpoints = [out / f"member{number}_{CHECKPOINT}" for number in numbers]
    if parallel.uses_processes(jobs):
        tasks = [(recipe, number, train, validation, path) for number, path in zip(numbers, checkpoints, strict=True)]
        for last in parallel.spread(_in_own_process, tasks, jobs):
            if watch:
                watch(last, recipe.training.epochs)
    else:
        for number, checkpoint in zip(numbers, checkpoints, strict=True):
            _train_member(recipe, number, train, validation, checkpoint, watch)
    for number, checkpoint in zip(numbers, checkpoints, strict=True):
        state = State.load(checkpoint)
        if state is None:
            raise ToolError(checkpoint, "is missing", "start the run again")
        member = build_member(recipe, number)
        member.set_weights(state.best_weights)
        _insert_member(model, member)


@dataclass(frozen=True, kw_only=True)
class _Embedded(Windows):
    """Windows as the frozen members' embeddings."""

    teacher: CachedTeacher

    def batch(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Concatenated embeddings, (batch, width)."""
        return self.teacher(index, np.empty(0, np.float32))[0]


def train_scores(
    recipe: Recipe, model: keras.Model, train: Windows, validation: Windows, out: Path, watch: Watch | None = None
) -> State:
    """Train the last layer of a teacher whose members are trained; parameters as in :func:`train_members`."""
    folder = out / "embeddings"
    last = model.get_layer("scores")
    training, held_out = (
        _Embedded(part.features, part.classes, part.clips, part.silent, teacher=CachedTeacher(model, part, folder))
        for part in (train, validation)
    )
    joined = keras.Input((int(last.kernel.shape[0]),), name="joined")
    head = keras.Model(
        joined, keras.layers.Dense(recipe.model.classes, "softmax", name="scores")(joined), name="scores"
    )
    head.set_weights(last.get_weights())
    trainer = Trainer(head, training, held_out, recipe.training, cross_entropy(recipe.training.label_smoothing))
    state = fit(trainer, out / CHECKPOINT, watch)
    last.set_weights(head.get_weights())
    shutil.rmtree(folder)
    return state
