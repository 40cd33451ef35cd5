"""Splits by group: all clips of one recording, or of one location, stay on one side.

Pieces of one recording are nearly the same sound. A network that is trained on one piece and scored on another is
scored on its training data, so a split moves whole groups, never single clips.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ..errors import DatasetError
from .dataset import Clip, Dataset, GroupKey


def with_validation(dataset: Dataset, fraction: float, seed: int) -> Dataset:
    """Divide the clips of the splits "train" and "validation" anew between the two.

    Parameters
    ----------
    dataset
        Its other splits stay as they are.
    fraction
        Part of their clips that goes to "validation", 0 < fraction < 1, as near as whole groups allow.
    seed
        Another seed holds other groups out.

    Returns
    -------
    Dataset
        The same one where it has no "train" split, or a validation split of its own.

    Raises
    ------
    DatasetError
        Where no class has two groups.
    """
    if "train" not in dataset.splits or (dataset.validation_given and "validation" in dataset.splits):
        return dataset
    chosen = {*dataset.splits["train"], *dataset.splits.get("validation", ())}
    train, held = hold_out([clip for clip in dataset.clips if clip in chosen], fraction, seed, dataset.group)
    others = {name: clips for name, clips in dataset.splits.items() if name not in ("train", "validation")}
    return replace(dataset, splits={"train": tuple(train), "validation": tuple(held), **others})


def hold_out(clips: Sequence[Clip], fraction: float, seed: int, key: GroupKey) -> tuple[list[Clip], list[Clip]]:
    """Hold out a part of every class, in whole groups.

    Groups are ordered by a hash of the seed and their name. So the result depends neither on the order of the clips nor
    on a library's random generator, and a clip added to one group moves no other group. A class with one group stays in
    training; a class with more keeps at least one group on either side.

    Parameters
    ----------
    clips
        Clips to split.
    fraction
        Part of every class to hold out, 0 < fraction < 1, as near as its groups allow.
    seed
        Another seed holds other groups out.
    key
        Clips with the same "recording" or "location" form a group. A group with several labels counts for the label
        of most of its clips.

    Returns
    -------
    (train, held)
        Both in the order of ``clips``.

    Raises
    ------
    DatasetError
        Where no class has two groups.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction {fraction} is not between 0 and 1")
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[getattr(clip, key)].append(clip)
    by_label: dict[str, list[str]] = defaultdict(list)
    for name, members in groups.items():
        by_label[_main_label(members)].append(name)
    sizes = {name: len(members) for name, members in groups.items()}
    chosen = {name for names in by_label.values() for name in _choose(names, sizes, fraction, seed)}
    if not chosen:
        raise DatasetError("validation split", f"no class has two {key}s", f"give more than one {key} of a class")
    train = [clip for clip in clips if getattr(clip, key) not in chosen]
    held = [clip for clip in clips if getattr(clip, key) in chosen]
    return train, held


def _main_label(clips: Sequence[Clip]) -> str:
    counts = Counter(clip.label for clip in clips)
    return min(counts, key=lambda label: (-counts[label], label))


def _choose(names: Sequence[str], sizes: dict[str, int], fraction: float, seed: int) -> list[str]:
    """Take groups in seeded order: each group that brings the number of held-out clips nearer to the target."""
    ordered = sorted(
        names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).digest()
    )
    target = fraction * sum(sizes[name] for name in names)
    chosen: list[str] = []
    taken = 0
    for name in ordered[:-1]:
        if abs(taken + sizes[name] - target) < abs(taken - target) or (not chosen and name == ordered[-2]):
            chosen.append(name)
            taken += sizes[name]
    return chosen
