"""What a recipe enables is done, in one order; nothing depends on anything but the generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenelet.config.recipe import AugmentationConfig, Recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.training.augmentation.batches import batch_augmentation

SHAPE = (32, 16, 8, 1)
FEATURES = {
    "power_mix": 0.5, "gain_db": 6, "tilt_db": 3, "device_curve_db": 3, "offset_frames": 4, "warp_semitones": 2,
    "warp_tempo": [0.9, 1.2],
}  # fmt: skip


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.6, SHAPE).clip(-2, 1.98).astype(np.float32)


@pytest.fixture
def classes() -> np.ndarray:
    return np.eye(4, dtype=np.float32)[np.arange(SHAPE[0]) % 4]


@pytest.fixture
def changed(tiny_recipe: Any) -> Any:
    """What a section makes of a batch."""

    def made(**section: Any) -> Any:
        found = batch_augmentation(with_section(tiny_recipe(), section))
        assert found is not None
        return found.change

    return made


def with_section(recipe: Recipe, section: dict[str, Any] | None) -> Recipe:
    config = None if section is None else AugmentationConfig(**section)
    return recipe.model_copy(update={"augmentation": config})


def test_what_is_off_is_not_there(inputs: np.ndarray, classes: np.ndarray, tiny_recipe: Any, changed: Any) -> None:
    for section in (None, {}, {"copies": 1, "shift": True}):
        assert batch_augmentation(with_section(tiny_recipe(), section)) is None
    masked, (same,) = changed(time_masks=1)(np.random.default_rng(0), inputs, (classes,))
    assert not np.array_equal(masked, inputs)
    np.testing.assert_array_equal(same, classes)
    only_drawn = batch_augmentation(with_section(tiny_recipe(), {"offset_frames": 2}))
    assert only_drawn is not None
    assert only_drawn.draw is not None
    kept, _ = only_drawn.change(np.random.default_rng(0), inputs, (classes,))
    np.testing.assert_array_equal(kept, inputs)


@pytest.mark.parametrize(
    "part",
    [
        {"mixup": 0.3}, {"time_masks": 2}, {"frequency_masks": 1}, {"mixstyle": 1.0}, {"power_mix": 1.0},
        {"gain_db": 6}, {"tilt_db": 3}, {"device_curve_db": 3},
    ],
    ids=lambda part: next(iter(part)),
)  # fmt: skip
def test_the_generator_decides_all(part: dict[str, Any], inputs: np.ndarray, classes: np.ndarray, changed: Any) -> None:
    change = changed(**part)
    first, second, third = (change(np.random.default_rng(seed), inputs.copy(), (classes,)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1][0], second[1][0])
    assert not np.array_equal(first[0], third[0])
    assert first[0].dtype == first[1][0].dtype == np.float32


def test_mixstyle_touches_its_share_of_the_batches(inputs: np.ndarray, classes: np.ndarray, changed: Any) -> None:
    change = changed(mixstyle=0.4)
    generator = np.random.default_rng(0)
    touched = [not np.array_equal(change(generator, inputs, (classes,))[0], inputs) for _ in range(300)]
    assert 0.3 < np.mean(touched) < 0.5


class Interrupted(Exception):
    pass


def stop(*_: Any) -> None:
    raise Interrupted


@pytest.mark.train
def test_a_run_draws_from_clips_and_resumes_to_the_bit(
    recordings: Any, tiny_recipe: Any, cache: Any, tmp_path: Any
) -> None:
    from scenelet.training import train  # imports TensorFlow

    dataset, recipe = open_dataset(recordings), with_section(tiny_recipe(epochs=2), FEATURES)
    plain = train.train(tiny_recipe(epochs=2), dataset, tmp_path / "plain", cache=cache)
    whole = train.train(recipe, dataset, tmp_path / "whole", cache=cache)
    assert whole.metrics["train"]["windows"] == plain.metrics["train"]["windows"], "no copies"
    assert whole.metrics != plain.metrics
    with pytest.raises(Interrupted):
        train.train(recipe, dataset, tmp_path / "parts", cache=cache, watch=stop)
    parts = train.train(recipe, dataset, tmp_path / "parts", cache=cache)
    assert parts.metrics == whole.metrics
    assert (tmp_path / "parts/history.csv").read_bytes() == (tmp_path / "whole/history.csv").read_bytes()
