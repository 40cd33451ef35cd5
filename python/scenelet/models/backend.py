"""TensorFlow and Keras, imported in one place: the settings below have effect only before the first import."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ..core.extras import LEAN_KERAS, missing
from ..core.stderr import discard_stderr
from ..errors import ToolError

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # start-up notes about absent GPUs; errors still raise

# Keras looks for these at its start, for tables, plots and notebooks that no command uses.
_UNUSED = ("IPython", "matplotlib", "pandas", "sklearn")


@contextlib.contextmanager
def without_unused_packages() -> Iterator[None]:
    """Let an import of Keras or KerasTuner find no pandas and the like, which take a third of its time.

    Only in commands and their worker processes, which :data:`.core.extras.LEAN_KERAS` marks: in a notebook Keras is the
    user's, too. A package that is already imported stays.
    """
    hidden = [name for name in _UNUSED if LEAN_KERAS in os.environ and name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None: an import of it fails
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


try:
    with discard_stderr(), without_unused_packages():
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


__all__ = ["graph_function", "keras", "one_thread", "tf", "without_unused_packages"]
