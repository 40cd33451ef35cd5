import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import DatasetError, ModelError
from scenelet.evaluation.decision import clips_of
from scenelet.evaluation.evaluate import Evaluation, evaluate, model_info, pooled
from scenelet.targets.base import Heard
from scenelet.targets.litert import LitertTarget
from scenelet.tflite.metadata import ModelInfo, read


class Scripted:
    """A target that answers what it was told to, window by window."""

    name = "scripted"
    stateful = False

    def __init__(self, labels: Sequence[str], answers: Sequence[str], *, knows_silence: bool = False) -> None:
        self.labels, self.answers, self.knows_silence = labels, list(answers), knows_silence

    def hear(self, windows: NDArray[np.int32]) -> Heard:
        silent = [self.knows_silence and not window.any() for window in windows]
        return Heard(self.classify(windows), np.array(silent, np.bool_), None)

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        assert windows.shape[1] == 8000
        scores = np.full((len(windows), len(self.labels)), -128, np.int8)
        for row in scores:
            row[self.labels.index(self.answers.pop(0))] = 127
        return scores


@pytest.fixture
def info(sm1: Path) -> ModelInfo:
    found = read(sm1.read_bytes())
    assert found is not None
    return found


def run(info: ModelInfo, data: Path, answers: Sequence[str], batch: int = 64) -> Evaluation:
    target = Scripted(info.labels, answers, knows_silence=info.silence is not None)
    result = evaluate("m.tflite", info, open_dataset(data), "fold1", target, batch=batch)  # type: ignore[arg-type]
    assert not target.answers, "every window was asked for once"
    return result


# fold1: rain (2 windows), rooster (3), rain (2), rooster (3)
ANSWERS = ["rain", "rain", "rooster", "rooster", "rain", "rain", "rooster", "rain", "rain", "rooster"]


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_measures_are_those_counted_by_hand(info: ModelInfo, esc10_audio: Path, batch: int) -> None:
    result = run(info, esc10_audio, ANSWERS, batch)
    assert (result.windows, result.clips) == (10, 4)
    assert result.by_class["rain"].accuracy == 3 / 4
    assert result.by_class["rooster"].accuracy == 3 / 6
    assert result.accuracy == pytest.approx((3 / 4 + 3 / 6) / 2)
    # Clip by clip: right; 2 of 3 right; a tie goes to the first class in the model's order; 1 of 3 wrong.
    assert result.clip_accuracy == pytest.approx((1 + 0.5) / 2)
    rain, rooster = info.labels.index("rain"), info.labels.index("rooster")
    assert result.confusion[rain, rain] == 3
    assert result.confusion[rooster, rain] == 3
    assert result.confusion.sum() == 10
    assert result.by_device == {}


def test_predictions_are_one_row_a_window(info: ModelInfo, esc10_audio: Path, tmp_path: Path) -> None:
    run(info, esc10_audio, ANSWERS).write_predictions(tmp_path / "p.csv")
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert [row["label"] for row in rows] == ANSWERS
    assert [(row["file"], row["window"]) for row in rows[:4]] == [
        ("1-100-A.wav", "0"), ("1-100-A.wav", "1"), ("1-101-A.wav", "0"), ("1-101-A.wav", "1"),
    ]  # fmt: skip
    assert rows[0]["rain"] == "127"


def hush(data: Path, name: str, beginning: int = 0) -> None:
    """Silence a file of the test's data from a sample on."""
    samples, rate = soundfile.read(data / "audio" / name)
    samples[beginning:] = 0
    soundfile.write(data / "audio" / name, samples, rate)


