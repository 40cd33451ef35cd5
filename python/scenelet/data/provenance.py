"""Which clips a model was trained on: recorded with the model, and found again in the data set.

A score on clips that a network was trained on says nothing. The validation split is drawn by the network's own recipe,
a network of a cross-validation is trained on other folds than the published training split, and the final network of a
recipe is trained on all of them. So the model itself has to record it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import DatasetError, InputError
from ..tflite.metadata import ModelInfo, Provenance
from .dataset import WHOLE, Clip, Dataset
from .splits import with_validation


def describe(dataset: Dataset, fraction: float, seed: int) -> Provenance:
    """Describe which clips a network that is trained on a data set is trained on.

    Parameters
    ----------
    dataset
        The data set that is given to the training; its validation split is drawn here.
    fraction, seed
        Of the validation split, as in :func:`scenelet.data.splits.with_validation`.
    """
    dataset = with_validation(dataset, fraction, seed)
    used = {*dataset.split("train"), *dataset.split("validation")}
    return Provenance(
        folds=tuple(sorted({clip.fold for clip in used} - {0})),
        all_clips=len(used) == len(dataset.clips),
        validation_fraction=fraction,
        validation_seed=seed,
        clips_sha256=_sha256(dataset.split("train"), dataset),
        percent=dataset.percent,
        devices=dataset.devices,
    )


@dataclass(frozen=True)
class Trained:
    """Of a network: name of its data set, and the clips that it was trained on; None where they are not recorded."""

    dataset: str
    learned: Provenance | None


@dataclass(frozen=True)
class TrainingSplits:
    """A data set, split as it was for a model's training.

    Attributes
    ----------
    dataset
        Its splits "train" and "validation" are those of the model's training, where ``train_clips`` are known.
    train_clips
        Clips that the model was trained on; None where that is unknown.
    """

    dataset: Dataset
    train_clips: frozenset[Clip] | None

    def overlap(self, split: str) -> int | None:
        """Number of a split's clips that the model was trained on; None where that is unknown."""
        return None if self.train_clips is None else sum(clip in self.train_clips for clip in self.dataset.split(split))

    def is_apart(self, clips: Sequence[Clip]) -> bool:
        """Whether the model is known to be of this data set, and neither trained on the clips nor chosen by them."""
        if not self.train_clips:
            return False
        return not self.train_clips.union(self.dataset.splits["validation"]).intersection(clips)


def training_splits(dataset: Dataset, info: ModelInfo | Trained) -> TrainingSplits:
    """Split a data set as it was for a model's training.

    The training clips are unknown where the model's metadata do not record them, and where clips or labels of the data
    set have changed since. A model of another data set's name was trained on none of the clips.
    """
    if info.dataset != dataset.name:
        return TrainingSplits(dataset, frozenset())
    if info.learned is None:
        return TrainingSplits(dataset, None)
    try:
        split = _split_again(dataset, info.learned)
    except DatasetError:  # too few recordings are left to split
        return TrainingSplits(dataset, None)
    own = {name: _of_devices(split.splits.get(name, ()), info.learned) for name in ("train", "validation")}
    if _sha256(own["train"], dataset) != info.learned.clips_sha256:
        return TrainingSplits(dataset, None)
    return TrainingSplits(replace(split, splits={**split.splits, **own}), frozenset(own["train"]))


def _of_devices(clips: Sequence[Clip], provenance: Provenance) -> tuple[Clip, ...]:
    return tuple(clip for clip in clips if not provenance.devices or clip.device in provenance.devices)


def require_held_out(dataset: Dataset, info: ModelInfo, split: str, model: object) -> None:
    """Check that a model was trained on no clip of a split.

    Raises
    ------
    InputError
        Where it was. Where the training clips are unknown, the split is accepted.
    """
    found = training_splits(dataset, info)
    count = found.overlap(split)
    if count:
        raise InputError(
            model,
            f"was trained on {count:,} of the {len(found.dataset.split(split)):,} clips of split {split}",
            "give a split that was held out, such as validation, or a network that was trained without it",
        )


def _split_again(dataset: Dataset, provenance: Provenance) -> Dataset:
    if dataset.validation_given and not (provenance.all_clips or provenance.folds):
        return dataset
    if provenance.all_clips:
        used = dataset.clips
    elif provenance.folds:
        used = tuple(clip for clip in dataset.clips if clip.fold in provenance.folds)
    else:
        used = dataset.published(provenance.percent or WHOLE)
    others = {name: clips for name, clips in dataset.splits.items() if name not in ("train", "validation")}
    whole = replace(dataset, splits={"train": used, **others})
    return with_validation(whole, provenance.validation_fraction, provenance.validation_seed) if used else whole


def _sha256(clips: Sequence[Clip], dataset: Dataset) -> str:
    digest = hashlib.sha256()
    for clip in clips:
        line = f"{clip.named(clip.path.relative_to(dataset.root).as_posix())}\0{clip.label}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()
