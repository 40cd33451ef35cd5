"""The synthetic birds have BioDCASE-Tiny's layout and recordings, and can be told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scenelet.cli import main
from scenelet.data.datasets.biodcase_tiny import CLASSES
from scenelet.data.datasets.registry import licence_text, open_dataset
from scenelet.data.synthetic.birds import Birds, clip, write_birds
from scenelet.errors import DatasetError


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Birds:
    return write_birds(tmp_path_factory.mktemp("birds") / "birds", train=3, validation=1)


def test_the_layout_is_the_challenges(birds: Birds) -> None:
    assert (birds.train_clips, birds.validation_clips, birds.written) == (33, 11, True)
    for split, count in (("Train", 3), ("Validation", 1)):
        assert sorted(path.name for path in (birds.folder / split).iterdir()) == sorted(CLASSES)
        for label in CLASSES:
            paths = list((birds.folder / split / label).glob("*.wav"))
            assert len(paths) == count
            for path in paths:
                samples, rate = soundfile.read(path)
                assert (rate, samples.shape) == (24_000, (72_000,))
                assert 0.001 < np.abs(samples).max() < 1


def test_validation_is_the_test_and_a_part_of_train_stops_the_training(birds: Birds) -> None:
    dataset = open_dataset(birds.folder)
    assert (dataset.name, dataset.labels) == ("synthetic_birds", CLASSES)
    sizes = {name: len(dataset.split(name)) for name in ("train", "validation", "test")}
    assert sizes == {"train": 22, "validation": 11, "test": 11}
    assert {clip.path.parts[-3] for clip in dataset.split("validation")} == {"Train"}
    assert "computed by scenelet" in licence_text(dataset.name)
    (birds.folder / "synthetic.json").rename(birds.folder / "hidden")
    real = open_dataset(birds.folder)
    (birds.folder / "hidden").rename(birds.folder / "synthetic.json")
    assert real.name == "biodcase_tiny"
    assert "Zenodo" in licence_text(real.name)


def test_another_layout_is_not_taken_for_it(tmp_path: Path, clip: Callable[[Path], Path]) -> None:
    for split in ("Train", "Validation"):
        for label in ("Great Tit", "Mallard"):
            clip(tmp_path / "few" / split / label / "a.wav")
            clip(tmp_path / "other" / split / f"{label}s" / "a.wav")
    with pytest.raises(DatasetError, match=r"few/Train: has no folder 'Background'; unpack the whole development set"):
        open_dataset(tmp_path / "few")
    assert open_dataset(tmp_path / "other").name == "other"


def test_the_same_arguments_give_the_same_bytes(birds: Birds, tmp_path: Path) -> None:
    again = write_birds(tmp_path / "again", train=3, validation=1)
    other = write_birds(tmp_path / "other", seed=1, train=3, validation=1)
    digests = [
        hashlib.sha256((made.folder / "Train/Mallard/Mallard0001x.wav").read_bytes()).digest()
        for made in (birds, again, other)
    ]
    assert digests[0] == digests[1] != digests[2]
    assert not write_birds(birds.folder, train=3, validation=1).written
    with pytest.raises(DatasetError, match="is not empty and not these synthetic birds"):
        write_birds(birds.folder, train=4, validation=1)
    with pytest.raises(DatasetError, match="synthetic birds: train: 2 is out of range; give 3 or more"):
        write_birds(tmp_path / "x", train=2)


def test_songs_lie_where_their_species_sings() -> None:
    def centre(label: str) -> float:
        """Frequency in Hz below which half of the power above 200 Hz lies, over background."""
        spectrum = np.zeros(36_001)
        for number in range(4):
            spectrum += np.abs(np.fft.rfft(clip(label, np.random.default_rng(number)))) ** 2
        spectrum[:600] = 0  # 200 Hz in steps of 1/3 Hz
        return float(np.searchsorted(np.cumsum(spectrum), spectrum.sum() / 2) / 3)

    assert 650 < centre("Tawny Owl") < 1100
    assert 1500 < centre("Eurasian Blackbird") < 2900
    assert centre("Eurasian Blue Tit") > 4500


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from scenelet.data.synthetic import birds as module

    monkeypatch.setattr(module, "write_birds", lambda out, **more: write_birds(out, train=3, validation=1, **more))
    assert main(["data", "synth", "--like", "biodcase", "--out", str(tmp_path / "b"), "--seed", "2"]) == 0
    assert "synthetic_birds: 44 clips" in capsys.readouterr().out
