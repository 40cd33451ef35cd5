"""A teacher from outside: outputs by clip, never of a network that heard the test, named wherever the student goes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.config.recipe import AugmentationConfig
from scenelet.data.augmentation.plan import altered
from scenelet.data.dataset import Dataset
from scenelet.errors import DatasetError, InputError
from scenelet.quantization.convert import quantize_run
from scenelet.tflite.metadata import read
from scenelet.training import run_folder
from scenelet.training.distillation import distill, methods
from scenelet.training.distillation.outside_teacher import LogitsTeacher, read_outside_teacher

pytestmark = pytest.mark.train

NAME = "Ear (all sounds)"


def table(dataset: Dataset) -> dict[str, Any]:
    """What a teacher says that is sure of every clip's class, and heard nothing of the data set."""
    clips = dataset.clips
    logits = np.array([[4.0 * (label == clip.label) for label in dataset.labels] for clip in clips])
    files = [clip.path.relative_to(dataset.root).as_posix() for clip in clips]
    return {
        "clip": files, "heard": [0] * len(clips), "teacher": NAME, "labels": list(dataset.labels), "logits": logits,
    }  # fmt: skip


def as_npz(path: Path, told: dict[str, Any]) -> Path:
    np.savez(path, **{name: np.array(value) for name, value in told.items()})
    return path


def as_csv(path: Path, told: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "heard", "teacher", *told["labels"]])
        for name, heard, logits in zip(told["clip"], told["heard"], told["logits"], strict=True):
            writer.writerow([name, heard, told["teacher"], *logits])
    return path


WRITERS = {"csv": as_csv, "npz": as_npz}


@pytest.fixture(params=["csv", "npz"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return lambda told: WRITERS[request.param](tmp_path / f"teacher.{request.param}", told)


def test_both_formats_say_the_same_in_any_order(dataset: Dataset, write: Any) -> None:
    told = table(dataset)
    chance = np.random.default_rng(0)
    told["logits"] = chance.normal(size=told["logits"].shape).round(4)
    order, columns = chance.permutation(len(told["clip"])), [2, 0, 1]
    mixed = {
        "clip": [told["clip"][row] for row in order], "heard": [int(row % 2) for row in order], "teacher": NAME,
        "labels": [told["labels"][column] for column in columns], "logits": told["logits"][order][:, columns],
    }  # fmt: skip
    found = read_outside_teacher(write(mixed), dataset)
    np.testing.assert_allclose(found.of(dataset.clips), told["logits"], rtol=1e-6)
    assert found.name == NAME
    assert [found.heard[found.rows[clip]] for clip in dataset.clips] == [row % 2 for row in range(len(dataset.clips))]
    copies = altered(AugmentationConfig(copies=2, shift=True), dataset.clips[:2])
    np.testing.assert_allclose(found.of(copies), told["logits"][[0, 0, 1, 1]], rtol=1e-6)


def test_a_files_name_is_enough_where_it_is_the_only_one(dataset: Dataset, write: Any) -> None:
    told = table(dataset)
    told["clip"] = [Path(name).name for name in told["clip"]]
    assert len(read_outside_teacher(write(told), dataset).rows) == len(dataset.clips)


def test_windows_have_the_logits_of_their_clips() -> None:
    teacher = LogitsTeacher(np.arange(6, dtype=np.float32).reshape(2, 3), np.array([0, 0, 1]))
    embedding, logits = teacher(np.array([2, 0]), np.zeros((2, 1), np.float32))
    assert embedding.shape == (2, 1)
    assert logits.tolist() == [[3, 4, 5], [0, 1, 2]]
    assert teacher.widths == (1, 3)
    assert not teacher.online


def test_a_teacher_that_heard_the_test_is_refused(dataset: Dataset, write: Any) -> None:
    told, test = table(dataset), dataset.split("test")
    heard = test[1].path.relative_to(dataset.root).as_posix()
    told["heard"][told["clip"].index(heard)] = 1
    teacher = read_outside_teacher(write(told), dataset)
    teacher.require_deaf_to(dataset.split("train"))
    with pytest.raises(InputError, match=rf"trained on 1 of the test's {len(test)} clips, such as {test[1].path.name}"):
        teacher.require_deaf_to(test)


def test_a_teacher_that_does_not_say_what_it_heard_is_refused(dataset: Dataset, write: Any) -> None:
    told, test = table(dataset), dataset.split("test")
    row = told["clip"].index(test[0].path.relative_to(dataset.root).as_posix())
    for name in ("clip", "heard"):
        del told[name][row]
    told["logits"] = np.delete(told["logits"], row, axis=0)
    teacher = read_outside_teacher(write(told), dataset)
    with pytest.raises(
        InputError, match=f"does not say whether its network was trained on test clip {test[0].path.name}"
    ):
        teacher.require_deaf_to(test)
    with pytest.raises(InputError, match=f"has no row for training clip {test[0].path.name}"):
        teacher.of(dataset.clips)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one | {"teacher": " "}, "teacher"),
        (lambda one: one | {"heard": [2, *one["heard"][1:]]}, "has '2' for 'heard'"),
        (lambda one: one | {"logits": np.where(np.eye(*one["logits"].shape), np.nan, one["logits"])}, "finite"),
        (lambda one: one | {"clip": [one["clip"][1], *one["clip"][1:]]}, "twice|stands on line"),
        (lambda one: one | {"clip": [f"x{name}" for name in one["clip"]]}, "names no clip of"),
        (lambda one: one | {"labels": ["loud", *one["labels"][1:]]}, "classes loud|column '.*' is missing"),
    ],
    ids=["no name", "heard", "nan", "twice", "other clips", "other classes"],
)
def test_a_file_that_cannot_be_used_is_named(change: Any, told: str, dataset: Dataset, write: Any) -> None:
    path = write(change(table(dataset)))
    with pytest.raises((InputError, DatasetError), match=told) as caught:
        read_outside_teacher(path, dataset)
    assert str(path) in str(caught.value)


