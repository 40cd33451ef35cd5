"""The training loop: seeded, the same every time, with early stopping, and resumable after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import TrainingConfig
from ..core.metrics import measure
from ..data.augmentation.features import Augment, Targets
from ..errors import RecipeError
from ..models.backend import keras, tf
from .checkpoint import Epoch, State
from .windows import Windows

# Loss of one batch: model, inputs (batch, mel, frames, 1), one-hot classes (batch, classes), and the lesson: a tuple of
# what a teacher has to say about these windows, empty where there is none.
Objective = Callable[[Any, Any, Any, tuple[Any, ...]], Any]

Watch = Callable[[Epoch, int], None]


class Teacher(Protocol):
    """What a teacher says about a batch: float32 arrays (batch, width), one for each of ``widths``.

    A ``live`` teacher hears the batch as the network is about to see it. Any other one speaks of the windows before the
    batch is changed; where windows are mixed, so is what it said of them.
    """

    widths: tuple[int, ...]
    live: bool

    def __call__(self, index: NDArray[np.int64], inputs: NDArray[np.float32], /) -> Targets:
        """Teach the windows of these numbers in the training set."""


_PREDICT_BATCH = 256
_SHUFFLE, DROPOUT, _AUGMENT = range(3)


def cross_entropy(smoothing: float) -> Objective:
    """Cross entropy with label smoothing: the true class is wanted with 1 - smoothing + smoothing / classes."""

    def objective(model: Any, inputs: Any, classes: Any, _lesson: Any) -> Any:
        losses = keras.losses.categorical_crossentropy(classes, model(inputs, training=True), label_smoothing=smoothing)
        return tf.reduce_mean(losses)

    return objective


def learning_rate(config: TrainingConfig, epoch: int) -> float:
    """Rate of an epoch, counted from 1: it depends on nothing else, so a run goes on where it was.

    The cosine is that of Loshchilov and Hutter 2017, without restarts, by whole epochs; the last one is not 0.
    """
    warm = config.warmup_epochs
    if epoch <= warm:
        return config.learning_rate * epoch / (warm + 1)
    if config.schedule == "constant":
        return config.learning_rate
    done = (epoch - 1 - warm) / (config.epochs - warm)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


class Predictor:
    """Softmax outputs of a network, compiled once."""

    def __init__(self, model: keras.Model) -> None:
        signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        self._predict = tf.function(lambda inputs: model(inputs, training=False), input_signature=(signature,))

    def __call__(self, windows: Windows) -> NDArray[np.float64]:
        """Probabilities of all windows, (n, classes)."""
        indices = np.arange(len(windows))
        starts = range(0, len(windows), _PREDICT_BATCH)
        parts = [self._predict(windows.batch(indices[start : start + _PREDICT_BATCH])).numpy() for start in starts]
        return np.concatenate(parts).astype(np.float64)


@dataclass
class Trainer:
    """One network, its optimiser and its data, between epochs in a :class:`State`.

    ``companions`` are layers that the objective uses beside the network: trained and kept with it, and dropped at the
    end.
    """

    model: keras.Model
    train: Windows
    validation: Windows
    config: TrainingConfig
    objective: Objective
    augment: Augment | None = None
    lesson: Teacher | None = None
    companions: tuple[keras.layers.Layer, ...] = ()

    def __post_init__(self) -> None:
        self.optimizer = keras.optimizers.Adam(self.config.learning_rate)
        self.optimizer.build(self._trainable())
        self.predict = Predictor(self.model)
        self.classes = int(self.model.output_shape[-1])
        shape = (None, *self.model.input_shape[1:])
        self._step = tf.function(
            self._descend,
            input_signature=(
                tf.TensorSpec(shape, tf.float32),
                tf.TensorSpec((None, self.classes), tf.float32),
                tuple(tf.TensorSpec((None, width), tf.float32) for width in self.lesson.widths) if self.lesson else (),
            ),
        )

    def _trainable(self) -> list[Any]:
        return [variable for part in (self.model, *self.companions) for variable in part.trainable_variables]

    def _weights(self) -> list[NDArray[Any]]:
        return [weight for part in (self.model, *self.companions) for weight in part.get_weights()]

    def _descend(self, inputs: Any, classes: Any, lesson: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = self.objective(self.model, inputs, classes, lesson)
        variables = self._trainable()
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def state(self) -> State:
        """State before the first epoch."""
        weights = self._weights()
        return State(weights, [variable.numpy() for variable in self.optimizer.variables], weights)

    def restore(self, state: State) -> None:
        """Go on from a state."""
        position = 0
        for part in (self.model, *self.companions):
            count = len(part.weights)
            part.set_weights(state.weights[position : position + count])
            position += count
        for variable, value in zip(self.optimizer.variables, state.optimizer, strict=True):
            variable.assign(value)

    def begin(self, checkpoint: Path) -> State:
        """Go on from a checkpoint, where there is one."""
        state = State.load(checkpoint)
        if state is None:
            return self.state()
        self.restore(state)
        return state

    def keep(self, state: State, checkpoint: Path) -> None:
        """Rewrite the checkpoint."""
        state.save(checkpoint)

    def _generator(self, purpose: int, epoch: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, purpose, epoch])

    def _seed_dropout(self, epoch: int) -> None:
        generator = self._generator(DROPOUT, epoch)
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate:
                layer.seed_generator.state.assign(generator.integers(0, 2**32, 2, np.uint32))

    def _batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Shuffled windows in batches whose sizes differ by one at most: no tiny last batch for BatchNorm."""
        order = self._generator(_SHUFFLE, epoch).permutation(len(self.train))
        yield from np.array_split(order, -(-len(order) // self.config.batch_size))

    def _one_epoch(self, epoch: int) -> float:
        self._seed_dropout(epoch)
        self.optimizer.learning_rate.assign(learning_rate(self.config, epoch))
        generator = self._generator(_AUGMENT, epoch)
        total = 0.0
        for index in self._batches(epoch):
            inputs, (classes, *lesson) = self._batch(index, generator)
            total += float(self._step(inputs, classes, tuple(lesson))) * len(index)
        return total / len(self.train)

    def _batch(self, index: NDArray[np.int64], generator: np.random.Generator) -> tuple[NDArray[np.float32], Targets]:
        """Inputs of a step; its classes and, behind them, the lesson."""
        inputs = self.train.batch(index)
        targets: Targets = (np.eye(self.classes, dtype=np.float32)[self.train.classes[index]],)
        if self.lesson and not self.lesson.live:
            targets += self.lesson(index, inputs)
        if self.augment:
            inputs, targets = self.augment(generator, inputs, targets)
        if self.lesson and self.lesson.live:
            targets += self.lesson(index, inputs)
        return inputs, targets

    def advance(self, state: State) -> None:
        """Train one epoch and write it into the state."""
        epoch = len(state.history) + 1
        loss = self._one_epoch(epoch)
        if not math.isfinite(loss):
            raise RecipeError(
                self.model.name, f"the loss of epoch {epoch} is {loss}", "lower the key 'training.learning_rate'"
            )
        seen = measure(self.predict(self.validation), self.validation.classes)
        state.history.append(Epoch(epoch, loss, seen.log_loss, seen.accuracy))
        state.weights = self._weights()
        state.optimizer = [variable.numpy() for variable in self.optimizer.variables]
        if seen.log_loss < state.best_loss or self.config.keep == "last":
            state.best_loss, state.best_epoch, state.best_weights = seen.log_loss, epoch, state.weights

    def finished(self, state: State) -> bool:
        """Whether the last epoch is done, or the best one lies ``patience`` epochs back."""
        return len(state.history) >= self.config.epochs or state.waited >= self.config.patience


def fit(trainer: Trainer, checkpoint: Path, watch: Watch | None = None, until: int | None = None) -> State:
    """Train until the validation loss has stopped falling; the network ends with the best epoch's weights.

    Where the settings keep the last epoch, that one counts as the best, and all epochs are trained.

    Parameters
    ----------
    trainer
        Holding a network that was initialised from the same seed each time.
    checkpoint
        File that is rewritten after every epoch; training goes on from it where it exists.
    watch
        Called after every epoch with the epoch and the most there can be.
    until
        The epoch to stop behind, by default the recipe's last one. It changes no epoch before it: the schedule is the
        recipe's, and a later call goes on as if there had been no stop.

    Returns
    -------
    State
        With the history and the best epoch.

    Raises
    ------
    RecipeError
        Where the loss is no longer a number.
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
