"""Outputs of a teacher for the training windows: cached in files, or computed online where inputs change."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import scratch_beside
from ..models.backend import keras, tf
from ..models.embedding import EmbeddingModel
from .run_folder import weights_sha256
from .windows import Windows

_BATCH = 256
_NAMES = ("embeddings", "logits")

TeacherOutputs = tuple[NDArray[np.float32], ...]
"""Embeddings (n, width) and logits (n, classes)."""


class TeacherNetwork:
    """A teacher in inference mode.

    Attributes
    ----------
    widths
        Width of the embedding, and number of classes.
    """

    def __init__(self, teacher: keras.Model) -> None:
        network = EmbeddingModel(teacher)
        self.widths: tuple[int, ...] = (network.width, network.classes)
        signature = tf.TensorSpec((None, *teacher.input_shape[1:]), tf.float32)
        self._forward = tf.function(lambda inputs: network(inputs, training=False), input_signature=(signature,))

    def __call__(self, inputs: NDArray[np.float32]) -> TeacherOutputs:
        """Compute the outputs for inputs (n, mel bands, frames, 1)."""
        return tuple(output.numpy() for output in self._forward(inputs))


class OnlineTeacher:
    """Runs the teacher on every batch after augmentation, as the student processes it."""

    online = True

    def __init__(self, teacher: keras.Model) -> None:
        self._network = TeacherNetwork(teacher)
        self.widths: tuple[int, ...] = self._network.widths

    def __call__(self, _index: NDArray[np.int64], inputs: NDArray[np.float32]) -> TeacherOutputs:
        """See :class:`scenelet.training.loop.Teacher`."""
        return self._network(inputs)


class CachedTeacher:
    """Looks up the teacher's outputs for every training window.

    Parameters
    ----------
    teacher
        Runs once on all windows, for all its students.
    train
        The training windows, before augmentation of batches.
    cache
        Folder of the outputs. Files are named by a hash of teacher and windows, and are mapped into memory.
    """

    online = False

    def __init__(self, teacher: keras.Model, train: Windows, cache: Path) -> None:
        network = TeacherNetwork(teacher)
        self.widths: tuple[int, ...] = network.widths
        key = hashlib.sha256(f"{weights_sha256(teacher)} {train.sha256}".encode()).hexdigest()[:16]
        paths = [cache / f"{key}-{name}.npy" for name in _NAMES]
        self._outputs = [_load(path, (len(train), width)) for path, width in zip(paths, self.widths, strict=True)]
        if any(output is None for output in self._outputs):
            self._outputs = _compute(network, train, paths)

    def __call__(self, index: NDArray[np.int64], _inputs: NDArray[np.float32]) -> TeacherOutputs:
        """See :class:`scenelet.training.loop.Teacher`."""
        return tuple(np.asarray(output[index]) for output in self._outputs)


def _load(path: Path, shape: tuple[int, int]) -> Any:
    """Map a file of the cache into memory; None where it is missing or damaged."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None


def _compute(network: TeacherNetwork, train: Windows, paths: list[Path]) -> list[Any]:
    """Run the teacher on all windows, batch by batch, into files that appear whole."""
    with scratch_beside(paths[0].parent / "outputs") as scratch:
        partial = [scratch / path.name for path in paths]
        files = [
            np.lib.format.open_memmap(path, "w+", np.float32, (len(train), width))
            for path, width in zip(partial, network.widths, strict=True)
        ]
        for start in range(0, len(train), _BATCH):
            index = np.arange(start, min(start + _BATCH, len(train)))
            for file, output in zip(files, network(train.batch(index)), strict=True):
                file[index] = output
        for file, source, path in zip(files, partial, paths, strict=True):
            file.flush()
            source.replace(path)
    return files
