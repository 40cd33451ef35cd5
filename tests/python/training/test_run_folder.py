"""Run folders: complete or not, and never another run's."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from scenelet.core.sealed import seal_zip
from scenelet.errors import DamagedFileError, InputError
from scenelet.training import run_folder
from scenelet.training.checkpoint import Epoch
from scenelet.training.run_folder import Request

pytestmark = pytest.mark.train


@pytest.fixture
def request_(tiny_recipe):
    return Request(tiny_recipe(), "city", ("a", "b", "c"), {"train": "00"})


def test_a_claimed_folder_can_be_claimed_again(request_, tmp_path):
    run_folder.claim(tmp_path / "run", request_)
    run_folder.claim(tmp_path / "run", request_)
    assert run_folder.request_of(tmp_path / "run") == request_


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"training": {"seed": 7}}, r"recipe\.training\.seed was 0 and is 7"),
        ({"training": {"epochs": 9}}, r"recipe\.training\.epochs was 3 and is 9"),
    ],
)
def test_another_recipe_is_refused_and_the_key_named(changes, told, request_, tiny_recipe, tmp_path):
    run_folder.claim(tmp_path, request_)
    other = Request(tiny_recipe(**changes["training"]), "city", ("a", "b", "c"), {"train": "00"})
    with pytest.raises(InputError, match=told):
        run_folder.claim(tmp_path, other)


def test_other_data_are_refused(request_, tmp_path):
    run_folder.claim(tmp_path, request_)
    other = Request(request_.recipe, "city", request_.labels, {"train": "11"})
    with pytest.raises(InputError, match=r'features_sha256\.train was "00" and is "11"'):
        run_folder.claim(tmp_path, other)


def test_a_folder_of_something_else_is_left_alone(request_, tmp_path):
    (tmp_path / "holiday.txt").write_text("sea")
    with pytest.raises(InputError, match="not a training run and not empty"):
        run_folder.claim(tmp_path, request_)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"recipe": {}}', '{"dataset": "x"}'])
def test_a_damaged_request_is_named(content, tmp_path):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(InputError, match=r"run\.json"):
        run_folder.request_of(tmp_path)


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match="give the folder of a training run"):
        run_folder.request_of(tmp_path)
    with pytest.raises(InputError, match="no finished network"):
        run_folder.load_model(tmp_path)
    with pytest.raises(InputError, match=r"calibration\.npy: is missing from a finished run"):
        run_folder.load_calibration(tmp_path)


def test_a_damaged_network_is_named(tmp_path):
    scores = dict.fromkeys(("windows", "clips", "accuracy", "log_loss", "clip_accuracy"), 1)
    metrics = {"recipe": "tiny", "dataset": "city", "epochs": 1, "train": scores, "validation": scores}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(InputError, match=r"model\.keras: is missing from a finished run; delete the folder and train"):
        run_folder.load_model(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"PK\3\4 cut")
    with pytest.raises(InputError, match=r"model\.keras: is damaged"):
        run_folder.load_model(tmp_path)


def test_history_is_a_table_and_a_picture(tmp_path):
    run_folder.write_history(tmp_path, [Epoch(1, 2.0, 1.5, 0.25), Epoch(2, 1.0, 1.25, 0.5)], 2)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines == ["epoch,loss,validation_loss,validation_accuracy", "1,2.0,1.5,0.25", "2,1.0,1.25,0.5"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


SCORES = dict.fromkeys(("windows", "clips", "accuracy", "log_loss", "clip_accuracy"), 1)
METRICS = {"recipe": "tiny", "dataset": "city", "epochs": 1, "train": SCORES, "validation": SCORES}


def small_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("config.json", "{}")
    return content.getvalue()


def test_every_bit_of_a_network_counts(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    content = seal_zip(small_zip())
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        (tmp_path / "model.keras").write_bytes(changed)
        with pytest.raises(DamagedFileError, match=r"model\.keras: is damaged; delete the folder and train again"):
            run_folder.load_model(tmp_path)


def test_a_network_without_a_hash_that_keras_does_not_read_is_damaged(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "model.keras").write_bytes(small_zip())
    with pytest.raises(DamagedFileError, match=r"model\.keras: is damaged"):
        run_folder.load_model(tmp_path)


@pytest.mark.parametrize(
    "values", [np.zeros((2, 3, 4), np.float32), np.zeros((3, 4), np.int8), np.zeros((0, 3, 4), np.int8)]
)
def test_calibration_windows_of_another_form_are_damaged(tmp_path, values):
    np.save(tmp_path / "calibration.npy", values)
    with pytest.raises(DamagedFileError, match=r"calibration\.npy: is damaged: .* values of shape"):
        run_folder.load_calibration(tmp_path)


def test_calibration_windows_come_back_with_and_without_a_hash(tmp_path):
    values = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    run_folder.save_calibration(tmp_path, values)
    np.testing.assert_array_equal(run_folder.load_calibration(tmp_path), values)
    np.save(tmp_path / "calibration.npy", values)
    np.testing.assert_array_equal(run_folder.load_calibration(tmp_path), values)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("run.json", run_folder.request_of),
        ("learned.json", run_folder.provenance_of),
        ("metrics.json", run_folder.metrics_of),
        ("model.keras", run_folder.load_model),
        ("calibration.npy", run_folder.load_calibration),
    ],
)
def test_a_file_that_the_system_does_not_let_be_read_is_not_damaged(tmp_path, name, read):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=rf"{name}: cannot be read: Is a directory; check the path") as caught:
        read(tmp_path)
    assert "delete" not in str(caught.value)
