from __future__ import annotations

import math

import librosa
import numpy as np
import pytest

from scenelet.config.recipe import FrontendConfig
from scenelet.errors import InputError, RecipeError
from scenelet.frontend import fixed_point, mel, native
from scenelet.frontend.flash_tables import device_tables
from scenelet.frontend.tables import make_tables


def test_band_edges_are_librosas(config: FrontendConfig) -> None:
    htk = config.mel_scale == "htk"
    wanted = librosa.mel_frequencies(config.n_mels + 2, fmin=config.fmin, fmax=config.top_frequency, htk=htk)
    np.testing.assert_allclose(mel.band_edges(config), wanted, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
def test_htk_bands_of_peak_1_are_torchaudios(rate: int) -> None:
    """The definition of torchaudio.functional.melscale_fbanks with its defaults: HTK's scale, no norm."""
    config = FrontendConfig(sample_rate=rate, n_fft=1024, n_mels=40, mel_scale="htk", mel_norm="none")
    frequencies = np.linspace(0, rate // 2, config.n_fft // 2 + 1)
    top = 2595 * math.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, config.n_mels + 2) / 2595) - 1)
    slopes = edges[:, None] - frequencies
    down, up = -slopes[:-2] / np.diff(edges)[:-1, None], slopes[2:] / np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(down, up))
    power = np.random.default_rng(0).exponential(size=frequencies.size)
    parts, rise = mel.segments(config), np.zeros(frequencies.size)
    ends = parts.first_bin + np.cumsum(np.append(0, parts.bins))
    rise[ends[0] : ends[-1]] = parts.rise
    bands = [
        power[ends[m] : ends[m + 1]] @ rise[ends[m] : ends[m + 1]]
        + power[ends[m + 1] : ends[m + 2]] @ (1 - rise[ends[m + 1] : ends[m + 2]])
        for m in range(config.n_mels)
    ]
    np.testing.assert_allclose(bands, filters @ power, rtol=2.0**-15)  # a weight of nearly 1 is taken as 1
    assert not mel.norm_log2(config).any()


@pytest.mark.parametrize(("unit", "db"), [("db", 1.0), ("log10", 10.0), ("ln", 10 / math.log(10))])
def test_a_range_in_another_unit_is_the_same_front_end(unit: str, db: float) -> None:
    plain = make_tables(FrontendConfig(lo_db=-6.0 * db, hi_db=2.0 * db))
    other = make_tables(FrontendConfig(lo_db=-6.0, hi_db=2.0, log_unit=unit))
    assert plain.sha256 == other.sha256


