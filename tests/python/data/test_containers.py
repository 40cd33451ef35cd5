from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.core.notes import InputNote
from scenelet.data.audio import read_audio
from scenelet.errors import AudioError

RATE = 8000
READ = {
    *((container, width) for container in ("WAV", "WAVEX", "RF64") for width in ("PCM_16", "PCM_24", "PCM_32")),
    *((container, width) for container in ("WAV", "WAVEX", "RF64") for width in ("FLOAT", "DOUBLE")),
    *(("FLAC", width) for width in ("PCM_16", "PCM_24")),
    *(("OGG", codec) for codec in ("VORBIS", "OPUS")),
}
UNNAMED = ("HTK", "MAT4", "RAW", "SD2")  # their files begin with no mark
# Listed, but this libsndfile has no encoder: MPEG layers I and II, and MP3 at this rate inside WAV.
UNWRITABLE = {("MP3", "MPEG_LAYER_I"), ("MP3", "MPEG_LAYER_II"), ("WAV", "MPEG_LAYER_III")}
EVERY = [
    (container, subtype)
    for container in soundfile.available_formats()
    for subtype in soundfile.available_subtypes(container)
    if (container, subtype) not in UNWRITABLE
]

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sound(frames: int, channels: int = 1) -> np.ndarray:
    time = np.arange(frames)[:, np.newaxis] * np.arange(1, channels + 1)
    noise = np.random.default_rng(4).normal(0, 0.02, (frames, channels))
    return 0.4 * np.sin(time * 0.05) + noise


def written(path: Path, container: str, subtype: str, channels: int = 1, frames: int = 4000) -> Path:
    soundfile.write(path, sound(frames, channels), RATE, format=container, subtype=subtype)
    return path


def expected(path: Path) -> np.ndarray:
    """What soundfile reads in one piece, as 24-bit integers."""
    values = soundfile.read(path, always_2d=True)[0].mean(axis=1) * (1 << 23)
    return np.clip(np.copysign(np.floor(np.abs(values) + 0.5), values), -(1 << 23), (1 << 23) - 1)


def read_or_refuse(path: Path) -> tuple[np.ndarray, bool] | None:
    """Samples, and whether a note came with them; None for an error that is one line and names the file."""
    refused: AudioError | None = None
    samples = np.zeros(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            samples = read_audio(path, RATE)
        except AudioError as error:
            refused = error
    assert all(issubclass(one.category, InputNote) for one in caught)
    if refused is None:
        return samples, bool(caught)
    assert str(refused).startswith(f"{path}: ")
    assert "\n" not in str(refused)
    assert refused.remedy
    return None


@pytest.mark.parametrize(("container", "subtype"), EVERY)
def test_all_that_soundfile_writes_is_read_or_refused_by_name(tmp_path: Path, container: str, subtype: str) -> None:
    path = tmp_path / "a.wav"  # a name says nothing about the content
    if (container, subtype) not in READ:
        with contextlib.suppress(soundfile.LibsndfileError):  # for some, libsndfile writes the header alone
            written(path, container, subtype)
        assert path.stat().st_size
        with pytest.raises(AudioError) as caught:
            read_audio(path, RATE)
        problem = caught.value.problem
        assert "are not read" in problem or "8-bit" in problem or (container in UNNAMED and "begins with" in problem)
        return
    found = read_or_refuse(written(path, container, subtype))
    assert found
    assert not found[1]
    np.testing.assert_array_equal(found[0], expected(path))


@pytest.mark.parametrize("channels", [2, 3, 6])
@pytest.mark.parametrize(("container", "subtype"), sorted(READ))
def test_channels_are_averaged_in_every_format(tmp_path: Path, container: str, subtype: str, channels: int) -> None:
    path = written(tmp_path / "a", container, subtype, channels)
    np.testing.assert_array_equal(read_audio(path, RATE), expected(path))


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"RIFX\0\0\0\x10WAVEfmt ", "RIFX"),
        (b"ID3\x04\0\0\0\0\0\0fLaC", "ID3-tagged"),
        (b"\0\0\0\x20ftypM4A ", "MP4"),
        (b"\xff\xfb\x90\x44", "MP3"),
        (b"RIFF\x24\0\0\0AVI LIST", "RIFF files of type 'AVI'"),
        (b"RIFF\x24\0\0\0RMP3data", "RIFF files of type 'RMP3'"),
        (b"\x1a\x45\xdf\xa3\x9f", "Matroska"),
    ],
)
def test_foreign_files_are_named(tmp_path: Path, start: bytes, told: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(start + bytes(100))
    with pytest.raises(AudioError, match=f"{told}.* are not read"):
        read_audio(path, RATE)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, np.ndarray]]:
    """A file of every format that is read, and its samples."""
    folder, files = tmp_path_factory.mktemp("good"), []
    for number, (container, subtype) in enumerate(sorted(READ)):
        path = written(folder / f"{number}", container, subtype, 1 + number % 2, 601)
        files.append((path.read_bytes(), read_audio(path, RATE)))
    return files


@fuzz
@given(data=st.data())
def test_a_file_cut_at_any_byte_is_refused_or_gives_all_its_samples(
    good: list[tuple[bytes, np.ndarray]], tmp_path: Path, data: st.DataObject
) -> None:
    content, samples = data.draw(st.sampled_from(good))
    path = tmp_path / "a"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    found = read_or_refuse(path)
    if found:
        assert found[1], "without a note"
        np.testing.assert_array_equal(found[0], samples)


@fuzz
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    good: list[tuple[bytes, np.ndarray]], tmp_path: Path, data: st.DataObject
) -> None:
    content, _ = data.draw(st.sampled_from(good))
    at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 120))
    part = data.draw(st.binary(min_size=0, max_size=8))
    path = tmp_path / "a"
    path.write_bytes(content[:at] + part + content[at + data.draw(st.integers(0, 8)) :])
    found = read_or_refuse(path)
    if found:
        assert found[0].size
        assert -(1 << 23) <= found[0].min() <= found[0].max() < 1 << 23


@fuzz
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVE", b"OggS", b"fLaC\0\0\0\x22"]),
)
def test_any_bytes_are_refused_or_read(tmp_path: Path, content: bytes, start: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(start + content)
    read_or_refuse(path)
