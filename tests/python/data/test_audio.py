from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.core.notes import InputNote
from scenelet.data import audio, decoding
from scenelet.data.audio import HIGHEST_RATE, LOWEST_RATE, read_audio, windows
from scenelet.errors import AudioError

RATE = 8000
FULL = 1 << 23


def write(path: Path, values: object, subtype: str = "PCM_24", rate: int = RATE, **more: str) -> Path:
    soundfile.write(path, np.asarray(values, float), rate, subtype=subtype, **more)
    return path


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_24_bit_samples_come_through_unchanged(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(-FULL, FULL, 1000)
    values[:4] = (-FULL, FULL - 1, 0, -1)
    samples = read_audio(write(tmp_path / "a.wav", values / FULL), RATE, 24)
    assert samples.dtype == np.int32
    np.testing.assert_array_equal(samples, values)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "PCM_16"), ("a.wav", "PCM_32"), ("a.wav", "FLOAT"), ("a.wav", "DOUBLE"), ("a.flac", "PCM_16")],
)
def test_16_bit_values_are_the_same_in_every_lossless_format(tmp_path: Path, name: str, subtype: str) -> None:
    values = np.array([-32768, -12345, -1, 0, 1, 2, 32767])
    samples = read_audio(write(tmp_path / name, values / 32768, subtype), RATE, 24)
    np.testing.assert_array_equal(samples, values * 256)


def test_halves_are_rounded_away_from_zero_and_the_top_saturates(tmp_path: Path) -> None:
    values = np.array([127, 128, 129, 384, -127, -128, -129, -384, FULL - 1, -FULL])
    samples = read_audio(write(tmp_path / "a.wav", values / FULL), RATE, 16)
    np.testing.assert_array_equal(samples, [0, 1, 1, 2, 0, -1, -1, -2, 32767, -32768])


def test_float_samples_beyond_full_scale_saturate(tmp_path: Path) -> None:
    samples = read_audio(write(tmp_path / "a.wav", [1.5, -1.5, 1.0, -1.0], "FLOAT"), RATE, 24)
    np.testing.assert_array_equal(samples, [FULL - 1, -FULL, FULL - 1, -FULL])


def test_channels_are_averaged_before_rounding(tmp_path: Path) -> None:
    values = np.array([[1000, -1000], [3, 0], [-3, 0], [5, 7]])
    samples = read_audio(write(tmp_path / "a.wav", values / FULL), RATE, 24)
    np.testing.assert_array_equal(samples, [0, 2, -2, 6])


@pytest.mark.parametrize(("frames", "expected"), [(44100, 8000), (220500, 40000), (22050, 4000)])
def test_length_after_resampling(tmp_path: Path, frames: int, expected: int) -> None:
    assert read_audio(write(tmp_path / "a.wav", np.zeros(frames), rate=44100), RATE).size == expected


def test_a_tone_keeps_level_and_phase_when_resampled(tmp_path: Path) -> None:
    samples = read_audio(write(tmp_path / "a.wav", tone(1000, 44100), rate=44100), RATE) / FULL
    inner = slice(500, -500)  # the filter sees silence beyond both ends
    assert np.abs(samples - tone(1000, RATE))[inner].max() < 1e-4


def test_nothing_above_half_the_sample_rate_folds_down(tmp_path: Path) -> None:
    samples = read_audio(write(tmp_path / "a.wav", tone(5000, 44100), rate=44100), RATE) / FULL
    assert np.abs(samples[500:-500]).max() < 0.5 * 10 ** (-90 / 20)


def test_ogg_is_read(tmp_path: Path) -> None:
    samples = read_audio(write(tmp_path / "a.ogg", tone(440, 44100), "VORBIS", 44100), RATE) / FULL
    assert samples.size == RATE
    assert np.corrcoef(samples, tone(440, RATE))[0, 1] > 0.99


def test_the_result_does_not_depend_on_the_block_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", np.random.default_rng(2).uniform(-0.9, 0.9, 50_000), rate=44100)
    whole = read_audio(path, RATE)
    monkeypatch.setattr(decoding, "BLOCK_VALUES", 997)
    np.testing.assert_array_equal(read_audio(path, RATE), whole)


@pytest.mark.parametrize(("name", "subtype"), [("a.ogg", "VORBIS"), ("a.ogg", "OPUS"), ("a.flac", "PCM_24")])
def test_a_decoder_gives_the_same_for_every_block_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, subtype: str
) -> None:
    path = write(tmp_path / name, np.random.default_rng(2).uniform(-0.9, 0.9, 50_000), subtype, 48000)
    whole = read_audio(path, 48000)
    monkeypatch.setattr(decoding, "BLOCK_VALUES", 997)
    np.testing.assert_array_equal(read_audio(path, 48000), whole)


