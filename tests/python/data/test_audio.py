from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.data import audio, decoding
from scenelet.data.audio import read_audio, windows
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


def test_chunks_around_the_samples_are_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.arange(8) / FULL)
    content = path.read_bytes()
    odd = b"note" + struct.pack("<I", 3) + b"abc\0"
    riff = content[12:36] + odd + content[36:] + odd
    path.write_bytes(b"RIFF" + struct.pack("<I", len(riff) + 4) + b"WAVE" + riff)
    np.testing.assert_array_equal(read_audio(path, RATE), np.arange(8))


def test_rf64_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.arange(50) / FULL, format="RF64")
    np.testing.assert_array_equal(read_audio(path, RATE), np.arange(50))


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


def test_truncated_wav_names_both_lengths(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(1000))
    path.write_bytes(path.read_bytes()[:2044])
    refuse(path, "truncated", "3,000 bytes", "2,000")


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.flac"])
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9, 0.999])
def test_files_cut_off_anywhere_are_refused(tmp_path: Path, name: str, kept: float) -> None:
    subtype = "VORBIS" if name == "a.ogg" else "PCM_16"
    path = write(tmp_path / name, np.random.default_rng(3).uniform(-0.5, 0.5, 60_000), subtype, 44100)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    refuse(path)


def test_ogg_that_ends_between_two_pages(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", np.random.default_rng(3).uniform(-0.5, 0.5, 200_000), "VORBIS", 44100)
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS")])
    refuse(path, "truncated")


def test_truncated_rf64(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros(1000), format="RF64")
    path.write_bytes(path.read_bytes()[:-100])
    refuse(path, "truncated")


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


@pytest.mark.parametrize(("format_", "subtype"), [("AIFF", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_other_formats_are_named(tmp_path: Path, format_: str, subtype: str) -> None:
    path = tmp_path / f"a.{format_.lower()}"
    refuse(write(path, np.zeros(9000), subtype, format=format_), "are not read", "convert")


def test_text_that_is_called_wav(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("filename,fold\n")
    refuse(path, "not readable as audio")


@pytest.fixture(scope="module")
def short_wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    return write(path, tone(440, 44100, 0.01), "PCM_16", 44100).read_bytes()


fuzz = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(data=st.data())
def test_a_wav_cut_at_any_byte_is_refused(short_wav: bytes, tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(short_wav[: data.draw(st.integers(0, len(short_wav) - 1))])
    refuse(path)


@fuzz
@given(at=st.integers(0, 59), value=st.integers(0, 255))
def test_a_damaged_header_is_read_or_refused(short_wav: bytes, tmp_path: Path, at: int, value: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(short_wav[:at] + bytes([value]) + short_wav[at + 1 :])
    samples = np.zeros(1)
    with contextlib.suppress(AudioError):
        samples = read_audio(path, RATE)
    assert samples.size
    assert samples.min() >= -FULL
    assert samples.max() < FULL


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
