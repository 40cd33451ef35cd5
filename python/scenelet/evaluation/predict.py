"""Run a model on files: audio clips, or tensors as .npy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiler.passes import ends
from ..compiler.passes.ends import End
from ..core.files import read_bytes
from ..core.sealed import parse_array
from ..errors import InputError
from ..frontend.capture import read_capture
from ..frontend.windows import cut
from ..graph import Graph
from ..targets.base import Target
from ..tflite.metadata import ModelInfo
from .evaluate import model_info


@dataclass(frozen=True)
class Prediction:
    """INT8 scores of one window of one file; ``label`` is the class with the highest score."""

    file: str
    window: int
    label: str
    scores: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return asdict(self)


def _tensors(path: Path, end: End) -> NDArray[np.generic]:
    """Read (n, *shape) or (*shape) values, INT8 or of the type that the model's file takes, from a .npy file."""
    shape = end.outer.shape[1:]
    values, _ = parse_array(read_bytes(path), path, "save the values with numpy.save")
    if values.dtype.name not in end.types:
        others = "".join(f"{name} or " for name in end.types if name != "int8")
        raise InputError(path, f"holds {values.dtype}", f"give {others}int8 values, quantised for this model")
    if values.dtype == np.float32 and np.isnan(values).any():
        raise InputError(path, "holds NaN", "give numbers")
    if values.shape == shape:
        values = values[None]
    if values.shape[1:] != shape or not values.size:
        raise InputError(path, f"has shape {values.shape}", f"give (n, {', '.join(map(str, shape))})")
    return np.asarray(values)


def _scores(path: Path, graph: Graph, info: ModelInfo | None, target: Target, model: Path) -> NDArray[np.int8]:
    if path.suffix == ".npy":
        return target.run(_tensors(path, ends.inputs(graph)[0]))
    config = model_info(info, model).frontend
    samples = read_capture(path, config)
    return target.classify(cut(samples, config))


def predict(
    files: Sequence[Path], graph: Graph, info: ModelInfo | None, target: Target, model: Path
) -> Iterator[Prediction]:
    """Classify every window of every file, in order.

    Parameters
    ----------
    files
        Audio files, or .npy files of inputs, (n, *input shape) or (*input shape): INT8, or what the model's file takes.
    graph, info
        Of the model; audio files need the metadata.
    target
        Runs the model.
    model
        Path of the model, for messages.

    Raises
    ------
    InputError
        Where a .npy file cannot be read or does not fit the model.
    ModelError
        Where an audio file is given and the model has no metadata.
    """
    labels = info.labels if info else None
    for path in files:
        for window, values in enumerate(_scores(path, graph, info, target, model)):
            flat = values.reshape(-1)
            best = int(flat.argmax())
            yield Prediction(str(path), window, labels[best] if labels else str(best), tuple(int(v) for v in flat))
