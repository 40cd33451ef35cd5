"""The decimator: its response, its bits in NumPy and C, its cost, and that training can hear through it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.config.recipe import FrontendConfig
from scenelet.errors import InputError
from scenelet.frontend import decimator
from scenelet.frontend.capture import read_capture
from scenelet.frontend.decimator import CHAINS, CIC_RATE, PDM_RATE, cic, decimate
from scenelet.frontend.decimator_native import CIC_HEADER, HEADER, Cic, Decimator, render_cic_table, render_taps
from scenelet.frontend.on_target import probe_decimator
from scenelet.frontend.tables import make_tables

WAYS = list(CHAINS)
FULL = 1 << 23


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-FULL, FULL, count).astype(np.int32)


def tone(frequency: float, rate: int, seconds: float, level: float = 0.5) -> np.ndarray:
    wave = np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)
    return np.rint(wave * level * FULL).astype(np.int32)


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [*(way for way in WAYS if way[0] != CIC_RATE), (PDM_RATE, 8000), (PDM_RATE, 16000)]
)
def test_pass_band_and_stop_band(rate_in: int, rate_out: int) -> None:
    """3.4 and 4.6 kHz for 8 kHz, twice that for 16 kHz."""
    frequency = np.linspace(0, rate_in / 2, 20_001)
    level = 20 * np.log10(np.maximum(decimator.response(rate_in, rate_out, frequency), 1e-9))
    assert np.abs(level[frequency <= 0.425 * rate_out]).max() < 0.05
    assert level[frequency >= 0.575 * rate_out].max() < -70


@pytest.mark.parametrize(("rate_in", "rate_out"), WAYS)
def test_tones_pass_or_vanish(rate_in: int, rate_out: int) -> None:
    """The integers themselves, not the design: level of a tone at the edges of both bands."""
    edge = np.array([0.42 * rate_out])
    # Behind the CIC, what comes is weaker by the CIC's droop, and the chain lifts it.
    droop = float(np.abs(np.sin(np.pi * edge / CIC_RATE) / (16 * np.sin(np.pi * edge / PDM_RATE)))[0] ** 5)
    kept = decimate(tone(edge[0], rate_in, 0.25, 0.5 * (droop if rate_in == CIC_RATE else 1)), rate_in, rate_out)[400:]
    assert abs(20 * np.log10(np.sqrt(2 * np.mean((kept / FULL) ** 2)) / 0.5)) < 0.05
    gone = decimate(tone(0.58 * rate_out, rate_in, 0.25), rate_in, rate_out)[400:]
    assert np.sqrt(2 * np.mean((gone / FULL) ** 2)) / 0.5 < 10 ** (-70 / 20)


@pytest.mark.parametrize("flags", [(), ("-O0", "-fsanitize=undefined", "-fno-sanitize-recover=all")])
@pytest.mark.parametrize(("rate_in", "rate_out"), WAYS)
def test_c_gives_the_same_bits(rate_in: int, rate_out: int, flags: tuple[str, ...]) -> None:
    loud = np.where(noise(5000) > 0, FULL - 1, -FULL).astype(np.int32)
    for samples in (noise(5000), noise(4999, 1) >> 12, loud, np.zeros(300, np.int32), noise(1)):
        assert np.array_equal(
            Decimator(rate_in, rate_out, flags=flags).push(samples), decimate(samples, rate_in, rate_out)
        )


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WAYS), st.lists(st.integers(0, 700), min_size=1, max_size=12), st.integers(0, 99))
def test_blocks_of_any_size_lose_and_double_nothing(way: tuple[int, int], sizes: list[int], seed: int) -> None:
    samples = noise(sum(sizes), seed)
    stream, edges = Decimator(*way), np.cumsum([0, *sizes])
    pieces = [stream.push(samples[one:other]) for one, other in pairwise(edges)]
    assert np.array_equal(np.concatenate(pieces), decimate(samples, *way))


def pdm(count: int, seed: int = 0) -> np.ndarray:
    """Words of bits at random."""
    return np.random.default_rng(seed).integers(0, 1 << 16, count).astype(np.uint16)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=8), st.integers(0, 99))
def test_pdm_in_blocks_of_any_size(sizes: list[int], seed: int) -> None:
    words, edges, stream = pdm(sum(sizes), seed), np.cumsum([0, *sizes]), Cic(("-fsanitize=undefined",))
    pieces = [stream.push(words[one:other]) for one, other in pairwise(edges)]
    assert np.array_equal(np.concatenate(pieces), cic(words))


def integrated(words: np.ndarray) -> np.ndarray:
    """Five integrators, every 16th sum, five combs, modulo 2^32: Hogenauer's structure, from silence on."""
    idle = np.full(8, 0x5555, np.uint16)
    bits = np.unpackbits(np.concatenate([idle, words]).astype(">u2").view(np.uint8)).astype(np.uint32) * 2 - 1
    for _ in range(5):
        bits = np.cumsum(bits, dtype=np.uint32)
    kept = bits[15::16]
    for _ in range(5):
        kept = np.diff(kept, prepend=np.uint32(0))
    return np.clip(kept.view(np.int32).astype(np.int64)[idle.size :] << 3, -FULL, FULL - 1)


