"""Columns of the spectrogram as samples come: the firmware's C front end, or its specification where no compiler is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...frontend.available import open_frontend
from ...frontend.native import Frontend
from ...frontend.tables import Tables


class Columns:
    """The integer front end on a stream of windows.

    Parameters
    ----------
    tables
        Tables of the front end, quantised as the network's input.
    live
        Windows slide on the continuous grid, as on a device's microphone; without it they follow one another.

    Attributes
    ----------
    features
        INT8 (bands, frames): the newest window, whole where :attr:`complete`.
    """

    def __init__(self, tables: Tables, *, live: bool = False) -> None:
        config = tables.config
        self._config = config
        self._slides = live and config.grid == "continuous"
        frontend = open_frontend(tables)
        self._stream = frontend.stream() if isinstance(frontend, Frontend) else None
        self._whole = frontend
        self._kept = np.zeros(config.clip_samples, np.int32)
        self._taken = 0
        self.features = self._stream.features if self._stream else np.zeros((config.n_mels, config.frames), np.int8)

    @property
    def complete(self) -> bool:
        """Whether the window is complete."""
        if self._stream is None:
            return self._taken == self._config.clip_samples
        return self._stream.ready if self._slides else self._stream.done

    def begin(self) -> None:
        """Begin a window, without any sample before it."""
        self._taken = 0
        if self._stream:
            self._stream.begin()

    def follow(self) -> None:
        """Begin the next window, after a complete one."""
        if self._stream and self._slides:
            self._stream.slide(self._config.live_columns)
        else:
            self.begin()

    def push(self, samples: NDArray[np.int32]) -> tuple[int, NDArray[np.int8]]:
        """Take samples until the window is complete.

        Returns
        -------
        taken
            Number of samples that were taken.
        columns
            The columns that they complete, INT8 (bands, n).
        """
        if self._stream is None:
            return self._push_whole(samples)
        before, taken = self._stream.columns, 0
        while taken < samples.size and not self.complete:
            taken += self._stream.push(samples[taken:])
        return taken, self.features[:, before : self._stream.columns].copy()

    def _push_whole(self, samples: NDArray[np.int32]) -> tuple[int, NDArray[np.int8]]:
        taken = min(samples.size, self._config.clip_samples - self._taken)
        self._kept[self._taken : self._taken + taken] = samples[:taken]
        self._taken += taken
        if not self.complete:
            return taken, self.features[:, :0]
        self.features = self._whole.features(self._kept[None])[0]
        return taken, self.features
