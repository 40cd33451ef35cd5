"""Accuracy and log loss of a model on a data set, on any target."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import metrics
from ..core.files import write_text
from ..core.names import one_form
from ..data.dataset import Clip, Dataset
from ..data.provenance import training_splits
from ..errors import DatasetError, ModelError
from ..frontend.capture import read_clip
from ..frontend.windows import cut
from ..targets.base import Heard, Target
from ..tflite.metadata import ModelInfo
from .clip_answers import SILENCE, ClipAnswer, clip_answers
from .intervals import Interval, accuracy_interval

Progress = Callable[[int, int], None]

Row = tuple[str, int, str, tuple[int, ...]]
"""One window: file, number in its clip, true class, INT8 scores."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of one model on one split.

    Attributes
    ----------
    accuracy, log_loss
        Of windows that are not silent, macro: the mean over classes; log loss in nats.
    clip_accuracy
        Of clips, macro; a clip's class is that of the mean of its windows' probabilities, without silent windows, or
        what the model's clip head says after the last window.
    intervals
        Of ``accuracy`` and ``clip_accuracy``, by name (:func:`.intervals.accuracy_interval`).
    answers
        What is said of every clip. A clip that is all silence has the answer "silence", and counts as missed.
    learned_clips
        Number of the split's clips that the model was trained on; None where that is unknown
        (:mod:`scenelet.data.provenance`).
    confusion
        Number of windows by true and predicted class, (classes, classes).
    rows
        One (file, window, true class, INT8 scores) per window, the silent ones included.
    silent
        Whether each of them is silent.
    streamed
        INT8 scores of the model's clip head after each row's window; empty for a model without one. A clip's answer is
        that after its last window.
    """

    model: str
    target: str
    split: str
    labels: tuple[str, ...]
    windows: int
    clips: int
    accuracy: float
    log_loss: float
    clip_accuracy: float
    learned_clips: int | None
    by_class: dict[str, metrics.Measures]
    by_device: dict[str, metrics.Measures]
    confusion: NDArray[np.int64]
    rows: tuple[Row, ...]
    silent: tuple[bool, ...] = ()
    silent_windows: int = 0
    streamed: tuple[tuple[int, ...], ...] = ()
    answers: tuple[ClipAnswer, ...] = ()
    intervals: dict[str, Interval] = field(default_factory=dict)

    @property
    def silent_clips(self) -> list[str]:
        """Files of the clips that are all silence."""
        return [one.file for one in self.answers if one.silent]

    def to_json(self) -> dict[str, Any]:
        """Everything but the rows."""
        return {
            "model": self.model,
            "target": self.target,
            "split": self.split,
            "windows": self.windows,
            "silent_windows": self.silent_windows,
            "clips": self.clips,
            "accuracy": self.accuracy,
            "clip_accuracy": self.clip_accuracy,
            "intervals": {name: list(one) for name, one in self.intervals.items()},
            "silent_clips": self.silent_clips,
            "learned_clips": self.learned_clips,
            "log_loss": self.log_loss,
            "by_class": {name: asdict(value) for name, value in self.by_class.items()},
            "by_device": {name: asdict(value) for name, value in self.by_device.items()},
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
        }

    def write_predictions(self, path: str | Path) -> None:
        """Write one CSV row per window: file, window, truth, label or "silence", and the INT8 score of every class."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["file", "window", "truth", "label", *self.labels])
        for (file, window, truth, values), silent in zip(self.rows, self.silent, strict=True):
            label = SILENCE if silent else self.labels[int(np.argmax(values))]
            writer.writerow([file, window, truth, label, *values])
        write_text(path, text.getvalue())


def model_info(info: ModelInfo | None, model: str | Path) -> ModelInfo:
    """Return the metadata of a model, which hold its front end and its labels.

    Raises
    ------
    ModelError
        Where the model has none.
    """
    if info is None:
        raise ModelError(
            model, "carries no labels and front-end settings", "use a model that `scenelet train` made to run audio"
        )
    return info


