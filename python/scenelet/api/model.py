"""A trained model in Python: samples in, decisions out, by any target."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..compiler.numerics.fixed_point import scale_of, zero_point_of
from ..compiler.passes import ends
from ..evaluation.clip_answers import SILENCE
from ..evaluation.evaluate import model_info
from ..frontend.capture import capture
from ..frontend.windows import cut
from ..targets import open_target
from ..tflite import metadata
from ..tflite.reader import load as read_file
from ..tflite.reader import parse


@dataclass(frozen=True)
class Decision:
    """What a model says of one window.

    Attributes
    ----------
    label
        Class with the highest score, or "silence" for a silent window.
    probability
        Its score on the scale of the model's output, 0 to 1 where the network ends in SOFTMAX or LOGISTIC.
    scores
        INT8 score of every class, in the order of :attr:`Model.labels`.
    start, end
        Of the window, seconds from the first sample.
    silent
        Whether the window stays below the model's level of silence. It then has no part in an answer to the whole clip:
        its scores are those of silence.
    """

    label: str
    probability: float
    scores: tuple[int, ...]
    start: float
    end: float
    silent: bool = False


class Model:
    """An INT8 model with its labels and its front end; made by :func:`load`, to be closed or used in ``with``.

    Attributes
    ----------
    labels
        Names of the classes, in the order of the scores.
    frontend
        Settings of the front end (:class:`scenelet.config.frontend.FrontendConfig`).
    """

    def __init__(self, path: str | Path, target: str = "litert") -> None:
        subject, name, content = read_file(path)
        info = model_info(metadata.read(content, subject), path)
        self.path, self.labels, self.frontend = Path(path), info.labels, info.frontend
        output = ends.outputs(parse(subject, name, content))[0].inner
        self._scale, self._zero_point = float(scale_of(output)), zero_point_of(output)
        self._target = open_target(target, path)
        self._target.__enter__()

    def classify(self, samples: NDArray[Any], rate: int) -> list[Decision]:
        """Classify audio, window by window.

        Parameters
        ----------
        samples
            (n,) or (n, channels): floats of full scale 1, int16 or int32 of the type's full scale.
        rate
            Their sample rate, Hz; they are resampled to the front end's.

        Returns
        -------
        list of Decision
            One per window of ``frontend.clip_seconds``; fewer samples than a window are padded with silence to one.

        Raises
        ------
        AudioError
            The samples cannot be used.
        """
        config = self.frontend
        windows = cut(capture(samples, rate, config), config)
        scores, silent = self._target.classify(windows), self._target.silent(windows)
        step = config.clip_samples if config.slide is None else config.slide * config.hop_length
        found = []
        for number, (row, quiet) in enumerate(zip(scores, silent.tolist(), strict=True)):
            best = int(np.argmax(row))
            start = number * step / config.sample_rate
            probability = self._scale * (int(row[best]) - self._zero_point)
            end = start + config.clip_samples / config.sample_rate
            label = SILENCE if quiet else self.labels[best]
            found.append(Decision(label, probability, tuple(map(int, row)), start, end, quiet))
        return found

    def close(self) -> None:
        """Release the target."""
        self._target.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(path: str | Path, target: str = "litert") -> Model:
    """Open a model that scenelet made.

    Parameters
    ----------
    path
        An INT8 .tflite with labels and front end in its metadata.
    target
        Where it runs: litert (TFLite's reference kernels), tflm, host (the firmware's C), qemu, or serial:PORT.

    Raises
    ------
    ModelError
        The file is missing, damaged, or has no metadata of scenelet.
    InputError
        The target is unknown.
    """
    return Model(path, target)
