"""Distillation: a student learns from a teacher, stage by stage, each stage beginning with the last one's weights.

========== ============================ ==========
method     stages                       published
========== ============================ ==========
response   response                     Hinton et al. 2015
relational relational                   Park et al. 2019
hint       hint, response               Romero et al. 2015 (FitNets); the hint is the embedding
rrs        relational, response         the AI4EDGE submission
========== ============================ ==========

Every stage's loss is ``alpha`` times cross entropy plus ``1 - alpha`` times the teacher's term.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

from ...config.recipe import DistillationConfig, OneAgainstAllConfig, Recipe
from ...core import toolchain
from ...data.augmentation.features import batch_augmentation
from ...data.datasets.registry import Dataset
from ...errors import InputError
from ...models.backend import keras, tf
from ...models.embedding import EmbeddingModel
from ...models.keras_model import build
from .. import run_folder
from ..checkpoint import State
from ..loop import Objective, Teacher, Trainer, fit
from ..teacher_outputs import CachedTeacher, OnlineTeacher
from ..train import RunContext, RunOptions, RunResult, run_training
from . import losses

STAGES = {
    "response": ("response",),
    "relational": ("relational",),
    "hint": ("hint", "response"),
    "rrs": ("relational", "response"),
}
TEACHER = "teacher"

Entering = Callable[[str], None]


def way(method: str) -> DistillationConfig:
    """Published settings of a method.

    Raises
    ------
    InputError
        Where there is no such method.
    """
    if method not in STAGES:
        raise InputError(f"method {method}", "is not known", f"give one of: {', '.join(STAGES)}")
    return DistillationConfig.model_validate({"method": method})


def with_method(recipe: Recipe, method: str) -> Recipe:
    """Give a recipe another method, its other settings staying as they are."""
    config = recipe.distillation or DistillationConfig()
    return recipe.model_copy(update={"distillation": config.model_copy(update={"method": way(method).method})})


def _term(stage: str, config: DistillationConfig, regressor: Any) -> Callable[..., Any]:
    """Teacher's term of a stage: (teacher's embedding and logits, student's embedding and logits) -> loss."""

    def response(_told: Any, told_logits: Any, _said: Any, said_logits: Any) -> Any:
        return losses.response(told_logits, said_logits, config.temperature)

    def relational(told: Any, told_logits: Any, said: Any, said_logits: Any) -> Any:
        if config.relational_on == "softmax":
            told, said = tf.nn.softmax(told_logits), tf.nn.softmax(said_logits)
        potentials = losses.relational(told, said, config.distance_weight, config.angle_weight)
        return config.relational_weight * potentials

    def hint(told: Any, _told_logits: Any, said: Any, _said_logits: Any) -> Any:
        return losses.hint(told, regressor(said))

    return {"response": response, "relational": relational, "hint": hint}[stage]


def objective(
    stage: str, config: DistillationConfig, smoothing: float, student: keras.Model, regressor: Any = None
) -> Objective:
    """Loss of a stage.

    Parameters
    ----------
    stage
        "response", "relational" or "hint".
    config
        Weights and temperature.
    smoothing
        Of the labels in cross entropy.
    student
        The network that is trained; the lesson is the teacher's (embedding, logits).
    regressor
        Layer from the student's embedding to the teacher's; "hint" needs it.
    """
    view = EmbeddingModel(student)
    term = _term(stage, config, regressor)

    def loss(_model: Any, inputs: Any, classes: Any, lesson: tuple[Any, ...]) -> Any:
        embedding, logits = view(inputs, training=True)
        labelled = losses.smoothed_cross_entropy(classes, logits, smoothing)
        return config.alpha * labelled + (1 - config.alpha) * term(*lesson, embedding, logits)

    return loss


