"""The level of silence in a recipe: the INT8 feature that it means, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenelet.config.recipe import FrontendConfig, Recipe, SilenceConfig, parse, silence_level
from scenelet.errors import RecipeError
from scenelet.frontend.silence import silent_windows


@pytest.mark.parametrize(
    ("low", "high", "level_db", "feature"),
    [
        (-60.0, 20.0, -40.0, -64), (-60.0, 20.0, 20.0, 127), (-60.0, 20.0, -59.9999, -127), (-60.0, 20.0, -59.0, -124),
        (0.0, 255.0, 100.0, -28), (0.0, 255.0, 100.001, -27), (0.0, 255.0, 1.0, -127),
    ],
)  # fmt: skip
def test_the_feature_is_the_lowest_that_stands_for_the_level(
    low: float, high: float, level_db: float, feature: int
) -> None:
    frontend = FrontendConfig(lo_db=low, hi_db=high)
    assert silence_level(SilenceConfig(level_db=level_db), frontend) == feature
    assert low + (feature + 128) * (high - low) / 255 >= level_db - 1e-6


def test_a_level_is_in_decibels_whatever_the_ranges_unit() -> None:
    frontend = FrontendConfig(lo_db=-6.0, hi_db=2.0, log_unit="log10")
    assert silence_level(SilenceConfig(level_db=-40), frontend) == -64


def content(tiny_recipe: Any, silence: Any, **frontend: Any) -> dict[str, Any]:
    found: dict[str, Any] = tiny_recipe().model_dump(mode="json", exclude_none=True)
    return found | {"silence": silence, "frontend": found["frontend"] | frontend}


@pytest.mark.parametrize(
    ("silence", "frontend", "told"),
    [
        ({"level_db": -60}, {}, r"silence.level_db -60 is not above lo_db -60 and at most hi_db 20"),
        ({"level_db": 21}, {}, r"silence.level_db 21 is not above"),
        ({"level_db": -40}, {"lo_db": [-60.0] * 15 + [-50.0]}, r"needs one lo_db and one hi_db for all bands"),
        ({}, {}, r"key 'silence.level_db' is missing"),
        ({"level_db": True}, {}, r"key 'silence.level_db': must be a number"),
        ({"level": -40}, {}, r"unknown key 'silence.level'"),
    ],
)
def test_a_level_that_means_no_feature_is_refused(tiny_recipe: Any, silence: Any, frontend: Any, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        parse(content(tiny_recipe, silence, **frontend), "r")


def test_a_recipe_without_silence_keeps_its_hash(tiny_recipe: Any) -> None:
    plain: Recipe = tiny_recipe()
    assert plain.silence_level is None
    assert "silence" not in plain.model_dump()
    quiet = parse(content(tiny_recipe, {"level_db": -40}), "r")
    assert quiet.silence_level == -64
    assert quiet.sha256 != plain.sha256


def test_a_window_is_silent_below_the_level_everywhere() -> None:
    features = np.full((4, 3, 2), -100, np.int8)
    features[1, 2, 1] = -64
    features[2, 0, 0] = -65
    features[3] = 127
    assert silent_windows(features, -64).tolist() == [True, False, True, False]
    assert not silent_windows(features, None).any()
    assert silent_windows(features[:0], -64).shape == (0,)
