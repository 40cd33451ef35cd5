"""Knowledge distillation: a student is trained with a teacher in stages; each stage starts from the last one's weights.

========== ============================ ==========
method     stages                       published
========== ============================ ==========
response   response                     Hinton et al. 2015
relational relational                   Park et al. 2019
hint       hint, response               Romero et al. 2015 (FitNets); the hint is the embedding
rrs        relational, response         the AI4EDGE submission
========== ============================ ==========

The loss of every stage is ``alpha`` times cross entropy plus ``1 - alpha`` times the teacher's term.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

from ...config.recipe import DistillationConfig, OneAgainstAllConfig, Recipe
from ...core import toolchain
from ...data.dataset import Dataset
from ...errors import InputError
from ...models.backend import keras, tf
from ...models.embedding import EmbeddingModel
from ...models.keras_model import build
from .. import run_folder
from ..augmentation.batches import batch_augmentation
from ..checkpoint import State
from ..loop import Objective, Teacher, Trainer, fit
from ..teacher_outputs import CachedTeacher, OnlineTeacher
from ..train import RunContext, RunOptions, RunResult, prepare, run_training
from . import losses, outside_teacher
from .methods import STAGES

TEACHER = "teacher"

OnStage = Callable[[str], None]


def _teacher_term(stage: str, config: DistillationConfig, regressor: Any) -> Callable[..., Any]:
    """Teacher's term of a stage: (embedding and logits of the teacher, the same of the student) -> loss."""

    def response(_teacher: Any, teacher_logits: Any, _student: Any, student_logits: Any) -> Any:
        return losses.response(teacher_logits, student_logits, config.temperature)

    def relational(teacher: Any, teacher_logits: Any, student: Any, student_logits: Any) -> Any:
        if config.relational_on == "softmax":
            teacher, student = tf.nn.softmax(teacher_logits), tf.nn.softmax(student_logits)
        potentials = losses.relational(teacher, student, config.distance_weight, config.angle_weight)
        return config.relational_weight * potentials

    def hint(teacher: Any, _teacher_logits: Any, student: Any, _student_logits: Any) -> Any:
        return losses.hint(teacher, regressor(student))

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
        Label smoothing of the cross entropy.
    student
        The network that is trained. The teacher's outputs are its embedding and its logits.
    regressor
        Layer from the student's embedding to the teacher's; "hint" needs it.
    """
    network = EmbeddingModel(student)
    term = _teacher_term(stage, config, regressor)

    def loss(_model: Any, inputs: Any, classes: Any, teacher_outputs: tuple[Any, ...]) -> Any:
        embedding, logits = network(inputs, training=True)
        by_labels = losses.smoothed_cross_entropy(classes, logits, smoothing)
        return config.alpha * by_labels + (1 - config.alpha) * term(*teacher_outputs, embedding, logits)

    return loss


def _train_stage(
    stage: str, config: DistillationConfig, model: keras.Model, context: RunContext, teacher: Teacher, prefix: str
) -> State:
    recipe, data = context.recipe, context.data
    companions: tuple[keras.layers.Layer, ...] = ()
    if stage == "hint":
        keras.utils.set_random_seed(recipe.training.seed)
        regressor = keras.layers.Dense(teacher.widths[0], name="regressor")
        regressor.build((None, EmbeddingModel(model).width))
        companions = (regressor,)
    loss = objective(stage, config, recipe.training.label_smoothing, model, *companions)
    augment = batch_augmentation(recipe)
    trainer = Trainer(model, data["train"], data["validation"], recipe.training, loss, augment, teacher, companions)
    return fit(trainer, context.out / f"{prefix}{run_folder.CHECKPOINT}", context.watch)


def train_stages(
    context: RunContext, model: keras.Model, teacher: keras.Model, cache: Path, on_stage: OnStage | None = None
) -> State:
    """Train a network through the stages of its recipe's ``distillation`` section.

    Each stage ends with its best weights. The next one starts from them with a fresh optimizer. The histories of all
    stages but the last are in the run folder, as ``stage1_relational_history.csv``.

    Parameters
    ----------
    context
        Of the run; its recipe has the section.
    model
        The student; its weights are changed.
    teacher
        Runs in inference mode throughout.
    cache
        Folder of cached teacher outputs.
    on_stage
        Called with the name of each stage as it begins.

    Returns
    -------
    State
        Of the last stage.
    """
    config = context.recipe.distillation or DistillationConfig()
    # Batches that augmentation changes every epoch have no cached outputs.
    online = config.teacher_hears == "batch" and batch_augmentation(context.recipe) is not None
    outputs: Teacher = OnlineTeacher(teacher) if online else CachedTeacher(teacher, context.data["train"], cache)
    *early, last = STAGES[config.method]
    for number, stage in enumerate(early, 1):
        prefix = f"stage{number}_{stage}_"
        if on_stage:
            on_stage(stage)
        state = _train_stage(stage, config, model, context, outputs, prefix)
        run_folder.write_history(context.out, state.history, state.best_epoch, prefix)
    if on_stage:
        on_stage(last)
    return _train_stage(last, config, model, context, outputs, "")


def teacher_cache(cache: Path | None) -> Path:
    """Folder of cached teacher outputs: in the build folder, or below another folder of features."""
    build = toolchain.build_folder()
    return (build if cache is None or cache == build / "features" else cache) / "teachers"


def load_teacher(recipe: Recipe, dataset: Dataset, run: str | Path) -> keras.Model:
    """Load a finished run's network as the teacher of a recipe.

    Raises
    ------
    InputError
        Where it was trained with another front end or on other classes.
    """
    request = run_folder.request_of(run)
    if request.recipe.frontend != recipe.frontend:
        raise InputError(
            run, f"was trained with another front end than recipe {recipe.name}", "train a teacher with the same one"
        )
    if request.labels != dataset.labels:
        raise InputError(
            run, f"was trained on other classes than {dataset.root}", "train a teacher on the same data set"
        )
    return run_folder.load_model(run)


def _distill_from_outside(
    recipe: Recipe, dataset: Dataset, file: Path, out: str | Path, **options: Unpack[RunOptions]
) -> RunResult:
    config = recipe.distillation or DistillationConfig(method="response")
    if config.method != "response":
        problem = f"method {config.method} needs a teacher's embedding, and {file} holds outputs alone"
        raise InputError(f"recipe {recipe.name}", problem, "give --method response")
    recipe = recipe.model_copy(update={"distillation": config})
    teacher = outside_teacher.read_outside_teacher(file, dataset)
    teacher.require_deaf_to(dataset.splits.get("test", ()))
    _, split = prepare(recipe, dataset)
    logits = teacher.of(split.split("train"))

    def from_scratch(context: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(context.recipe.training.seed)
        model = build(context.recipe)
        outputs = outside_teacher.LogitsTeacher(logits, context.data["train"].clips)
        return model, _train_stage("response", config, model, context, outputs, "")

    return run_training(recipe, dataset, out, from_scratch, outside={TEACHER: teacher}, **options)


def distill(
    recipe: Recipe,
    dataset: Dataset,
    teacher: str | Path,
    out: str | Path,
    *,
    on_stage: OnStage | None = None,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Train a recipe's network with a teacher; parameters and errors as in :func:`scenelet.training.train.train`.

    A teacher from outside gives outputs per clip, and no embedding: only the method "response" learns from it.

    Parameters
    ----------
    recipe
        Of the student; its ``distillation`` section holds the settings, by default the published ones.
    teacher
        Finished run folder of the teacher, with the same front end and classes; or a file of the outputs of a network
        from elsewhere (:mod:`.outside_teacher`).
    on_stage
        Called with the name of each stage as it begins.

    Raises
    ------
    InputError
        Also where the teacher does not fit or may have been trained on the test, or the recipe is itself a
        one-against-all teacher.
    """
    if isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher, not a student", "give a recipe of one network")
    if Path(teacher).suffix in outside_teacher.SUFFIXES:
        return _distill_from_outside(recipe, dataset, Path(teacher), out, **options)
    recipe = recipe.model_copy(update={"distillation": recipe.distillation or DistillationConfig()})
    network = load_teacher(recipe, dataset, teacher)

    def from_scratch(context: RunContext) -> tuple[keras.Model, State]:
        keras.utils.set_random_seed(context.recipe.training.seed)
        model = build(context.recipe)
        return model, train_stages(context, model, network, teacher_cache(options.get("cache")), on_stage)

    return run_training(recipe, dataset, out, from_scratch, sources={TEACHER: teacher}, **options)
