"""Run a model on files: audio clips, or tensors as .npy, or as .npz where a model has several inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiler.passes import ends
from ..compiler.passes.ends import End
from ..core.files import read_bytes, require_readable
from ..core.sealed import parse_array, unpack
from ..errors import InputError
from ..frontend.capture import read_capture
from ..frontend.windows import cut
from ..graph import Graph
from ..targets.base import Target
from ..tflite.metadata import ModelInfo
from .clip_answers import SILENCE
from .evaluate import model_info

_TENSORS = (".npy", ".npz")
_SEVERAL = "give a .npz with an array for each: {}"


@dataclass(frozen=True)
class Prediction:
    """INT8 scores of one window of one file.

    Attributes
    ----------
    label
        Class with the highest score, or "silence" for a silent window.
    output
        Name of the output; None for a model with one.
    silent
        Whether the window is silent and has no part in its clip's answer; None where the model's metadata name no level
        of silence.
    clip
        INT8 scores of the model's clip head for the windows up to this one; None for a model without one.
    """

    file: str
    window: int
    label: str
    scores: tuple[int, ...]
    output: str | None = None
    silent: bool | None = None
    clip: tuple[int, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """As a dictionary; without the output of a model with one, ``silent`` and ``clip`` where they are unknown."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def _fitting(values: NDArray[np.generic], end: End, subject: object) -> NDArray[np.generic]:
    """Hold (n, *shape) or (*shape) values to an input: of the type that the engine takes, or that the file takes."""
    shape = end.outer.shape[1:]
    if values.dtype.name not in end.types:
        inner = end.inner.dtype
        others = "".join(f"{name} or " for name in end.types if name != inner)
        raise InputError(subject, f"holds {values.dtype}", f"give {others}{inner} values, quantised for this model")
    if values.dtype == np.float32 and np.isnan(values).any():
        raise InputError(subject, "holds NaN", "give numbers")
    if values.shape == shape:
        values = values[None]
    if values.shape[1:] != shape or not values.size:
        raise InputError(subject, f"has shape {values.shape}", f"give (n, {', '.join(map(str, shape))})")
    return np.asarray(values)


def _tensors(path: Path, given: Sequence[End]) -> list[NDArray[np.generic]]:
    """Read the values of every input: one from a .npy, several from a .npz, by name or in the model's order."""
    names = [end.outer.name for end in given]
    if path.suffix == ".npy":
        if len(given) > 1:
            raise InputError(path, f"holds one array for {len(given)} inputs", _SEVERAL.format(", ".join(names)))
        one, _ = parse_array(read_bytes(path), path, "save the values with numpy.save")
        return [_fitting(one, given[0], path)]
    arrays = unpack(read_bytes(path), path, "save the values with numpy.savez")
    keys = names if set(names) == set(arrays) else [f"arr_{number}" for number in range(len(names))]
    if set(keys) != set(arrays):
        raise InputError(path, f"holds {', '.join(sorted(arrays)) or 'nothing'}", _SEVERAL.format(", ".join(names)))
    values = [_fitting(arrays[key], end, f"{path}, {key}") for key, end in zip(keys, given, strict=True)]
    if len({len(one) for one in values}) > 1:
        raise InputError(path, f"holds {', '.join(str(len(one)) for one in values)} inputs", "give as many of each")
    return values


def _scores(
    path: Path, graph: Graph, info: ModelInfo | None, target: Target, model: Path
) -> tuple[tuple[NDArray[np.int8], ...], NDArray[np.bool_] | None, NDArray[np.int8] | None]:
    """Scores of every output, which windows are silent, and the clip head's; None where there is no such thing."""
    if path.suffix in _TENSORS:
        return target.run_each(_tensors(path, ends.inputs(graph))), None, None
    known = model_info(info, model)
    heard = target.hear(cut(read_capture(path, known.frontend), known.frontend))
    return (heard.scores,), None if known.silence is None else heard.silent, heard.clip


def require_inputs(files: Sequence[Path], info: ModelInfo | None, model: Path) -> None:
    """Check, before a target is made ready, that files can be read and that the model takes their kind.

    Raises
    ------
    InputError
        A file is missing or cannot be read.
    ModelError
        An audio file is given and the model has no metadata.
    """
    for path in files:
        require_readable(path)
        if path.suffix not in _TENSORS:
            model_info(info, model)


def predict(
    files: Sequence[Path], graph: Graph, info: ModelInfo | None, target: Target, model: Path
) -> Iterator[Prediction]:
    """Classify every window of every file, in order.

    Parameters
    ----------
    files
        Audio files, or .npy files of inputs, (n, *input shape) or (*input shape): INT8, or what the model's file takes.
        For several inputs .npz files, with arrays named after them or in their order (``numpy.savez``).
    graph, info
        Of the model; audio files need the metadata.
    target
        Runs the model.
    model
        Path of the model, for messages.

    Raises
    ------
    InputError
        Where a .npy or .npz file cannot be read or does not fit the model.
    ModelError
        Where an audio file is given and the model has no metadata.
    """
    labels = info.labels if info else None
    names = [graph.tensors[index].name for index in graph.outputs] if len(graph.outputs) > 1 else [None]
    for path in files:
        scores, silent, clip = _scores(path, graph, info, target, model)
        for window, outputs in enumerate(zip(*scores, strict=True)):
            quiet = None if silent is None else bool(silent[window])
            together = None if clip is None else tuple(map(int, clip[window]))
            for name, values in zip(names, outputs, strict=True):
                flat = values.reshape(-1)
                best = int(flat.argmax())
                label = labels[best] if labels and name in (None, names[0]) else str(best)
                said = SILENCE if quiet else label
                yield Prediction(str(path), window, said, tuple(int(v) for v in flat), name, quiet, together)