def test_silent_windows_have_no_part_in_any_score(info: ModelInfo, esc10_audio: Path, tmp_path: Path) -> None:
    hush(esc10_audio, "1-100-A.wav", 8000)  # rain: its second window
    hush(esc10_audio, "1-103-A.wav")  # rooster: all of its three windows
    quiet = info.model_copy(update={"silence": -64})
    # In silence, whatever the network says.
    answers = ["rain", "rooster", "rooster", "rooster", "rain", "rooster", "rain", "rooster", "rooster", "rooster"]
    result = run(quiet, esc10_audio, answers)
    assert (result.windows, result.silent_windows, result.clips) == (6, 4, 4)
    assert result.by_class["rain"].accuracy == 2 / 3
    assert result.by_class["rooster"].accuracy == 2 / 3
    assert result.confusion.sum() == 6
    assert result.clip_accuracy == pytest.approx((1 + 0.5) / 2), "the clip of silence counts as missed"
    assert result.silent_clips == ["1-103-A.wav"]
    assert [one.answer for one in result.answers] == ["rain", "rooster", "rain", "silence"]
    assert [len(scores) for _, scores in clips_of(result)] == [1, 3, 2]
    result.write_predictions(tmp_path / "p.csv")
    labels = [row["label"] for row in csv.DictReader((tmp_path / "p.csv").open())]
    assert labels == ["rain", "silence", "rooster", "rooster", "rain", "rooster", "rain", *["silence"] * 3]
    told = result.to_json()
    assert (told["silent_windows"], told["silent_clips"]) == (4, ["1-103-A.wav"])


def test_a_model_that_knows_no_silence_scores_every_window(info: ModelInfo, esc10_audio: Path) -> None:
    hush(esc10_audio, "1-103-A.wav")
    result = run(info, esc10_audio, ANSWERS)
    assert (result.windows, result.silent_windows, result.silent_clips) == (10, 0, [])


def test_a_split_of_nothing_but_silence_is_refused(info: ModelInfo, esc10_audio: Path) -> None:
    for path in (esc10_audio / "audio").glob("1-*"):
        hush(esc10_audio, path.name)
    with pytest.raises(DatasetError, match="split 'fold1' holds nothing but silence"):
        run(info.model_copy(update={"silence": -64}), esc10_audio, ANSWERS)


def test_intervals_are_of_the_scores(info: ModelInfo, esc10_audio: Path) -> None:
    result = run(info, esc10_audio, ANSWERS)
    for name in ("accuracy", "clip_accuracy"):
        low, high = result.intervals[name]
        assert low < getattr(result, name) < high
    assert result.to_json()["intervals"] == {name: list(one) for name, one in result.intervals.items()}
    both = pooled([result, result])
    assert len(both.answers) == 8
    assert both.intervals == result.intervals, "another network of the same clips is no further recording"


def test_a_label_that_the_model_does_not_know_is_refused(info: ModelInfo, esc10_audio: Path) -> None:
    fewer = info.model_copy(update={"labels": tuple(label for label in info.labels if label != "rooster")})
    with pytest.raises(DatasetError, match="label 'rooster' is not one of the model's"):
        evaluate("m", fewer, open_dataset(esc10_audio), "fold1", Scripted(fewer.labels, []))  # type: ignore[arg-type]


def test_an_empty_split_is_refused(info: ModelInfo, esc10_audio: Path) -> None:
    dataset = open_dataset(esc10_audio)
    empty = replace(dataset, splits={**dataset.splits, "nobody": ()})
    with pytest.raises(DatasetError, match="split 'nobody' holds no clip"):
        evaluate("m", info, empty, "nobody", Scripted(info.labels, []))  # type: ignore[arg-type]


def test_a_model_without_metadata_takes_no_audio() -> None:
    with pytest.raises(ModelError, match="carries no labels"):
        model_info(None, "foreign.tflite")


def test_a_real_target_gives_the_same_scores_whatever_the_batches(
    info: ModelInfo, esc10_audio: Path, sm1: Path
) -> None:
    with LitertTarget(sm1) as target:
        one = evaluate(sm1, info, open_dataset(esc10_audio), "all", target, batch=1)
        many = evaluate(sm1, info, open_dataset(esc10_audio), "all", target, batch=100)
    assert one.rows == many.rows
    assert one.log_loss == many.log_loss
