"""Augmentation of batches of features, drawn anew every epoch.

A batch is float32 (batch, mel bands, frames, 1) with targets (batch, width): the one-hot classes, and a teacher's
outputs for the windows where these are cached. The training loop passes a generator seeded by (seed, epoch), so that a
resumed run makes the same draws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Batch = NDArray[np.float32]

Targets = tuple[NDArray[np.float32], ...]
"""Training targets of a batch, arrays (batch, width): the one-hot classes, then the teacher's outputs if any."""

_TINY = np.float32(1e-6)


def mixstyle(generator: np.random.Generator, inputs: Batch, alpha: float) -> Batch:
    """Mix mean and standard deviation of every mel band, over frames, with another window's (Freq-MixStyle).

    Devices differ by a gain per band; exchanged statistics leave the course over time. As in Kim et al. 2022, with
    frequency in the place of MixStyle's channels (Zhou et al. 2021). ``alpha`` is both parameters of the Beta
    distribution.
    """
    order = generator.permutation(len(inputs))
    share = generator.beta(alpha, alpha, (len(inputs), 1, 1, 1)).astype(np.float32)
    mean = inputs.mean(axis=2, keepdims=True)
    spread = np.sqrt(inputs.var(axis=2, keepdims=True) + _TINY)
    new_mean = share * mean + (1 - share) * mean[order]
    new_spread = share * spread + (1 - share) * spread[order]
    return np.asarray((inputs - mean) / spread * new_spread + new_mean, np.float32)


def mixup(generator: np.random.Generator, inputs: Batch, targets: Targets, alpha: float) -> tuple[Batch, Targets]:
    """Mix every window, and its targets, with another window of the batch (Zhang et al. 2018).

    ``alpha`` is both parameters of the Beta distribution.
    """
    order = generator.permutation(len(inputs))
    share = generator.beta(alpha, alpha, len(inputs)).astype(np.float32)
    wide = share.reshape(-1, 1, 1, 1)
    narrow = share[:, np.newaxis]
    mixed = tuple(narrow * target + (1 - narrow) * target[order] for target in targets)
    return wide * inputs + (1 - wide) * inputs[order], mixed


def mask(generator: np.random.Generator, inputs: Batch, axis: int, count: int, longest: int) -> Batch:
    """Replace ``count`` runs of bands (axis 1) or frames (axis 2) by the window's mean (SpecAugment, Park et al. 2019).

    A run has 0 to ``longest`` bands or frames, at most half of the axis, at any position.
    """
    size = inputs.shape[axis]
    longest = min(longest, size // 2)
    length = generator.integers(0, longest + 1, (len(inputs), count))
    start = np.floor(generator.random((len(inputs), count)) * (size - length + 1)).astype(np.int64)
    place = np.arange(size)
    inside = (place >= start[..., np.newaxis]) & (place < (start + length)[..., np.newaxis])
    hidden = np.expand_dims(inside.any(axis=1), (2, 3) if axis == 1 else (1, 3))
    return np.where(hidden, inputs.mean(axis=(1, 2, 3), keepdims=True), inputs)
