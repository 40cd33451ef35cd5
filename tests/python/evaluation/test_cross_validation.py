"""Cross-validation: no recording on both sides, every fold the test once, resumable, the leak called by its name."""

from __future__ import annotations

import json
import shutil
import statistics

import numpy as np
import pytest
import soundfile

from scenelet.config import recipe
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError, InputError, LimitExceeded
from scenelet.evaluation import crossval_results
from scenelet.evaluation.cross_validation import (
    _teacher_in,
    _train_leaking,
    cross_validate,
    folds_of,
    held_out,
    parse_folds,
)
from scenelet.training import train
from scenelet.training.distillation.distill import teacher_cache

pytestmark = pytest.mark.train

RATE = 8000
TONES = {"rain": 300, "rooster": 1100, "sea_waves": 2600}


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """ESC-10's layout: three classes, two folds, three recordings a class and fold, two seconds each."""
    root = tmp_path_factory.mktemp("folded") / "esc10"
    (root / "audio").mkdir(parents=True)
    chance = np.random.default_rng(0)
    time = np.arange(2 * RATE) / RATE
    rows = ["filename,fold,category,source_clip,take"]
    for number, (label, frequency) in enumerate(TONES.items()):
        for fold in (1, 2):
            for take in range(3):
                source = f"{fold}{number}{take}"
                name = f"{fold}-{source}-A.wav"
                sound = 0.1 * np.sin(2 * np.pi * frequency * time) + chance.normal(0, 0.05, time.size)
                soundfile.write(root / "audio" / name, sound, RATE)
                rows.append(f"{name},{fold},{label},{source},A")
    (root / "meta.csv").write_text("\n".join(rows) + "\n")
    whole = open_dataset(root)
    # Three of ESC-10's classes are here; a network for all ten would want clips of the others.
    from dataclasses import replace

    return replace(whole, labels=tuple(TONES))


@pytest.fixture(scope="module")
def result(folded, tiny_recipe, cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("crossval") / "out"
    return out, cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, cache=cache)


def test_a_fold_is_held_out_whole(folded, tiny_recipe):
    for fold in (1, 2):
        _, split = train.prepare(tiny_recipe(), held_out(folded, fold))
        assert {clip.fold for clip in split.split("test")} == {fold}
        learned, validation = ({clip.recording for clip in split.split(name)} for name in ("train", "validation"))
        assert validation
        assert not learned & validation
        assert {clip.fold for clip in split.split("train") + split.split("validation")} == {3 - fold}


def test_every_fold_is_the_test_once(result):
    _, found = result
    assert [(outcome.fold, outcome.seed) for outcome in found.results] == [(1, 0), (2, 0)]
    for outcome in found.results:
        for scores in (outcome.float, outcome.int8):
            assert (scores["windows"], scores["clips"]) == (18, 9)
            assert 0 <= scores["accuracy"] <= 1
            assert 0 <= scores["clip_accuracy"] <= 1


def test_mean_and_spread_are_of_the_outcomes(result):
    out, found = result
    told = json.loads((out / "crossval.json").read_text())
    assert told == found.to_json()
    for kind in ("float", "int8"):
        for name in crossval_results.MEASURES:
            values = [outcome[kind][name] for outcome in told["outcomes"]]
            assert told["summary"][kind][name]["mean"] == pytest.approx(sum(values) / 2)
            assert told["summary"][kind][name]["sd"] == pytest.approx(statistics.stdev(values))


def test_answers_to_clips_make_the_score_its_interval_and_the_list_of_the_missed(result):
    out, found = result
    told = json.loads((out / "crossval.json").read_text())
    for outcome in found.results:
        assert len(outcome.answers) == 9
        assert {one.file.split("-")[0] for one in outcome.answers} == {str(outcome.fold)}
        assert np.mean([one.right for one in outcome.answers]) == pytest.approx(outcome.int8["clip_accuracy"])
    low, high = told["clip_interval"]
    assert 0 <= low <= told["summary"]["int8"]["clip_accuracy"]["mean"] <= high <= 1
    missed = {one.file for outcome in found.results for one in outcome.answers if not one.right}
    assert {one["file"] for one in told["missed_by_all"]} == missed
    assert crossval_results.read_result(out) == found


def test_results_of_earlier_versions_have_no_interval(result, tmp_path):
    _, found = result
    told = found.to_json()
    for outcome in (*told["outcomes"], *told["leak"]["outcomes"]):
        del outcome["answers"]
    (tmp_path / "crossval.json").write_text(json.dumps(told))
    old = crossval_results.read_result(tmp_path)
    assert old.clip_interval is None
    assert not old.missed
    assert "clip_interval" not in old.to_json()