def test_a_damaged_or_other_file_is_named(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK no")
    np.savez(tmp_path / "b.npz", clip=np.array(["x"]))
    told = table(dataset)
    as_npz(tmp_path / "c.npz", told | {"heard": told["heard"][1:]})
    for name, problem in (
        ("a.npz", "damaged"),
        ("b.npz", "holds no array 'heard'"),
        ("c.npz", "do not belong together"),
    ):
        with pytest.raises(InputError, match=problem):
            read_outside_teacher(tmp_path / name, dataset)
    with pytest.raises(InputError, match=r"neither \.csv nor \.npz"):
        read_outside_teacher(tmp_path / "d.json", dataset)


def test_a_student_learns_and_names_its_teacher(
    dataset: Dataset, tiny_recipe: Any, cache: Path, tmp_path: Path
) -> None:
    path = as_csv(tmp_path / "teacher.csv", table(dataset))
    run = distill.distill(tiny_recipe(epochs=2), dataset, path, tmp_path / "run", cache=cache)
    request, provenance = run_folder.request_of(run.folder), run_folder.provenance_of(run.folder)
    assert request.recipe.distillation.method == "response"  # type: ignore[union-attr]
    assert request.sources == {"teacher": read_outside_teacher(path, dataset).sha256}
    assert provenance is not None
    assert provenance.teachers == (NAME,)
    info = read(quantize_run(run.folder).read_bytes())
    assert info is not None
    assert info.learned == provenance
    pupil = distill.distill(
        methods.with_method(tiny_recipe(epochs=1), "response"), dataset, run.folder, tmp_path / "pupil", cache=cache
    )
    second = run_folder.provenance_of(pupil.folder)
    assert second is not None
    assert second.teachers == (NAME,), "what it was taught, it hands on"

    opposite = table(dataset)
    opposite["logits"] = -opposite["logits"]
    as_csv(path, opposite)
    with pytest.raises(InputError, match="holds another run"):
        distill.distill(tiny_recipe(epochs=2), dataset, path, tmp_path / "run", cache=cache)
    other = distill.distill(tiny_recipe(epochs=2), dataset, path, tmp_path / "other", cache=cache)
    assert other.metrics != run.metrics


@pytest.mark.parametrize("method", ["relational", "hint", "rrs"])
def test_outputs_have_no_embedding(method: str, dataset: Dataset, tiny_recipe: Any, tmp_path: Path) -> None:
    recipe = methods.with_method(tiny_recipe(), method)
    with pytest.raises(InputError, match=f"method {method} needs a teacher's embedding.*give --method response"):
        distill.distill(recipe, dataset, as_csv(tmp_path / "t.csv", table(dataset)), tmp_path / "run")


def test_a_run_is_not_begun_where_the_test_was_heard(dataset: Dataset, tiny_recipe: Any, tmp_path: Path) -> None:
    told = table(dataset)
    told["heard"] = [1] * len(told["heard"])
    path = as_npz(tmp_path / "t.npz", told)
    with pytest.raises(InputError, match=r"trained on .* of the test's"):
        distill.distill(tiny_recipe(), dataset, path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    untested = dataset.untested()
    read_outside_teacher(path, untested).require_deaf_to(untested.splits.get("test", ()))
