"""One network trained by several processes, on one machine or more (tf.distribute, TF_CONFIG).

Every worker has the whole network and takes its part of every batch. The gradients' sum, and the sums that batch
normalisation is made of, go round all workers (MultiWorkerMirroredStrategy's collectives), so that each descends by the
gradient of the whole batch: the same as one process but for the order of its sums, and for dropout, where every worker
draws for its own windows. Batches are drawn and altered as one process would.

Worker 0, the chief, keeps the run folder. The others need the data and nothing else of its disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import OneAgainstAllConfig, Recipe
from ...data.augmentation.features import batch_augmentation
from ...data.datasets.registry import Dataset
from ...errors import InputError, ToolError
from ...models.backend import keras, tf
from ...models.keras_model import build
from ...tflite.metadata import Provenance
from .. import run_folder, tf_config
from ..checkpoint import State
from ..loop import DROPOUT, Trainer, Watch, cross_entropy, fit
from ..run_folder import Request
from ..train import RunOptions, RunResult, finish, load_splits, prepare, provenance_of
from ..windows import Windows


class WorkerGroup:
    """A process among its fellow workers; make it before anything else is done with TensorFlow.

    Raises
    ------
    InputError
        Where TF_CONFIG names no team.
    ToolError
        Where the others do not come.
    """

    def __init__(self) -> None:
        place = tf_config.workers()
        if place is None:
            raise InputError(tf_config.VARIABLE, "names no other worker", "name two or more, or leave it unset")
        self.rank, self.size = place
        try:
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, RuntimeError) as error:
            raise _gone(error) from None
        self._sum = tf.function(self._everywhere, reduce_retracing=True)

    @property
    def chief(self) -> bool:
        """Whether this worker keeps the run folder."""
        return self.rank == 0

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in which :meth:`total` may be used; all workers must."""
        result = self.strategy.run(function, args=arguments)
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], result)

    @staticmethod
    def total(values: Any) -> Any:
        """Sum tensors, or lists of them, over all workers; every worker gets the same bits."""
        placed = tf.nest.map_structure(tf.identity, values)  # an argument has no device yet, and a collective wants one
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, placed)

    def _everywhere(self, values: Any) -> Any:
        return self.run(self.total, values)

    def joined(self, rows: NDArray[Any], start: int, count: int) -> NDArray[Any]:
        """Put the workers' parts of an array together: rows from ``start`` on, of ``count`` in all, are this one's."""
        whole = np.zeros((count, *rows.shape[1:]), rows.dtype)
        whole[start : start + len(rows)] = rows
        return np.asarray(self._sum(tf.constant(whole)).numpy())

    def told(self, content: bytes | None) -> bytes:
        """Send the chief's bytes to all; the others give None."""
        mine = np.frombuffer(content or b"", np.uint8).astype(np.int32)
        count = int(self._sum(tf.constant([len(mine)], tf.int64)).numpy()[0])
        return self.joined(mine, 0, count).astype(np.uint8).tobytes()

    def part(self, count: int) -> slice:
        """Choose the rows of so many that are this worker's; parts differ by one row at most."""
        edges = [count * number // self.size for number in range(self.size + 1)]
        return slice(edges[self.rank], edges[self.rank + 1])


def _gone(error: Exception) -> ToolError:
    told = type(error).__name__  # its text is pages of a graph
    return ToolError("the other workers", f"do not answer ({told})", "start all of them again: training goes on")


@dataclass
class DistributedTrainer(Trainer):
    """A trainer whose batches are shared out; its objective must be a mean over the batch's windows."""

    team: WorkerGroup | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.team is not None
        if len(self.train) // -(-len(self.train) // self.config.batch_size) < self.team.size:
            raise InputError("training.batch_size", f"leaves a worker of {self.team.size} nothing", "make it larger")
        self._alone = self.predict
        self.predict = self._predict_together  # type: ignore[assignment]
        self._together = tf.function(
            self._descend_together,
            input_signature=(
                tf.TensorSpec((None, *self.model.input_shape[1:]), tf.float32),
                tf.TensorSpec((None, self.classes), tf.float32),
            ),
        )
        self._step = self._shared_step

    def _shared_step(self, inputs: Any, classes: Any, _lesson: Any) -> Any:
        assert self.team is not None
        part = self.team.part(len(inputs))
        return self._together(inputs[part], classes[part])

    def _descend_together(self, inputs: Any, classes: Any) -> Any:
        assert self.team is not None
        gradients, loss = self.team.run(self._gradients, inputs, classes)
        self.optimizer.apply(gradients, self._trainable())
        return loss

    def _gradients(self, inputs: Any, classes: Any) -> Any:
        """Gradients and loss of the whole batch, of which this worker sees a part."""
        seen = tf.cast(tf.shape(inputs)[0], tf.float32)
        share = seen / WorkerGroup.total(seen)
        with tf.GradientTape() as tape:
            loss = share * self._synchronized(inputs, classes)
        return WorkerGroup.total(tape.gradient(loss, self._trainable())), WorkerGroup.total(loss)

    def _synchronized(self, inputs: Any, classes: Any) -> Any:
        """Loss of this worker's windows, batch normalisation being that of the whole batch."""
        layers = [layer for layer in self.model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        for layer in layers:
            layer.synchronized = True
        try:
            return self.objective(self.model, inputs, classes, ())
        finally:
            for layer in layers:  # the network that is saved knows nothing of its training
                layer.synchronized = False

    def _predict_together(self, data: Windows) -> NDArray[np.float64]:
        """Probabilities of all windows, the same bits on every worker, so that all stop at the same epoch."""
        assert self.team is not None
        part = self.team.part(len(data))
        mine = replace(data, features=data.features[part], classes=data.classes[part], clips=data.clips[part])
        return self.team.joined(self._alone(mine), part.start, len(data))

    def _generator(self, purpose: int, epoch: int) -> np.random.Generator:
        """Generators of shuffling and augmentation are every worker's, that of dropout is its own."""
        assert self.team is not None
        if purpose != DROPOUT or self.team.chief:
            return super()._generator(purpose, epoch)
        return np.random.default_rng([self.config.seed, purpose, epoch, self.team.rank])

    def begin(self, checkpoint: Path) -> State:
        """Go on from the chief's checkpoint, or from its initial weights."""
        assert self.team is not None
        mine = (State.load(checkpoint) or self.state()).to_bytes() if self.team.chief else None
        state = State.from_bytes(self.team.told(mine))
        assert state is not None
        self.restore(state)
        return state

    def keep(self, state: State, checkpoint: Path) -> None:
        """Let the chief rewrite its checkpoint."""
        assert self.team is not None
        if self.team.chief:
            super().keep(state, checkpoint)


def train_distributed(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    team: WorkerGroup,
    **conditions: Unpack[RunOptions],
) -> RunResult:
    """Train as :func:`scenelet.training.train.train` does, in every worker of a team; all return the chief's scores.

    Raises
    ------
    InputError
        Also for a one-against-all recipe, whose members are trained side by side instead, and where a worker's features
        are not the chief's.
    ToolError
        Where another worker has gone.
    """
    if isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher", "train its members with --jobs or --cluster")
    plain = dataset
    recipe, dataset = prepare(recipe, dataset)
    learned = provenance_of(recipe, plain)
    data = load_splits(recipe, dataset, conditions)
    features = {name: part.sha256 for name, part in data.items()}
    request = Request(recipe, dataset.name, dataset.labels, features)
    try:
        return RunResult(Path(out), _by_all(request, learned, data, Path(out), team, conditions.get("watch")))
    except tf.errors.OpError as error:
        raise _gone(error) from None


def _by_all(
    request: Request, learned: Provenance, data: dict[str, Windows], out: Path, team: WorkerGroup, watch: Watch | None
) -> dict[str, Any]:
    metrics = _agreed(request, learned, out, team)
    if metrics is None:
        recipe = request.recipe
        keras.utils.set_random_seed(recipe.training.seed)
        trainer = DistributedTrainer(
            build(recipe),
            data["train"],
            data["validation"],
            recipe.training,
            cross_entropy(recipe.training.label_smoothing),
            batch_augmentation(recipe.augmentation),
            team=team,
        )
        state = fit(trainer, out / run_folder.CHECKPOINT, watch)
        scored = finish(out, request, trainer.model, state, data) if team.chief else None
        metrics = _from_chief(team, scored)
    return dict(metrics)


def _agreed(request: Request, learned: Provenance, out: Path, team: WorkerGroup) -> dict[str, Any] | None:
    """Scores where the chief's folder holds a finished run; what the chief cannot do is every worker's error."""
    told: dict[str, Any] = {"features": request.features_sha256}
    if team.chief:
        try:
            run_folder.claim(out, request, learned)
            told["metrics"] = run_folder.done(out, request.features_sha256)
        except InputError as error:
            told["error"] = [error.subject, error.problem, error.remedy]
    told = _from_chief(team, told)
    if "error" in told:
        raise InputError(*told["error"])
    if told["features"] != request.features_sha256:
        raise InputError(f"worker {team.rank}", "has other features than worker 0", "give all workers the same data")
    metrics: dict[str, Any] | None = told["metrics"]
    return metrics


def _from_chief(team: WorkerGroup, value: Any) -> Any:
    return json.loads(team.told(json.dumps(value).encode() if team.chief else None))
