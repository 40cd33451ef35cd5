"""The journal of a device's scores: what is no journal, or damaged, is named and stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenelet.deploy.device_evaluation import Journal
from scenelet.errors import InputError

HASHES = ("ab" * 32, "cd" * 32)
WINDOWS = np.arange(6, dtype=np.int32).reshape(2, 3)


def opened(path: Path) -> Journal:
    return Journal(path, *HASHES, 3)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "scores.jsonl"
    journal = opened(path)
    for window in WINDOWS:
        journal.add(window, (-128, 0, 127))
    journal.close()
    return path


def test_scores_come_back_once(written: Path) -> None:
    journal = opened(written)
    assert [journal.take(window) for window in (*WINDOWS, WINDOWS[0])] == [[-128, 0, 127]] * 2 + [None]
    journal.close()


Change = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: ['{"device_scores":1,"model_sha256":"x"}'], "1: is damaged: key 'frontend_sha256': field required"),
        (lambda _: ['{"device_scores":1}'], "1: is damaged: key 'model_sha256': field required"),
        (lambda _: ['{"device_scores":"1"}'], "1: is damaged: key 'device_scores'"),
        (lambda rows: [rows[0].replace(": 1,", ": 2,")], " has format 2, not 1"),
        (lambda rows: [rows[0].replace("ab", "ac")], " holds scores of model ac"),
        (lambda rows: [rows[0], "{}"], "2: is damaged: key 'window': field required"),
        (lambda rows: [rows[0], '{"window": "a", "scores": 3}'], "2: is damaged: key 'scores'"),
        (lambda rows: [rows[0], '{"window": "a", "scores": [1, 2]}'], "2: has 2 scores of a model with 3 classes"),
        (lambda rows: [rows[0], '{"window": "a", "scores": [1, 2, 128]}'], "2: is damaged: key 'scores.2'"),
        (lambda rows: [*rows, "[" * 100_000], "4: is damaged: JSON nested too deeply"),
        (lambda _: ["dear diary"], " is not a file of device scores"),
    ],
)
def test_what_is_no_journal_is_named_with_its_line(written: Path, change: Change, said: str) -> None:
    content = "\n".join(change(written.read_text().splitlines())) + "\n"
    written.write_text(content)
    with pytest.raises(InputError, match=f"scores.jsonl:{said}".replace("(", r"\(")):
        opened(written)
    assert written.read_text() == content


def test_a_file_without_a_line_end_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("All of it, in one line")
    with pytest.raises(InputError, match="is not a file of device scores"):
        opened(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "All of it, in one line"


@pytest.mark.parametrize("length", [0, 5, 30])
def test_a_journal_that_was_cut_in_its_first_line_begins_again(written: Path, length: int) -> None:
    whole = written.read_bytes()
    written.write_bytes(whole[:length])
    opened(written).close()
    assert written.read_bytes() == whole.splitlines(keepends=True)[0]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_is_read_or_told_in_one_line(written: Path, data: st.DataObject) -> None:
    held = written.read_bytes()
    content = bytearray(held)
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    written.write_bytes(content)
    try:
        opened(written).close()
        refused = False
    except InputError:
        refused = True
    left = written.read_bytes()
    written.write_bytes(held)
    assert left == content if refused else content.startswith(left) or held.startswith(left)


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        opened(tmp_path)
