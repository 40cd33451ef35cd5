"""Which clips a model has learned from: told with the model, and found again in the data set.

A score on clips that a network has learned from says nothing. The split that stopped its training is drawn by its own
recipe, a network of a cross-validation knows other folds than the published training, and the last network of a recipe
knows all of them; so the model has to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import DatasetError, InputError
from ..tflite.metadata import Provenance, ModelInfo
from .dataset import Clip, Dataset


def _sha256(clips: Sequence[Clip], dataset: Dataset) -> str:
    digest = hashlib.sha256()
    for clip in clips:
        digest.update(f"{clip.path.relative_to(dataset.root).as_posix()}\0{clip.label}\n".encode())
    return digest.hexdigest()


def describe(dataset: Dataset, fraction: float, seed: int) -> Provenance:
    """Say what a network that is trained on a data set learns from.

    Parameters
    ----------
    dataset
        As the training gets it; its validation split is drawn here.
    fraction, seed
        Of the validation split.
    """
    dataset = dataset.with_validation(fraction, seed)
    dealt = {*dataset.split("train"), *dataset.split("validation")}
    return Provenance(
        folds=tuple(sorted({clip.fold for clip in dealt} - {0})),
        all_clips=len(dealt) == len(dataset.clips),
        validation_fraction=fraction,
        validation_seed=seed,
        clips_sha256=_sha256(dataset.split("train"), dataset),
    )


@dataclass(frozen=True)
class Known:
    """A data set as a model knows it.

    Attributes
    ----------
    dataset
        Its splits "train" and "validation" are those of the model's training, where ``clips`` are known.
    clips
        That the model learned from; None where that cannot be told.
    """

    dataset: Dataset
    clips: frozenset[Clip] | None

    def learned(self, split: str) -> int | None:
        """Count a split's clips that the model learned from; None where that cannot be told."""
        return None if self.clips is None else sum(clip in self.clips for clip in self.dataset.split(split))


def known(dataset: Dataset, info: ModelInfo) -> Known:
    """Deal a data set's clips out as they were for a model's training.

    What a model learned from cannot be told where its metadata do not say, and where the data set's clips or labels
    have changed since. Of a data set of another name it has learned nothing.
    """
    if info.dataset != dataset.name:
        return Known(dataset, frozenset())
    if info.learned is None:
        return Known(dataset, None)
    try:
        dealt = _dealt(dataset, info.learned)
    except DatasetError:  # too few recordings are left to deal out
        return Known(dataset, None)
    train = dealt.splits.get("train", ())
    if _sha256(train, dataset) != info.learned.clips_sha256:
        return Known(dataset, None)
    return Known(dealt, frozenset(train))


def _dealt(dataset: Dataset, learned: Provenance) -> Dataset:
    if learned.all_clips:
        used = dataset.clips
    elif learned.folds:
        used = tuple(clip for clip in dataset.clips if clip.fold in learned.folds)
    else:
        chosen = {*dataset.splits.get("train", ()), *dataset.splits.get("validation", ())}
        used = tuple(clip for clip in dataset.clips if clip in chosen)
    others = {name: clips for name, clips in dataset.splits.items() if name not in ("train", "validation")}
    again = replace(dataset, splits={"train": used, **others})
    return again.with_validation(learned.validation_fraction, learned.validation_seed) if used else again


def require_held_out(dataset: Dataset, info: ModelInfo, split: str, model: object) -> None:
    """Insist that a model has learned from no clip of a split.

    Raises
    ------
    InputError
        Where it has. What cannot be told is let through.
    """
    place = known(dataset, info)
    count = place.learned(split)
    if count:
        raise InputError(
            model,
            f"has learned from {count:,} of the {len(place.dataset.split(split)):,} clips of split {split}",
            "give a split that it has not heard, such as validation, or a network that was trained without it",
        )