def clip_windows(clip: Clip, info: ModelInfo) -> NDArray[np.int32]:
    """Read a clip as the model's windows: int32 (n, clip_samples) of the front end's sample width."""
    config = info.frontend
    samples = read_clip(clip, config)
    return cut(samples, config)


def _batches(clips: list[Clip], info: ModelInfo, size: int) -> Iterator[tuple[list[int], NDArray[np.int32]]]:
    """Group windows of consecutive clips, so that a target's start-up cost is paid once per batch."""
    owners: list[int] = []
    pieces: list[NDArray[np.int32]] = []
    for index, clip in enumerate(clips):
        windows = clip_windows(clip, info)
        owners += [index] * len(windows)
        pieces.append(windows)
        if len(owners) >= size:
            yield owners, np.concatenate(pieces)
            owners, pieces = [], []
    if owners:
        yield owners, np.concatenate(pieces)


def _class_of(clips: list[Clip], labels: tuple[str, ...], model: str | Path) -> NDArray[np.int64]:
    places = {one_form(label): place for place, label in enumerate(labels)}  # data sets give composed names
    unknown = sorted({clip.label for clip in clips} - set(places))
    if unknown:
        raise DatasetError(
            clips[0].path.parent,
            f"label '{unknown[0]}' is not one of the model's: {', '.join(labels)}",
            f"evaluate {model} on data of its own classes",
        )
    return np.array([places[clip.label] for clip in clips], dtype=np.int64)


def clips_of(dataset: Dataset, info: ModelInfo, split: str, model: str | Path) -> tuple[list[Clip], NDArray[np.int64]]:
    """Clips of a split and their true classes.

    Raises
    ------
    DatasetError
        Where the split is unknown or empty, or holds a label that is not one of the model's.
    """
    clips = training_splits(dataset, info).dataset.split(split)
    if not clips:
        raise DatasetError(dataset.root, f"split '{split}' holds no clip", "choose another split")
    return clips, _class_of(clips, info.labels, model)


def evaluate(
    model: str | Path,
    info: ModelInfo,
    dataset: Dataset,
    split: str,
    target: Target,
    *,
    progress: Progress | None = None,
    batch: int = 64,
) -> Evaluation:
    """Classify every window of a split on a target.

    Parameters
    ----------
    model
        Path, for messages and the result.
    info
        The model's metadata.
    split
        Name of a split; "train" and "validation" are those of the model's own training, where its metadata record them.
    target
        Runs the model.
    progress
        Called with (clips done, clips).
    batch
        Least number of windows that are passed to the target at a time.

    Raises
    ------
    DatasetError
        Where the split is empty or all silence, or holds a label that is not one of the model's.
    """
    clips, truth = clips_of(dataset, info, split, model)
    owners: list[int] = []
    heard: list[Heard] = []
    # State and the clip head's memory go on from one window to the next, not from clip to clip.
    size = 1 if target.stateful or info.clip_head else batch
    for batch_owners, windows in _batches(clips, info, size):
        heard.append(target.hear(windows))
        owners += batch_owners
        if progress:
            progress(batch_owners[-1] + 1, len(clips))
    if all(part.silent.all() for part in heard):
        raise DatasetError(dataset.root, f"split '{split}' holds nothing but silence", "choose another split")
    return _summary(
        str(model),
        target.name,
        split,
        info.labels,
        clips,
        training_splits(dataset, info).overlap(split),
        truth,
        np.array(owners),
        Heard(
            np.concatenate([part.scores for part in heard]),
            np.concatenate([part.silent for part in heard]),
            np.concatenate([part.clip for part in heard if part.clip is not None]) if info.clip_head else None,
        ),
    )


