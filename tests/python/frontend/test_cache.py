from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.config.recipe import FrontendConfig
from scenelet.core.notes import InputNote
from scenelet.data import audio
from scenelet.data.dataset import Clip
from scenelet.errors import AudioError, InputError
from scenelet.frontend import cache, fixed_point
from scenelet.frontend.cache import cached_features
from scenelet.frontend.tables import make_tables

CONFIG = FrontendConfig(n_fft=256, hop_length=128, n_mels=16)


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    made = []
    for number, seconds in enumerate((0.5, 1.0, 3.2, 2.0, 1.9)):
        wave = np.random.default_rng(number).uniform(-0.5, 0.5, int(seconds * 8000))
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, wave, 8000, subtype="PCM_24")
        made.append(Clip(path, "a", str(number // 2)))
    return made


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_SHARD_CLIPS", 2)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which files are read from now on."""
    seen: list[str] = []
    original = audio.read_audio

    def recording(path: Path, *rest: int, span: tuple[float, float] | None = None) -> np.ndarray:
        seen.append(path.name)
        return original(path, *rest, span=span)

    monkeypatch.setattr(audio, "read_audio", recording)
    return seen


def expected(clips: list[Clip]) -> np.ndarray:
    windows = [audio.windows(audio.read_audio(clip.path, 8000, 24), 8000) for clip in clips]
    return fixed_point.features(np.concatenate(windows), make_tables(CONFIG))


@pytest.mark.parametrize("jobs", [1, 3])
def test_features_and_owners(clips: list[Clip], tmp_path: Path, jobs: int) -> None:
    features, owners = cached_features(clips, CONFIG, tmp_path / "cache", jobs)
    assert isinstance(features, np.memmap)
    assert owners.tolist() == [0, 1, 2, 2, 2, 3, 3, 4]
    assert np.array_equal(features, expected(clips))


def test_second_call_reads_no_audio(clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = cached_features(clips, CONFIG, tmp_path / "cache")
    seen = reads(monkeypatch)
    second, _ = cached_features(clips, CONFIG, tmp_path / "cache")
    assert not seen
    assert np.array_equal(first, second)


def test_a_changed_file_is_read_again(clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached_features(clips, CONFIG, tmp_path / "cache")
    soundfile.write(clips[4].path, np.zeros(8000), 8000, subtype="PCM_24")
    seen = reads(monkeypatch)
    features, owners = cached_features(clips, CONFIG, tmp_path / "cache")
    assert seen == ["4.wav"]
    assert np.array_equal(features, expected(clips))
    assert owners[-1] == 4


def test_a_file_of_the_same_size_and_time_with_other_sound_is_read_again(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_features(clips, CONFIG, tmp_path / "cache")
    path, before = clips[1].path, clips[1].path.stat()
    soundfile.write(path, np.zeros(8000), 8000, subtype="PCM_24")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `rsync -t` or `cp -p` over the old one
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    seen = reads(monkeypatch)
    features, _ = cached_features(clips, CONFIG, tmp_path / "cache")
    assert seen == ["0.wav", "1.wav"]  # of one recording, and so of one shard
    assert np.array_equal(features, expected(clips))


def test_another_front_end_does_not_share(clips: list[Clip], tmp_path: Path) -> None:
    cached_features(clips, CONFIG, tmp_path / "cache")
    other = CONFIG.model_copy(update={"lo_db": -80.0})
    features, _ = cached_features(clips, other, tmp_path / "cache")
    assert not np.array_equal(features, expected(clips))


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
@pytest.mark.parametrize("pattern", ["*.npy", "*.json", "shards/*.npz"])
def test_damage_is_repaired(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, pattern: str
) -> None:
    folder = tmp_path / "cache"
    wanted = np.array(cached_features(clips, CONFIG, folder)[0])
    if pattern.startswith("shards"):
        for joined in folder.glob("*.json"):
            joined.unlink()
    victim = sorted(folder.glob(pattern))[0]
    content = bytearray(victim.read_bytes())
    if damage == "gone":
        victim.unlink()
    else:
        content[len(content) // 2] ^= 0x10
        victim.write_bytes({"cut": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    seen = reads(monkeypatch)
    assert np.array_equal(cached_features(clips, CONFIG, folder)[0], wanted)
    # Only the clips of a damaged shard are read again.
    assert len(seen) <= 2
    assert bool(seen) == pattern.startswith("shards")
    assert np.array_equal(cached_features(clips, CONFIG, folder)[0], wanted)


def test_an_interrupted_build_goes_on(clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    content = clips[4].path.read_bytes()
    clips[4].path.write_bytes(content[:100])
    with pytest.raises(AudioError, match=r"4\.wav"):
        cached_features(clips, CONFIG, folder)
    assert not list(folder.glob("*.npy"))
    clips[4].path.write_bytes(content)
    seen = reads(monkeypatch)
    assert np.array_equal(cached_features(clips, CONFIG, folder)[0], expected(clips))
    assert seen[0] == "4.wav"  # then those of expected()


def test_nothing_half_written_is_left(clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(InputError, match="disk full"):
        cached_features(clips, CONFIG, tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_progress_is_told_per_shard(clips: list[Clip], tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    cached_features(clips, CONFIG, tmp_path / "cache", 1, lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_bad_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="there are none"):
        cached_features([], CONFIG, tmp_path)
    with pytest.raises(AudioError, match=r"absent\.wav"):
        cached_features([Clip(tmp_path / "absent.wav", "a", "r")], CONFIG, tmp_path)


@pytest.fixture
def shard(clips: list[Clip], tmp_path: Path) -> Path:
    """The shard of the first two clips, written."""
    cached_features(clips[:2], CONFIG, tmp_path / "cache")
    return next((tmp_path / "cache" / "shards").iterdir())


def read_shard(path: Path, clips: list[Clip]) -> bool:
    """Whether a shard is trusted."""
    return cache._Shard(clips[:2], path).read() is not None


def test_every_flipped_bit_and_every_cut_of_a_shard_is_noticed(
    shard: Path, clips: list[Clip], recwarn: pytest.WarningsRecorder
) -> None:
    content = shard.read_bytes()
    assert read_shard(shard, clips)
    chance = np.random.default_rng(0)
    for bit in chance.choice(8 * len(content), 400, replace=False).tolist():
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        shard.write_bytes(changed)
        assert not read_shard(shard, clips)
        shard.write_bytes(content[: bit // 8])
        assert not read_shard(shard, clips)
    assert {str(one.message) for one in recwarn} == {f"{shard}: is damaged; it is made again"}


def test_a_shard_of_the_first_version_is_made_again(shard: Path, clips: list[Clip], tmp_path: Path) -> None:
    with np.load(shard) as content:
        np.savez(shard, **content)
    for joined in (tmp_path / "cache").glob("*.json"):
        joined.unlink()
    with pytest.warns(InputNote, match="has no hash of its content, as files of version 0.1; it is made again"):
        cached_features(clips[:2], CONFIG, tmp_path / "cache")
    assert read_shard(shard, clips)


def test_a_shard_that_the_system_does_not_let_be_read_is_named(shard: Path, clips: list[Clip], tmp_path: Path) -> None:
    for joined in (tmp_path / "cache").glob("*.json"):
        joined.unlink()
    shard.unlink()
    shard.mkdir()
    with pytest.raises(InputError, match=rf"{shard}: cannot be read: Is a directory") as caught:
        cached_features(clips[:2], CONFIG, tmp_path / "cache")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"counts": [1, 1], "crc32": "1"}', b'{"counts": [-1, 3], "crc32": 1}', b"[" * 99999],
)
def test_a_proof_of_another_form_is_made_again(clips: list[Clip], tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "cache"
    wanted = np.array(cached_features(clips, CONFIG, folder)[0])
    (proof,) = folder.glob("*.json")
    good = proof.read_bytes()
    proof.write_bytes(content)
    assert np.array_equal(cached_features(clips, CONFIG, folder)[0], wanted)
    assert proof.read_bytes() == good