def _stage(
    stage: str, config: DistillationConfig, model: keras.Model, work: RunContext, lesson: Teacher, name: str
) -> State:
    recipe, data = work.recipe, work.data
    companions: tuple[keras.layers.Layer, ...] = ()
    if stage == "hint":
        keras.utils.set_random_seed(recipe.training.seed)
        regressor = keras.layers.Dense(lesson.widths[0], name="regressor")
        regressor.build((None, EmbeddingModel(model).width))
        companions = (regressor,)
    loss = objective(stage, config, recipe.training.label_smoothing, model, *companions)
    augment = batch_augmentation(recipe.augmentation)
    trainer = Trainer(model, data["train"], data["validation"], recipe.training, loss, augment, lesson, companions)
    return fit(trainer, work.out / f"{name}{run_folder.CHECKPOINT}", work.watch)


def teach(
    work: RunContext, model: keras.Model, teacher: keras.Model, cache: Path, entering: Entering | None = None
) -> State:
    """Carry out the stages of a recipe's ``distillation`` on a network.

    Each stage ends with its best weights, and there the next one begins, with a fresh optimiser. The histories of all
    but the last lie in the run folder as ``stage1_relational_history.csv``.

    Parameters
    ----------
    work
        With a recipe that has the section.
    model
        The student; its weights are changed.
    teacher
        In inference mode throughout.
    cache
        Folder of what teachers said.
    entering
        Called with the name of each stage as it begins.

    Returns
    -------
    State
        Of the last stage.
    """
    config = work.recipe.distillation or DistillationConfig()
    # What is drawn anew every epoch cannot be looked up.
    live = config.teacher_hears == "batch" and batch_augmentation(work.recipe.augmentation) is not None
    lesson: Teacher = OnlineTeacher(teacher) if live else CachedTeacher(teacher, work.data["train"], cache)
    *early, last = STAGES[config.method]
    for number, stage in enumerate(early, 1):
        name = f"stage{number}_{stage}_"
        if entering:
            entering(stage)
        state = _stage(stage, config, model, work, lesson, name)
        run_folder.write_history(work.out, state.history, state.best_epoch, name)
    if entering:
        entering(last)
    return _stage(last, config, model, work, lesson, "")


def answers(cache: Path | None) -> Path:
    """Folder of what teachers said: in the build folder, or below another folder of features."""
    build = toolchain.build_folder()
    return (build if cache is None or cache == build / "features" else cache) / "teachers"


def load_teacher(recipe: Recipe, dataset: Dataset, run: str | Path) -> keras.Model:
    """Load a finished run's network as the teacher of a recipe.

    Raises
    ------
    InputError
        Where it hears another front end or knows other classes.
    """
    request = run_folder.request_of(run)
    if request.recipe.frontend != recipe.frontend:
        raise InputError(run, f"hears another front end than recipe {recipe.name}", "train a teacher with the same one")
    if request.labels != dataset.labels:
        raise InputError(run, f"knows other classes than {dataset.root}", "train a teacher on the same data set")
    return run_folder.load_model(run)


def distill(
    recipe: Recipe,
    dataset: Dataset,
    teacher: str | Path,
    out: str | Path,
    *,
    entering: Entering | None = None,
    **conditions: Unpack[RunOptions],
) -> RunResult:
    """Train a recipe's network with a teacher; parameters and errors as in :func:`scenelet.training.train.train`.

    Parameters
    ----------
    recipe
        Of the student; its ``distillation`` section says how, by default the published way.
    teacher
        Finished run folder of the teacher, on the same front end and classes.
    entering
        Called with the name of each stage as it begins.

    Raises
    ------
    InputError
        Also where the teacher does not fit or may have learned from the test, or the recipe is itself a one-against-all
        teacher.
    """
    if isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher, not a student", "give a recipe of one network")
    recipe = recipe.model_copy(update={"distillation": recipe.distillation or DistillationConfig()})
    mentor = load_teacher(recipe, dataset, teacher)

    def from_scratch(work: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(work.recipe.training.seed)
        model = build(work.recipe)
        return model, teach(work, model, mentor, answers(conditions.get("cache")), entering)

    return run_training(recipe, dataset, out, from_scratch, sources={TEACHER: teacher}, **conditions)
