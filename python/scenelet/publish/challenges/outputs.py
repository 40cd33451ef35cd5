"""A system's output on a folder of clips: one line per clip, with a probability of every class."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.metrics import probabilities
from ...core.names import is_utf8
from ...data import audio
from ...errors import AudioError
from ...frontend.capture import read_capture
from ...frontend.windows import cut
from ...targets.base import Target
from ...tflite.metadata import ModelInfo


def audio_files(folder: Path) -> list[Path]:
    """Audio files anywhere below a folder, sorted by name.

    Raises
    ------
    AudioError
        Where there is no audio file, or one has a name that no table can hold.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in audio.SUFFIXES and path.is_file())
    if not found:
        raise AudioError(folder, "holds no audio file", "give the folder of the evaluation set's clips")
    for path in found:
        if not is_utf8(path.relative_to(folder).as_posix()):
            raise AudioError(path, "its name is not UTF-8", "rename it")
    return found


def clip_probabilities(windows: NDArray[np.int32], target: Target) -> NDArray[np.float64]:
    """Mean of the probabilities of a clip's windows, without silent ones, or the clip head's; float64 (classes,).

    A clip of silence needs a class as well: then all windows count.
    """
    heard = target.hear(windows)
    if heard.clip is not None and not heard.silent.all():
        return np.asarray(probabilities(heard.clip)[-1])
    found, silent = probabilities(heard.scores), heard.silent
    return np.asarray(found[silent.all() | ~silent].mean(axis=0))


def output_csv(
    folder: Path,
    infos: Sequence[ModelInfo],
    targets: Sequence[Target],
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Classify every clip below a folder by one or more models; each clip is read once per front end.

    Returns
    -------
    list of str
        A table per model: one line per clip, tabs between the columns filename, scene_label and the classes.
    """
    texts = [io.StringIO() for _ in infos]
    writers = [csv.writer(text, delimiter="\t", lineterminator="\n") for text in texts]
    for info, writer in zip(infos, writers, strict=True):
        writer.writerow(["filename", "scene_label", *info.labels])
    files = audio_files(folder)
    for number, path in enumerate(files, 1):
        name = path.relative_to(folder).as_posix()
        windows = {info.frontend: cut(read_capture(path, info.frontend), info.frontend) for info in set_of(infos)}
        for info, target, writer in zip(infos, targets, writers, strict=True):
            values = clip_probabilities(windows[info.frontend], target)
            writer.writerow([name, info.labels[int(values.argmax())], *(f"{value:.6f}" for value in values)])
        if progress:
            progress(number, len(files))
    return [text.getvalue() for text in texts]


def set_of(infos: Sequence[ModelInfo]) -> list[ModelInfo]:
    """One model's metadata for every front end."""
    return list({info.frontend: info for info in infos}.values())


def unlike_evaluation_set(folder: Path, clips: int) -> str | None:
    """How a folder differs from an evaluation set of so many clips, named 0.wav, 1.wav ...; None where it does not."""
    names = {path.name for path in audio_files(folder)}
    if names == {f"{number}.wav" for number in range(clips)}:
        return None
    return f"the evaluation set has {clips:,} clips, 0.wav to {clips - 1}.wav; {folder} holds {len(names):,} others"