@pytest.mark.parametrize("given", [0, 1, 99])
def test_a_block_holds_what_the_decoder_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    def read(_: soundfile.SoundFile, *, out: np.ndarray) -> np.ndarray:
        monkeypatch.setattr(soundfile.SoundFile, "read", lambda _, *, out: out[:0])
        out[:] = 0.5  # more than the decoder says that it gave
        return out[:given]

    path = write(tmp_path / "a.ogg", tone(440, RATE), "VORBIS")
    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    refuse(path, f"8,000 samples, the decoder gives {given}")


@pytest.mark.parametrize("rate", [LOWEST_RATE, 11_025, 767_999, HIGHEST_RATE])
def test_sample_rates_up_to_the_ends_of_the_range(tmp_path: Path, rate: int) -> None:
    assert read_audio(write(tmp_path / "a.wav", np.zeros(rate // 2), rate=rate), RATE).size == RATE // 2


def test_samples_far_beyond_full_scale_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", [100.0, -32768.0], "FLOAT")
    with pytest.warns(InputNote, match=r"a\.wav: samples reach 32,768 times full scale"):
        np.testing.assert_array_equal(read_audio(path, RATE, 24), [FULL - 1, -FULL])


# --- what does not ----------------------------------------------------------------------------------------------------


def refuse(path: Path, *told: str) -> None:
    with pytest.raises(AudioError) as caught:
        read_audio(path, RATE)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert caught.value.remedy
    assert caught.value.exit_status == 2
    for text in told:
        assert text in message


def test_missing_file(tmp_path: Path) -> None:
    refuse(tmp_path / "none.wav", "No such file")


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path / "a.wav", np.zeros(10))
    monkeypatch.setattr(Path, "open", deny)
    refuse(path, "Permission denied")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    refuse(tmp_path, "is a folder")


def test_file_of_no_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.touch()
    refuse(path, "empty")


def test_wav_without_samples(tmp_path: Path) -> None:
    refuse(write(tmp_path / "a.wav", []), "no samples")


def test_too_short_to_resample(tmp_path: Path) -> None:
    refuse(write(tmp_path / "a.wav", [0.5], rate=44100), "too short")


@pytest.mark.parametrize("rate", [1, 2, LOWEST_RATE - 1, HIGHEST_RATE + 1, 1_000_000_000])
def test_sample_rates_out_of_range_are_refused_before_anything_is_made(tmp_path: Path, rate: int) -> None:
    refuse(write(tmp_path / "a.wav", np.zeros(4000), rate=rate), f"a sample rate of {rate:,} Hz", "1,000 to 768,000 Hz")


def test_a_small_file_of_many_hours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "_MOST_SAMPLES", 480_000)
    path = write(tmp_path / "a.flac", np.zeros(60 * RATE), "PCM_16")
    assert read_audio(path, RATE).size == 480_000
    refuse(write(tmp_path / "a.flac", np.zeros(61 * RATE), "PCM_16"), "longer than 1 minutes", "8,000 Hz")


def test_samples_that_are_no_audio_are_named(tmp_path: Path) -> None:
    values = np.zeros((300, 2))
    values[123] = 1e300
    refuse(write(tmp_path / "a.wav", values, "DOUBLE"), "sample 123 is 1e+300 times full scale")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_named(tmp_path: Path, bad: float) -> None:
    values = np.zeros((300, 2))
    values[123, 1] = bad
    refuse(write(tmp_path / "a.wav", values, "FLOAT"), "sample 123 is not a finite number")


def test_position_of_a_bad_sample_counts_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK_VALUES", 100)
    values = np.zeros(300)
    values[250:] = np.nan
    refuse(write(tmp_path / "a.wav", values, "DOUBLE"), "sample 250 ")


@pytest.mark.parametrize(("name", "subtype"), [("a.wav", "PCM_U8"), ("a.wav", "ULAW"), ("a.flac", "PCM_S8")])
def test_8_bit_files(tmp_path: Path, name: str, subtype: str) -> None:
    refuse(write(tmp_path / name, np.zeros(10), subtype), "8-bit")


def test_text_that_is_called_wav(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("filename,fold\n")
    refuse(path, "not readable as audio")


def test_a_device_instead_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    refuse(path, "is no regular file")


# --- windows ----------------------------------------------------------------------------------------------------------


def test_windows_drop_the_rest() -> None:
    samples = np.arange(25, dtype=np.int32)
    np.testing.assert_array_equal(windows(samples, 10), [range(10), range(10, 20)])


def test_a_short_file_is_padded_to_one_window() -> None:
    padded = windows(np.array([1, 2, 3], np.int32), 5)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, [[1, 2, 3, 0, 0]])


def test_no_samples_make_no_window() -> None:
    with pytest.raises(AudioError, match="samples"):
        windows(np.zeros(0, np.int32), 5)
