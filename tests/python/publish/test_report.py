"""The page of a model: every part, whole without what is not there, escaped, the same each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Done
from fixtures_pages import HOSTILE, SmallRun
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import random_network
from streams.generated import STREAM_KINDS, stream_network

from scenelet.benchmark.explain import explain_compiled
from scenelet.compiler.pipeline import compile_model
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DamagedFileError, InputError
from scenelet.publish.page.chart import ticks
from scenelet.publish.page.figures import compact, width
from scenelet.publish.report import Request, write_report
from scenelet.publish.report.memory import blocks
from scenelet.publish.report.mistakes import worst
from scenelet.publish.report.scores import read_saved
from scenelet.publish.report.subject import Subject
from scenelet.publish.report.training import read_curve

Run = Callable[..., Done]

GROUP = {"count": 2, "accuracy": 0.5, "log_loss": 1.0}
WHOLE: dict[str, Any] = {
    "target": "host",
    "split": "test",
    "windows": 3,
    "clips": 2,
    "accuracy": 0.5,
    "clip_accuracy": 1,
    "log_loss": 1.5,
    "labels": ["a", "b"],
    "confusion": [[1, 0], [1, 1]],
    "by_device": {"phone": GROUP},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
NAMES = (
    "verdict", "scores", "calibration", "mistakes", "layers", "memory", "flash", "front-end", "spectrogram",
    "training", "origin",
)  # fmt: skip


def request(run: SmallRun) -> Request:
    return Request(run.folder, open_dataset(run.data), targets=("host",), mistakes=3)


@pytest.fixture(scope="module")
def page(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_report(request(small_run), path)
    return path


def saved(folder: Path, content: Any) -> Path:
    (folder / "evaluation.json").write_text(json.dumps(content))
    return folder / "evaluation.json"


def test_a_whole_evaluation_is_read(tmp_path: Path) -> None:
    found = read_saved(saved(tmp_path, WHOLE))
    assert (found.windows, found.share(1, 0), found.by_device["phone"].count) == (3, 0.5, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": []}, "key 'labels'"),
        ({"confusion": [[1, 0]]}, "key 'confusion' is no table of 2 x 2"),
        ({"confusion": [[1, 0], [1]]}, "key 'confusion' is no table of 2 x 2"),
        ({"confusion": [[1, 0], [1, -1]]}, "key 'confusion.1.1'"),
        ({"by_device": {"phone": {}}}, "key 'by_device.phone.count'"),
        ({"accuracy": "1"}, "key 'accuracy'"),
    ],
)
def test_what_the_page_needs_is_named(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(DamagedFileError, match=rf"evaluation\.json: is damaged: {said}.*; write it again with"):
        read_saved(saved(tmp_path, {**WHOLE, **change}))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_anything_in_a_keys_place_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = json.loads(json.dumps(WHOLE))
    place = data.draw(st.sampled_from([content, content["by_device"], content["by_device"]["phone"]]))
    key = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(ANYTHING)
    try:
        found = read_saved(saved(tmp_path, content))
    except DamagedFileError:
        return
    assert len(found.confusion) == len(found.labels)


def test_every_part_is_there_and_nothing_comes_from_elsewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert re.findall(r'<section id="([a-z-]+)"', text) == list(NAMES)
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "<script" not in text
    assert "http://" not in text


def test_foreign_text_is_escaped(page: Path) -> None:
    text = page.read_text("utf-8")
    for name in (*HOSTILE, "<u>sounds", "<i>small", "run <i>"):
        if escape(name) != name:
            assert name not in text, name
    for label in HOSTILE:
        assert escape(label).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in text


def test_the_same_inputs_give_the_same_bytes(page: Path, small_run: SmallRun, tmp_path: Path) -> None:
    write_report(request(small_run), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_scores_are_those_of_evaluate_and_all_places_share_one_matrix(
    page: Path, small_run: SmallRun, scenelet: Run
) -> None:
    said = scenelet("evaluate", small_run.folder / "model.tflite", "--data", small_run.data, "--json")
    found = json.loads(said.out)
    text = page.read_text("utf-8")
    assert text.count(f"{100 * found['accuracy']:.2f} %") >= 2  # LiteRT and the generated C
    assert text.count('class="heat') == 1
    cells = re.findall(r'<td class="(?:hit|miss)".*?</td>', text, re.DOTALL)
    shown = [[int(value or 0) for value in re.findall(r'"v v\d">(\d*)<', cell)] for cell in cells]
    assert shown == [[count, count] for row in found["confusion"] for count in row]
    assert "agree in every cell" in text


def test_what_is_not_there_is_said_with_what_to_do(small_run: SmallRun, tmp_path: Path) -> None:
    missing = write_report(Request(small_run.folder / "model.tflite"), tmp_path / "page.html")
    assert {"scores", "calibration", "mistakes", "layers", "flash", "training"} <= set(missing)
    assert "--data" in missing["scores"]
    assert "--measure" in missing["flash"]
    assert "run folder" in missing["training"]
    text = (tmp_path / "page.html").read_text("utf-8")
    assert re.findall(r'<section id="([a-z-]+)"', text) == list(NAMES)
    assert all(escape(remedy, quote=False).replace("'", "&#39;") in text for remedy in missing.values())


def test_without_librosa_the_board_is_shown_alone(
    small_run: SmallRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "librosa", None)
    missing = write_report(Request(small_run.folder), tmp_path / "page.html")
    assert "librosa: is not installed" in missing["front-end"]
    assert "librosa: is not installed" in missing["spectrogram"]
    assert (tmp_path / "page.html").read_text("utf-8").count('class="image"') == 1


@pytest.mark.qemu
def test_measured_figures_replace_predicted_ones(small_run: SmallRun, tmp_path: Path) -> None:
    missing = write_report(Request(small_run.folder, measure=True), tmp_path / "page.html")
    assert "flash" not in missing
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "counted in QEMU" in text
    assert "Largest symbols" in text
    assert "network, engine and front end" in text


def test_a_saved_evaluation_stands_in_for_a_data_set(small_run: SmallRun, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.tflite").write_bytes((small_run.folder / "model.tflite").read_bytes())
    saved(run, WHOLE)
    write_report(Request(run), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "50.00 %" in text
    assert "of 3<" in text


@pytest.mark.parametrize("kind", ["ordinary", *dict.fromkeys(STREAM_KINDS)])
def test_a_model_from_elsewhere_has_a_whole_page(kind: str, tmp_path: Path) -> None:
    model = tmp_path / "foreign.tflite"
    model.write_bytes(random_network(3, 4) if kind == "ordinary" else stream_network(5, 5, kind))
    missing = write_report(Request(model), tmp_path / "page.html")
    assert "metadata" in missing["scores"]
    assert "front end" in missing["front-end"]
    assert re.findall(r'<section id="([a-z-]+)"', (tmp_path / "page.html").read_text("utf-8")) == list(NAMES)


def test_a_run_without_a_model_and_a_damaged_history_leave_no_page(small_run: SmallRun, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="scenelet quantize"):
        write_report(Request(tmp_path), tmp_path / "page.html")
    (tmp_path / "model.tflite").write_bytes((small_run.folder / "model.tflite").read_bytes())
    for content in (b"\xff", b"epoch,loss\n1,2\n", b"epoch,loss,validation_loss,validation_accuracy\n1,nan,1,1\n"):
        (tmp_path / "history.csv").write_bytes(content)
        with pytest.raises(DamagedFileError, match=r"history\.csv: is damaged: not a history"):
            write_report(Request(tmp_path), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_best_epoch_is_that_of_the_least_validation_loss(small_run: SmallRun) -> None:
    assert read_curve(small_run.folder / "history.csv").best == (2, 1.1, 1.2, 0.5)


@pytest.mark.parametrize("model", ["small_file", "sm1"])
def test_blocks_lie_in_the_arena_and_none_overlaps_another(model: str, request: pytest.FixtureRequest) -> None:
    compiled = compile_model(request.getfixturevalue(model))
    found = explain_compiled(compiled)
    made = blocks(found, compiled.program.steps)
    assert len(made) >= len(found.memory)
    assert ("line buffer" in {one.kind for one in made}) is (model == "sm1")  # whose layers run depth first
    for one in made:
        assert one.left >= 0
        assert one.left + one.width <= 100.01
        assert one.bottom + one.height <= 100.01
    for number, one in enumerate(made):
        for other in made[number + 1 :]:
            apart = one.left + one.width <= other.left + 0.01 or other.left + other.width <= one.left + 0.01
            above = one.bottom + one.height <= other.bottom + 0.01 or other.bottom + other.height <= one.bottom + 0.01
            # Where a step has read its input, its output may lie.
            followed = one.piece.last_step == other.piece.first_step or other.piece.last_step == one.piece.first_step
            assert apart or above or followed, (one, other)


def test_the_worst_mistakes_are_the_surest_one_of_a_clip(small_run: SmallRun) -> None:
    result = Subject(request(small_run)).evaluations["litert"]
    found = worst(result, 5)
    assert found
    shares = [one.answers[0][1] for one in found]
    assert shares == sorted(shares, reverse=True)
    assert len({one.clip for one in found}) == len(found)
    assert all(one.answers[0][0] != one.truth for one in found)
    wrong = sum(result.labels[int(np.argmax(scores))] != truth for _, _, truth, scores in result.rows)
    assert len(worst(result, 1000)) <= wrong


def test_options_without_a_data_set_are_refused(scenelet: Run, small_file: Path, tmp_path: Path) -> None:
    done = scenelet("report", small_file, "--target", "host", "--out", tmp_path / "page.html")
    assert done.status == 2
    assert done.complaint == "--target: needs a data set; give --data DIR"


def test_the_command_says_what_is_missing(scenelet: Run, small_file: Path, tmp_path: Path) -> None:
    done = scenelet("report", small_file, "--json", "--out", tmp_path / "page.html")
    assert done.status == 0
    answer = json.loads(done.out)
    assert answer["report"] == str(tmp_path / "page.html")
    assert "flash" in answer["missing"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7, "7"), (0.1234, "0.12"), (999, "999"), (999.96, "1.00 k"), (1234, "1.23 k"), (18_646_272, "18.6 M"),
     (99_999, "100 k"), (3.2e9, "3.20 G")],
)  # fmt: skip
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert compact(value) == text


@settings(max_examples=60)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e9))
def test_ticks_are_round_few_and_inside(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 0 < len(found) <= 7
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in found)


def test_a_bar_is_a_share_of_the_longest() -> None:
    assert (width(5, 10), width(-1, 10), width(1, 0)) == ("50.0", "0.0", "0")
