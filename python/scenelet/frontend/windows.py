"""Cutting samples into windows, and the check of windows that both implementations of the front end share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data import audio
from ..errors import AudioError


def cut(samples: NDArray[np.int32], config: FrontendConfig) -> NDArray[np.int32]:
    """Cut a recording into windows by the front end's settings.

    Without ``slide``, windows are consecutive (:func:`scenelet.data.audio.windows`). With it, a window begins every
    ``slide`` hops, as on a live device.

    Parameters
    ----------
    samples
        int32 (n,), n >= 1; fewer than one window are padded with zeros to one.

    Returns
    -------
    int32 (windows, clip_samples)
        A read-only view of ``samples`` where windows overlap.
    """
    if config.slide is None or samples.size <= config.clip_samples:
        return audio.windows(samples, config.clip_samples)
    step = config.slide * config.hop_length
    return np.lib.stride_tricks.sliding_window_view(samples, config.clip_samples)[::step]


def checked(windows: NDArray[np.int32], config: FrontendConfig) -> NDArray[np.int32]:
    """Check windows and return them as contiguous int32.

    Parameters
    ----------
    windows
        (n, clip_samples) integers of the front end's sample width.

    Raises
    ------
    AudioError
        Where type, shape or range is wrong.
    """
    windows = np.asarray(windows)
    if windows.dtype.kind != "i":
        raise AudioError("windows", f"are {windows.dtype}", "give integers, as scenelet.data.audio.read_audio does")
    if windows.ndim != 2 or windows.shape[1] != config.clip_samples:
        raise AudioError("windows", f"have shape {windows.shape}", f"cut them to (n, {config.clip_samples})")
    limit = 1 << (config.sample_bits - 1)
    if windows.size and not -limit <= int(windows.min()) <= int(windows.max()) < limit:
        raise AudioError(
            "windows",
            f"have samples of more than {config.sample_bits} bits",
            f"read them with bits={config.sample_bits}",
        )
    return np.ascontiguousarray(windows, np.int32)
