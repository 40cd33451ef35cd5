"""Data-parallel training of one network by several processes, on one machine or more (tf.distribute, TF_CONFIG).

Every worker has the whole network and a shard of every batch. Gradients, and the sums of batch normalization, are
summed over all workers by all-reduce (MultiWorkerMirroredStrategy's collectives), so every worker applies the gradient
of the whole batch. The result differs from that of one process in the order of sums, and in dropout, which every worker
draws for its own windows. Batches are drawn and augmented as in one process.

Worker 0, the chief, writes the run folder. The others need the data and no other file of its disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import OneAgainstAllConfig, Recipe
from ...data.dataset import Dataset
from ...errors import InputError, ToolError
from ...models.backend import graph_function, keras, tf
from ...models.keras_model import build
from ...tflite.metadata import Provenance
from .. import run_folder, tf_config
from ..augmentation.batches import batch_augmentation
from ..checkpoint import State
from ..loop import DROPOUT, Trainer, Watch, cross_entropy, fit
from ..run_folder import Request
from ..train import RunOptions, RunResult, finish, load_splits, prepare, provenance_of
from ..windows import Windows


class WorkerGroup:
    """The group of workers that this process belongs to; create it before any other use of TensorFlow.

    Attributes
    ----------
    rank, size
        Index of this worker, and number of workers.

    Raises
    ------
    InputError
        Where TF_CONFIG names no group of workers.
    ToolError
        Where the other workers do not connect.
    """

    def __init__(self) -> None:
        place = tf_config.workers()
        if place is None:
            raise InputError(tf_config.VARIABLE, "names no other worker", "name two or more, or leave it unset")
        self.rank, self.size = place
        try:
            self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, RuntimeError) as error:
            raise _lost(error) from None
        self._sum = graph_function(self._all_reduce, reduce_retracing=True)

    @property
    def chief(self) -> bool:
        """Whether this worker writes the run folder."""
        return self.rank == 0

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function that may use :meth:`all_reduce`; all workers must make the same call."""
        result = self.strategy.run(function, args=arguments)
        return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], result)

    @staticmethod
    def all_reduce(values: Any) -> Any:
        """Sum tensors, or lists of them, over all workers; every worker gets the same bits."""
        placed = tf.nest.map_structure(tf.identity, values)  # an argument has no device yet; a collective needs one
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, placed)

    def _all_reduce(self, values: Any) -> Any:
        return self.run(self.all_reduce, values)

    def all_gather(self, rows: NDArray[Any], start: int, count: int) -> NDArray[Any]:
        """Gather the workers' shards of an array with ``count`` rows; ``rows`` are this worker's, from ``start`` on."""
        whole = np.zeros((count, *rows.shape[1:]), rows.dtype)
        whole[start : start + len(rows)] = rows
        return np.asarray(self._sum(tf.constant(whole)).numpy())

    def broadcast(self, content: bytes | None) -> bytes:
        """Send the chief's bytes to all workers; the others pass None."""
        mine = np.frombuffer(content or b"", np.uint8).astype(np.int32)
        count = int(self._sum(tf.constant([len(mine)], tf.int64)).numpy()[0])
        return self.all_gather(mine, 0, count).astype(np.uint8).tobytes()

    def shard(self, count: int) -> slice:
        """Rows of this worker, of ``count`` rows in all; shards differ by one row at most."""
        edges = [count * number // self.size for number in range(self.size + 1)]
        return slice(edges[self.rank], edges[self.rank + 1])


def _lost(error: Exception) -> ToolError:
    name = type(error).__name__  # the text of the error is pages of a graph
    return ToolError("the other workers", f"do not answer ({name})", "start all of them again: training goes on")


@dataclass
class DistributedTrainer(Trainer):
    """A trainer whose batches are sharded over workers; its objective must be a mean over the batch's windows."""

    group: WorkerGroup | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.group is not None
        count = len(self.train.active)
        if count // -(-count // self.config.batch_size) < self.group.size:
            raise InputError("training.batch_size", f"leaves a worker of {self.group.size} nothing", "make it larger")
        self._alone = self.predict
        self.predict = self._predict_sharded  # type: ignore[assignment]
        self._sharded_step = graph_function(
            self._descend_sharded,
            input_signature=(
                tf.TensorSpec((None, *self.model.input_shape[1:]), tf.float32),
                tf.TensorSpec((None, self.classes), tf.float32),
            ),
        )
        self._step = self._step_on_shard

    def _step_on_shard(self, inputs: Any, classes: Any, _teacher: Any) -> Any:
        assert self.group is not None
        part = self.group.shard(len(inputs))
        return self._sharded_step(inputs[part], classes[part])

    def _descend_sharded(self, inputs: Any, classes: Any) -> Any:
        assert self.group is not None
        gradients, loss = self.group.run(self._gradients, inputs, classes)
        self.optimizer.apply(gradients, self._trainable())
        return loss

    def _gradients(self, inputs: Any, classes: Any) -> Any:
        """Gradients and loss of the whole batch; ``inputs`` and ``classes`` are this worker's shard."""
        count = tf.cast(tf.shape(inputs)[0], tf.float32)
        share = count / WorkerGroup.all_reduce(count)
        with tf.GradientTape() as tape:
            loss = share * self._synchronized(inputs, classes)
        return WorkerGroup.all_reduce(tape.gradient(loss, self._trainable())), WorkerGroup.all_reduce(loss)

    def _synchronized(self, inputs: Any, classes: Any) -> Any:
        """Loss of this worker's windows, with batch normalization over the whole batch."""
        layers = [layer for layer in self.model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        for layer in layers:
            layer.synchronized = True
        try:
            return self.objective(self.model, inputs, classes, ())
        finally:
            for layer in layers:  # the saved network must not have this setting
                layer.synchronized = False

    def _predict_sharded(self, data: Windows) -> NDArray[np.float64]:
        """Probabilities of all windows, the same bits on every worker, so that all stop at the same epoch."""
        assert self.group is not None
        part = self.group.shard(len(data))
        return self.group.all_gather(self._alone(data.some(part)), part.start, len(data))

    def _generator(self, purpose: int, epoch: int) -> np.random.Generator:
        """All workers share the generators of shuffling and augmentation; each has its own for dropout."""
        assert self.group is not None
        if purpose != DROPOUT or self.group.chief:
            return super()._generator(purpose, epoch)
        return np.random.default_rng([self.config.seed, purpose, epoch, self.group.rank])

    def begin(self, checkpoint: Path) -> State:
        """Continue from the chief's checkpoint, or begin from its initial weights."""
        assert self.group is not None
        mine = (State.load(checkpoint) or self.state()).to_bytes() if self.group.chief else None
        state = State.from_bytes(self.group.broadcast(mine))
        self.restore(state)
        return state

    def keep(self, state: State, checkpoint: Path) -> None:
        """Write the checkpoint in the chief."""
        assert self.group is not None
        if self.group.chief:
            super().keep(state, checkpoint)


def train_distributed(
    recipe: Recipe,
    dataset: Dataset,
    out: str | Path,
    group: WorkerGroup,
    **options: Unpack[RunOptions],
) -> RunResult:
    """Train as :func:`scenelet.training.train.train` does, in every worker of a group; all return the chief's scores.

    Raises
    ------
    InputError
        Also for a one-against-all recipe, whose members are trained in parallel instead, and where a worker's features
        differ from the chief's.
    ToolError
        Where another worker does not answer.
    """
    if isinstance(recipe.model, OneAgainstAllConfig):
        raise InputError(f"recipe {recipe.name}", "is a teacher", "train its members with --jobs or --cluster")
    given = dataset
    recipe, dataset = prepare(recipe, dataset)
    provenance = provenance_of(recipe, given)
    data = load_splits(recipe, dataset, options)
    features = {name: part.sha256 for name, part in data.items()}
    request = Request(recipe, dataset.name, dataset.labels, features)
    try:
        return RunResult(Path(out), _train(request, provenance, data, Path(out), group, options.get("watch")))
    except tf.errors.OpError as error:
        raise _lost(error) from None


def _train(
    request: Request,
    provenance: Provenance,
    data: dict[str, Windows],
    out: Path,
    group: WorkerGroup,
    watch: Watch | None,
) -> dict[str, Any]:
    metrics = _finished_run(request, provenance, out, group)
    if metrics is None:
        recipe = request.recipe
        keras.utils.set_random_seed(recipe.training.seed)
        trainer = DistributedTrainer(
            build(recipe),
            data["train"],
            data["validation"],
            recipe.training,
            cross_entropy(recipe.training.label_smoothing),
            batch_augmentation(recipe),
            group=group,
        )
        state = fit(trainer, out / run_folder.CHECKPOINT, watch)
        scored = finish(out, request, trainer.model, state, data) if group.chief else None
        metrics = _from_chief(group, scored)
    return dict(metrics)


def _finished_run(request: Request, provenance: Provenance, out: Path, group: WorkerGroup) -> dict[str, Any] | None:
    """Scores where the chief's folder holds a finished run; an error of the chief is raised in every worker."""
    message: dict[str, Any] = {"features": request.features_sha256}
    if group.chief:
        try:
            run_folder.claim(out, request, provenance)
            message["metrics"] = run_folder.done(out, request.features_sha256)
        except InputError as error:
            message["error"] = [error.subject, error.problem, error.remedy]
    message = _from_chief(group, message)
    if "error" in message:
        raise InputError(*message["error"])
    if message["features"] != request.features_sha256:
        raise InputError(f"worker {group.rank}", "has other features than worker 0", "give all workers the same data")
    metrics: dict[str, Any] | None = message["metrics"]
    return metrics


def _from_chief(group: WorkerGroup, value: Any) -> Any:
    return json.loads(group.broadcast(json.dumps(value).encode() if group.chief else None))
