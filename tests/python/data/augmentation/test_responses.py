"""Copies pass through recorded impulse responses of devices, and are cached by their content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.config.recipe import AugmentationConfig
from scenelet.data.augmentation.plan import Alteration, Altered, altered
from scenelet.data.augmentation.responses import Response, list_responses, read_response
from scenelet.data.dataset import Clip
from scenelet.errors import AudioError, InputError, RecipeError

RATE = 8000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two responses at other rates than the audio's: a plain pulse after 10 ms, and one with an echo."""
    root = tmp_path / "responses"
    root.mkdir()
    for name, echo in (("plain.wav", 0.0), ("echo.flac", 0.5)):
        samples = np.zeros(RATE // 4)
        samples[80], samples[280] = 0.5, 0.5 * echo
        soundfile.write(root / name, samples, RATE, subtype="PCM_24")
    (root / "notes.txt").write_text("of microphones")
    return root


def config(folder: Path, share: float = 1.0) -> AugmentationConfig:
    return AugmentationConfig(copies=8, impulse_response=share, impulse_response_folder=str(folder))


def test_every_filtered_copy_has_one_of_the_folders_responses(folder: Path) -> None:
    clips = [Clip(Path(f"{number}.wav"), "rain", str(number)) for number in range(20)]
    made = [copy.alteration for copy in altered(config(folder), clips) if isinstance(copy, Altered)]
    assert all(one.response_seed is None and one.response is not None for one in made)
    assert {Path(one.response.path).name for one in made if one.response} == {"plain.wav", "echo.flac"}
    half = [copy.alteration for copy in altered(config(folder, 0.5), clips) if isinstance(copy, Altered)]
    assert 50 < sum(one.response is not None for one in half) < 110
    assert made == [copy.alteration for copy in altered(config(folder), clips) if isinstance(copy, Altered)]


def test_a_response_begins_at_its_largest_sample_and_keeps_the_power(folder: Path) -> None:
    plain, echo = (read_response(str(folder / name), RATE) for name in ("plain.wav", "echo.flac"))
    np.testing.assert_allclose(plain[:2], [1, 0], atol=1e-6)
    np.testing.assert_allclose(echo[[0, 200]], np.array([1, 0.5]) / np.sqrt(1.25), atol=1e-6)
    assert read_response(str(folder / "plain.wav"), 2 * RATE).size == pytest.approx(2 * plain.size, abs=2)
    sound = np.random.default_rng(0).integers(-(2**20), 2**20, RATE).astype(np.int32)
    found = Alteration(response=Response(str(folder / "plain.wav"), "")).apply(sound, RATE, 24)
    np.testing.assert_allclose(found, sound, atol=2)
    echoed = Alteration(response=Response(str(folder / "echo.flac"), "")).apply(sound, RATE, 24)
    expected = (sound + 0.5 * np.concatenate([np.zeros(200), sound[:-200]])) / np.sqrt(1.25)
    np.testing.assert_allclose(echoed, expected, atol=2)


def test_the_cache_knows_a_response_by_its_content(folder: Path) -> None:
    def identities() -> set[str]:
        copies = altered(config(folder), [Clip(Path("a.wav"), "rain", "a")])
        return {copy.identity for copy in copies if isinstance(copy, Altered)}

    before = identities()
    assert not any(str(folder) in one for one in before)
    samples, rate = soundfile.read(folder / "plain.wav")
    soundfile.write(folder / "plain.wav", samples * 0.9 + 0.01, rate, subtype="PCM_24")
    assert identities() != before
    plain = Altered(Path("a.wav"), "rain", "a", alteration=Alteration(response_seed=1, response_db=5.0))
    assert "response'" not in plain.identity  # so copies of earlier versions stay in the cache


def test_what_is_no_response_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"none: no such folder; give key 'augmentation\.impulse_response_folder'"):
        list_responses(str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: holds no audio file"):
        list_responses(str(tmp_path / "empty"))
    soundfile.write(folder / "hall.wav", np.ones(3 * RATE) / 2, RATE)
    with pytest.raises(AudioError, match=r"hall\.wav: lasts 3\.0 s, which no device's impulse response does; cut it"):
        read_response(str(folder / "hall.wav"), RATE)
    soundfile.write(folder / "silent.wav", np.zeros(100), RATE)
    with pytest.raises(AudioError, match=r"silent\.wav: is silent; remove it"):
        read_response(str(folder / "silent.wav"), RATE)


def test_a_folder_without_a_share_is_refused(folder: Path) -> None:
    from scenelet.config import recipe

    values = recipe.load("cnn32k").model_dump(mode="json")
    values["augmentation"] = {"copies": 1, "shift": True, "impulse_response_folder": str(folder)}
    with pytest.raises(RecipeError, match="impulse_response_folder needs impulse_response, the share of the copies"):
        recipe.parse(values, "mine")
