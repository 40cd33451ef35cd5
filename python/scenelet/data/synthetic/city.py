"""A synthetic city in the exact layout of TAU Urban Acoustic Scenes 2022 Mobile.

It replaces the real corpus where that cannot be downloaded: in tests, in CI, in a first demonstration. It has ten
scenes, locations in ten cities, and nine devices. Training locations never occur in the test, and devices s4 to s6
occur only there, so that a network meets the two difficulties of the challenge: new places and new microphones. Scores
on it say that the pipeline works and nothing about real scenes; the data set's name is "synthetic_city" everywhere.
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...core.files import scratch_beside, writing
from ...errors import DatasetError
from ..datasets.synthetic_city import MARK
from ..datasets.tau import META, PERCENTS, SCENES, SETUP
from .microphones import DEVICES, record_with_device
from .scenes import record
from .sources import SAMPLE_RATE, Samples

_CITY_NAMES = "barcelona helsinki lisbon london lyon milan paris prague stockholm vienna"
CITIES = tuple(_CITY_NAMES.split())
_TRAINING_DEVICES = ("b", "c", "s1", "s2", "s3")
_SEGMENT_SECONDS = 10  # of TAU's recordings; the field <second> is 0 to 9
_SAMPLE_BYTES = 3
_WAV_BYTES = 44 + SAMPLE_RATE * _SAMPLE_BYTES

Progress = Callable[[int, int], None]
_Cells = tuple[str, ...]


@dataclass(frozen=True)
class CityPlan:
    """Parameters of a city; the same plan gives the same bytes.

    Attributes
    ----------
    seed
        Another seed gives another city.
    train_locations, test_locations
        Locations per scene.
    train_seconds, test_seconds
        Clips of 1 s per recording, 1 to 10.
    """

    seed: int = 0
    train_locations: int = 12
    test_locations: int = 3
    train_seconds: int = 4
    test_seconds: int = 1

    def __post_init__(self) -> None:
        limits = {"seed": (0, 2**32), "train_locations": (2, 400), "test_locations": (1, 400)}
        limits |= {"train_seconds": (1, _SEGMENT_SECONDS), "test_seconds": (1, _SEGMENT_SECONDS)}
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise DatasetError(f"synthetic city: {name}", f"{value} is out of range", f"give {low} to {high}")


@dataclass(frozen=True)
class City:
    """A city on disk: folder, plan, numbers of clips, and whether this call wrote it."""

    folder: Path
    plan: CityPlan
    train_clips: int
    test_clips: int
    written: bool


@dataclass(frozen=True)
class _Take:
    """One recording: a scene at a location, recorded by several devices at once."""

    scene: str
    split: str
    city: str
    location: int
    segment: int
    devices: tuple[str, ...]
    seconds: int
    seeds: tuple[int, ...]

    def names(self) -> Iterator[tuple[str, str, int]]:
        """File name, device and second of every clip."""
        for device in self.devices:
            for second in range(self.seconds):
                stem = f"{self.scene}-{self.city}-{self.location}-{self.segment}-{second}-{device}"
                yield f"audio/{stem}.wav", device, second


def write_city(
    out: str | Path,
    *,
    seed: int = 0,
    train_locations: int = 12,
    test_locations: int = 3,
    train_seconds: int = 4,
    test_seconds: int = 1,
    progress: Progress | None = None,
) -> City:
    """Write a synthetic city, or find the same city in the folder.

    Every training recording is made by device a; those of five locations per scene also by one of b, c, s1, s2, s3.
    Every test recording is made by all nine devices. The defaults make 680 training and 270 test clips, 126 MB.

    Parameters
    ----------
    out
        Folder to create. It appears whole or not at all; the same city is left as it is.
    seed, train_locations, test_locations, train_seconds, test_seconds
        See :class:`CityPlan`.
    progress
        Called with (recordings done, recordings in all).

    Raises
    ------
    DatasetError
        Where a parameter is out of range, or the folder holds something else.
    InputError
        Where the folder cannot be written, or the disk is full.
    """
    plan = CityPlan(seed, train_locations, test_locations, train_seconds, test_seconds)
    out = Path(out)
    takes = _takes(plan)
    counts = [sum(1 for take in takes if take.split == split for _ in take.names()) for split in ("train", "test")]
    if _found(out, plan, takes):
        with writing(out):
            _write_parts(out / SETUP, takes)  # which cities of earlier versions lack
        return City(out, plan, counts[0], counts[1], written=False)
    with writing(out), scratch_beside(out) as folder:
        _write(folder / "city", plan, takes, progress)
        (folder / "city").replace(out)
    return City(out, plan, counts[0], counts[1], written=True)


def _takes(plan: CityPlan) -> list[_Take]:
    """List the recordings; location numbers are drawn, so that two seeds give different file names."""
    rng = np.random.default_rng([plan.seed, 0])
    each = plan.train_locations + plan.test_locations
    numbers = iter(rng.permutation(10 * len(SCENES) * each)[: len(SCENES) * each].tolist())
    takes = []
    for scene_index, scene in enumerate(SCENES):
        for index in range(each):
            split = "train" if index < plan.train_locations else "test"
            extra = (index + scene_index) % max(len(_TRAINING_DEVICES), plan.train_locations)
            devices = tuple(DEVICES) if split == "test" else ("a", *_TRAINING_DEVICES[extra : extra + 1])
            seconds = plan.train_seconds if split == "train" else plan.test_seconds
            city, segment = CITIES[rng.integers(len(CITIES))], int(rng.integers(100, 10000))
            seeds = (plan.seed, 1, scene_index, index)
            takes.append(_Take(scene, split, city, next(numbers), segment, devices, seconds, seeds))
    return takes


def _found(out: Path, plan: CityPlan, takes: list[_Take]) -> bool:
    """Whether ``out`` holds this city already; False where it is missing or empty."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    mark = out / MARK
    if out.is_file():
        raise DatasetError(out, "is a file", "choose another folder")
    if not mark.is_file():
        raise DatasetError(out, "is not empty and not a synthetic city", "choose another folder")
    if mark.read_bytes() != _mark(plan).encode():
        raise DatasetError(out, "holds a synthetic city of another plan", "remove it or choose another folder")
    for take in takes:
        for name, *_ in take.names():
            if not (out / name).is_file() or (out / name).stat().st_size != _WAV_BYTES:
                raise DatasetError(out / name, "missing or cut off", f"remove {out} and write the city again")
    return True


