from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.core.notes import InputNote
from scenelet.data.audio import read_audio
from scenelet.errors import AudioError

RATE = 8000
FRAMES = 20_000
BLOCK = 4096


@pytest.fixture(scope="module", params=["PCM_16", "PCM_24"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("flac") / "a.flac"
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, (FRAMES, 2))
    soundfile.write(path, noise, RATE, subtype=request.param)
    return path.read_bytes()


def stating(content: bytes, frames: int | None = None, *, md5: bool = True, rate: int = RATE) -> bytes:
    """The file with another number of samples or sample rate in its header, and without its checksum."""
    fields = int.from_bytes(content[18:26], "big")
    frames = fields & ((1 << 36) - 1) if frames is None else frames
    fields = rate << 44 | fields & (0xFF << 36) | frames
    return content[:18] + fields.to_bytes(8, "big") + (content[26:42] if md5 else bytes(16)) + content[42:]


def frame_starts(content: bytes) -> list[int]:
    """Where the frames begin; the fixed first bytes of a frame differ in the number of the frame alone."""
    first = content.index(b"\xff\xf8")
    sync = content[first : first + 3]
    starts = [first]
    while (at := content.find(sync, starts[-1] + 4)) >= 0 or len(starts) < 5:
        if at < 0:  # the last block has another size
            at = content.find(b"\xff\xf8", starts[-1] + 4)
        starts.append(at)
    return starts


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refuse(path: Path, told: str) -> None:
    with pytest.raises(AudioError, match=told) as caught:
        read_audio(path, RATE)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("md5", [True, False])
def test_a_streamed_file_is_read_whole_with_a_note(good: bytes, tmp_path: Path, md5: bool) -> None:
    samples = read_audio(save(tmp_path / "a.flac", good), RATE)
    streamed = save(tmp_path / "b.flac", stating(good, 0, md5=md5))
    with pytest.warns(InputNote, match="does not state how many samples; all 20,000 that the file holds"):
        np.testing.assert_array_equal(read_audio(streamed, RATE), samples)


@pytest.mark.parametrize("frames", [1, FRAMES - 1, FRAMES + 1, FRAMES * 2])
def test_a_wrong_number_of_samples(good: bytes, tmp_path: Path, frames: int) -> None:
    refuse(save(tmp_path / "a.flac", stating(good, frames, md5=False)), "damaged|truncated|not readable")
    path = save(tmp_path / "b.flac", stating(good, frames))
    if frames < FRAMES:
        refuse(path, "checksum")
        return
    with pytest.warns(InputNote, match=f"states {frames:,} samples; all 20,000"):
        assert read_audio(path, RATE).size == FRAMES


def test_samples_that_do_not_fit_the_checksum(good: bytes, tmp_path: Path) -> None:
    refuse(save(tmp_path / "a.flac", good[:30] + bytes([good[30] ^ 1]) + good[31:]), "checksum of its 20,000 samples")


@pytest.mark.parametrize("short", [1, 2, 100, 5000])
def test_a_streamed_file_that_ends_inside_a_frame(good: bytes, tmp_path: Path, short: int) -> None:
    refuse(save(tmp_path / "a.flac", stating(good, 0, md5=False)[:-short]), "truncated|not readable")


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_a_streamed_file_without_one_of_its_frames(good: bytes, tmp_path: Path, missing: int) -> None:
    starts = frame_starts(good)
    assert len(starts) == 5
    cut = good[: starts[missing]] + good[starts[missing + 1] :]
    refuse(save(tmp_path / "a.flac", stating(cut, 0, md5=False)), "damaged")


def test_a_streamed_file_that_ends_between_two_frames_is_what_it_is(good: bytes, tmp_path: Path) -> None:
    cut = stating(good, 0, md5=False)[: frame_starts(good)[3]]
    with pytest.warns(InputNote, match="all 12,288 that the file holds"):
        assert read_audio(save(tmp_path / "a.flac", cut), RATE).size == 3 * BLOCK


def test_a_sample_rate_that_the_frames_do_not_have(good: bytes, tmp_path: Path) -> None:
    refuse(save(tmp_path / "a.flac", stating(good, rate=12_000)), "states 12,000 Hz, the first frame 8,000 Hz")


@pytest.mark.parametrize(("bits", "told"), [(8, "8-bit"), (12, "of 12 bits"), (20, "of 20 bits"), (32, "of 32 bits")])
def test_other_widths_are_named(good: bytes, tmp_path: Path, bits: int, told: str) -> None:
    fields = int.from_bytes(good[18:26], "big") & ~(31 << 36) | (bits - 1) << 36
    refuse(save(tmp_path / "a.flac", good[:18] + fields.to_bytes(8, "big") + good[26:]), told)


def test_a_file_without_its_header(good: bytes, tmp_path: Path) -> None:
    refuse(save(tmp_path / "a.flac", b"fLaC" + good[42:]), "does not begin with its STREAMINFO block")
