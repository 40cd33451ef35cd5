"""Entries are checked before they are scored, are written whole or not at all, and hold what was measured."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from fixtures_entries import LABEL, Fixed, scores
from hypothesis import given
from hypothesis import strategies as st

from scenelet.cli import main
from scenelet.core.metrics import probabilities
from scenelet.data.synthetic.city import City
from scenelet.errors import AudioError, InputError, LimitExceeded
from scenelet.publish.challenges import registry
from scenelet.publish.challenges.challenge import Job
from scenelet.publish.challenges.details import Details, read_details
from scenelet.publish.challenges.entry import make_entry
from scenelet.publish.challenges.metadata import to_yaml
from scenelet.publish.challenges.outputs import audio_files, output_csv, unlike_evaluation_set
from scenelet.publish.challenges.parts import Part, augmentations, compression, pipeline, read_part
from scenelet.tflite.metadata import read

DETAILS = """
name = "Small network"
abbreviation = "small"
source_code = "https://example.org/code"
[[authors]]
lastname = "Almeida"
firstname = "Ana"
email = "ana@example.org"
corresponding = true
affiliation = {abbreviation = "AI4EDGE", institute = "Institute", department = "", location = "Vila Real, Portugal"}
[[external_datasets]]
name = "MicIRP"
url = "http://micirp.blogspot.com"
total_audio_length = 2
[description]
machine_learning_method = "CNN after CP-Mobile"
"""


def score(_: Job, part: Part):
    return scores(part)


def test_the_output_has_one_line_a_clip_with_its_mean_probabilities(sm1: Path, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    (tmp_path / "deep").mkdir()
    for name, seconds in (("b.wav", 1), ("a.wav", 2), ("deep/c.flac", 1)):
        soundfile.write(tmp_path / name, chance.uniform(-0.2, 0.2, seconds * 8000), 8000)
    (tmp_path / "notes.txt").write_text("no audio")
    info = read(sm1.read_bytes())
    assert info
    rows = chance.integers(-128, 128, (4, 10)).astype(np.int8)
    first, second = output_csv(tmp_path, [info, info], [Fixed(rows), Fixed(rows[::-1])])  # type: ignore[list-item]
    assert first != second
    lines = list(csv.DictReader(first.splitlines(), delimiter="\t"))
    assert [line["filename"] for line in lines] == ["a.wav", "b.wav", "deep/c.flac"]
    assert list(lines[0]) == ["filename", "scene_label", *info.labels]
    expected = probabilities(rows)
    for line, values in zip(lines, [expected[:2].mean(axis=0), expected[2], expected[3]], strict=True):
        found = [float(line[label]) for label in info.labels]
        np.testing.assert_allclose(found, values, atol=1e-6)
        assert sum(found) == pytest.approx(1, abs=1e-5)
        assert line["scene_label"] == info.labels[int(values.argmax())]


def test_clips_that_cannot_be_listed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="holds no audio file"):
        audio_files(tmp_path)
    (tmp_path / b"x\xff.wav".decode("utf-8", "surrogateescape")).touch()
    with pytest.raises(AudioError, match="its name is not UTF-8; rename it"):
        audio_files(tmp_path)


def test_an_evaluation_set_is_known_by_its_names(eval_clips: Path) -> None:
    assert unlike_evaluation_set(eval_clips, 4) is None
    (eval_clips / "3.wav").rename(eval_clips / "4.wav")
    assert "has 4 clips, 0.wav to 3.wav" in (unlike_evaluation_set(eval_clips, 4) or "")


@given(st.dictionaries(st.text(max_size=200), st.text(max_size=200) | st.floats(allow_nan=False) | st.integers()))
def test_yaml_holds_any_text(value: dict[str, object]) -> None:
    assert yaml.safe_load(to_yaml({"a": value, "b": [value]})) == {"a": value, "b": [value]}


def test_an_entry_of_2023_is_three_files(sm1: Path, entry_job: Callable[..., Job], tmp_path: Path) -> None:
    made = make_entry(entry_job("dcase2023", sm1), tmp_path / "out", score=score)
    assert made.files == [f"{LABEL}.meta.yaml", f"{LABEL}.output.csv", f"{LABEL}.tflite"]
    assert made.written.clips == 4
    assert (made.folder / f"{LABEL}.tflite").read_bytes() == sm1.read_bytes()
    told = yaml.safe_load((made.folder / f"{LABEL}.meta.yaml").read_text("utf-8"))
    assert told["submission"]["label"] == LABEL
    complexity = {"total_parameters_bytes": 52844, "total_parameters": 51764, "macs": 25475456, "macs_nessi": 25475456}
    assert told["system"]["complexity"] == complexity
    assert told["results"]["development_dataset"]["overall"]["accuracy"] == 25.0
    assert list(told) == ["submission", "system", "results"]


AWKWARD = (
    "true", "null", "1", "0x1F", "1e3", "12:30", "=", "<<", "- x", "? x", "x: y", "x #y", "*a", "&a", "!a", "|",
    ">", "%", "@", "`", "'", '"', "\\", "{x}", "[x]", ",", "~", "2024-01-31", "caf\u0301", "\u202egnp",
)  # fmt: skip


@pytest.mark.parametrize("first", range(0, len(AWKWARD), 10))
def test_classes_with_awkward_names_are_submitted(
    first: int, scene_model: Callable[..., Path], entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    labels = AWKWARD[first : first + 10]
    job = entry_job("dcase2023", scene_model("m"))
    (part,) = job.parts
    job = replace(job, parts=(replace(part, info=part.info.model_copy(update={"labels": labels})),))
    made = make_entry(job, tmp_path / "out", score=score)
    told = yaml.safe_load((made.folder / f"{LABEL}.meta.yaml").read_text("utf-8"))
    assert set(told["results"]["development_dataset"]["class_wise"]) == set(labels)
    with (made.folder / f"{LABEL}.output.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file, delimiter="\t"))[2:] == list(labels)


@pytest.mark.parametrize("label", ["x", "Almeida_AI4EDGE_task1_5", "Almeida_AI4EDGE_task2_1", "../x_y_task1_1"])
def test_a_label_of_another_form_is_refused(
    label: str, sm1: Path, entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is not a submission label of dcase2023; use <last name>_"):
        make_entry(entry_job("dcase2023", sm1, label=label), tmp_path / "out", score=score)
    assert not (tmp_path / "out").exists()


def test_models_that_the_challenge_does_not_take_are_refused(
    sm1: Path, scene_model: Callable[..., Path], entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    five, ten = scene_model("five", percent=5), scene_model("ten", percent=10)
    with pytest.raises(InputError, match="dcase2023: takes one model, not 2; give that"):
        make_entry(entry_job("dcase2023", five, ten), out, score=score)
    with pytest.raises(InputError, match=r"dcase2024: needs five models.*; these are of 5 %, 10 %; train those"):
        make_entry(entry_job("dcase2024", ten, five), out, score=score)
    with pytest.raises(InputError, match=r"all\.tflite: was trained on all training clips without one of the splits"):
        make_entry(entry_job("dcase2024", scene_model("all")), out, score=score)
    with pytest.raises(InputError, match=r"esc10_sm1\.tflite: has the classes baby_cry, .*; train on dcase2024's"):
        make_entry(entry_job("dcase2024", sm1), out, score=score)
    models = [scene_model(str(percent), percent=percent) for percent in (5, 10, 25, 50, 100)]
    with pytest.raises(InputError, match="--audio: dcase2024 classifies a folder of clips; give it"):
        make_entry(entry_job("dcase2024", *models, audio=None), out, score=score)
    job = entry_job("dcase2023", five)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Part, "cost", replace(job.parts[0].cost, macs=30_000_001))
        with pytest.raises(LimitExceeded, match=r"five\.tflite: MACs 30,000,001.*set by dcase2023"):
            make_entry(job, out, score=score)
    assert not out.exists()


def test_an_entry_is_written_whole_or_not_at_all(
    sm1: Path, entry_job: Callable[..., Job], eval_clips: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (eval_clips / "3.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError):
        make_entry(entry_job("dcase2023", sm1), out, score=score)
    assert list(out.iterdir()) == []
    (eval_clips / "3.wav").unlink()
    first = make_entry(entry_job("dcase2023", sm1), out, score=score)
    (first.folder / "left").touch()
    assert make_entry(entry_job("dcase2023", sm1), out, score=score).written.clips == 3
    assert [path.name for path in out.iterdir()] == [LABEL]
    assert not (first.folder / "left").exists()


def test_details_are_told(tmp_path: Path, sm1: Path, entry_job: Callable[..., Job]) -> None:
    path = tmp_path / "entry.toml"
    path.write_text(DETAILS, "utf-8")
    job = entry_job("dcase2023", sm1, details=read_details(path))
    made = make_entry(job, tmp_path / "out", score=score)
    told = yaml.safe_load((made.folder / f"{LABEL}.meta.yaml").read_text("utf-8"))
    assert told["submission"]["name"] == "Small network"
    assert told["submission"]["authors"][0]["affiliation"]["location"] == "Vila Real, Portugal"
    assert told["system"]["description"]["machine_learning_method"] == "CNN after CP-Mobile"
    assert told["system"]["external_datasets"][0]["total_audio_length"] == 2
    assert made.written.notes == ()
    plain = make_entry(entry_job("dcase2023", sm1), tmp_path / "out", score=score)
    assert plain.written.notes == ("fill in the authors in the .meta.yaml, or give them with --details",)


def test_a_teacher_from_elsewhere_is_an_external_resource(
    tmp_path: Path, scene_model: Callable[..., Path], entry_job: Callable[..., Job]
) -> None:
    """Named by the model's metadata, unless the entrant has declared it."""
    model = scene_model("taught", teachers=("YAMNet (AudioSet)", "Ears (everything)"))
    path = tmp_path / "entry.toml"
    path.write_text(DETAILS.replace("MicIRP", "YAMNet"), "utf-8")
    made = make_entry(entry_job("dcase2023", model, details=read_details(path)), tmp_path / "out", score=score)
    told = yaml.safe_load((made.folder / f"{LABEL}.meta.yaml").read_text("utf-8"))["system"]
    assert [one["name"] for one in told["external_datasets"]] == ["YAMNet", "Ears (everything)"]
    assert [one["url"] for one in told["external_datasets"]] == ["http://micirp.blogspot.com", ""]
    (note,) = made.written.notes
    assert note.startswith("fill in url and total_audio_length of Ears (everything), which taught the network")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name = 1", "key 'name': must be text"),
        ("nmae = 'x'", "unknown key 'nmae'; remove it or correct its spelling"),
        ("[[authors]]\nfirstname = 'x'", "key 'authors.0.lastname' is missing; add it"),
        ("[[authors]]\nlastname = 'x'", "0 authors are corresponding ones, exactly one must be"),
        ("abbreviation = 'much too long'", "key 'abbreviation'"),
        ("= x", "not TOML: "),
        (
            "[[external_datasets]]\nname = 'x'\nurl = ''\ntotal_audio_length = -1",
            "total_audio_length': must be 0.0 or more",
        ),
    ],
)
def test_details_that_make_no_sense_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "entry.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_details(path)
    assert problem in str(caught.value)
    with pytest.raises(InputError, match="no such file; write it; docs/CHALLENGES"):
        read_details(tmp_path / "none.toml")


