"""What goes out with a model says what was measured, and nothing else."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenelet.cli import main
from scenelet.core.files import sha256
from scenelet.core.metrics import Measures
from scenelet.data.datasets.registry import open_dataset
from scenelet.evaluation.confusion_matrix import confusion_png
from scenelet.evaluation.evaluate import Evaluation, evaluate, model_info, pooled
from scenelet.publish.model_card import Folds, card, read_folds
from scenelet.targets.base import Heard
from scenelet.tflite.metadata import ModelInfo, Provenance, attach, read


class Fixed:
    """A target that gives every window of a clip the next row of scores."""

    name = "fixed"
    stateful = False

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = list(rows)

    def hear(self, windows: np.ndarray) -> Heard:
        return Heard(np.stack([self.rows.pop(0) for _ in windows]), np.zeros(len(windows), np.bool_), None)


@pytest.fixture
def info(sm1: Path) -> ModelInfo:
    return model_info(read(sm1.read_bytes()), sm1)


@pytest.fixture
def measured(info: ModelInfo, esc10_audio: Path) -> Evaluation:
    """Ten windows of two classes; "rain" is answered throughout."""
    rows = np.full((10, 10), -128, np.int8)
    rows[:, info.labels.index("rain")] = 127
    return evaluate("m", info, open_dataset(esc10_audio), "fold1", Fixed(rows))  # type: ignore[arg-type]


def test_the_card_states_file_cost_scores_and_weakness(sm1: Path, info: ModelInfo, measured: Evaluation) -> None:
    text = card(sm1, info, [measured, replace(measured, split="fold4")])
    assert sha256(sm1) in text
    assert f"{sm1.stat().st_size:,} bytes" in text
    assert "52,844 B of 128,000" in text
    assert "25,475,456 of 30,000,000" in text
    assert ", ".join(info.labels) in text
    assert "CC BY 3.0" in text
    assert "| `fixed` | fold1 | 10 | 50.0% |" in text
    assert "| `fixed` | fold4 |" in text
    assert "| rooster | 6 | 0.0% |" in text
    assert "- `rooster` is missed more often than not; most often it is taken for `rain` (6 windows)." in text
    assert "`rain` is missed" not in text


def test_a_card_of_folds_gives_mean_spread_and_pooled_classes(sm1: Path, info: ModelInfo, measured: Evaluation) -> None:
    second = replace(measured, split="fold2", clips=5, accuracy=0.7, clip_accuracy=0.9)
    classes = {"rain": Measures(4, 0.5, 1.0), "rooster": Measures(4, 1.0, 0.5)}
    second = replace(second, log_loss=1.0, by_class=classes, confusion=np.zeros_like(measured.confusion))
    text = card(sm1, info, [measured, second], folds=Folds((), "sm1"))
    assert "nothing is left to test it on" in text
    assert "| | mean | 20 | 60.0% ± 14.1% |" in text
    assert "(`fixed`, fold1, fold2)" in text
    assert "| rooster | 10 | 40.0% |" in text  # 0 of 6 and 4 of 4
    assert "scenelet train sm1 --data DIR --out RUN --all-clips\n" in text
    assert "scenelet crossval sm1 --data DIR --out FOLDS\n" in text
    assert f"scenelet card {sm1.name} --data DIR --crossval FOLDS" in text
    assert "- 9 clips were scored; one is 11.11 points" in text
    assert pooled([measured, second]).rows == measured.rows * 2
    assert pooled([measured, measured, second]).clips == 9  # two networks of a fold heard the same clips


def test_a_card_names_the_commands_of_a_network_that_was_taught_and_pruned(
    sm1: Path, info: ModelInfo, measured: Evaluation
) -> None:
    text = card(sm1, info, [measured], folds=Folds((), "sm3", "rrs", (20, 16)))
    assert text.split("```\n")[1].splitlines() == [
        "scenelet crossval sm3 --data DIR --out FOLDS --teacher TEACHERS --method rrs --filters 20,16",
        "scenelet distill sm3 --teacher TEACHER --method rrs --data DIR --out WHOLE --all-clips",
        "scenelet prune WHOLE --filters 20,16 --teacher TEACHER --data DIR --out RUN --all-clips",
        "scenelet quantize RUN",
        f"scenelet card {sm1.name} --data DIR --crossval FOLDS --out {sm1.stem}.md",
    ]
    assert "±" not in text  # one network has no spread


def test_a_card_says_what_is_no_test(sm1: Path, info: ModelInfo, measured: Evaluation) -> None:
    assert measured.learned_clips is None  # the model is of other recordings than these
    text = card(sm1, info, [replace(measured, learned_clips=3)])
    assert "**No test: the network learned from 3 of the 4 clips of fold1.**" in text
    assert "No test" not in card(sm1, info, [replace(measured, learned_clips=0)])


def cross_validation(folder: Path, sm1: Path) -> Path:
    """A folder that looks like a finished cross-validation of two folds."""
    outcomes = []
    for fold in (1, 2):
        run = folder / f"fold{fold}-seed0"
        run.mkdir(parents=True)
        (run / "model.tflite").write_bytes(sm1.read_bytes())
        blocks = [{"filters": 8}, {"filters": 4}]
        recipe = {"model": {"blocks": blocks}, "distillation": {"method": "rrs"}}
        (run / "run.json").write_text(json.dumps({"recipe": recipe, "sources": {"teacher": "", "pruned": ""}}))
        scores = {"windows": 5, "clips": 2, "accuracy": 0.5, "clip_accuracy": 0.5, "log_loss": 1.0}
        told = dict.fromkeys(("validation", "float", "int8"), scores)
        outcomes.append({"run": run.name, "fold": fold, "seed": 0, "epochs": 1, **told})
    (folder / "crossval.json").write_text(json.dumps({"recipe": "sm3", "dataset": "esc10", "outcomes": outcomes}))
    return folder


def test_the_networks_of_a_cross_validation_are_scored_on_their_folds(
    sm1: Path, info: ModelInfo, esc10_audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folds = cross_validation(tmp_path / "folds", sm1)
    whole = tmp_path / "whole.tflite"
    learned = Provenance(all_clips=True, validation_fraction=0.2, validation_seed=0, clips_sha256="")
    whole.write_bytes(attach(sm1.read_bytes(), info.model_copy(update={"learned": learned})))
    wanted = ["card", str(whole), "--data", str(esc10_audio), "--out", str(tmp_path / "card.md"), "--crossval"]
    assert main([*wanted, str(folds), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["evaluations"]
    assert [(Path(one["model"]).parent.name, one["split"]) for one in told] == [
        ("fold1-seed0", "fold1"),
        ("fold2-seed0", "fold2"),
    ]
    made = read_folds(folds)
    assert (made.recipe, made.method, made.filters) == ("sm3", "rrs", (8, 4))
    assert main([*wanted, str(folds), "--split", "test"]) == 2
    assert main([*wanted, str(tmp_path)]) == 2
    (folds / "fold2-seed0" / "model.tflite").unlink()
    assert main([*wanted, str(folds)]) == 2
    assert main(["card", str(sm1), *wanted[2:], str(folds)]) == 2
    other = attach(whole.read_bytes(), read(whole.read_bytes()).model_copy(update={"recipe_sha256": "0"}))
    whole.write_bytes(other)
    (folds / "crossval.json").write_text("{}")
    assert main([*wanted, str(folds)]) == 2
    cross_validation(tmp_path / "again", sm1)
    assert main([*wanted, str(tmp_path / "again")]) == 2
    complaints = capsys.readouterr().err.splitlines()
    for complaint, part in zip(
        complaints,
        (
            "--crossval, not both",
            "crossval.json: is missing; give the folder of a finished",
            "model.tflite: is missing",
            "--crossval: is for a network trained on all clips",
            "crossval.json: is damaged",
            "again: holds no network of the model's settings of sm1",
        ),
        strict=True,
    ):
        assert part in complaint


def test_a_card_of_unknown_data_claims_no_licence(sm1: Path, info: ModelInfo, measured: Evaluation) -> None:
    text = card(sm1, info.model_copy(update={"dataset": "kitchen"}), [measured])
    assert "`kitchen`" in text
    assert "CC BY" not in text


def test_the_picture_has_a_square_for_every_count(info: ModelInfo, measured: Evaluation, tmp_path: Path) -> None:
    from matplotlib.image import imread

    content = confusion_png(measured.confusion, info.labels)
    assert confusion_png(measured.confusion, info.labels) == content
    (tmp_path / "c.png").write_bytes(content)
    blue = imread(tmp_path / "c.png")[..., :3]
    full = np.all(np.abs(blue - np.array([8, 48, 107]) / 255) < 0.02, axis=-1)  # the colour map's end: a whole row
    columns = np.flatnonzero(full.sum(axis=0) > 20)
    assert np.ptp(columns) < blue.shape[1] / 10  # both classes' windows lie in the one column of "rain"
    assert confusion_png(measured.confusion.T, info.labels) != content


AWKWARD = (
    "true", "null", "1", "0x1F", "1e3", "12:30", "=", "<<", "- x", "? x", "x: y", "x #y", "*a", "&a", "!a", "|", ">",
    "%", "@", "`", "'", '"', "\\", "{x}", "[x]", ",", "~", "2024-01-31", "a|b", "<b>", "$x$", "cafe\u0301",
    "\u202egnp", " x",
)  # fmt: skip


def awkward(info: ModelInfo, measured: Evaluation, labels: tuple[str, ...]) -> tuple[ModelInfo, Evaluation]:
    """The same model and scores, with other names of the classes."""
    name = dict(zip(info.labels, labels, strict=True))
    classes = {name[old]: one for old, one in measured.by_class.items()}
    return info.model_copy(update={"labels": labels}), replace(measured, labels=labels, by_class=classes)


@pytest.mark.parametrize("first", range(0, len(AWKWARD), 10))
def test_classes_with_awkward_names_are_published(
    first: int, sm1: Path, info: ModelInfo, measured: Evaluation, tmp_path: Path
) -> None:
    labels = (AWKWARD + AWKWARD)[first : first + 10]
    named, scored = awkward(info, measured, labels)
    model = tmp_path / "m |\n```\n# x'.tflite"
    model.write_bytes(sm1.read_bytes())
    text = card(model, named, [scored])
    assert text.startswith(r"# m \|\\n\`\`\`\\n\# x'" + "\n")
    assert text.count("```\n") == 2
    rows_of_classes = text.split("| class (")[1].split("\n\n")[0].splitlines()[2:]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows_of_classes] == [5] * len(scored.by_class)


def test_the_commands(sm1: Path, esc10_audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "card.md"
    assert main(["card", str(sm1), "--data", str(esc10_audio), "--out", str(to), "--split", "fold1", "--json"]) == 0
    (scores,) = json.loads(capsys.readouterr().out)["evaluations"]
    assert f"| `litert` | fold1 | 10 | {scores['accuracy']:.1%} |" in to.read_text()
    picture = tmp_path / "confusion.png"
    assert (
        main(["evaluate", str(sm1), "--data", str(esc10_audio), "--split", "fold1", "--confusion", str(picture)]) == 0
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
