"""Changes of a window's level: mixing as powers, gain, spectral tilt, and the response of a microphone.

A batch is float32 (batch, mel bands, frames, 1) of network inputs, feature / 64: -2 is ``lo_db`` and 127/64 ``hi_db``.
A value of -2 stands for anything down to silence; it has no power, and no gain raises it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.recipe import FrontendConfig
from ...data.augmentation.features import Batch, Targets
from ...frontend.mel import band_edges

LOWEST, HIGHEST = np.float32(-2), np.float32(127 / 64)
_CURVE_CORNERS = 7
_LOWEST_CORNER_HZ = 100.0


@dataclass(frozen=True)
class Scale:
    """From network inputs to log-mel powers of a front end, and back.

    Attributes
    ----------
    low_db
        Level of an input of -2, float32 (mel bands, 1, 1).
    step_db
        dB per unit of the input, of the same shape.
    """

    low_db: NDArray[np.float32]
    step_db: NDArray[np.float32]

    @classmethod
    def of(cls, config: FrontendConfig) -> Scale:
        """Make the scale of a front end."""
        low, high = (np.array(db, np.float32).reshape(-1, 1, 1) for db in (config.lo_by_band, config.hi_by_band))
        return cls(low, (high - low) / (HIGHEST - LOWEST))

    def powers(self, inputs: Batch) -> Batch:
        """Powers of network inputs; 0 for -2."""
        db = self.low_db + (inputs - LOWEST) * self.step_db
        return np.asarray(np.where(inputs <= LOWEST, 0, 10 ** (db / 10)), np.float32)

    def inputs(self, powers: Batch) -> Batch:
        """Network inputs of powers, limited to the front end's range."""
        db = 10 * np.log10(np.maximum(powers, np.float32(1e-30)))
        return np.asarray(np.clip((db - self.low_db) / self.step_db + LOWEST, LOWEST, HIGHEST), np.float32)

    def raised(self, inputs: Batch, gain_db: NDArray[np.floating]) -> Batch:
        """Inputs at a level that is higher by ``gain_db``, which is broadcast to them."""
        raised = np.clip(inputs + gain_db.astype(np.float32) / self.step_db, LOWEST, HIGHEST)
        return np.asarray(np.where(inputs <= LOWEST, LOWEST, raised), np.float32)


def power_mix(
    generator: np.random.Generator, inputs: Batch, targets: Targets, share: float, scale: Scale
) -> tuple[Batch, Targets]:
    """Mix ``share`` of the windows with another window each, as sounds are mixed (BC learning, Tokozume et al. 2018).

    The other window is brought to the mean power of the first. Both are added with amplitudes r and 1 - r, r uniform
    from 0 to 1, and divided by the root of the sum of the squares, so that the power stays. Phases are not known from a
    log-mel map: powers are added. Targets are mixed by r and 1 - r.
    """
    count = len(inputs)
    order = generator.permutation(count)
    mixed = generator.random(count) < share
    first = np.where(mixed, generator.random(count), 1.0).astype(np.float32)
    powers = scale.powers(inputs)
    means = np.maximum(powers.mean(axis=(1, 2, 3)), np.float32(1e-30))
    whole = first**2 + (1 - first) ** 2
    own, others = first**2 / whole, (1 - first) ** 2 / whole * (means / means[order])
    summed = own.reshape(-1, 1, 1, 1) * powers + others.reshape(-1, 1, 1, 1) * powers[order]
    changed = np.where(mixed.reshape(-1, 1, 1, 1), scale.inputs(summed), inputs)
    column = first[:, np.newaxis]
    return changed, tuple(column * target + (1 - column) * target[order] for target in targets)


def gains(generator: np.random.Generator, count: int, most_db: float) -> NDArray[np.float64]:
    """Draw a gain for every window, uniform up to ``most_db`` up or down: dB, (count, 1, 1, 1)."""
    return generator.uniform(-most_db, most_db, (count, 1, 1, 1))


def tilts(generator: np.random.Generator, count: int, most_db: float, bands: int) -> NDArray[np.float64]:
    """Draw a tilt for every window: a line from one dB value to its negative, (count, bands, 1, 1)."""
    return gains(generator, count, most_db) * np.linspace(-1, 1, bands).reshape(1, -1, 1, 1)


def device_curves(
    generator: np.random.Generator, count: int, spread_db: float, config: FrontendConfig
) -> NDArray[np.float64]:
    """Draw the response of a microphone for every window, dB, (count, bands, 1, 1).

    As :func:`scenelet.data.augmentation.waveform.device_response`, at the bands' centres: normal gains at corners over
    log frequency, joined by straight lines. Their mean over the bands is 0.
    """
    corners = np.log(np.geomspace(_LOWEST_CORNER_HZ, config.top_frequency, _CURVE_CORNERS))
    centres = np.log(np.maximum(band_edges(config)[1:-1], _LOWEST_CORNER_HZ))
    drawn = generator.normal(0, spread_db, (count, _CURVE_CORNERS))
    curves = np.stack([np.interp(centres, corners, values) for values in drawn])
    return np.asarray(curves - curves.mean(axis=1, keepdims=True))[..., np.newaxis, np.newaxis]
