"""The training loop: seeded, reproducible, with early stopping, and resumable after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import TrainingConfig
from ..core.metrics import Measures, measure
from ..data.augmentation.features import Targets
from ..errors import DamagedFileError, RecipeError
from ..models.backend import graph_function, keras, tf
from .augmentation.batches import Augmentation
from .checkpoint import Epoch, State
from .windows import Windows

# Loss of one batch: model, inputs (batch, mel bands, frames, 1), one-hot classes (batch, classes), and a tuple of the
# teacher's outputs for these windows, empty where there is no teacher.
Objective = Callable[[Any, Any, Any, tuple[Any, ...]], Any]

# Called after every epoch with the epoch and the maximum number of epochs.
Watch = Callable[[Epoch, int], None]


class Teacher(Protocol):
    """Outputs of a teacher for a batch: float32 arrays (batch, width), one for each of ``widths``.

    An ``online`` teacher processes the batch after augmentation, as the network does. The outputs of any other teacher
    are those of the windows before augmentation; where mixup mixes windows, it mixes their outputs, too.
    """

    widths: tuple[int, ...]
    online: bool

    def __call__(self, index: NDArray[np.int64], inputs: NDArray[np.float32], /) -> Targets:
        """Outputs for the windows of these indices in the training set, and for their inputs."""


_PREDICT_BATCH = 256
_SHUFFLE, DROPOUT, _AUGMENT = range(3)


def cross_entropy(smoothing: float) -> Objective:
    """Cross entropy with label smoothing: the target of the true class is 1 - smoothing + smoothing / classes."""

    def objective(model: Any, inputs: Any, classes: Any, _teacher: Any) -> Any:
        losses = keras.losses.categorical_crossentropy(classes, model(inputs, training=True), label_smoothing=smoothing)
        return tf.reduce_mean(losses)

    return objective


def learning_rate(config: TrainingConfig, epoch: int) -> float:
    """Learning rate of an epoch, counted from 1. It depends on nothing else, so that a run can be resumed.

    The cosine is that of Loshchilov and Hutter 2017, without restarts, in steps of an epoch; the last rate is not 0.
    """
    warm = config.warmup_epochs
    if epoch <= warm:
        return config.learning_rate * epoch / (warm + 1)
    if config.schedule == "constant":
        return config.learning_rate
    done = (epoch - 1 - warm) / (config.epochs - warm)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


class Predictor:
    """Softmax outputs of a network, through a graph that is compiled once."""

    def __init__(self, model: keras.Model) -> None:
        signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        self._predict = graph_function(lambda inputs: model(inputs, training=False), input_signature=(signature,))

    def __call__(self, windows: Windows) -> NDArray[np.float64]:
        """Probabilities of all windows, float64 (n, classes)."""
        indices = np.arange(len(windows))
        starts = range(0, len(windows), _PREDICT_BATCH)
        parts = [self._predict(windows.batch(indices[start : start + _PREDICT_BATCH])).numpy() for start in starts]
        return np.concatenate(parts).astype(np.float64)


@dataclass
class Trainer:
    """A network with its optimizer and its data; a :class:`State` holds what changes from epoch to epoch.

    Attributes
    ----------
    model
        The network.
    train, validation
        Its data; silent windows take no part.
    config
        Settings of the recipe.
    objective
        Loss of a batch.
    augment
        Draws and changes every training batch.
    teacher
        Gives its outputs to the objective.
    companions
        Further layers that the objective uses: trained and saved in checkpoints with the network, dropped at the end.
    """

    model: keras.Model
    train: Windows
    validation: Windows
    config: TrainingConfig
    objective: Objective
    augment: Augmentation | None = None
    teacher: Teacher | None = None
    companions: tuple[keras.layers.Layer, ...] = ()

    def __post_init__(self) -> None:
        self.optimizer = keras.optimizers.Adam(self.config.learning_rate)
        self.optimizer.build(self._trainable())
        self.predict = Predictor(self.model)
        self.classes = int(self.model.output_shape[-1])
        shape = (None, *self.model.input_shape[1:])
        self._step = graph_function(
            self._descend,
            input_signature=(
                tf.TensorSpec(shape, tf.float32),
                tf.TensorSpec((None, self.classes), tf.float32),
                tuple(tf.TensorSpec((None, width), tf.float32) for width in self.teacher.widths)
                if self.teacher
                else (),
            ),
        )

    def _trainable(self) -> list[Any]:
        return [variable for part in (self.model, *self.companions) for variable in part.trainable_variables]

    def _weights(self) -> list[NDArray[Any]]:
        return [weight for part in (self.model, *self.companions) for weight in part.get_weights()]

    def _descend(self, inputs: Any, classes: Any, teacher_outputs: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self.objective(self.model, inputs, classes, teacher_outputs)
        variables = self._trainable()
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def state(self) -> State:
        """State before the first epoch."""
        weights = self._weights()
        return State(weights, [variable.numpy() for variable in self.optimizer.variables], weights)

    def restore(self, state: State) -> None:
        """Continue from a state."""
        position = 0
        for part in (self.model, *self.companions):
            count = len(part.weights)
            part.set_weights(state.weights[position : position + count])
            position += count
        for variable, value in zip(self.optimizer.variables, state.optimizer, strict=True):
            variable.assign(value)

    def begin(self, checkpoint: Path) -> State:
        """Continue from a checkpoint if there is one; else begin."""
        state = State.load(checkpoint)
        if state is None:
            return self.state()
        if not self._fits(state):
            remedy = "delete it and give the same command again, which trains from the first epoch"
            raise DamagedFileError(checkpoint, "is of another network", remedy)
        self.restore(state)
        return state

    def _fits(self, state: State) -> bool:
        """Whether a state has the shapes of the network's and the optimizer's variables."""
        mine = self.state()
        pairs = ((mine.weights, state.weights), (mine.weights, state.best_weights), (mine.optimizer, state.optimizer))
        return all([one.shape for one in a] == [one.shape for one in b] for a, b in pairs)

    def keep(self, state: State, checkpoint: Path) -> None:
        """Write the checkpoint."""
        state.save(checkpoint)

    def _generator(self, purpose: int, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, purpose, epoch])

    def _seed_dropout(self, epoch: int) -> None:
        generator = self._generator(DROPOUT, epoch)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate:
                layer.seed_generator.state.assign(generator.integers(0, 2**32, 2, np.uint32))

    def _batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Shuffled windows in batches whose sizes differ by one at most: no tiny last batch for batch normalization."""
        order = self._generator(_SHUFFLE, epoch).permutation(self.train.active)
        yield from np.array_split(order, -(-len(order) // self.config.batch_size))

    def _one_epoch(self, epoch: int) -> float:
        self._seed_dropout(epoch)
        self.optimizer.learning_rate.assign(learning_rate(self.config, epoch))
        generator = self._generator(_AUGMENT, epoch)
        total = 0.0
        for index in self._batches(epoch):
            inputs, (classes, *outputs) = self._batch(index, generator)
            total += float(self._step(inputs, classes, tuple(outputs))) * len(index)
        return total / len(self.train.active)

    def _batch(self, index: NDArray[np.int64], generator: np.random.Generator) -> tuple[NDArray[np.float32], Targets]:
        """Inputs of a step; its classes, followed by the teacher's outputs."""
        draw = self.augment.draw if self.augment else None
        inputs = draw(generator, self.train, index) if draw else self.train.batch(index)
        targets: Targets = (np.eye(self.classes, dtype=np.float32)[self.train.classes[index]],)
        if self.teacher and not self.teacher.online:
            targets += self.teacher(index, inputs)
        if self.augment:
            inputs, targets = self.augment.change(generator, inputs, targets)
        if self.teacher and self.teacher.online:
            targets += self.teacher(index, inputs)
        return inputs, targets

    def validate(self) -> Measures:
        """Measures of the validation windows that are not silent."""
        active = self.validation.active
        return measure(self.predict(self.validation)[active], self.validation.classes[active])

    def advance(self, state: State) -> None:
        """Train one epoch and update the state.

        Raises
        ------
        RecipeError
            Where the loss is not a finite number.
        """
        epoch = len(state.history) + 1
        loss = self._one_epoch(epoch)
        if not math.isfinite(loss):
            raise RecipeError(
                self.model.name, f"the loss of epoch {epoch} is {loss}", "lower the key 'training.learning_rate'"
            )
        scores = self.validate()
        state.history.append(Epoch(epoch, loss, scores.log_loss, scores.accuracy))
        state.weights = self._weights()
        state.optimizer = [variable.numpy() for variable in self.optimizer.variables]
        if scores.log_loss < state.best_loss or self.config.keep == "last":
            state.best_loss, state.best_epoch, state.best_weights = scores.log_loss, epoch, state.weights

    def finished(self, state: State) -> bool:
        """Whether the last epoch is done, or the best epoch is ``patience`` epochs ago."""
        return len(state.history) >= self.config.epochs or state.waited >= self.config.patience


def fit(trainer: Trainer, checkpoint: Path, watch: Watch | None = None, until: int | None = None) -> State:
    """Train until the validation loss has stopped falling; the network ends with the weights of the best epoch.

    Where the recipe keeps the last epoch, that one counts as the best, and all epochs are trained.

    Parameters
    ----------
    trainer
        With a network that is initialised from the same seed in every call.
    checkpoint
        File that is written after every epoch; where it exists, training continues from it.
    watch
        Called after every epoch with the epoch and the maximum number of epochs.
    until
        Stop after this epoch, by default the recipe's last one. Earlier epochs do not depend on it: the schedule is the
        recipe's, and a later call continues as if training had not stopped.

    Returns
    -------
    State
        With the history and the best epoch.

    Raises
    ------
    RecipeError
        Where the loss is not a finite number.
    """
    state = trainer.begin(checkpoint)
    last = trainer.config.epochs if until is None else until
    while len(state.history) < last and not trainer.finished(state):
        trainer.advance(state)
        trainer.keep(state, checkpoint)
        if watch:
            watch(state.history[-1], trainer.config.epochs)
    trainer.model.set_weights(state.best_weights[: len(trainer.model.weights)])
    return state