def test_outputs_of_a_teacher_from_outside_are_a_file_per_fold(folded, tiny_recipe, cache, tmp_path):
    files = str(tmp_path / "told{fold}.csv")
    with pytest.raises(InputError, match=r"told2\.csv: .*no such file"):
        cross_validate(tiny_recipe(), folded, tmp_path / "out", teacher_logits=files, folds=(2,), cache=cache)
    for wrong in ({"filters": (4, 4)}, {"leak": True}, {"teacher": tiny_recipe()}):
        with pytest.raises(InputError, match=r"give one of them|leave .* out"):
            cross_validate(tiny_recipe(), folded, tmp_path / "out", teacher_logits=files, cache=cache, **wrong)


def test_a_float_score_is_the_runs_own(result):
    out, found = result
    for outcome in found.results:
        metrics = json.loads((out / outcome.run / "metrics.json").read_text())
        assert outcome.float == metrics["test"]
        assert outcome.validation == metrics["validation"]


def test_the_leak_stands_apart_with_a_warning(result):
    _, found = result
    told = found.to_json()
    assert "both sides" in told["leak"]["warning"]
    (leak,) = found.leaks
    assert leak.run == "leak-seed0"
    assert leak.float["windows"] == round(0.3 * 36)
    assert leak.validation["windows"] == round(0.34 * 25)
    assert leak.run not in {outcome.run for outcome in found.results}


def test_the_leak_does_leak(folded, tiny_recipe, cache, tmp_path, monkeypatch):
    seen = {}

    def stop(_recipe, _dataset, data, _folder):
        seen.update(data)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_windows", stop)
    with pytest.raises(KeyboardInterrupt):
        _train_leaking(tiny_recipe(), folded, tmp_path / "x", cache)
    assert sum(len(part) for part in seen.values()) == 36
    # 36 windows of 18 recordings: with a random draw some recording has a window on either side.
    owners = {part.features.tobytes() for part in seen.values()}
    assert len(owners) == 3
    assert all(part.clips.max() + 1 == len(np.unique(part.clips)) for part in seen.values())
    assert sum(part.clips.max() + 1 for part in seen.values()) > 18


def test_what_is_done_is_not_done_again_and_the_rest_goes_on(result, folded, tiny_recipe, cache, monkeypatch):
    out, found = result
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != crossval_results.RESULT}
    assert cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, cache=cache) == found
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != crossval_results.RESULT} == before
    lost = out / "fold2-seed0" / crossval_results.OUTCOME
    kept = json.loads(lost.read_text())
    lost.unlink()
    monkeypatch.setattr(train, "fit", lambda *_: pytest.fail("trained again"))
    assert cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, cache=cache) == found
    assert {**json.loads(lost.read_text()), "cpu_seconds": 0} == {**kept, "cpu_seconds": 0}


def test_two_processes_find_what_three_find(folded, tiny_recipe, cache, tmp_path):
    two, three = (
        cross_validate(tiny_recipe(epochs=4), folded, tmp_path / str(jobs), jobs=jobs, cache=cache) for jobs in (2, 3)
    )
    assert two.results == three.results
    assert len(two.results) == 2


def test_seeds_of_one_fold(folded, tiny_recipe, cache, tmp_path):
    recipe = tiny_recipe(epochs=1, seed=5).model_copy(update={"deployable": False})
    found = cross_validate(recipe, folded, tmp_path / "out", folds=(2,), seeds=2, cache=cache)
    assert [(outcome.fold, outcome.seed) for outcome in found.results] == [(2, 5), (2, 6)]
    assert found.results[0].int8 is None
    assert list(found.to_json()["summary"]) == ["float"]


def test_one_network_has_no_spread(result):
    _, found = result
    assert crossval_results.summary(found.results[:1])["float"]["accuracy"]["sd"] is None


def test_another_recipe_does_not_touch_the_runs(result, folded, tiny_recipe, cache):
    out, _ = result
    with pytest.raises(InputError, match=r"training\.epochs was 4 and is 5"):
        cross_validate(tiny_recipe(epochs=5), folded, out, leak=True, cache=cache)


