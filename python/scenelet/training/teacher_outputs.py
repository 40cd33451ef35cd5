"""Outputs of a teacher for the training windows: cached in files, or computed online where inputs change."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.files import is_there, scratch_beside, unreadable, writing
from ..core.notes import note
from ..core.sealed import append_seal, is_sealed
from ..models.backend import graph_function, keras, tf
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
        self._forward = graph_function(lambda inputs: network(inputs, training=False), input_signature=(signature,))

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
    """Map a file of the cache into memory; None where it is missing, or damaged, which a note tells.

    Raises
    ------
    InputError
        The system does not let the file be read.
    """
    if not is_there(path):
        return None
    try:
        whole = is_sealed(path)
    except OSError as error:
        raise unreadable(path, error) from None
    # Only a whole file is mapped; its name is a hash of all that makes type and shape.
    found = np.load(path, mmap_mode="r", allow_pickle=False) if whole else None
    if found is None or found.shape != shape or found.dtype != np.float32:
        note(path, "is damaged, or of version 0.1; it is made again")
        return None
    return found


def _compute(network: TeacherNetwork, train: Windows, paths: list[Path]) -> list[Any]:
    """Run the teacher on all windows, batch by batch, into files that appear whole."""
    with writing(paths[0].parent), scratch_beside(paths[0].parent / "outputs") as scratch:
        partial = [scratch / path.name for path in paths]
        with ExitStack() as stack:
            # Plain writes: a full disk is an error of these, but kills a process that writes to mapped memory.
            files = [stack.enter_context(path.open("wb")) for path in partial]
            for file, width in zip(files, network.widths, strict=True):
                header = {"descr": "<f4", "fortran_order": False, "shape": (len(train), width)}
                np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(train), _BATCH):
                index = np.arange(start, min(start + _BATCH, len(train)))
                for file, output in zip(files, network(train.batch(index)), strict=True):
                    file.write(output.astype("<f4").tobytes())
        for source, path in zip(partial, paths, strict=True):
            append_seal(source)
            source.replace(path)
    return [np.load(path, mmap_mode="r", allow_pickle=False) for path in paths]
