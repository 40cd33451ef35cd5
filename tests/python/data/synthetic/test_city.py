from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from scenelet.data.audio import read_audio
from scenelet.data.datasets.registry import open_dataset
from scenelet.data.datasets.tau import DEVICES as TAU_DEVICES
from scenelet.data.datasets.tau import SCENES
from scenelet.data.synthetic import city
from scenelet.data.synthetic.city import CITIES, City, write_city
from scenelet.data.synthetic.microphones import DEVICES, record_with_device
from scenelet.data.synthetic.scenes import RECIPES, record
from scenelet.data.synthetic.sources import SAMPLE_RATE
from scenelet.errors import DatasetError, InputError

SMALL = {"train_locations": 2, "test_locations": 1, "train_seconds": 1}


def fingerprint(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_opens_under_a_name_of_its_own(small_city: City) -> None:
    dataset = open_dataset(small_city.folder)
    assert (dataset.name, dataset.labels) == ("synthetic_city", SCENES)
    assert small_city.written
    assert (small_city.train_clips, small_city.test_clips) == (80, 90)
    assert len(dataset.split("train")) + len(dataset.split("validation")) == 80
    assert len(dataset.split("test")) == 90


def test_files_are_what_taus_are(small_city: City) -> None:
    files = sorted((small_city.folder / "audio").iterdir())
    assert len(files) == 170
    pattern = rf"({'|'.join(SCENES)})-({'|'.join(CITIES)})-\d+-\d+-[0-9]-({'|'.join(TAU_DEVICES)})\.wav"
    for path in files:
        assert re.fullmatch(pattern, path.name)
        with wave.open(str(path)) as file:
            assert file.getparams()[:4] == (1, 3, 44100, 44100)


def test_tables_are_what_taus_are(small_city: City) -> None:
    setup = small_city.folder / "evaluation_setup"
    assert sorted(path.name for path in small_city.folder.iterdir() if path.is_file()) == ["meta.csv", "synthetic.json"]
    assert sorted(path.name for path in setup.iterdir()) == [
        "fold1_evaluate.csv",
        "fold1_test.csv",
        "fold1_train.csv",
        "split10.csv",
        "split100.csv",
        "split25.csv",
        "split5.csv",
        "split50.csv",
    ]
    meta = (small_city.folder / "meta.csv").read_text().splitlines()
    assert meta[0] == "filename\tscene_label\tidentifier\tsource_label"
    for line in meta[1:]:
        name, scene, identifier, device = line.split("\t")
        assert re.fullmatch(rf"audio/{scene}-{identifier}-\d+-\d-{device}\.wav", name)
    evaluate = (setup / "fold1_evaluate.csv").read_text().splitlines()
    assert evaluate[0] == "filename\tscene_label"
    assert (setup / "fold1_test.csv").read_text().splitlines() == [line.split("\t")[0] for line in evaluate]


def test_locations_and_devices_of_the_test_are_new(small_city: City) -> None:
    dataset = open_dataset(small_city.folder)
    train, test = dataset.split("train") + dataset.split("validation"), dataset.split("test")
    assert not {clip.location for clip in train} & {clip.location for clip in test}
    assert {clip.device for clip in train} == {"a", "b", "c", "s1", "s2", "s3"}
    assert Counter(clip.device for clip in test) == dict.fromkeys(TAU_DEVICES, 10)
    assert sum(clip.device == "a" for clip in train) == 40


def test_sounds_are_neither_silent_nor_clipped(small_city: City) -> None:
    for clip in open_dataset(small_city.folder).clips:
        samples = read_audio(clip.path, SAMPLE_RATE).astype(float) / (1 << 23)
        assert samples.std() > 10 ** (-70 / 20)
        assert (np.abs(samples) > 0.999).mean() < 0.001


def test_a_seed_gives_the_same_bytes_and_another_seed_other_files(tmp_path: Path) -> None:
    first = write_city(tmp_path / "a", seed=3, **SMALL)
    second = write_city(tmp_path / "b", seed=3, **SMALL)
    other = write_city(tmp_path / "c", seed=4, **SMALL)
    assert fingerprint(first.folder) == fingerprint(second.folder)
    assert not set(fingerprint(first.folder).values()) & set(fingerprint(other.folder).values())
    assert open_dataset(first.folder).sha256 == open_dataset(second.folder).sha256
    assert open_dataset(first.folder).sha256 != open_dataset(other.folder).sha256


def test_a_city_that_is_there_is_left_alone(small_city: City) -> None:
    before = (small_city.folder / "meta.csv").stat().st_mtime_ns
    again = write_city(small_city.folder, train_locations=2, test_locations=1, train_seconds=2)
    assert not again.written
    assert (again.train_clips, again.test_clips) == (80, 90)
    assert (small_city.folder / "meta.csv").stat().st_mtime_ns == before


def test_another_plan_does_not_overwrite_a_city(small_city: City) -> None:
    with pytest.raises(DatasetError, match="another plan"):
        write_city(small_city.folder, seed=1)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match="not empty"):
        write_city(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_city_is_named(tmp_path: Path) -> None:
    made = write_city(tmp_path / "city", **SMALL)
    victim = next((made.folder / "audio").iterdir())
    victim.write_bytes(victim.read_bytes()[:1000])
    with pytest.raises(DatasetError, match=re.escape(f"{victim}: missing or cut off")):
        write_city(tmp_path / "city", **SMALL)


def test_a_damaged_plan_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "synthetic.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DatasetError, match="another plan"):
        write_city(tmp_path, **SMALL)


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        assert (done, total) == (1, 30)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_city(tmp_path / "city", **SMALL, progress=stop)
    assert not list(tmp_path.iterdir())


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (tmp_path / "city").mkdir()  # an empty folder is room enough
    write_city(tmp_path / "city", **SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 30) for number in range(1, 31)]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/city: cannot be written: .+; choose another place"):
        write_city(tmp_path / "file" / "city", **SMALL)
    with pytest.raises(DatasetError, match=r"file: is a file; choose another folder"):
        write_city(tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", -1), ("train_locations", 1), ("test_locations", 0), ("train_seconds", 11), ("test_seconds", 0)],
)
def test_impossible_plans_are_named(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(DatasetError, match=f"{name}: {value} is out of range; give "):
        write_city(tmp_path / "city", **{name: value})


def test_the_plan_is_on_record(small_city: City) -> None:
    mark = json.loads((small_city.folder / "synthetic.json").read_text())
    assert mark["seed"] == 0
    assert mark["train_locations"] == 2


# --- what the sounds are like -----------------------------------------------------------------------------------------


def bands(samples: np.ndarray) -> np.ndarray:
    """Power in thirds of an octave from 100 Hz to 4 kHz, dB."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    edges = (100 * 2 ** (np.arange(17) / 3) * samples.size / SAMPLE_RATE).astype(int)
    return 10 * np.log10(np.add.reduceat(power, edges)[:-1])


def spectra(scene: str, seeds: range) -> np.ndarray:
    return np.array([bands(record(scene, np.random.default_rng(seed), SAMPLE_RATE)) for seed in seeds])


def test_scenes_differ_by_more_than_their_locations() -> None:
    known = {scene: spectra(scene, range(5)).mean(axis=0) for scene in SCENES}
    right = 0
    for scene in SCENES:
        for heard in spectra(scene, range(100, 102)):
            right += min(known, key=lambda name: float(np.abs(known[name] - heard).mean())) == scene
    assert right >= 10, "of 20; chance is 2"
    assert right < 20, "mean spectra alone must not give the scene away"


def test_every_scene_has_a_recipe_in_taus_order() -> None:
    assert tuple(RECIPES) == SCENES
    assert tuple(DEVICES) == TAU_DEVICES


@pytest.mark.parametrize("device", [name for name in TAU_DEVICES if name != "a"])
def test_a_device_bends_the_spectrum(device: str) -> None:
    sound = record("street_traffic", np.random.default_rng(1), 2 * SAMPLE_RATE)
    a = bands(record_with_device("a", sound, np.random.default_rng(2)))
    other = bands(record_with_device(device, sound, np.random.default_rng(2)))
    bend = (other - other.mean()) - (a - a.mean())
    assert np.ptp(bend) > 6


def test_unseen_devices_are_further_from_a_than_seen_ones() -> None:
    sound = record("public_square", np.random.default_rng(1), 2 * SAMPLE_RATE)
    shapes = {name: bands(record_with_device(name, sound, np.random.default_rng(2))) for name in TAU_DEVICES}
    away = {name: float(np.abs(shape - shapes["a"]).mean()) for name, shape in shapes.items()}
    assert min(away[name] for name in ("s4", "s5", "s6")) > max(away[name] for name in ("b", "c", "s1", "s2", "s3"))


def test_the_compressor_takes_level_differences() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(SAMPLE_RATE)
    loud, soft = (record_with_device("s6", noise * level, np.random.default_rng(1)).std() for level in (0.1, 0.02))
    assert 20 * np.log10(loud / soft) == pytest.approx(20 * np.log10(5) / DEVICES["s6"].ratio, abs=0.8)


def test_noise_floor_is_what_is_left_of_silence() -> None:
    for name, device in DEVICES.items():
        level = record_with_device(name, np.zeros(SAMPLE_RATE), np.random.default_rng(0)).std()
        assert 20 * np.log10(level) == pytest.approx(device.noise_db, abs=0.1)


def test_samples_saturate_in_the_file(tmp_path: Path) -> None:
    city._write_wav(tmp_path / "a.wav", np.array([2.0, -2.0, 0.0, 1 / (1 << 23)]))
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav", SAMPLE_RATE), [(1 << 23) - 1, -(1 << 23), 0, 1])


KILLED = """
import os, sys
from scenelet.data.synthetic.city import write_city
def die(done, _):
    if done == 3:
        os.kill(os.getpid(), 9)
write_city(sys.argv[1], train_locations=2, test_locations=1, train_seconds=1, progress=die)
"""


def test_a_killed_run_leaves_nothing_behind_after_the_next(tmp_path: Path) -> None:
    out = tmp_path / "city"
    assert subprocess.run([sys.executable, "-c", KILLED, str(out)], check=False).returncode == -9
    assert [path.name.startswith(".city.") for path in tmp_path.iterdir()] == [True]
    assert write_city(out, **SMALL).written
    assert list(tmp_path.iterdir()) == [out]
    write_city(tmp_path / "undisturbed", **SMALL)
    assert fingerprint(out) == fingerprint(tmp_path / "undisturbed")