def test_folds_that_are_not_there(folded, tiny_recipe, recordings, tmp_path):
    with pytest.raises(DatasetError, match="fold 3: is not there; use some of: 1, 2"):
        cross_validate(tiny_recipe(), folded, tmp_path / "out", folds=(1, 3))
    with pytest.raises(DatasetError, match="no two published folds"):
        folds_of(open_dataset(recordings))


def test_the_table_has_every_network_mean_and_spread_and_names_the_leak(result):
    rows = list(result[1].rows())
    assert [(row[0], row[1]) for row in rows] == [
        (name, kind)
        for name in ("fold 1, seed 0", "fold 2, seed 0", "mean", "LEAK seed 0", "LEAK mean")
        for kind in ("float", "INT8")
    ]
    assert "±" in rows[4][2]
    assert "±" not in rows[-1][2]


def test_a_list_of_folds():
    assert parse_folds("4,1,4") == (4, 1)
    assert parse_folds("") is None
    with pytest.raises(InputError, match="folds '1;2': is not a list of numbers"):
        parse_folds("1;2")


def test_a_teacher_is_trained_on_the_same_split_and_distilled_from(folded, tiny_recipe, cache, tmp_path):
    teacher = tiny_recipe(epochs=2, seed=9, validation_fraction=0.6)
    student = tiny_recipe(epochs=2)
    found = cross_validate(student, folded, tmp_path / "out", teacher=teacher, folds=(2,), cache=cache)
    student_run, teacher_run = (
        json.loads((tmp_path / "out" / name / "run.json").read_text()) for name in ("fold2-seed0", "fold2-teacher")
    )
    assert student_run["features_sha256"] == teacher_run["features_sha256"]
    assert student_run["sources"]
    assert found.results[0].int8 is not None
    plain = cross_validate(student, folded, tmp_path / "plain", folds=(2,), cache=cache)
    assert found.results[0].float != plain.results[0].float


def test_the_teacher_of_a_fold_is_its_run_of_the_lowest_seed(tmp_path):
    def finished(name):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text("{}")

    finished("fold1-teacher")
    assert _teacher_in(tmp_path, 1) == tmp_path / "fold1-teacher"
    for name in ("fold1-seed10", "fold1-seed9-whole", "fold1-seed9", "fold11-seed0"):
        finished(name)
    assert _teacher_in(tmp_path, 1) == tmp_path / "fold1-seed9"


def test_teacher_outputs_are_in_one_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path))
    assert teacher_cache(None) == teacher_cache(tmp_path / "features") == tmp_path / "teachers"
    assert teacher_cache(tmp_path / "elsewhere") == tmp_path / "elsewhere" / "teachers"


def test_the_leak_is_for_plain_training(folded, tiny_recipe, tmp_path):
    with pytest.raises(InputError, match="the leak: is shown for plain training alone"):
        cross_validate(tiny_recipe(), folded, tmp_path / "out", teacher=tiny_recipe(), leak=True)


def test_what_makes_no_sense_is_refused_before_anything_is_trained(folded, tiny_recipe, cache, tmp_path, monkeypatch):
    monkeypatch.setattr("scenelet.training.train.train", lambda *_, **__: pytest.fail("trained"))
    student, out = tiny_recipe(), tmp_path / "out"
    other = student.model_copy(update={"frontend": student.frontend.model_copy(update={"hi_db": 10.0})})
    with pytest.raises(InputError, match="recipe tiny: has another front end than recipe tiny; give both the same"):
        cross_validate(student, folded, out, teacher=other, cache=cache)
    with pytest.raises(InputError, match="recipe teacher: is a teacher, not a student"):
        cross_validate(recipe.load("teacher"), folded, out, teacher=student, cache=cache)
    with pytest.raises(InputError, match="recipe tiny: filters 1 cannot be kept of"):
        cross_validate(student, folded, out, filters=(1,), cache=cache)
    with pytest.raises(InputError, match="recipe cp_mobile: is not a plain chain of convolutions"):
        cross_validate(recipe.load("cp_mobile"), folded, out, filters=(1,), cache=cache)
    monkeypatch.setattr("scenelet.graph.limits.MACS", 10)
    with pytest.raises(LimitExceeded, match="recipe tiny, pruned: MACs"):
        cross_validate(student, folded, out, filters=[b.filters for b in student.model.blocks], cache=cache)
    assert not out.exists()


