"""The NumPy model against the specification, and the C against the NumPy model."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from itertools import pairwise

import librosa
import numpy as np
import pytest
from frontend_inputs import CONFIGS, extremes, varied
from frontend_specification import half_up, levels
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.config.recipe import FrontendConfig
from scenelet.errors import AudioError
from scenelet.frontend import fixed_point, native
from scenelet.frontend.tables import make_tables


def window_of(config: FrontendConfig) -> list[int]:
    """The window from librosa, in the Q format that the specification's table gives for each size."""
    bits = {256: 27, 512: 27, 1024: 26, 2048: 26, 4096: 25}[config.n_fft]
    curve = librosa.filters.get_window(config.window, config.window_samples, fftbins=True)
    return [half_up(x * 2**bits) for x in librosa.util.pad_center(curve, size=config.n_fft)]


def segments_of(config: FrontendConfig) -> list[list[tuple[int, int]]]:
    edges = librosa.mel_frequencies(config.n_mels + 2, fmin=config.fmin, fmax=config.top_frequency)
    segments: list[list[tuple[int, int]]] = [[] for _ in range(config.n_mels + 2)]
    for b in range(config.n_fft // 2):
        f = b * config.sample_rate / config.n_fft
        for m, (low, high) in enumerate(pairwise(edges)):
            if low <= f < high:
                weight = half_up((f - low) / (high - low) * 65536)
                # A weight of 1 is a weight of 0 on the next slope.
                segments[m + weight // 65536].append((b, weight % 65536))
    return segments[:-1]


@pytest.mark.parametrize(
    "name", ["default", "hamming", "512", "1024", "4096", "more bands than bins", "2048 odd window"]
)
def test_model_is_the_specification(name: str) -> None:
    config = CONFIGS[name]
    tables = make_tables(config)
    windows = np.concatenate([extremes(config)[[1, 3, 8, 12]], varied(config, 60)])
    frames = fixed_point.frames_of(windows, tables)[:, config.frames // 2]
    window, segments = window_of(config), segments_of(config)
    wanted = [levels(frame.tolist(), window, config.sample_bits, segments) for frame in frames]
    assert np.array_equal(fixed_point.frame_levels(frames, tables) + tables.base, wanted)


def test_c_equals_model(config: FrontendConfig) -> None:
    tables = make_tables(config)
    windows = np.concatenate([extremes(config), varied(config)])
    frames = fixed_point.frames_of(windows, tables).reshape(-1, config.n_fft)
    assert np.array_equal(native.Frontend(tables).frame_levels(frames), fixed_point.frame_levels(frames, tables))
    compact = native.Frontend(tables, form="compact").frame_levels(frames)
    assert np.array_equal(compact, fixed_point.frame_levels(frames, tables))
    wanted = fixed_point.features(windows, tables)
    assert np.array_equal(native.features(windows, tables), wanted)
    assert wanted.min() == -128  # silence is among them
    assert wanted.max() > 0


@settings(max_examples=60, deadline=None)
@given(
    n_fft=st.sampled_from([256, 512, 1024, 2048, 4096]),
    bits=st.sampled_from([16, 24]),
    seed=st.integers(0, 2**32 - 1),
    shift=st.integers(0, 23),
    data=st.data(),
)
def test_c_equals_model_for_any_settings(n_fft: int, bits: int, seed: int, shift: int, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from([8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000]))
    fmin = data.draw(st.sampled_from([0.0, 20.0, 333.3]))
    config = FrontendConfig(
        sample_rate=rate,
        n_fft=n_fft,
        win_length=data.draw(st.integers(16, n_fft)),
        hop_length=data.draw(st.integers(max(16, n_fft // 8), n_fft)),
        n_mels=data.draw(st.integers(16, 256)),
        fmin=fmin,
        fmax=data.draw(st.floats(fmin + 200, rate / 2)),
        window=data.draw(st.sampled_from(["hann", "hamming"])),
        grid=data.draw(st.sampled_from(["clip", "continuous"])),
        sample_bits=bits,
        mel_scale=data.draw(st.sampled_from(["slaney", "htk"])),
        mel_norm=data.draw(st.sampled_from(["slaney", "none"])),
    )
    tables = make_tables(config)
    rng = np.random.default_rng(seed)
    full = 1 << (bits - 1)
    windows = rng.integers(-full, full, (2, config.clip_samples), np.int32) >> min(shift, bits - 1)
    frames = fixed_point.frames_of(windows, tables)[:, :3].reshape(-1, n_fft)
    assert np.array_equal(native.Frontend(tables).frame_levels(frames), fixed_point.frame_levels(frames, tables))
    assert np.array_equal(native.features(windows, tables), fixed_point.features(windows, tables))


def test_16_bits_in_24_are_the_same_features() -> None:
    narrow, broad = FrontendConfig(sample_bits=16), FrontendConfig(sample_bits=24)
    windows = np.concatenate([varied(narrow), extremes(narrow)[4:]])
    narrow_levels = fixed_point.log_mel_q16(windows, make_tables(narrow))
    assert np.array_equal(narrow_levels, fixed_point.log_mel_q16(windows << 8, make_tables(broad)))


def test_features_follow_from_levels() -> None:
    config = FrontendConfig(lo_db=-70, hi_db=10)
    tables = make_tables(config)
    windows = varied(config)
    decibels = fixed_point.log_mel_q16(windows, tables) * (10 * math.log10(2) / 65536)
    wanted = np.clip(np.floor((decibels + 70) / 80 * 255 + 0.5) - 128, -128, 127)
    steps = np.abs(fixed_point.features(windows, tables) - wanted)
    assert steps.max() <= 1
    assert np.mean(steps > 0) < 1e-3


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["-O0", "-O3", "-Os"])
def test_every_build_gives_the_same_bits(compiler: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    native._library.cache_clear()
    config = CONFIGS["512"]
    tables = make_tables(config)
    windows = np.concatenate([extremes(config), varied(config, 20)])
    got = native.Frontend(tables, (level,)).features(windows)
    native._library.cache_clear()
    assert np.array_equal(got, fixed_point.features(windows, tables))


_SANITIZED = """
import numpy as np
from frontend_inputs import CONFIGS, extremes
from scenelet.frontend import fixed_point, native
from scenelet.frontend.tables import make_tables
flags = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
for config in CONFIGS.values():
    tables = make_tables(config)
    windows = extremes(config)
    assert np.array_equal(native.Frontend(tables, flags).features(windows), fixed_point.features(windows, tables))
print("clean")
"""


@pytest.mark.sweep
def test_sanitizers_find_nothing() -> None:
    runtime = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = {
        **os.environ,
        "CC": "gcc",
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]),
    }
    # NumPy's own allocations are outside the sanitizer's sight, so what the C reads beyond them is found only where
    # it leaves the heap's red zones: malloc is the sanitizer's in this process.
    done = subprocess.run(
        [sys.executable, "-c", _SANITIZED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "clean"


@pytest.mark.parametrize("features", [fixed_point.features, native.features, fixed_point.log_mel_q16])
@pytest.mark.parametrize(
    ("windows", "complaint"),
    [
        (np.zeros((2, 8000), np.float32), "float32"),
        (np.zeros((2, 7999), np.int32), r"\(2, 7999\)"),
        (np.zeros(8000, np.int32), r"\(8000,\)"),
        (np.full((1, 8000), 1 << 23, np.int32), "24 bits"),
        (np.full((1, 8000), -(1 << 23) - 1, np.int32), "24 bits"),
    ],
)
def test_unusable_windows_are_refused(features: object, windows: np.ndarray, complaint: str) -> None:
    with pytest.raises(AudioError, match=complaint):
        features(windows, make_tables(FrontendConfig()))  # type: ignore[operator]


@pytest.mark.parametrize("features", [fixed_point.features, native.features])
def test_no_window_gives_no_features(features: object) -> None:
    config = FrontendConfig()
    empty = features(np.zeros((0, 8000), np.int32), make_tables(config))  # type: ignore[operator]
    assert empty.shape == (0, config.n_mels, config.frames)
