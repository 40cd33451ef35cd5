"""Windows drawn from clips: shifted, faster or slower, higher or lower; checked on strips that tell their place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenelet.config.recipe import AugmentationConfig, FrontendConfig
from scenelet.frontend.mel import band_edges
from scenelet.training.augmentation.crops import Crops, crops_of
from scenelet.training.windows import Windows

FRAMES, BANDS = 8, 16
FRONTEND = FrontendConfig(n_fft=1024, hop_length=1024, n_mels=BANDS)


def told(counts: list[int], step: int = FRAMES) -> Windows:
    """Clips of some windows each; every column holds its place in its clip's strip, in all bands."""
    features, clips = [], []
    for clip, count in enumerate(counts):
        for window in range(count):
            features.append(np.tile(np.arange(FRAMES) + window * step, (BANDS, 1)))
            clips.append(clip)
    return Windows(np.array(features, np.int8), np.zeros(len(clips), np.int64), np.array(clips))


def drawn(data: Windows, frontend: FrontendConfig = FRONTEND, silence: int | None = None, **section: Any) -> np.ndarray:
    """Features of all windows, drawn once: (windows, bands, frames)."""
    crops = crops_of(AugmentationConfig(**section), frontend, silence)
    assert isinstance(crops, Crops)
    inputs = crops(np.random.default_rng(0), data, np.arange(len(data)))
    assert inputs.dtype == np.float32
    assert inputs.shape == (len(data), BANDS, FRAMES, 1)
    return inputs[..., 0] * 64


def test_without_a_key_windows_are_taken_as_they_are() -> None:
    assert crops_of(AugmentationConfig(gain_db=6), FRONTEND, None) is None


def test_an_offset_is_whole_frames_within_the_clip() -> None:
    data = told([5] * 40)
    columns = drawn(data, offset_frames=6)[:, 0]
    np.testing.assert_array_equal(np.diff(columns, axis=1), 1)
    moved = columns[:, 0] - data.features[:, 0, 0]
    assert np.abs(moved).max() <= 6
    inner = data.features[:, 0, 0] % 32 != 0
    assert set(moved[inner & (data.features[:, 0, 0] != 0)]) == set(range(-6, 7))
    assert columns.min() == 0
    assert columns.max() == 39


def test_a_clip_of_one_window_has_nowhere_to_move() -> None:
    data = told([1, 1, 1])
    np.testing.assert_array_equal(drawn(data, offset_frames=6), data.features)


def test_windows_that_slide_share_columns() -> None:
    frontend = FrontendConfig(n_fft=1024, hop_length=1024, n_mels=BANDS, clip_seconds=1.024, grid="continuous", slide=3)
    assert frontend.frames == FRAMES
    data = told([4] * 30, step=3)
    columns = drawn(data, frontend, offset_frames=5)[:, 0]
    np.testing.assert_array_equal(np.diff(columns, axis=1), 1)
    assert (columns.min(), columns.max()) == (0, 3 * 3 + FRAMES - 1)


def test_a_tempo_reads_faster_or_slower_about_the_windows_middle() -> None:
    data = told([5] * 30)
    columns = drawn(data, warp_tempo=[0.5, 2.0])[:, 0]
    pace = np.diff(columns, axis=1)
    np.testing.assert_allclose(pace, pace[:, :1].repeat(FRAMES - 1, axis=1), atol=1e-3)
    assert 0.5 <= pace.min() < 0.6
    assert 1.8 < pace.max() <= 2.0
    inside = (data.features[:, 0, 0] > 0) & (data.features[:, 0, 0] < 32)
    np.testing.assert_allclose(columns.mean(axis=1)[inside], data.features.mean(axis=(1, 2))[inside], atol=1e-3)


def test_a_clip_shorter_than_what_is_read_is_mirrored() -> None:
    columns = drawn(told([1] * 3), warp_tempo=[2.0, 2.0])[:, 0]
    np.testing.assert_allclose(columns, [[0, 2, 4, 6, 6, 4, 2, 0]] * 3, atol=1e-4)


def test_a_pitch_moves_a_band_to_where_its_frequency_is_then() -> None:
    data = told([1] * 200)
    centres = band_edges(FRONTEND)[1:-1]
    data.features[:] = np.rint(centres / centres[-1] * 120)[np.newaxis, :, np.newaxis]
    found = drawn(data, warp_semitones=3) / 120 * centres[-1]
    ratio = centres[np.newaxis, 4:-4] / found[:, 4:-4, 0]
    semitones = 12 * np.log2(ratio)
    assert np.abs(semitones).max() < 3.3
    assert np.abs(semitones.mean(axis=1)).max() > 2.7
    np.testing.assert_allclose(semitones, np.median(semitones, axis=1, keepdims=True).repeat(8, axis=1), atol=0.35)


def test_what_is_drawn_silent_is_replaced_by_the_window() -> None:
    """The second window of each clip is silent, so large offsets find nothing there."""
    data = told([2] * 50)
    data.features[0::2] = 50
    data.features[1::2] = -128
    loud = np.arange(0, 100, 2)
    crops = crops_of(AugmentationConfig(offset_frames=8), FRONTEND, -64)
    assert crops is not None
    found = crops(np.random.default_rng(1), data, loud)[..., 0] * 64
    assert (found.max(axis=(1, 2)) == 50).all()
    lost = drawn(data, offset_frames=8)[loud]
    assert (lost.max(axis=(1, 2)) == -128).any()


@pytest.mark.parametrize("section", [{"offset_frames": 3}, {"warp_semitones": 2}, {"warp_tempo": [0.9, 1.1]}])
def test_the_generator_decides_all(section: dict[str, Any]) -> None:
    data = told([3] * 5)
    data.features[:] = np.random.default_rng(1).integers(-128, 128, data.features.shape)
    crops = crops_of(AugmentationConfig(**section), FRONTEND, None)
    assert crops is not None
    first, second, third = (crops(np.random.default_rng(seed), data, np.arange(15)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)
