"""Each change of a batch has its defining property; none depends on anything but the generator."""

from __future__ import annotations

import numpy as np
import pytest

from scenelet.config.recipe import AugmentationConfig, parse
from scenelet.data.augmentation.features import mask, mixstyle, mixup
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import RecipeError

SHAPE = (32, 12, 8, 1)


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(0, 0.6, SHAPE).astype(np.float32)


def test_mixup_mixes_windows_and_targets_by_the_same_share():
    told = np.broadcast_to(np.arange(SHAPE[0], dtype=np.float32).reshape(-1, 1, 1, 1), SHAPE)
    labels = np.eye(SHAPE[0], dtype=np.float32)
    said = np.random.default_rng(2).normal(0, 1, (SHAPE[0], 5)).astype(np.float32)
    mixed, (shares, outputs) = mixup(np.random.default_rng(1), told, (labels, said), 0.4)
    np.testing.assert_allclose(outputs, shares @ said, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert (np.count_nonzero(shares, axis=1) <= 2).all()
    np.testing.assert_allclose(mixed[:, 0, 0, 0], shares @ np.arange(SHAPE[0]), rtol=1e-5)
    assert 0.05 < np.mean((shares > 0.01) & (shares < 0.99)) * SHAPE[0] / 2 < 1


@pytest.mark.parametrize(("axis", "longest"), [(1, 4), (2, 2)])
def test_a_mask_hides_one_run_behind_the_windows_mean(inputs, axis, longest):
    masked = mask(np.random.default_rng(1), inputs, axis, 1, longest)
    lengths = []
    for before, after in zip(inputs, masked, strict=True):
        hidden = np.any(before != after, axis=tuple({0, 1, 2} - {axis - 1}))
        places = np.flatnonzero(hidden)
        lengths.append(places.size)
        assert places.size == 0 or np.ptp(places) + 1 == places.size
        np.testing.assert_allclose(after.take(places, axis - 1), before.mean(), rtol=1e-4, atol=1e-6)
        kept = np.flatnonzero(~hidden)
        np.testing.assert_array_equal(after.take(kept, axis - 1), before.take(kept, axis - 1))
    assert set(lengths) == set(range(longest + 1))


def test_a_mask_leaves_half_of_the_window(inputs):
    masked = mask(np.random.default_rng(1), inputs, 2, 1, 1000)
    hidden = np.any(masked != inputs, axis=(1, 3)).sum(axis=1)
    assert hidden.max() == SHAPE[2] // 2


def test_mixstyle_exchanges_statistics_of_bands_and_keeps_the_pattern(inputs):
    scaled = inputs * np.arange(1, 33, dtype=np.float32).reshape(-1, 1, 1, 1) + 3
    styled = mixstyle(np.random.default_rng(1), scaled, 0.3)

    def pattern(batch):
        mean, spread = batch.mean(axis=2, keepdims=True), batch.std(axis=2, keepdims=True)
        return (batch - mean) / spread

    np.testing.assert_allclose(pattern(styled), pattern(scaled), atol=1e-3)
    means, new = scaled.mean(axis=2)[..., 0], styled.mean(axis=2)[..., 0]
    assert not np.allclose(means, new)
    generator = np.random.default_rng(1)
    order = generator.permutation(32)
    share = generator.beta(0.3, 0.3, (32, 1, 1, 1)).astype(np.float32)[:, 0, 0]
    np.testing.assert_allclose(new, share * means + (1 - share) * means[order], atol=1e-3)


@pytest.mark.train
def test_a_run_hears_copies_and_batches_and_resumes_to_the_bit(recordings, tiny_recipe, tmp_path):
    from scenelet.training import train

    section = {"copies": 1, "shift": True, "pitch_semitones": 1, "mixup": 0.2, "frequency_masks": 1}

    def recipe(epochs):
        return tiny_recipe(epochs=epochs).model_copy(update={"augmentation": AugmentationConfig(**section)})

    dataset = open_dataset(recordings)
    plain = train.train(tiny_recipe(epochs=2), dataset, tmp_path / "plain", cache=tmp_path / "cache")
    whole = train.train(recipe(2), dataset, tmp_path / "whole", cache=tmp_path / "cache", jobs=2)
    assert whole.metrics["train"]["windows"] == 2 * plain.metrics["train"]["windows"]
    assert whole.metrics["test"]["windows"] == plain.metrics["test"]["windows"]

    class Interrupted(Exception):
        pass

    def stop(*_):
        raise Interrupted

    with pytest.raises(Interrupted):
        train.train(recipe(2), dataset, tmp_path / "parts", cache=tmp_path / "cache", watch=stop)
    parts = train.train(recipe(2), dataset, tmp_path / "parts", cache=tmp_path / "cache")
    assert parts.metrics == whole.metrics
    assert (tmp_path / "parts/history.csv").read_bytes() == (tmp_path / "whole/history.csv").read_bytes()


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"copies": 2}, "copies and balance need"),
        ({"shift": True}, "need copies or balance"),
        ({"copies": 20, "shift": True}, "copies 20 is over most_copies 16"),
        ({"copies": 1, "stretch": [1.2, 0.9]}, "begins above its end"),
        ({"copies": 1, "pitch": 2}, "unknown key 'augmentation.pitch'"),
    ],
)
def test_a_section_that_makes_no_sense_is_refused(tiny_recipe, section, told):
    with pytest.raises(RecipeError, match=told.replace(".", r"\.")):
        parse({**tiny_recipe().model_dump(mode="json", exclude_none=True), "augmentation": section}, "r")


def test_a_recipe_without_the_section_keeps_its_hash(tiny_recipe):
    assert "augmentation" not in tiny_recipe().model_dump()
    augmented = tiny_recipe().model_copy(update={"augmentation": AugmentationConfig(mixup=0.1)})
    assert augmented.sha256 != tiny_recipe().sha256
    assert parse(augmented.model_dump(mode="json", exclude_none=True), "r") == augmented
