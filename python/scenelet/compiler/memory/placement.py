"""Searches offsets for blocks of memory so that the whole is small: the geometry under the planner.

Placing blocks one by one at the lowest free offset is optimal for some order of them; the search tries the orders that
usually win, then improves the best one by seeded random exchanges, and stops at the bound that no placement can beat.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 4
"""Offsets are multiples of this, so that kernels may load four INT8 values, or an int32 of scratch, at once."""

Distances = tuple[int, int]
"""The least and the most bytes from a block's start to that of another which it may overlap."""

IN_PLACE: Distances = (0, 0)

_EXCHANGES = 400
_MOST_WORK = 20_000_000
_UNPLACED = -1


@dataclass(frozen=True)
class Extents:
    """Blocks by number.

    Attributes
    ----------
    sizes
        Bytes of each.
    lives
        First and last step of each, inclusive.
    rivals
        Of each block, those that are alive with it.
    partners
        Of each block, those that it may overlap all the same, at some distances.
    """

    sizes: Sequence[int]
    lives: Sequence[tuple[int, int]]
    rivals: Sequence[Sequence[int]]
    partners: Sequence[Mapping[int, Distances]]


def aligned(offset: int) -> int:
    """Round an offset up to the next that a block may have."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def search(extents: Extents, bound: int) -> list[int]:
    """Find an offset for each block.

    Parameters
    ----------
    extents
        The blocks.
    bound
        Bytes that are enough: the search ends where the placement needs no more.

    Returns
    -------
    list
        Offsets by number, the same for the same blocks on every machine.
    """
    sizes, lives = extents.sizes, extents.lives
    two_ended = _from_both_ends(extents, bound)
    if two_ended is not None:
        return two_ended
    keys = (
        lambda block: (-sizes[block], lives[block][0]),
        lambda block: (lives[block][0], -sizes[block]),
        lambda block: (-sizes[block] * (1 + lives[block][1] - lives[block][0]), lives[block][0]),
        lambda block: (-lives[block][1], -sizes[block]),
    )
    orders = [sorted(range(len(sizes)), key=key) for key in keys]
    placements = [_placed(extents, order) for order in orders]
    best = min(range(len(keys)), key=lambda i: _extent(extents, placements[i]))
    return _improved(extents, orders[best], placements[best], bound)


def _extent(extents: Extents, offsets: Sequence[int]) -> int:
    return max((offset + size for offset, size in zip(offsets, extents.sizes, strict=True)), default=0)


def _is_free(extents: Extents, block: int, offset: int, offsets: Sequence[int]) -> bool:
    """Whether a block at an offset leaves the bytes of every rival that has its place alone."""
    end, partners = offset + extents.sizes[block], extents.partners[block]
    for rival in extents.rivals[block]:
        start = offsets[rival]
        if start == _UNPLACED or start >= end or offset >= start + extents.sizes[rival]:
            continue
        allowed = partners.get(rival)
        if allowed is None or not allowed[0] <= start - offset <= allowed[1]:
            return False
    return True


def _from_both_ends(extents: Extents, bound: int) -> list[int] | None:
    """Put blocks at the two ends in turn: a chain without sharing then needs what its busiest step needs.

    None where the blocks do not fit into ``bound`` that way.
    """
    offsets = [_UNPLACED] * len(extents.sizes)
    for rank, block in enumerate(sorted(range(len(offsets)), key=lambda block: extents.lives[block])):
        top = (bound - extents.sizes[block]) // ALIGNMENT * ALIGNMENT
        if top < 0 or not _is_free(extents, block, top if rank % 2 else 0, offsets):
            return None
        offsets[block] = top if rank % 2 else 0
    return offsets


def _improved(extents: Extents, order: list[int], offsets: list[int], bound: int) -> list[int]:
    chance = random.Random(len(order))
    size = _extent(extents, offsets)
    # Alignment gaps can put the bound out of reach by a few bytes; the tries are cheap enough to be wasted then.
    for _ in range(_exchanges(extents)):
        if size <= bound:
            break
        trial = list(order)
        one, other = chance.sample(range(len(trial)), 2)
        trial.insert(other, trial.pop(one))
        tried = _replaced(extents, trial, min(one, other), offsets, size)
        if tried is not None:
            order, offsets, size = trial, tried, _extent(extents, tried)
    return offsets


def _exchanges(extents: Extents) -> int:
    """Orders to try: fewer where hundreds of blocks live at once, since a placement's time grows with their square."""
    work = sum((1 + len(rivals)) ** 2 for rivals in extents.rivals)
    return min(_EXCHANGES, _MOST_WORK // work) if len(extents.sizes) > 1 else 0


def _placed(extents: Extents, order: Sequence[int]) -> list[int]:
    offsets = [_UNPLACED] * len(order)
    for block in order:
        offsets[block] = _lowest(extents, block, offsets)
    return offsets


def _replaced(extents: Extents, order: Sequence[int], kept: int, placed: Sequence[int], most: int) -> list[int] | None:
    """Place the blocks after the first ``kept`` of an order again; None as soon as one ends above ``most`` bytes."""
    offsets = [_UNPLACED] * len(order)
    for block in order[:kept]:
        offsets[block] = placed[block]
    for block in order[kept:]:
        offsets[block] = offset = _lowest(extents, block, offsets)
        if offset + extents.sizes[block] > most:
            return None
    return offsets


def _lowest(extents: Extents, block: int, offsets: Sequence[int]) -> int:
    """Lowest offset that the blocks which have their places leave free."""
    starts, partners = {0}, extents.partners[block]
    for rival in extents.rivals[block]:
        start = offsets[rival]
        if start != _UNPLACED:
            starts |= {start, aligned(start + extents.sizes[rival])}
            if rival in partners:
                starts.add(max(aligned(start - partners[rival][1]), 0))
    return next(start for start in sorted(starts) if _is_free(extents, block, start, offsets))