def _write(folder: Path, plan: CityPlan, takes: list[_Take], progress: Progress | None) -> None:
    (folder / "audio").mkdir(parents=True)
    for done, take in enumerate(takes):
        _write_take(folder, take, max(plan.train_seconds, plan.test_seconds))
        if progress:
            progress(done + 1, len(takes))
    _write_tables(folder, takes)
    (folder / MARK).write_text(_mark(plan), "utf-8")


def _write_take(folder: Path, take: _Take, segment_seconds: int) -> None:
    """Render a recording once and record it with each of its devices.

    The whole segment is rendered in either split: loudness is set over the segment, and must not depend on the number
    of clips that are kept.
    """
    sound = record(take.scene, np.random.default_rng(take.seeds), segment_seconds * SAMPLE_RATE)
    rngs = {name: np.random.default_rng([*take.seeds, number]) for number, name in enumerate(DEVICES)}
    recorded = {device: record_with_device(device, sound, rngs[device]) for device in take.devices}
    for name, device, second in take.names():
        _write_wav(folder / name, recorded[device][second * SAMPLE_RATE : (second + 1) * SAMPLE_RATE])


def _write_wav(path: Path, samples: Samples) -> None:
    """Write mono 24 bit; full scale 1, clipped.

    The file is made in memory: on a full disk, :mod:`wave` would print a traceback of its own when it is collected.
    """
    scale = 1 << 23
    integers = np.clip(np.rint(samples * scale), -scale, scale - 1).astype("<i4")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(integers.view(np.uint8).reshape(-1, 4)[:, :_SAMPLE_BYTES].tobytes())
    path.write_bytes(content.getvalue())


def _write_tables(folder: Path, takes: list[_Take]) -> None:
    meta: list[_Cells] = []
    labelled: dict[str, list[_Cells]] = {"train": [], "test": []}
    for take in takes:
        for name, device, _ in take.names():
            meta.append((name, take.scene, f"{take.city}-{take.location}", device))
            labelled[take.split].append((name, take.scene))
    setup = folder / SETUP
    setup.mkdir()
    _write_table(folder / META, ("filename", "scene_label", "identifier", "source_label"), meta)
    _write_table(setup / "fold1_train.csv", ("filename", "scene_label"), labelled["train"])
    _write_table(setup / "fold1_test.csv", ("filename",), [(name,) for name, _ in labelled["test"]])
    _write_table(setup / "fold1_evaluate.csv", ("filename", "scene_label"), labelled["test"])
    _write_parts(setup, takes)


def _write_parts(setup: Path, takes: list[_Take]) -> None:
    for percent in PERCENTS:
        path = setup / f"split{percent}.csv"
        if not path.is_file():
            _write_table(path, ("filename", "scene_label"), _part(takes, percent))


def _part(takes: list[_Take], percent: int) -> list[_Cells]:
    """Part of the training clips as DCASE 2024 divides them: a smaller part lies in the larger ones.

    Recordings are whole or not in it. Every scene has as many, at least two, so that one can be held out.
    """
    rows: list[_Cells] = []
    for scene in SCENES:
        own = [take for take in takes if (take.scene, take.split) == (scene, "train")]
        for take in own[: max(2, round(len(own) * percent / 100))]:
            rows += [(name, scene) for name, *_ in take.names()]
    return rows


def _write_table(path: Path, header: _Cells, rows: list[_Cells]) -> None:
    path.write_text("".join("\t".join(cells) + "\n" for cells in (header, *sorted(rows))), "utf-8")


def _mark(plan: CityPlan) -> str:
    return json.dumps({"made_by": "scenelet.data.synthetic.city", "format": 1, **asdict(plan)}, indent=2) + "\n"