def test_the_table_is_a_cic() -> None:
    words = pdm(3000, 3)
    words[1000:1200] = 0xFFFF
    assert np.array_equal(Cic().push(words), integrated(words))


@pytest.mark.parametrize(("word", "level"), [(0xFFFF, FULL - 1), (0x0000, -FULL), (0x5555, 0)])
def test_constant_pdm_is_constant(word: int, level: int) -> None:
    assert (Cic().push(np.full(500, word, np.uint16))[5:] == level).all()
    assert (Cic().push(np.full(5, 0x5555, np.uint16)) == 0).all()


def test_two_ways_one_behind_the_other() -> None:
    """A PDM microphone in front of a model whose training heard 16 kHz."""
    samples = noise(20_000, 9)
    sixteen = decimate(samples, CIC_RATE, 16_000)
    assert np.array_equal(Decimator(CIC_RATE, 16_000, 8000).push(samples), decimate(sixteen, 16_000, 8000))


def test_a_pdm_tone_comes_back() -> None:
    """A second-order modulator's bit stream, through CIC and filters, is the tone that went in, up to 80 dB below."""
    rate, frequency, level = 8000, 1000.0, 0.25
    wave = level * np.sin(2 * np.pi * frequency * np.arange(PDM_RATE // 4) / PDM_RATE)
    bits, one, two = np.empty(wave.size, np.uint8), 0.0, 0.0
    for i, value in enumerate(wave.tolist()):
        bit = 1.0 if two >= 0 else -1.0
        one += value - bit
        two += one - 2 * bit
        bits[i] = bit > 0
    got = decimate(cic(np.packbits(bits).view(">u2").astype(np.uint16)), CIC_RATE, rate)[400:] / FULL
    angle = 2 * np.pi * frequency * np.arange(got.size) / rate
    basis = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    found = np.linalg.lstsq(basis, got, rcond=None)[0]
    assert abs(20 * np.log10(np.hypot(*found) / level)) < 0.05
    assert np.std(got - basis @ found) < level * 1e-4


@pytest.mark.qemu
@pytest.mark.parametrize(("way", "flags"), [((48_000, 8000), ()), ((48_000, 16_000), ()), ((16_000, 8000), ("-O0",))])
def test_the_emulated_board_gives_the_same_bits(way: tuple[int, int], flags: tuple[str, ...]) -> None:
    samples = noise(3001, 5)
    got, _ = probe_decimator(samples.astype("<i4").tobytes(), *way, flags)
    assert np.array_equal(got, decimate(samples, *way))


@pytest.mark.qemu
def test_pdm_on_the_emulated_board_and_its_cost() -> None:
    words = pdm(6400, 1)  # 0.1 s
    got, count = probe_decimator(words.astype("<u2").tobytes(), PDM_RATE, 8000)
    assert np.array_equal(got, decimate(cic(words), CIC_RATE, 8000))
    assert 10 * count < 11_500_000, "7 % of 168 MHz"


@pytest.mark.qemu
def test_one_second_from_16_khz_costs_half_a_hundredth_of_168_mhz() -> None:
    _, count = probe_decimator(noise(16_000).astype("<i4").tobytes(), 16_000, 8000)
    assert 16_000 < count < 840_000


def test_the_committed_taps_are_the_designs() -> None:
    assert HEADER.read_text("utf-8") == render_taps()
    assert CIC_HEADER.read_text("utf-8") == render_cic_table()


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(InputError, match="decimation from 44100 to 8000 Hz: is not specified; choose one of: 16000 to"):
        Decimator(44_100, 8000)


def test_the_default_front_end_keeps_its_hashes() -> None:
    """A model made before there was a capture rate is still the same model."""
    config = FrontendConfig()
    assert "capture_rate" not in config.model_dump_json()
    assert config.sha256 == "6174a2785d688a5ad82c63c6f310bfa96c88393fb7da290fede6216cd9e37bfa"
    assert make_tables(config).sha256 == "d877c549d2686f0676e81b5be55d1f69fdbcfb5863eaa839ac46fb6600d023eb"


def test_a_capture_rate_is_part_of_the_hash_and_survives_json() -> None:
    config = FrontendConfig(capture_rate=16000)
    assert FrontendConfig.model_validate_json(config.model_dump_json()) == config
    assert config.sha256 != FrontendConfig().sha256
    assert make_tables(config).sha256 != make_tables(FrontendConfig()).sha256


def test_a_capture_rate_without_a_way_is_refused() -> None:
    with pytest.raises(ValueError, match="capture_rate 16000 does not lead to 16000 Hz"):
        FrontendConfig(sample_rate=16000, capture_rate=16000, n_fft=2048)


def test_training_hears_what_the_device_decimates(tmp_path: Path) -> None:
    samples = noise(16_000)
    soundfile.write(tmp_path / "a.wav", samples << 8, 16_000, "PCM_24")
    narrow = FrontendConfig(capture_rate=16000, sample_bits=16)
    heard = decimate(samples, 16_000, 8000)
    assert np.array_equal(read_capture(tmp_path / "a.wav", FrontendConfig(capture_rate=16000)), heard)
    rounded = np.clip((heard.astype(np.int64) + 128) >> 8, -32768, 32767)
    assert np.array_equal(read_capture(tmp_path / "a.wav", narrow), rounded)
