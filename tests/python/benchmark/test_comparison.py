"""Comparisons: subjects as users write them, and what became smaller, faster, better or worse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Done
from fixtures_pages import SmallRun

from scenelet.benchmark.comparison import KINDS, Comparison, Measured, compare
from scenelet.benchmark.explain import explain
from scenelet.benchmark.instructions import Bench
from scenelet.benchmark.subjects import Asked, Subject, parse
from scenelet.compiler.options import Options
from scenelet.errors import InputError, ModelError

Run = Callable[..., Done]


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, small_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A commit with a model and a link to it; the working tree has another file in its place."""
    root = tmp_path / "repository"
    (root / "models").mkdir(parents=True)
    (root / "models" / "small.tflite").write_bytes(small_file.read_bytes())
    (root / "models" / "default.tflite").symlink_to("small.tflite")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "a model")
    (root / "models" / "small.tflite").write_bytes(b"changed")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    "name", ["HEAD:models/small.tflite", "HEAD:./models/small.tflite", "HEAD:models/default.tflite"]
)
def test_a_file_of_a_commit_is_that_of_the_commit(name: str, repository: Path, small_file: Path) -> None:
    found = parse(f"{name},ram=0", Asked(board="feather_f405"))
    assert found.content == small_file.read_bytes()
    assert found.origin.startswith("commit ")
    assert len(found.origin) == len("commit ") + 40
    assert found.asked == Asked(ram=0, board="feather_f405")
    assert (repository / "models" / "small.tflite").read_bytes() == b"changed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HEAD:models/none.tflite", "that commit has no such file"),
        ("HEAD:models", "that commit has no such file"),
        ("nowhere:models/small.tflite", "git knows no such commit here"),
        ("--help:models/small.tflite", "git knows no such commit here"),
        ("gone.tflite", "no such file"),
        ("models/small.tflite,rom=3", "has no option 'rom=3'"),
        ("models/small.tflite,ram=few", "ram 'few' is no number of bytes"),
        ("models/small.tflite,fusion=1", "fusion '1' is neither on nor off"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_is_wrong_with_a_subject_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(text, Asked())


def test_a_file_whose_name_looks_like_options_is_a_file(tmp_path: Path, small_file: Path) -> None:
    path = tmp_path / "HEAD:a,ram=3.tflite"
    path.write_bytes(small_file.read_bytes())
    assert parse(str(path), Asked()).asked == Asked()
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.tflite").write_bytes(small_file.read_bytes())
    assert parse(str(run), Asked()).content == small_file.read_bytes()


def test_figures_are_those_of_explain(small_file: Path) -> None:
    texts = (str(small_file), f"{small_file},fusion=off", f"{small_file},weights=expanded")
    found = compare([parse(text, Asked()) for text in texts])
    for one, options in zip(found.models, (Options(), Options(fusion=False), Options(weights="expanded")), strict=True):
        wanted = explain(small_file, options)
        assert one.figures["arena_bytes"] == wanted.arena_bytes
        assert one.figures["predicted_instructions"] == wanted.predicted_instructions
        assert sum(layer.instructions for layer in one.layers) == wanted.predicted_instructions
    changes = {one.key: one for one in found.changes(1)}
    assert changes["file_bytes"].word == "equal"
    ratio = found.models[1].figures["arena_bytes"] / found.models[0].figures["arena_bytes"] - 1
    assert changes["arena_bytes"].ratio == pytest.approx(ratio)
    assert changes["arena_bytes"].word == ("larger" if ratio > 0 else "smaller")
    assert dict(found.summary(0)) == {"equal": "in every figure"}


def made(**figures: float) -> Measured:
    ranges = {"accuracy": (figures.get("accuracy", 0) - 0.05, figures.get("accuracy", 0) + 0.05)}
    return Measured(Subject("a", "file", b"", Asked()), "", figures, (), ranges if "accuracy" in figures else {})


@pytest.mark.parametrize("key", KINDS)
def test_less_is_better_but_of_accuracy(key: str) -> None:
    found = Comparison((made(**{key: 0.5}), made(**{key: 0.25}), made(**{key: 0.75})))
    less, more = (found.changes(number)[0] for number in (1, 2))
    assert less.good is not more.good
    assert less.good is (key not in ("accuracy", "clip_accuracy"))
    assert less.word == KINDS[key].less
    assert less.shown == ("-25.0 points" if KINDS[key].unit == "%" else "-50.0 %")


def test_an_accuracy_within_the_intervals_is_no_certain_change() -> None:
    found = Comparison((made(accuracy=0.5), made(accuracy=0.52), made(accuracy=0.7)))
    assert [found.changes(number)[0].certain for number in (1, 2)] == [False, True]
    assert dict(found.summary(1)) == {"better": "windows right +2.0 points, within the 95 % intervals"}


def test_a_model_that_cannot_be_read_is_named_as_it_was_given(small_file: Path, tmp_path: Path) -> None:
    (tmp_path / "b.tflite").write_bytes(b"no model")
    with pytest.raises(ModelError) as caught:
        compare([parse(str(small_file), Asked()), parse(f"{tmp_path}/b.tflite,ram=0", Asked())])
    assert str(caught.value).startswith(f"{tmp_path}/b.tflite,ram=0: ")


def test_scores_are_compared_and_told_as_json(small_run: SmallRun, scenelet: Run, tmp_path: Path) -> None:
    model, page = small_run.folder / "model.tflite", tmp_path / "page.html"
    done = scenelet("compare", model, f"{model},ram=0", "--data", small_run.data, "--json", "--out", page)
    assert done.status == 0, done.err
    answer = json.loads(done.out)
    evaluated = json.loads(scenelet("evaluate", model, "--data", small_run.data, "--json").out)
    assert [one["figures"]["accuracy"] for one in answer["models"]] == [evaluated["accuracy"]] * 2
    assert answer["changes"][0]["figures"]["log_loss"]["word"] == "equal"
    assert answer["page"] == str(page)
    assert "<script" not in page.read_text("utf-8")
    shown = scenelet("compare", model, f"{model},ram=0", "--data", small_run.data).out
    assert "against A" in shown
    assert "windows right" in shown


@pytest.mark.qemu
def test_counted_figures_are_those_of_the_bench(small_file: Path, benched: Callable[..., Bench]) -> None:
    found = compare([parse(text, Asked()) for text in (f"{small_file},fusion=off", str(small_file))], measure=True)
    wanted, one = benched(small_file, Options(fusion=False)), found.models[0]
    assert one.figures["instructions"] == pytest.approx(wanted.instructions, abs=50)  # the timer counts in sixes
    assert one.figures["modelled_cycles"] == wanted.modelled_cycles
    assert [layer.instructions for layer in one.layers] == pytest.approx(list(wanted.part_instructions), abs=6)
    assert {change.key: change.word for change in found.changes(1)}["instructions"] == "faster"
