"""A known answer: one clip that every device can make by itself, and what the model must say to it.

The clip is xorshift32 noise at full scale, so a self-test needs no stored audio; the features are held by their
CRC-32, the scores one by one. Features come from the NumPy model and scores from TFLite BUILTIN_REF, never from the C under test.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frontend import model as frontend_model
from .frontend.tables import Tables
from .targets.litert import LitertTarget

SEED = 0x5CE7E1E7


@dataclass(frozen=True)
class KnownAnswer:
    """Seed of the noise, CRC-32 of the INT8 features (bands x frames), and the scores."""

    seed: int
    features_crc32: int
    scores: tuple[int, ...]


def noise(count: int, bits: int, seed: int = SEED) -> NDArray[np.int32]:
    """``count`` samples of xorshift32 noise (Marsaglia 2003; shifts 13, 17, 5), signed, ``bits`` wide."""
    state, samples = seed, np.empty(count, dtype=np.int64)
    for index in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        samples[index] = state
    signed = np.where(samples >= 1 << 31, samples - (1 << 32), samples)
    return np.asarray(signed >> (32 - bits), dtype=np.int32)


def known_answer(tables: Tables, target: LitertTarget) -> KnownAnswer:
    """Compute the answer of a model (through its reference interpreter) behind a front end."""
    config = tables.config
    features = frontend_model.features(noise(config.clip_samples, config.sample_bits)[None], tables)
    scores = target.run(features[..., None])
    return KnownAnswer(SEED, zlib.crc32(features.tobytes()), tuple(int(value) for value in scores.reshape(-1)))
