"""Parts of recordings, labelled by Audacity or in a table: any usual spelling, and no bad line without its name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from scenelet.config.frontend import FrontendConfig
from scenelet.data.dataset import Clip
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import AudioError, DatasetError
from scenelet.frontend.cache import cached_features
from scenelet.frontend.capture import read_capture, read_clip

RATE, SECONDS = 8000, 6
Part = tuple[float, float, str]
PARTS: tuple[Part, ...] = ((0.0, 1.5, "bus"), (1.5, 3.25, "tram"), (4.0, 6.0, "bus"))


def record(path: Path, seconds: float = SECONDS, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).normal(scale=0.1, size=round(seconds * rate))
    soundfile.write(path, noise, rate)
    return path


def lines(parts: Sequence[Part]) -> str:
    return "".join(f"{start:.6f}\t{end:.6f}\t{label}\n" for start, end, label in parts)


def audacity(root: Path, parts: Sequence[Part] = PARTS, *, names: Sequence[str] = ("a", "b", "c", "d")) -> Path:
    for name in names:
        record(root / f"{name}.wav")
        (root / f"{name}.txt").write_text(lines(parts), "utf-8")
    return root


def table(
    root: Path,
    parts: Sequence[Part] = PARTS,
    *,
    header: str = "filename,start,end,label",
    names: Sequence[str] = ("a", "b", "c", "d"),
    place: str = "",
) -> Path:
    delimiter = next(mark for mark in "\t;," if mark in header)
    text = header + "\n"
    for name in names:
        record(root / place / f"{name}.wav")
        for start, end, label in parts:
            last = end - start if "dur" in header.lower() else end
            text += delimiter.join((f"{name}.wav", f"{start!r}", f"{last!r}", label)) + "\n"
    (root / "segments.csv").write_text(text, "utf-8")
    return root


def spans(clips: Sequence[Clip]) -> set[tuple[str, float, float, str]]:
    return {(clip.path.name, *(round(time, 5) for time in clip.span or ()), clip.label) for clip in clips}


WANTED = {(f"{name}.wav", start, end, label) for name in "abcd" for start, end, label in PARTS}


def test_every_label_of_audacity_is_a_clip(tmp_path: Path) -> None:
    dataset = open_dataset(audacity(tmp_path / "Street"))
    assert (dataset.name, dataset.labels, dataset.notes) == ("street", ("bus", "tram"), ())
    assert spans(dataset.clips) == WANTED
    assert {clip.recording for clip in dataset.split("test")}.isdisjoint(
        clip.recording for clip in dataset.split("train") + dataset.split("validation")
    )


@pytest.mark.parametrize(
    "name", ["{}.txt", "{}.wav.txt", "{}_labels.txt", "{}-label.TXT", "{} Labels.txt", "{}.labels.txt"]
)
def test_a_label_file_is_called_like_its_recording(tmp_path: Path, name: str) -> None:
    for number in range(4):
        record(tmp_path / f"day{number % 2}" / f"r{number}.wav")
        (tmp_path / f"day{number % 2}" / name.format(f"r{number}")).write_text("\ufeff" + lines(PARTS), "utf-8")
    assert len(open_dataset(tmp_path).clips) == 4 * len(PARTS)


def test_the_only_label_file_of_a_folder_belongs_to_its_only_recording(tmp_path: Path) -> None:
    for number in range(3):
        record(tmp_path / f"day{number}" / "rec.wav")
        (tmp_path / f"day{number}" / "Label Track.txt").write_text(lines(PARTS))
    assert len(open_dataset(tmp_path).clips) == 3 * len(PARTS)


def test_frequency_ranges_are_skipped_and_recordings_without_labels_noted(tmp_path: Path) -> None:
    audacity(tmp_path)
    text = (tmp_path / "a.txt").read_text().replace("\n", "\n\\\t120,0\t4000.0\n").replace(".", ",")
    (tmp_path / "a.txt").write_text(text)
    record(tmp_path / "unheard.wav")
    dataset = open_dataset(tmp_path)
    assert spans(dataset.clips) == WANTED
    assert dataset.notes == ("ignored 1 recordings without a label file, the first one unheard.wav",)


@pytest.mark.parametrize(
    "header",
    [
        "filename,start,end,label",
        "File;Start (s);End (s);Class",
        "filename\tonset\toffset\tevent_label",
        "Begin File\tBegin Time (s)\tEnd Time (s)\tSpecies",
        "audio_file,start_time,duration,category",
        "path,start_seconds,end_seconds,tag",
    ],
)
@pytest.mark.parametrize("place", ["", "audio"])
def test_a_table_has_any_usual_header(tmp_path: Path, header: str, place: str) -> None:
    assert spans(open_dataset(table(tmp_path, header=header, place=place)).clips) == WANTED


def test_a_decimal_comma_is_read_where_no_comma_separates_cells(tmp_path: Path) -> None:
    root = table(tmp_path, header="file;start;end;label")
    path = root / "segments.csv"
    path.write_text(path.read_text().replace("wav", "WAV").replace(".", ",").replace(",WAV", ".wav"))
    assert spans(open_dataset(root).clips) == WANTED


labelled = st.lists(
    st.tuples(st.integers(0, 4_999_999), st.integers(1, 1_000_000), st.sampled_from(("bus", "tram", "été à Zürich"))),
    min_size=2, max_size=12, unique_by=lambda one: one[:2],
).filter(lambda parts: len({label for _, _, label in parts}) > 1)  # fmt: skip


@given(parts=labelled)
def test_both_forms_give_the_same_clips(tmp_path_factory: pytest.TempPathFactory, parts: list[Part]) -> None:
    seconds = [(start / 1e6, (start + length) / 1e6, label) for start, length, label in parts]
    first = open_dataset(audacity(tmp_path_factory.mktemp("audacity"), seconds, names=("a", "b", "c")))
    second = open_dataset(table(tmp_path_factory.mktemp("table"), seconds, names=("a", "b", "c")))
    assert spans(first.clips) == spans(second.clips)
    assert len(first.clips) == 3 * len(parts)
    for dataset in (first, second):
        sides = [{clip.recording for clip in dataset.splits.get(name, ())} for name in ("train", "validation", "test")]
        assert sum(map(len, sides)) == len(set().union(*sides))


@given(start=st.floats(0, 5.9), length=st.floats(0.01, 3), rate=st.sampled_from((8000, 11025, 44100)))
def test_a_part_is_heard_as_a_file_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, start: float, length: float, rate: int
) -> None:
    folder = tmp_path_factory.mktemp("part")
    whole = record(folder / "whole.wav", rate=rate)
    samples, _ = soundfile.read(whole, dtype="int16")
    first, last = (math.floor(time * rate + 0.5) for time in (start, start + length))
    soundfile.write(folder / "part.wav", samples[first:last], rate)
    config = FrontendConfig()
    heard = read_clip(Clip(whole, "bus", "whole", span=(start, start + length)), config)
    assert np.array_equal(heard, read_capture(folder / "part.wav", config))


def test_two_parts_of_a_file_have_features_of_their_own(tmp_path: Path) -> None:
    path = record(tmp_path / "whole.wav")
    clips = [Clip(path, "bus", "whole", span=span) for span in ((0.0, 1.0), (1.0, 2.0), (0.0, 1.0))]
    features, _ = cached_features(clips, FrontendConfig(), tmp_path / "cache")
    assert not np.array_equal(features[0], features[1])
    assert np.array_equal(features[0], features[2])


BAD_LINES = (
    ("0.5\t1.5\n", "has 2 columns; write start, end and label, with tabs"),
    ("0.5 1.5 bus\n", "has 1 columns"),
    ("0.5\t1.5\t\n", "has no label"),
    ("soon\t1.5\tbus\n", "start 'soon' is no number of seconds; write seconds, such as 12.5"),
    ("0:01\t0:02\tbus\n", "start '0:01' is no number of seconds"),
    ("nan\t1.5\tbus\n", "start 'nan' is no number"),
    ("-1\t1.5\tbus\n", "start is -1 s, before the recording's start"),
    ("1.5\t1.5\tbus\n", "ends at 1.5 s, not after its start at 1.5 s; give it a length, or remove the line"),
    ("2\t1\tbus\n", "ends at 1 s, not after its start at 2 s"),
    ("5\t9\tbus\n", "ends at 9 s; b.wav has 6 s; correct the times or the file"),
    ("0\t1.5\tbus\n", "stands on line 1 already; remove one of the two"),
)


@pytest.mark.parametrize(("line", "problem"), BAD_LINES)
def test_a_bad_line_of_a_label_file_is_named(tmp_path: Path, line: str, problem: str) -> None:
    labels = audacity(tmp_path) / "b.txt"
    labels.write_text(lines(PARTS) + line)
    with pytest.raises(DatasetError) as raised:
        open_dataset(tmp_path)
    assert str(raised.value).startswith(f"{labels}:4: {problem}")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("gone.wav,0,1,bus", "audio file 'gone.wav' is missing"),
        ("/etc/a.wav,0,1,bus", "filename '/etc/a.wav' leads out of the data set"),
        ("../a.wav,0,1,bus", "filename '../a.wav' leads out of the data set"),
        ("b.wav,0,,bus", "no value for column 'end'"),
        ("b.wav,0,1", "no value for column 'label'"),
        ('b.wav,"1,5",2,bus', "start '1,5' is no number of seconds"),
        ("b.wav,3,2,bus", "ends at 2 s, not after its start at 3 s"),
        ("b.wav,3,7,bus", "ends at 7 s; b.wav has 6 s"),
        ("b.wav,0.0,1.5,bus", "stands on line 5 already"),
    ],
)
def test_a_bad_row_of_a_table_is_named(tmp_path: Path, row: str, problem: str) -> None:
    path = table(tmp_path) / "segments.csv"
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(DatasetError) as raised:
        open_dataset(tmp_path)
    assert str(raised.value).startswith(f"{path}:14: {problem}")


def test_two_tables_are_refused_and_tables_of_other_things_ignored(tmp_path: Path) -> None:
    root = table(tmp_path)
    (root / "notes.csv").write_text("filename,weather\na.wav,rain\n")
    assert len(open_dataset(root).clips) == 12
    (root / "more.tsv").write_text("file\tonset\toffset\tevent\n")
    with pytest.raises(DatasetError, match=r"several tables of segments, more\.tsv and segments\.csv; keep one"):
        open_dataset(root)


def test_overlaps_and_classes_that_a_split_lacks_are_noted(tmp_path: Path) -> None:
    audacity(tmp_path, names=("a", "b", "c", "d", "e"))
    for name in "abc":
        with (tmp_path / f"{name}.txt").open("a") as file:
            file.write("3.0\t4.5\tbell\n")
    notes = open_dataset(tmp_path).notes
    assert "6 segments overlap the one after them, of another class; the first ones in a.wav" in notes
    assert any("holds none of bell" in note for note in notes)


def test_one_class_and_too_few_recordings_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="have 1 class, 'bus'; at least 2 are needed"):
        open_dataset(audacity(tmp_path / "one", PARTS[:1]))
    dataset = open_dataset(audacity(tmp_path / "few", names=("a", "b")))
    assert dataset.split_names == ("all",)
    with pytest.raises(DatasetError, match="class 'bus' has 2 recordings where a split needs 3"):
        dataset.split("train")


def test_folders_of_notes_beside_recordings_stay_class_folders(tmp_path: Path) -> None:
    for label in ("bus", "tram"):
        for name in "abc":
            record(tmp_path / label / f"{name}.wav", 0.1)
            (tmp_path / label / f"{name}.txt").write_text("heard on the way\t3\tdays long\n")
    assert {clip.span for clip in open_dataset(tmp_path).clips} == {None}


def test_a_part_after_the_end_of_a_damaged_header_s_file_is_named(tmp_path: Path) -> None:
    clip = Clip(record(tmp_path / "a.wav"), "bus", "a", span=(7.0, 8.0))
    with pytest.raises(AudioError, match=r"a\.wav: ends after 6 s, before the part from 7 s; correct the part's times"):
        read_clip(clip, FrontendConfig())
