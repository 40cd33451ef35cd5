"""The streaming driver: any blocks, both grids, sliding."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from frontend_inputs import varied
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.config.recipe import FrontendConfig
from scenelet.data.dataset import Clip
from scenelet.frontend import fixed_point, native
from scenelet.frontend.cache import cached_features
from scenelet.frontend.codegen import render_frontend
from scenelet.frontend.tables import make_tables
from scenelet.frontend.windows import cut

SMALL = FrontendConfig(n_fft=256, hop_length=200, n_mels=16, clip_seconds=0.2)
LIVE = FrontendConfig(n_fft=256, hop_length=200, n_mels=16, clip_seconds=0.2, grid="continuous")


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-(1 << 20), 1 << 20, samples, np.int32)


@settings(max_examples=50, deadline=None)
@given(blocks=st.lists(st.integers(0, 700), min_size=1), live=st.booleans())
def test_blocks_of_any_size_give_the_same_map(blocks: list[int], live: bool) -> None:
    config = LIVE if live else SMALL
    tables = make_tables(config)
    clip = noise(config.clip_samples)
    stream = native.Frontend(tables).stream()
    at = 0
    for block in blocks * (1 + 2 * config.clip_samples // (1 + sum(blocks))):
        at += stream.push(clip[at : at + block])
    while not stream.done:
        at += stream.push(clip[at:])
    assert at == config.clip_samples
    assert np.array_equal(stream.features, fixed_point.features(clip[None], tables)[0])


@pytest.mark.parametrize("config", [FrontendConfig(), FrontendConfig(grid="continuous"), SMALL, LIVE])
def test_a_column_comes_with_the_last_sample_of_its_frame(config: FrontendConfig) -> None:
    tables = make_tables(config)
    stream = native.Frontend(tables).stream()
    clip = noise(config.clip_samples)
    before = config.n_fft // 2 if config.grid == "clip" else 0
    for at in range(0, config.clip_samples, 8):
        stream.push(clip[at : at + 8])
        heard = at + 8
        whole = 0 if heard + before < config.n_fft else 1 + (heard + before - config.n_fft) // config.hop_length
        if heard < config.clip_samples:
            assert stream.columns == min(whole, config.frames)
    assert stream.ready
    assert stream.done
    assert stream.push(clip[:8]) == 0


def test_what_follows_the_last_frame_is_dropped() -> None:
    tables = make_tables(LIVE)
    stream = native.Frontend(tables).stream()
    clip = noise(LIVE.clip_samples)
    taken = stream.push(clip)
    assert taken == LIVE.n_fft + (LIVE.frames - 1) * LIVE.hop_length
    assert stream.ready
    assert not stream.done
    assert stream.push(clip) == LIVE.clip_samples - taken
    assert stream.done


def test_begin_drops_what_was_heard() -> None:
    tables = make_tables(SMALL)
    stream = native.Frontend(tables).stream()
    stream.push(noise(777, seed=1))
    stream.begin()
    clip = noise(SMALL.clip_samples)
    assert stream.push(clip) == SMALL.clip_samples
    assert np.array_equal(stream.features, fixed_point.features(clip[None], tables)[0])


@pytest.mark.parametrize("columns", range(1, LIVE.frames + 1))
def test_sliding_equals_a_window_that_starts_later(columns: int) -> None:
    tables = make_tables(LIVE)
    stream = native.Frontend(tables).stream()
    sound = noise(8000)
    at, start = 0, 0
    for _ in range(4):
        while not stream.ready:
            at += stream.push(sound[at : at + 97])
        window = sound[start : start + LIVE.clip_samples]
        assert np.array_equal(stream.features, fixed_point.features(window[None], tables)[0])
        stream.slide(columns)
        start += columns * LIVE.hop_length


SLIDING = LIVE.model_copy(update={"slide": 2})


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 9000), slide=st.integers(1, LIVE.frames), seed=st.integers(0, 9))
def test_a_recording_is_cut_from_one_continuous_grid(count: int, slide: int, seed: int) -> None:
    """Window by window, as if each were a clip of its own; every hop's column is in the windows that hold it."""
    config = LIVE.model_copy(update={"slide": slide})
    tables = make_tables(config)
    samples = noise(count, seed)
    windows = cut(samples, config)
    got = native.Frontend(tables).recording(samples)
    assert len(got) == max(1, 1 + (count - config.clip_samples) // (slide * config.hop_length))
    assert np.array_equal(got, fixed_point.features(np.ascontiguousarray(windows), tables))
    for one, other in pairwise(got):
        assert np.array_equal(one[:, slide:], other[:, : config.frames - slide])


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, 900), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_a_live_stream_in_blocks_of_any_size_loses_and_doubles_nothing(sizes: list[int], seed: int) -> None:
    tables = make_tables(SLIDING)
    stream, samples = native.Frontend(tables).stream(), noise(sum(sizes), seed)
    maps, at = [], 0
    for size in sizes:
        end = at + size
        while at < end:
            at += stream.push(samples[at:end])
            if stream.ready:
                maps.append(stream.features.copy())
                stream.slide(2)
    needed = SLIDING.n_fft + (SLIDING.frames - 1) * SLIDING.hop_length
    assert len(maps) == (0 if samples.size < needed else 1 + (samples.size - needed) // (2 * SLIDING.hop_length))
    padded = np.pad(samples, (0, SLIDING.clip_samples))
    for number, one in enumerate(maps):
        start = number * 2 * SLIDING.hop_length
        assert np.array_equal(one, fixed_point.features(padded[None, start : start + SLIDING.clip_samples], tables)[0])


def test_the_slide_is_part_of_what_a_model_says() -> None:
    assert make_tables(SLIDING).sha256 != make_tables(LIVE).sha256
    assert "slide" not in LIVE.model_dump_json()
    assert FrontendConfig.model_validate_json(SLIDING.model_dump_json()) == SLIDING
    assert "#define SCN_FRONTEND_SLIDE 2" in render_frontend(make_tables(SLIDING))["scn_frontend_tables.h"]
    assert f"#define SCN_FRONTEND_SLIDE {LIVE.frames}" in render_frontend(make_tables(LIVE))["scn_frontend_tables.h"]


@pytest.mark.parametrize(("grid", "slide"), [("clip", 1), ("continuous", LIVE.frames + 1), ("continuous", 0)])
def test_an_impossible_slide_is_refused(grid: str, slide: int) -> None:
    with pytest.raises(ValueError, match="slide"):
        FrontendConfig.model_validate(LIVE.model_dump() | {"grid": grid, "slide": slide})


def test_training_reads_overlapping_windows(tmp_path: Path) -> None:
    samples = noise(8000) >> 1
    soundfile.write(tmp_path / "a.wav", samples << 8, 8000, "PCM_24")
    clip = Clip(tmp_path / "a.wav", "x", "a")
    features, owners = cached_features([clip], SLIDING, tmp_path / "cache")
    assert np.array_equal(features, native.Frontend(make_tables(SLIDING)).recording(samples))
    assert len(features) == len(owners) == 1 + (8000 - SLIDING.clip_samples) // 400


def test_grids_differ_where_the_clip_begins() -> None:
    clip = varied(FrontendConfig(), 11)[1:4]
    centred = fixed_point.features(clip, make_tables(FrontendConfig()))
    live = fixed_point.features(clip, make_tables(FrontendConfig(grid="continuous")))
    assert centred.shape[2] == 8
    assert live.shape[2] == 6
    # Centred frame 1 starts at the clip's first sample, as the continuous grid's frame 0 does.
    assert np.array_equal(centred[:, :, 1:7], live)
