"""TensorFlow and Keras, imported in one place: the settings below have effect only before the first import."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from ..core.extras import missing
from ..core.stderr import discard_stderr
from ..errors import ToolError

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # start-up notes about absent GPUs; errors still raise

try:
    with discard_stderr():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # the first query for a GPU prints a warning where there is none
except ImportError as error:
    raise missing(error.name or "tensorflow", "train") from None

if keras.backend.backend() != "tensorflow":
    raise ToolError("keras", f"runs on {keras.backend.backend()}", "set KERAS_BACKEND=tensorflow")

tf.get_logger().setLevel("ERROR")  # many networks in one process cause harmless warnings of "retracing"

# The same seed must give the same weights.
tf.config.experimental.enable_op_determinism()


def graph_function(function: Callable[..., Any], **settings: Any) -> Any:
    """Make a ``tf.function`` of code without Python's own ``if`` and ``while`` over tensors.

    AutoGraph, which translates those, writes its translations to the system's temporary folder, where they would stay
    after a SIGKILL.
    """
    return tf.function(function, autograph=False, **settings)


def one_thread() -> None:
    """Limit TensorFlow to one thread in this process: sums that are split over several threads round differently."""
    with contextlib.suppress(RuntimeError):  # TensorFlow is initialized: an earlier task has set this already
        tf.config.threading.set_intra_op_parallelism_threads(1)


__all__ = ["graph_function", "keras", "one_thread", "tf"]