def _summary(
    model: str,
    target: str,
    split: str,
    labels: tuple[str, ...],
    clips: list[Clip],
    learned: int | None,
    truth: NDArray[np.int64],
    owners: NDArray[np.int64],
    said: Heard,
) -> Evaluation:
    outputs, silent = said.scores, said.silent
    heard = np.flatnonzero(~silent)
    probability, owned = metrics.probabilities(outputs[heard]), owners[heard]
    window_truth = truth[owned]
    devices = [clips[index].device or "" for index in owned]
    by_class = metrics.by_group(probability, window_truth, [labels[index] for index in window_truth], labels)
    accuracy, log_loss = metrics.macro(by_class)
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion, (window_truth, probability.argmax(axis=1)), 1)
    starts = np.searchsorted(owners, owners, side="left")
    rows = tuple(
        (
            clips[owner].named(clips[owner].path.name),
            int(row - starts[row]),
            labels[truth[owner]],
            tuple(int(v) for v in outputs[row]),
        )
        for row, owner in enumerate(owners)
    )
    clip_probability = metrics.merge(probability, owned, len(clips))
    if said.clip is not None:
        clip_probability = metrics.last(said.clip[heard], owned, len(clips))
    answers = clip_answers(clips, clip_probability, labels)
    clip_accuracy, _ = metrics.macro(metrics.by_group(clip_probability, truth, [labels[i] for i in truth], labels))
    return Evaluation(
        model=model,
        target=target,
        split=split,
        labels=labels,
        windows=len(heard),
        silent_windows=len(owners) - len(heard),
        clips=len(clips),
        accuracy=accuracy,
        log_loss=log_loss,
        clip_accuracy=clip_accuracy,
        intervals=_intervals(rows, silent.tolist(), answers, labels),
        answers=answers,
        learned_clips=learned,
        by_class=by_class,
        by_device=metrics.by_group(probability, window_truth, devices, sorted(set(devices) - {""})),
        confusion=confusion,
        rows=rows,
        silent=tuple(silent.tolist()),
        streamed=() if said.clip is None else tuple(tuple(map(int, row)) for row in said.clip),
    )


def _intervals(
    rows: Sequence[Row], silent: Sequence[bool], answers: Sequence[ClipAnswer], labels: tuple[str, ...]
) -> dict[str, Interval]:
    """Intervals of the accuracy of windows and clips; a row with window 0 begins the next of the answers' clips."""
    owners = np.cumsum([window == 0 for _, window, _, _ in rows]) - 1
    heard = [number for number, quiet in enumerate(silent) if not quiet]
    right = [labels[int(np.argmax(rows[number][3]))] == rows[number][2] for number in heard]
    return {
        name: accuracy_interval(
            np.array(correct),
            np.array([labels.index(one.truth) for one in of]),
            [one.recording for one in of],
        )
        for name, correct, of in (
            ("accuracy", right, [answers[owners[number]] for number in heard]),
            ("clip_accuracy", [one.right for one in answers], answers),
        )
    }


def pooled(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Combine the evaluations of several networks: one or more per fold of a cross-validation.

    Accuracy, log loss and clip accuracy are means over the networks; classes, devices and confusion are over all
    windows that they classified; clips are counted once.
    """
    first = evaluations[0]
    clips = {one.split: one.clips for one in evaluations}
    rows = tuple(row for one in evaluations for row in one.rows)
    silent = tuple(quiet for one in evaluations for quiet in one.silent)
    answers = tuple(answer for one in evaluations for answer in one.answers)
    return replace(
        first,
        split=", ".join(clips),
        windows=sum(one.windows for one in evaluations),
        silent_windows=sum(one.silent_windows for one in evaluations),
        intervals=_intervals(rows, silent, answers, first.labels),
        answers=answers,
        silent=silent,
        streamed=tuple(row for one in evaluations for row in one.streamed),
        clips=sum(clips.values()),
        by_class=metrics.merge_groups([one.by_class for one in evaluations]),
        by_device=metrics.merge_groups([one.by_device for one in evaluations]),
        confusion=np.sum([one.confusion for one in evaluations], axis=0),
        rows=rows,
        learned_clips=_sum([one.learned_clips for one in evaluations]),
        accuracy=float(np.mean([one.accuracy for one in evaluations])),
        log_loss=float(np.mean([one.log_loss for one in evaluations])),
        clip_accuracy=float(np.mean([one.clip_accuracy for one in evaluations])),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    """Sum; None where one of the counts is unknown."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
