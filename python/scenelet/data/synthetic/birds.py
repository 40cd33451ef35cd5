"""A stand-in for BioDCASE-Tiny 2026's recordings, in their exact layout: 3 s at 24 kHz, ten birds and background.

It replaces the real recordings in tests and first trials, as the synthetic city replaces TAU. Each class has a song of
its own kind; each recording has an individual's pitch and tempo, a distance, wind and other birds far away. Scores on
it say that the pipeline works and nothing about real birds; the data set's name is "synthetic_birds" everywhere.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from ...core.files import scratch_beside, writing
from ...errors import DatasetError
from ..datasets.biodcase_tiny import CLASSES, TRAIN, VALIDATION
from ..datasets.synthetic_city import MARK
from .sources import SAMPLE_RATE, Samples, air, chirps, decibels

RATE = 24_000  # Hz, of the files
SECONDS = 3
_SAMPLES = SECONDS * SAMPLE_RATE
_FULL_SCALE = 1 << 15

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Note:
    """A tone that glides between two frequencies in Hz, and the pause after it in seconds."""

    start_hz: float
    end_hz: float
    seconds: float
    pause: float
    harmonics: int = 1


@dataclass(frozen=True)
class Birds:
    """A data set on disk: its folder, its numbers of clips, and whether this call wrote it."""

    folder: Path
    train_clips: int
    validation_clips: int
    written: bool


Song = Callable[[np.random.Generator], Iterator[Note]]


def _trill(notes: int, start_hz: float, fall: float, seconds: float, pause: float) -> Song:
    """Equal notes, each ``fall`` times as high as the one before."""

    def song(_: np.random.Generator) -> Iterator[Note]:
        for number in range(notes):
            high = start_hz * fall**number
            yield Note(1.25 * high, 0.8 * high, seconds, pause)

    return song


def _pattern(*notes: Note, repeats: int) -> Song:
    """The same notes several times."""

    def song(_: np.random.Generator) -> Iterator[Note]:
        yield from notes * repeats

    return song


def _warble(notes: int, low_hz: float, high_hz: float, seconds: float, pause: float, phrase: int = 1) -> Song:
    """Drawn glides between two frequencies; each phrase of two notes is sung ``phrase`` times."""

    def song(rng: np.random.Generator) -> Iterator[Note]:
        for _ in range(notes):
            ends = rng.uniform(low_hz, high_hz, (2, 2))
            length = rng.uniform(0.6, 1.4) * seconds
            for _ in range(phrase):
                yield from (Note(first, last, length, pause) for first, last in ends)

    return song


_PAIR = (Note(7400, 7000, 0.1, 0.06), Note(7300, 7000, 0.1, 0.06))
_RATTLE = (Note(5200, 4600, 0.03, 0.02),) * 9
_TEACHER = (Note(4600, 4400, 0.12, 0.04), Note(3200, 3100, 0.15, 0.09))
SONGS: dict[str, Song] = {
    "Common Chaffinch": _trill(14, 5200, 0.95, 0.07, 0.03),
    "Common Chiffchaff": _pattern(Note(4600, 3500, 0.11, 0.14), Note(5400, 4200, 0.11, 0.14), repeats=5),
    "Eurasian Blackbird": _warble(5, 1700, 2700, 0.24, 0.05),
    "Eurasian Blackcap": _warble(14, 2200, 5200, 0.07, 0.02),
    "Eurasian Blue Tit": _pattern(*_PAIR, *_RATTLE, repeats=2),
    "Great Spotted Woodpecker": _pattern(*(Note(1400, 900, 0.012, 0.045, 6),) * 12, repeats=2),
    "Great Tit": _pattern(*_TEACHER, repeats=5),
    "Mallard": _pattern(Note(330, 260, 0.2, 0.18, 9), repeats=5),
    "Song Thrush": _warble(3, 2000, 5000, 0.12, 0.05, phrase=3),
    "Tawny Owl": _pattern(Note(780, 820, 0.5, 0.5, 2), Note(820, 760, 0.9, 0.3, 2), repeats=1),
}  # fmt: skip


def write_birds(
    out: str | Path, *, seed: int = 0, train: int = 20, validation: int = 8, progress: Progress | None = None
) -> Birds:
    """Write the data set, or find the same one in the folder.

    Parameters
    ----------
    out
        Folder to create. It appears whole or not at all.
    seed
        Another seed gives other recordings.
    train, validation
        Recordings per class, 3 or more and 1 or more. The defaults make 220 and 88 clips, 44 MB.
    progress
        Called with (clips done, clips in all).

    Raises
    ------
    DatasetError
        Where a parameter is out of range, or the folder holds something else.
    InputError
        Where the folder cannot be written.
    """
    for name, value, least in (("seed", seed, 0), ("train", train, 3), ("validation", validation, 1)):
        if not least <= value < 1 << 31:
            raise DatasetError(f"synthetic birds: {name}", f"{value} is out of range", f"give {least} or more")
    out = Path(out)
    plan = {"seed": seed, "train": train, "validation": validation}
    mark = json.dumps({"made_by": "scenelet.data.synthetic.birds", "format": 1, **plan}, indent=2) + "\n"
    made = Birds(out, len(CLASSES) * train, len(CLASSES) * validation, written=True)
    if out.exists() and (out.is_file() or any(out.iterdir())):
        if out.is_dir() and (out / MARK).is_file() and (out / MARK).read_text("utf-8") == mark:
            return Birds(out, made.train_clips, made.validation_clips, written=False)
        raise DatasetError(out, "is not empty and not these synthetic birds", "choose another folder")
    clips = [
        (split, label, number)
        for split, count in ((TRAIN, train), (VALIDATION, validation))
        for label in CLASSES
        for number in range(count)
    ]
    with writing(out), scratch_beside(out) as scratch:
        folder = scratch / "birds"
        for done, (split, label, number) in enumerate(clips, 1):
            rng = np.random.default_rng([seed, split == VALIDATION, CLASSES.index(label), number])
            _write(folder / split / label / f"{label.replace(' ', '')}{number:04}x.wav", clip(label, rng))
            if progress:
                progress(done, len(clips))
        (folder / MARK).write_text(mark, "utf-8")
        folder.replace(out)
    return made


def clip(label: str, rng: np.random.Generator) -> Samples:
    """One recording of a class: float64 (72,000,), full scale 1."""
    wind = air(rng.uniform(-9, -4))(rng, _SAMPLES) * decibels(rng.uniform(-46, -30))
    others = chirps((0.5, 2), (2000, 7000), (0.05, 0.2))(rng, _SAMPLES) * decibels(rng.uniform(-62, -50))
    sound = wind + others
    if label in SONGS:
        sound = sound + _sung(SONGS[label], rng) * decibels(rng.uniform(-34, -14))
    return np.asarray(soxr.resample(sound, SAMPLE_RATE, RATE, quality="HQ"))


def _sung(song: Song, rng: np.random.Generator) -> Samples:
    """A song by one individual, from a drawn start; peak 1."""
    pitch, tempo = 2 ** rng.normal(0, 0.06), 2 ** rng.normal(0, 0.15)
    total, place = np.zeros(_SAMPLES), int(rng.uniform(0, 0.8) * SAMPLE_RATE)
    for note in song(rng):
        tone = _tone(note, pitch, tempo) * decibels(rng.normal(0, 1.5))
        piece = tone[: max(0, _SAMPLES - place)]
        total[place : place + piece.size] += piece
        place += tone.size + int(note.pause * tempo * SAMPLE_RATE)
    return np.asarray(total / max(np.abs(total).max(), 1e-9))


def _tone(note: Note, pitch: float, tempo: float) -> Samples:
    """A note with its harmonics, each 4 dB weaker, under a raised cosine."""
    count = max(2, int(note.seconds * tempo * SAMPLE_RATE))
    track = pitch * np.geomspace(note.start_hz, note.end_hz, count)
    phase = 2 * np.pi * np.cumsum(track) / SAMPLE_RATE
    partials = [decibels(-4.0 * number) * np.sin((number + 1) * phase) for number in range(note.harmonics)]
    return np.asarray(np.sum(partials, axis=0) * np.hanning(count))


def _write(path: Path, samples: Samples) -> None:
    """Write mono 16 bit, clipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    integers = np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(integers.tobytes())
