"""Splits that keep what belongs together on one side.

Pieces of one recording are nearly the same sound: a network that trains on one of them and is scored on another is
scored on what it has heard. So whole groups move, never clips.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ..errors import DatasetError

if TYPE_CHECKING:
    from .dataset import Clip

GroupKey = Literal["recording", "location"]


def hold_out(clips: Sequence[Clip], fraction: float, seed: int, key: GroupKey) -> tuple[list[Clip], list[Clip]]:
    """Hold a part of every class out, in whole groups.

    Groups are ordered by a hash of the seed and their name, so the result depends neither on the order of the clips nor
    on a library's random generator, and a clip added to one group moves no other. A class with one group stays in
    training whole; one with more keeps at least one group on either side.

    Parameters
    ----------
    clips
        To split.
    fraction
        Part to hold out, 0 < fraction < 1; of every class, as near as its groups allow.
    seed
        Another seed holds other groups out.
    key
        Clips with the same "recording" or "location" form a group. A group with several labels counts for the one that
        most of its clips have.

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
    """Take groups in seeded order, each one that brings the number of clips nearer to the wanted one."""
    ordered = sorted(names, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    wanted = fraction * sum(sizes[name] for name in names)
    chosen: list[str] = []
    taken = 0
    for name in ordered[:-1]:
        if abs(taken + sizes[name] - wanted) < abs(taken - wanted) or (not chosen and name == ordered[-2]):
            chosen.append(name)
            taken += sizes[name]
    return chosen