def test_a_teachers_own_cross_validation_is_used_and_filters_are_pruned(folded, tiny_recipe, cache, tmp_path):
    teachers, out = tmp_path / "teacher", tmp_path / "out"
    student = tiny_recipe(epochs=1)
    with pytest.raises(InputError, match="teacher: holds no finished run of fold 2; cross-validate the teacher first"):
        cross_validate(student, folded, out, teacher=teachers, folds=(2,), cache=cache)
    cross_validate(tiny_recipe(epochs=1, seed=7, split_seed=0), folded, teachers, folds=(2,), cache=cache)
    widths = [block.filters for block in student.model.blocks]
    narrow = [widths[0] - 1, *widths[1:]]
    found = cross_validate(student, folded, out, teacher=teachers, filters=narrow, folds=(2,), seeds=2, cache=cache)
    assert [outcome.seed for outcome in found.results] == [0, 1]
    for seed in (0, 1):
        whole, pruned = (
            json.loads((out / f"fold2-seed{seed}{part}" / "run.json").read_text()) for part in ("-whole", "")
        )
        assert set(whole["sources"]) == {"teacher"}
        assert set(pruned["sources"]) == {"teacher", "pruned"}
        assert [block["filters"] for block in pruned["recipe"]["model"]["blocks"]] == narrow
    assert json.loads((out / "fold2-seed1" / "run.json").read_text())["recipe"]["training"]["split_seed"] == 0


def test_a_teacher_that_was_trained_on_the_test_is_refused(folded, tiny_recipe, cache, tmp_path):
    teachers = tmp_path / "teacher"
    cross_validate(tiny_recipe(epochs=1), folded, teachers, folds=(1,), cache=cache)
    (teachers / "fold1-seed0").rename(teachers / "fold2-seed0")
    with pytest.raises(InputError, match="was trained with another test split"):
        cross_validate(tiny_recipe(epochs=1), folded, tmp_path / "out", teacher=teachers, folds=(2,), cache=cache)


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "{",
        lambda _: "[]",
        lambda _: "{}",
        lambda told: json.dumps({**told, "more": 1}),
        lambda told: json.dumps({**told, "float": None}),
        lambda told: json.dumps({**told, "int8": {**told["int8"], "log_loss": None}}),
    ],
)
@pytest.mark.parametrize("name", ["fold2-seed0/outcome.json", "crossval.json"])
def test_a_damaged_result_is_named(result, folded, tiny_recipe, cache, tmp_path, damage, name):
    out = shutil.copytree(result[0], tmp_path / "out")
    content = json.loads((out / name).read_text())
    damaged = damage(content["outcomes"][0] if "outcomes" in content else content)
    if "outcomes" in content and damaged not in ("{", "[]", "{}"):
        damaged = json.dumps({**content, "outcomes": [json.loads(damaged)]})
    (out / name).write_text(damaged)
    with pytest.raises(InputError, match=f"{name}: is damaged: .*; delete that file and give the same command again"):
        cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, cache=cache)


def test_the_scores_of_a_run_without_its_test_are_damaged(result, folded, tiny_recipe, cache, tmp_path):
    out = shutil.copytree(result[0], tmp_path / "out")
    path = out / "fold1-seed0" / "metrics.json"
    path.write_text("{}")
    with pytest.raises(InputError, match=r"metrics\.json: is damaged: key .*; delete the folder and train again"):
        cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, cache=cache)


def test_a_folder_of_something_else_is_left_alone(folded, tiny_recipe, cache, tmp_path):
    (tmp_path / "holiday.txt").write_text("sea")
    for out in (tmp_path, tmp_path / "holiday.txt", folded.root):
        with pytest.raises(InputError, match="holds something else than a cross-validation; choose another folder"):
            cross_validate(tiny_recipe(epochs=1), folded, out, cache=cache)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_no_outcome_is_thrown_away(result, folded, tiny_recipe, cache, tmp_path, monkeypatch):
    out = shutil.copytree(result[0], tmp_path / "out")
    (out / "cost.json").write_text("{}")  # tools/experiments/training.py's
    before = (out / crossval_results.RESULT).read_bytes()
    for fewer in ({"leak": True, "folds": (2,)}, {}):
        with pytest.raises(InputError, match="holds the cross-validation of folds 1,2 and the leak with seed 0"):
            cross_validate(tiny_recipe(epochs=4), folded, out, cache=cache, **fewer)
    assert (out / crossval_results.RESULT).read_bytes() == before
    monkeypatch.setattr("scenelet.core.parallel.spread", lambda *_: iter([result[1].results[0]] * 6))
    found = cross_validate(tiny_recipe(epochs=4), folded, out, leak=True, seeds=2, cache=cache)
    assert len(found.results) == 6  # a seed more is no loss
