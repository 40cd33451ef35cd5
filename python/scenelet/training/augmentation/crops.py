"""Windows drawn from their clips' features: shifted in time, with another tempo, and with another pitch.

The features of a clip's windows, one after the other, are its strip; windows that slide share columns, which it holds
once. A drawn window is as many columns of the strip as a window has, at positions that need not be whole: values
between columns, or bands, are interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import AugmentationConfig, FrontendConfig
from ...data.augmentation.features import Batch
from ...frontend.mel import band_edges
from ...frontend.silence import silent_windows
from ..windows import INPUT_SCALE, Windows


@dataclass(frozen=True)
class Crops:
    """Draws the inputs of batches from clips.

    Attributes
    ----------
    config, frontend
        What is drawn, and the front end's columns and bands.
    silence
        Lowest INT8 feature of a window that is not silent; one that is drawn silent is replaced by the window itself.
    """

    config: AugmentationConfig
    frontend: FrontendConfig
    silence: int | None

    def __call__(self, generator: np.random.Generator, data: Windows, index: NDArray[np.int64]) -> Batch:
        """Draw network inputs, float32 (batch, mel bands, frames, 1), for windows of a training set."""
        features = _columns(data, index, self._positions(generator, len(index)), self.frontend)
        if self.config.warp_semitones:
            semitones = generator.uniform(-1, 1, len(index)) * self.config.warp_semitones
            features = _shifted(features, semitones, self.frontend)
        empty = silent_windows(np.rint(features).astype(np.int8), self.silence)
        features[empty] = data.features[index[empty]]
        return features[..., np.newaxis] * INPUT_SCALE

    def _positions(self, generator: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Positions of columns relative to a window's first one, (count, frames)."""
        middle = (self.frontend.frames - 1) / 2
        most = self.config.offset_frames
        offset = generator.integers(-most, most + 1, count).astype(np.float64)
        slow, fast = np.log(self.config.warp_tempo).tolist()
        tempo = np.exp(generator.uniform(slow, fast, count))
        columns = tempo[:, np.newaxis] * (np.arange(self.frontend.frames) - middle)
        return np.asarray((offset + middle)[:, np.newaxis] + columns)


def _columns(
    data: Windows, index: NDArray[np.int64], positions: NDArray[np.float64], frontend: FrontendConfig
) -> NDArray[np.float32]:
    """Values of the strips at positions relative to windows: (batch, mel bands, frames), in steps of features.

    A row of positions that leaves the strip is moved back into it; one that is longer than the strip is mirrored at its
    ends.
    """
    first = np.searchsorted(data.clips, data.clips[index], side="left")
    count = np.searchsorted(data.clips, data.clips[index], side="right") - first
    step = frontend.frames if frontend.slide is None else frontend.slide
    last = ((count - 1) * step + frontend.frames - 1)[:, np.newaxis]
    places = positions + ((index - first) * step)[:, np.newaxis]
    places -= np.maximum(places[:, -1:] - last, 0)
    places -= np.minimum(places[:, :1], 0)
    turns = np.mod(places, np.maximum(2 * last, 1))
    places = np.minimum(turns, 2 * last - turns)
    before = np.floor(places).astype(np.int64)
    weight = (places - before).astype(np.float32)[:, np.newaxis]
    low, high = (_gather(data, first, count, np.minimum(at, last), step) for at in (before, before + 1))
    return np.asarray((1 - weight) * low + weight * high, np.float32)


def _gather(
    data: Windows, first: NDArray[np.int64], count: NDArray[np.int64], at: NDArray[np.int64], step: int
) -> NDArray[np.float32]:
    """Columns of strips: (batch, mel bands, frames) of the columns ``at``, (batch, frames)."""
    window = np.minimum(at // step, (count - 1)[:, np.newaxis])
    rows = window + first[:, np.newaxis]
    return np.moveaxis(np.asarray(data.features[rows, :, at - window * step], np.float32), 2, 1)


def _shifted(
    features: NDArray[np.float32], semitones: NDArray[np.float64], config: FrontendConfig
) -> NDArray[np.float32]:
    """Move spectra up by semitones: a band takes what its centre's frequency was; the outermost bands are repeated."""
    centres = band_edges(config)[1:-1]
    bands = np.arange(len(centres))
    sources = np.stack([np.interp(centres / 2 ** (one / 12), centres, bands) for one in semitones])
    before = np.floor(sources).astype(np.int64)
    weight = (sources - before).astype(np.float32)[..., np.newaxis]
    low, high = (
        np.take_along_axis(features, np.minimum(at, bands[-1])[..., np.newaxis], axis=1) for at in (before, before + 1)
    )
    return np.asarray((1 - weight) * low + weight * high, np.float32)


def crops_of(config: AugmentationConfig, frontend: FrontendConfig, silence: int | None) -> Crops | None:
    """What draws windows from clips by a recipe; None where it takes the windows as they are."""
    wanted = config.offset_frames or config.warp_semitones or config.warp_tempo != (1.0, 1.0)
    return Crops(config, frontend, silence) if wanted else None
