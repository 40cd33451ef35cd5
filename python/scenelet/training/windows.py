"""Training data of a network: the front end's INT8 features of windows, with their classes."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data.datasets.registry import Dataset
from ..errors import DatasetError
from ..frontend.cache import cached_features
from ..frontend.silence import silent_windows

INPUT_SCALE = np.float32(1 / 64)


@dataclass(frozen=True)
class Windows:
    """Windows of one split.

    Attributes
    ----------
    features
        INT8, (n, mel bands, frames); may be mapped from a file, so read it in batches.
    classes
        Index into the data set's labels, (n,).
    clips
        Index of the clip that each window is cut from, (n,), in ascending order.
    silent
        Whether each window is silent, (n,): no network is trained on it, and no clip is classified by it. None where
        the recipe calls no window silent.
    """

    features: NDArray[np.int8]
    classes: NDArray[np.int64]
    clips: NDArray[np.int64]
    silent: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.classes)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle features that are mapped from a file as the name of the file, not by value."""
        state = dict(self.__dict__)
        if isinstance(self.features, np.memmap) and isinstance(self.features.base, mmap.mmap):
            state["features"] = Path(str(self.features.filename))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Map the features' file again."""
        if isinstance(state["features"], Path):
            state["features"] = np.load(state["features"], mmap_mode="r")
        self.__dict__.update(state)

    @property
    def active(self) -> NDArray[np.int64]:
        """Indices of the windows that are not silent, ascending."""
        return np.arange(len(self)) if self.silent is None else np.flatnonzero(~self.silent)

    def some(self, rows: NDArray[np.int64] | slice) -> Self:
        """Some of the windows."""
        silent = None if self.silent is None else self.silent[rows]
        features, classes, clips = self.features[rows], self.classes[rows], self.clips[rows]
        return replace(self, features=features, classes=classes, clips=clips, silent=silent)

    def batch(self, index: NDArray[np.int64]) -> NDArray[np.float32]:
        """Network inputs of some windows: feature / 64, (batch, mel bands, frames, 1)."""
        return np.asarray(self.features[index], np.float32)[..., np.newaxis] * INPUT_SCALE

    @property
    def sha256(self) -> str:
        """Hash of features, classes and clips."""
        digest = hashlib.sha256(repr(self.features.shape).encode())
        for start in range(0, len(self), 8192):
            digest.update(self.features[start : start + 8192].tobytes())
        digest.update(self.classes.tobytes())
        digest.update(self.clips.tobytes())
        return digest.hexdigest()


def load(
    dataset: Dataset,
    split: str,
    config: FrontendConfig,
    cache: Path,
    *,
    silence: int | None = None,
    jobs: int = 1,
    loading: Callable[[int, int], None] | None = None,
) -> Windows:
    """Compute the features of a split, or find them in the cache.

    Parameters
    ----------
    dataset, split
        Data set, and the name of one of its splits.
    config
        The front end.
    cache
        Folder of cached features.
    silence
        Lowest INT8 feature of a window that is not silent; None: no window is silent.
    jobs
        Clips to process at a time; below 1, as many as there are processors.
    loading
        Called with (clips done, clips) while features are computed.

    Raises
    ------
    DatasetError
        Where the data set has no such split, or the split is empty or all silence.
    AudioError
        Naming a file that cannot be read.
    """
    clips = dataset.split(split)
    if not clips:
        raise DatasetError(f"{dataset.root}: split '{split}'", "holds no clip", "check the data set's tables")
    features, owner = cached_features(clips, config, cache, jobs, loading)
    silent = None if silence is None else silent_windows(features, silence)
    if silent is not None and silent.all():
        raise DatasetError(
            f"{dataset.root}: split '{split}'", "holds nothing but silence", "lower the key 'silence.level_db'"
        )
    return Windows(features, dataset.targets(clips)[owner], np.asarray(owner, np.int64), silent)


def stratified(labels: NDArray[np.integer[Any]], count: int, seed: int) -> NDArray[np.int64]:
    """Draw windows without repetition, the same number of every class as far as each class has enough.

    Parameters
    ----------
    labels
        Class of each window, (n,).
    count
        Number of windows; all are taken where there are fewer.
    seed
        Another seed draws other windows.

    Returns
    -------
    int64[min(count, n)]
        Sorted indices into ``labels``.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    # A window's rank within its class; the lowest ranks of all classes together are a stratified draw.
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    return np.sort(order[np.argsort(rank[order], kind="stable")[:count]])
