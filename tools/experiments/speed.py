"""Processor time (user and system) of training a recipe's network on random windows.

python tools/experiments/speed.py sm1 --batch 64 --threads 1
"""

from __future__ import annotations

import argparse
import hashlib
import resource
from collections.abc import Callable

import numpy as np

from scenelet.config import recipe
from scenelet.models.backend import keras, tf
from scenelet.models.keras_model import build
from scenelet.training.loop import Trainer, cross_entropy
from scenelet.training.windows import Windows

STEPS, ROUNDS, UNIT = 5, 3, 1600


def trainer(name: str, batch: int) -> Trainer:
    """A trainer of a recipe's network, with random windows for ``STEPS`` batches."""
    loaded = recipe.load(name)
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    count = STEPS * batch
    features = generator.integers(-128, 128, (count, *loaded.input_shape[:2]), np.int8)
    data = Windows(features, generator.integers(0, loaded.model.classes, count), np.arange(count))
    config = loaded.training.model_copy(update={"batch_size": batch})
    return Trainer(build(loaded), data, data, config, cross_entropy(config.label_smoothing))


def seconds(work: Callable[[], object]) -> float:
    """Processor time in seconds that a call takes in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def without_xla_guard(made: Trainer) -> None:
    """Compile the step with XLA, without determinism, for which XLA lacks MaxPool's gradient."""
    from tensorflow.python.framework import config

    config.disable_op_determinism()
    made._step = tf.function(made._descend, jit_compile=True)


def main() -> None:
    """Measure and print the result in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=0, help="0: TensorFlow's choice")
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--hash", action="store_true", help="also of the weights at the end")
    arguments = parser.parse_args()
    if arguments.threads:
        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    made = trainer(arguments.recipe, arguments.batch)
    if arguments.xla:
        without_xla_guard(made)
    made._one_epoch(1)  # traces and compiles
    scale = UNIT / (ROUNDS * len(made.train))
    spent = seconds(lambda: [made._one_epoch(epoch) for epoch in range(2, 2 + ROUNDS)]) * scale
    judged = seconds(lambda: [made.predict(made.validation) for _ in range(ROUNDS)]) * scale
    made._step = lambda *_: 0.0
    fed = seconds(lambda: [made._one_epoch(epoch) for epoch in range(2, 2 + ROUNDS)]) * scale
    print(
        f"{UNIT} windows of {arguments.recipe}: {spent:.2f} s, of which feeding {fed:.3f} s; validation {judged:.2f} s"
    )
    if arguments.hash:
        weights = b"".join(weight.tobytes() for weight in made.model.get_weights())
        print(hashlib.sha256(weights).hexdigest()[:16])


if __name__ == "__main__":
    main()
