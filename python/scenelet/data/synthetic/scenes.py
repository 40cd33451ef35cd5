"""The ten scenes of the synthetic city: their sound sources and levels.

The scenes differ in spectrum and in time structure, and share most of their sources, as real scenes do: people talk
in five of them, and a bus, a metro and a tram are engines with knocks. Their parameters vary with the location.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sources import Samples, Source, air, beeps, chirps, chords, decibels, engine, knocks, voices

LAYER_SPREAD_DB = 3.0
LOUDNESS_SPREAD_DB = 3.0


@dataclass(frozen=True)
class Scene:
    """A mixture: its mean loudness in dB of full scale, and (level in dB, source) by layer."""

    loudness_db: float
    layers: tuple[tuple[float, Source], ...]


RECIPES: dict[str, Scene] = {
    "airport": Scene(
        -34,
        (
            (0, air(-5.5, hump=(250, 7), swell_db=1)),
            (-5, voices((3, 6), loudest_db=2)),
            (-6, knocks((9, 14), (500, 1600), quality=3)),
            (-8, beeps((520, 900), 0.8, (0.8, 2))),
        ),
    ),
    "bus": Scene(
        -27,
        (
            (0, engine((24, 42), 14, 1.2, 0.06)),
            (-1, air(-5.5, hump=(160, 5))),
            (-11, knocks((5, 9), (300, 1100))),
            (-12, voices((1, 2))),
        ),
    ),
    "metro": Scene(
        -25,
        (
            (0, air(-4.0, hump=(700, 7), swell_hz=1, swell_db=3)),
            (-5, knocks((1.1, 1.8), (150, 600), double=0.14, jitter=0.04)),
            (-8, engine((420, 700), 3, 5, 0.10)),
        ),
    ),
    "metro_station": Scene(
        -32,
        (
            (0, air(-4.5, hump=(600, 5), swell_hz=0.4, swell_db=6)),
            (-5, voices((2, 4), loudest_db=3)),
            (-5, beeps((1000, 1500), 0.18, (0.2, 0.5))),
            (-9, knocks((1.6, 2.4), (700, 1800))),
        ),
    ),
    "park": Scene(
        -43,
        (
            (0, air(-6.0, swell_hz=0.8, swell_db=4)),
            (-4, chirps((1.5, 5), (2000, 3900), (0.06, 0.25))),
            (-12, voices((1, 2))),
        ),
    ),
    "public_square": Scene(
        -36,
        (
            (0, air(-4.5, hump=(450, 3))),
            (-7, air(-0.5, hump=(2800, 5), swell_db=1)),
            (-3, voices((3, 5), loudest_db=4)),
            (-10, chirps((0.5, 2), (1800, 3500), (0.06, 0.2))),
        ),
    ),
    "shopping_mall": Scene(
        -33,
        (
            (0, voices((4, 7), loudest_db=1)),
            (-2, air(-4.0, hump=(350, 4))),
            (-5, chords((1.5, 3))),
        ),
    ),
    "street_pedestrian": Scene(
        -35,
        (
            (0, air(-4.0, hump=(350, 3))),
            (-3, voices((1, 3), loudest_db=8)),
            (-2, knocks((1.6, 2.4), (900, 2400))),
        ),
    ),
    "street_traffic": Scene(
        -28,
        (
            (0, air(-4.0, hump=(900, 7), swell_hz=0.35, swell_db=5)),
            (-4, air(-7.0, hump=(80, 8))),
            (-10, engine((28, 60), 10, 1.5, 0.15)),
        ),
    ),
    "tram": Scene(
        -29,
        (
            (0, air(-5.0, hump=(350, 6), swell_hz=0.8, swell_db=2)),
            (-4, engine((95, 105), 12, 1.0, 0.01)),
            (-7, knocks((2.2, 3.2), (250, 900), double=0.09, jitter=0.05)),
            (-10, beeps((1100, 1700), 0.5, (1.5, 4))),
        ),
    ),
}


def record(scene: str, rng: np.random.Generator, n: int) -> Samples:
    """Render a scene at a new location.

    Parameters
    ----------
    scene
        One of TAU's scenes.
    rng
        Draws the location's parameters and events.
    n
        Number of samples at 44.1 kHz.

    Returns
    -------
    float64[n]
        Full scale 1; the sound pressure before any microphone.
    """
    recipe = RECIPES[scene]
    total = np.zeros(n)
    for level_db, source in recipe.layers:
        total += decibels(level_db + rng.normal(0, LAYER_SPREAD_DB)) * source(rng, n)
    loudness = decibels(recipe.loudness_db + rng.normal(0, LOUDNESS_SPREAD_DB))
    return np.asarray(total * (loudness / np.sqrt(np.mean(total**2))))
