"""The protocol of all targets: interpreters on this computer, the generated C, the emulated and the real board."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Target(Protocol):
    """Runs one model.

    ``name`` is its name on the command line. A target is a context manager; leaving it frees processes and files.
    """

    name: str

    def run(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """INT8 scores of input tensors: (n, *input shape) -> (n, *output shape without batch)."""
        ...

    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        """INT8 tensors of one inference, by the .tflite file's tensor index, as far as the target can read them."""
        ...

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Scores of audio: (n, clip samples) integers of the front end's sample width -> (n, classes)."""
        ...

    def __enter__(self) -> Target: ...

    def __exit__(self, *_: object) -> None: ...
