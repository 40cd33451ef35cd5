"""A run's float network, whose INT8 form is on the board: its activations, and its scores as those of a target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..frontend.available import open_frontend
from ..quantization.convert import INPUT_SCALE
from ..targets.base import Heard
from ..targets.litert import LitertTarget, reference_interpreter


class FloatNetwork:
    """The float network's activations by name.

    Parameters
    ----------
    content
        A .tflite by :func:`scenelet.quantization.convert.convert_float`.
    """

    def __init__(self, content: bytes) -> None:
        self._interpreter = reference_interpreter(content)
        self._source = self._interpreter.get_input_details()[0]["index"]
        self.names = {tensor["name"]: tensor["index"] for tensor in self._interpreter.get_tensor_details()}

    def run(self, window: NDArray[np.int8]) -> None:
        """Run features, (mel bands, frames)."""
        self._interpreter.set_tensor(self._source, window[None, ..., None].astype(np.float32) * np.float32(INPUT_SCALE))
        self._interpreter.invoke()

    def value(self, name: str) -> NDArray[np.float64]:
        """A tensor of the last run."""
        return np.asarray(self._interpreter.get_tensor(self.names[name]), np.float64)


class FloatTarget(LitertTarget):
    """Scores of the float network on the scale of its INT8 form, -128 to 128, but not rounded to whole steps.

    So measures of both are comparable, and differ by the networks alone. Features are the board's, INT8.

    Parameters
    ----------
    model
        The INT8 .tflite, whose front end and output the scores are for.
    content
        Its float network, as of :class:`FloatNetwork`.
    """

    name = "float"
    title = "the float network"

    def __init__(self, model: str | Path | bytes, content: bytes) -> None:
        super().__init__(model)
        self._exact = FloatNetwork(content)

    def classify(self, windows: NDArray[np.int32]) -> NDArray[Any]:
        """See :class:`scenelet.targets.interpreter.LocalTarget`; the scores are float64."""
        return np.stack([one * 256 - 128 for (one,) in self._values(windows, self.output.name)])

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        """See :class:`scenelet.targets.base.Target`; a clip head is the board's, on embeddings rounded for it."""
        silent, head = self.silent(windows), self.clip_head
        if head is None:
            return Heard(self.classify(windows), silent, None)
        read = next(tensor for tensor in self.graph.tensors.values() if tensor.name == head.tensor)
        assert read.quantization is not None
        scale, zero_point = float(read.quantization.scale[0]), int(read.quantization.zero_point[0])
        pairs = list(self._values(windows, self.output.name, read.name))
        embeddings = np.stack([np.clip(np.rint(one / scale) + zero_point, -128, 127) for _, one in pairs])
        scores: NDArray[Any] = np.stack([one * 256 - 128 for one, _ in pairs])
        return Heard(scores, silent, self.clip_answers(embeddings.astype(np.int8), silent))

    def _values(self, windows: NDArray[np.int32], *names: str) -> Iterator[tuple[NDArray[np.float64], ...]]:
        """Tensors of every window by their names, flat."""
        for features in open_frontend(self.tables).features(windows):
            self._exact.run(features)
            yield tuple(self._exact.value(name).reshape(-1) for name in names)