def test_a_description_that_the_challenge_does_not_ask_for_is_refused(
    sm1: Path, entry_job: Callable[..., Job], tmp_path: Path
) -> None:
    job = entry_job("dcase2023", sm1, details=Details(description={"pipeline": "x"}))
    with pytest.raises(InputError, match=r"key 'description\.pipeline' is none of the challenge's; use: input_samp"):
        make_entry(job, tmp_path / "out", score=score)


def test_a_run_tells_what_made_the_network(sm1: Path, tmp_path: Path) -> None:
    from scenelet.config import recipe

    run = tmp_path / "run"
    run.mkdir()
    (run / "model.tflite").write_bytes(sm1.read_bytes())
    request = {"recipe": recipe.load("sm1_augmented").model_dump(mode="json"), "sources": {"teacher": "", "pruned": ""}}
    (run / "run.json").write_text(json.dumps(request))
    part = read_part(run)
    assert part == read_part(run / "model.tflite") or part.sources == read_part(run / "model.tflite").sources
    assert part.sources == ("pruned", "teacher")
    assert "knowledge distillation" in compression([part])
    assert pipeline([part]).startswith("training of the teacher, knowledge distillation, pruning and fine-tuning")
    assert "simulated device impulse responses" in augmentations(part)
    assert augmentations(read_part(sm1)) == "unknown"
    (run / "model.tflite").unlink()
    with pytest.raises(InputError, match=r"run: holds no model\.tflite; give a run that `scenelet quantize`"):
        read_part(run)
    with pytest.raises(InputError, match="none: no such file"):
        read_part(tmp_path / "none")


def test_the_command(
    sm1: Path, esc10_audio: Path, eval_clips: Path, small_city: City, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--audio", str(eval_clips), "--label", LABEL, "--out", str(tmp_path / "out")]
    esc10 = ["--data", str(esc10_audio), "--split", "fold1", *options]
    assert main(["submission", "dcase2023", str(sm1), *esc10, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["clips"], told["models"][0]["macs_nessi"]) == (4, 25475456)
    assert main(["submission", str(sm1), *esc10]) == 0  # as before there were several challenges
    printed = capsys.readouterr()
    assert "dcase2023: scores on split fold1 (macro)" in printed.out
    assert f"{LABEL} written: 3 files, 4 clips classified" in printed.out
    assert "note: fill in the authors" in printed.err
    city = ["--data", str(small_city.folder), *options]
    for words, problem in (
        (["dcase1999", str(sm1)], f"challenge 'dcase1999': unknown; use one of: {', '.join(registry.NAMES)}"),
        (["dcase2024", str(tmp_path)], "holds no model.tflite"),
        (["dcase2023"], "dcase2023: takes one model, not 0"),
        (["dcase2024", str(sm1)], "has the classes baby_cry"),
    ):
        assert main(["submission", *words, *city]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert problem in line
