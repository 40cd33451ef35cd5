"""What a teacher says about the training windows: computed once and kept in files, or anew where inputs change."""

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


class TeacherNetwork:
    """A teacher in inference mode: embeddings (n, width) and logits (n, classes) of inputs."""

    def __init__(self, teacher: keras.Model) -> None:
        view = EmbeddingModel(teacher)
        self.widths: tuple[int, ...] = (view.width, view.classes)
        signature = tf.TensorSpec((None, *teacher.input_shape[1:]), tf.float32)
        self._ask = tf.function(lambda inputs: view(inputs, training=False), input_signature=(signature,))

    def __call__(self, inputs: NDArray[np.float32]) -> TeacherOutputs:
        """Ask about inputs (n, mel bands, frames, 1)."""
        return tuple(said.numpy() for said in self._ask(inputs))


class OnlineTeacher:
    """Asks the teacher about every batch as the student sees it: augmentation changes what there is to say."""

    live = True

    def __init__(self, teacher: keras.Model) -> None:
        self._listener = TeacherNetwork(teacher)
        self.widths: tuple[int, ...] = self._listener.widths

    def __call__(self, _index: NDArray[np.int64], inputs: NDArray[np.float32]) -> TeacherOutputs:
        """See :class:`scenelet.training.loop.Teacher`."""
        return self._listener(inputs)


class CachedTeacher:
    """Looks up what the teacher said about every training window.

    Parameters
    ----------
    teacher
        Asked about all windows, once for all students.
    train
        The training windows.
    cache
        Folder of the answers, which are named by teacher and windows; they are read where they lie, not into memory.
    """

    live = False

    def __init__(self, teacher: keras.Model, train: Windows, cache: Path) -> None:
        listener = TeacherNetwork(teacher)
        self.widths: tuple[int, ...] = listener.widths
        key = hashlib.sha256(f"{weights_sha256(teacher)} {train.sha256}".encode()).hexdigest()[:16]
        self._said = [
            _kept(cache / f"{key}-{name}.npy", (len(train), width))
            for name, width in zip(_NAMES, self.widths, strict=True)
        ]
        if any(said is None for said in self._said):
            self._said = _asked(listener, train, [cache / f"{key}-{name}.npy" for name in _NAMES])

    def __call__(self, index: NDArray[np.int64], _inputs: NDArray[np.float32]) -> TeacherOutputs:
        """See :class:`scenelet.training.loop.Teacher`."""
        return tuple(np.asarray(said[index]) for said in self._said)


def _kept(path: Path, shape: tuple[int, int]) -> Any:
    """Array of a whole file of the cache, not read into memory; None where there is none."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None


def _asked(listener: TeacherNetwork, train: Windows, paths: list[Path]) -> list[Any]:
    """Ask about all windows, batch by batch, into files that appear whole."""
    with scratch_beside(paths[0].parent / "asked") as scratch:
        fresh = [scratch / path.name for path in paths]
        files = [
            np.lib.format.open_memmap(path, "w+", np.float32, (len(train), width))
            for path, width in zip(fresh, listener.widths, strict=True)
        ]
        for start in range(0, len(train), _BATCH):
            index = np.arange(start, min(start + _BATCH, len(train)))
            for file, said in zip(files, listener(train.batch(index)), strict=True):
                file[index] = said
        for file, source, path in zip(files, fresh, paths, strict=True):
            file.flush()
            source.replace(path)
    return files