def test_settings_of_before_keep_their_hash() -> None:
    assert FrontendConfig().sha256 == FrontendConfig(mel_scale="slaney", mel_norm="slaney", log_unit="db").sha256
    assert FrontendConfig().sha256 != FrontendConfig(mel_scale="htk").sha256


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_weights_are_librosas_filters(config: FrontendConfig) -> None:
    tables = make_tables(config)
    filters = librosa.filters.mel(
        sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.fmin, fmax=config.top_frequency,
        htk=config.mel_scale == "htk", norm=None, dtype=np.float64,
    )  # fmt: skip
    ends = tables.first_bin + np.cumsum(np.append(0, tables.bins.astype(int)))
    rebuilt = np.zeros_like(filters)
    weight = np.zeros(config.n_fft // 2 + 1)
    weight[ends[0] : ends[-1]] = tables.weight / 65536
    for band in range(config.n_mels):
        rising, falling = slice(ends[band], ends[band + 1]), slice(ends[band + 1], ends[band + 2])
        rebuilt[band, rising] = weight[rising]
        rebuilt[band, falling] = 1 - weight[falling]
    assert np.abs(rebuilt - filters).max() <= 0.5 / 65536 + 1e-9


def test_window_is_librosas(config: FrontendConfig) -> None:
    tables = make_tables(config)
    curve = librosa.filters.get_window(config.window, config.window_samples, fftbins=True)
    wanted = librosa.util.pad_center(curve, size=config.n_fft)
    assert tables.full_window.shape == (config.n_fft,)
    assert np.abs(tables.full_window / 2.0**tables.window_bits - wanted).max() <= 0.5000001 / 2**tables.window_bits


def test_int8_range_is_the_recipes() -> None:
    config = FrontendConfig(lo_db=-50.0, hi_db=10.0)
    tables = make_tables(config)
    for decibels, wanted in ((-50, -128), (10, 127), (-20, 0), (-80, -128), (30, 127)):
        level = round(decibels / (10 * math.log10(2)) * 65536) - tables.norm - tables.base.astype(np.int64)
        q = np.clip(((level * int(tables.gain[0]) + 2**31) >> 32) - 128, tables.floor[0], 127)
        # -20 dB is step 127.5 exactly; 65536ths of log2 land on either side.
        assert np.all((q == wanted) | (q == wanted - (decibels == -20)))


def test_network_input_is_folded_in() -> None:
    config = FrontendConfig()
    windows = np.random.default_rng(0).integers(-9999, 9999, (4, 8000), np.int32)
    plain = fixed_point.features(windows, make_tables(config)).astype(int)
    # Twice the scale and a zero point of 10: x = q / 64 = (q' - 10) / 32.
    folded = fixed_point.features(windows, make_tables(config, 1 / 32, 10)).astype(int)
    assert np.abs(folded - np.clip(plain / 2 + 10, -128, 127)).max() <= 1
    assert np.array_equal(folded, native.features(windows, make_tables(config, 1 / 32, 10)))


def test_floor_is_the_power_that_librosa_clamps_at() -> None:
    config = FrontendConfig(lo_db=-110.0, hi_db=0.0)
    silence = np.zeros((1, 8000), np.int32)
    wanted = round(10 / 110 * 255) - 128
    for features in (fixed_point.features, native.features):
        assert np.all(features(silence, make_tables(config)) == wanted)


def test_hash_tells_settings_apart_and_is_stable() -> None:
    base = make_tables(FrontendConfig())
    others = [
        make_tables(FrontendConfig(**change))
        for change in (
            {"sample_bits": 16}, {"grid": "continuous"}, {"hop_length": 512}, {"lo_db": -61.0}, {"fmin": 10.0},
            {"window": "hamming"}, {"clip_seconds": 2.0}, {"n_mels": 64},
        )
    ]  # fmt: skip
    others += [make_tables(FrontendConfig(), 1 / 32), make_tables(FrontendConfig(), 1 / 64, 1)]
    assert len({tables.sha256 for tables in (base, *others)}) == 1 + len(others)
    assert base.sha256 == make_tables(FrontendConfig(fmax=4000.0, win_length=2048)).sha256


def test_memory_of_the_default() -> None:
    tables = make_tables(FrontendConfig())
    assert tables.table_bytes <= 9300
    assert tables.work_bytes == 8192


def test_a_compact_form_is_never_larger(config: FrontendConfig) -> None:
    tables = make_tables(config)
    fast, compact = (device_tables(tables, form) for form in ("fast", "compact"))
    assert fast.table_bytes == tables.table_bytes
    assert compact.table_bytes <= fast.table_bytes
    whole = config.window_samples == config.n_fft
    assert (compact.computed is not None) == whole == (compact.table_bytes < fast.table_bytes)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(InputError, match="fast, compact, auto"):
        device_tables(make_tables(FrontendConfig()), "tiny")


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_tables(FrontendConfig()).window[0] = 1


@pytest.mark.parametrize(
    ("change", "scale", "zero_point", "complaint"),
    [
        ({"lo_db": -2000.0}, 1 / 64, 0, "lo_db"),
        ({"hi_db": 2000.0}, 1 / 64, 0, "hi_db"),
        ({"lo_db": 0.0, "hi_db": 0.01}, 1 / 64, 0, "hi_db"),
        ({}, 1.0, 0, "scale 1 "),
        ({}, 1 / 64, 200, "zero point 200"),
        ({"fmin": 100.0, "fmax": 100.5}, 1 / 64, 0, "no FFT bin"),
    ],
)
def test_impossible_settings_are_refused(
    change: dict[str, float], scale: float, zero_point: int, complaint: str
) -> None:
    with pytest.raises(RecipeError, match=complaint):
        make_tables(FrontendConfig(**change), scale, zero_point)
