"""The protocol of all targets: interpreters on this computer, the generated C, the emulated and the real board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.generic] | Sequence[NDArray[np.generic]]
"""Of a network's one input, or an array for each of several, in the file's order."""


@dataclass(frozen=True)
class Heard:
    """What a model says of the windows of one recording, one after the other.

    Attributes
    ----------
    scores
        INT8 (n, classes), of each window.
    silent
        Whether each is silent, (n,).
    clip
        INT8 (n, classes): of the clip head, after each window, for the last ones that are not silent; -128 for all
        classes while there was none. None for a model without a clip head.
    """

    scores: NDArray[np.int8]
    silent: NDArray[np.bool_]
    clip: NDArray[np.int8] | None


class Target(Protocol):
    """Runs one model.

    ``name`` is its name on the command line. A target is a context manager; leaving it frees processes and files.
    """

    name: str

    @property
    def stateful(self) -> bool:
        """Whether the network keeps state from one inference to the next, which starts anew with each call of run."""
        ...

    def run(self, inputs: NDArray[np.generic]) -> NDArray[np.int8]:
        """INT8 scores of input tensors: (n, *input shape) -> (n, *output shape without batch)."""
        ...

    def run_each(self, inputs: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int8], ...]:
        """The same for any number of inputs and outputs, in the file's order."""
        ...

    def reset(self) -> None:
        """Give the network's state the values that it has before the first inference."""
        ...

    def tensors(self, one: Values) -> dict[int, NDArray[np.int8]]:
        """INT8 tensors of one inference, by the .tflite file's tensor index, as far as the target can read them."""
        ...

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Scores of audio: (n, clip samples) integers of the front end's sample width -> (n, classes)."""
        ...

    def silent(self, windows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether each window of audio is silent by the model's metadata: (n, clip samples) -> (n,)."""
        ...

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """Answers to the windows of one recording, (n, clip samples), one after the other."""
        ...

    def __enter__(self) -> Target: ...

    def __exit__(self, *_: object) -> None: ...
