"""Checkpoints: what was written is read, and nothing else."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenelet.core.sealed import pack
from scenelet.errors import DamagedFileError, InputError
from scenelet.training.checkpoint import Epoch, State

STATE = State(
    [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros(0, np.float32)],
    [np.array(3, np.int64)],
    [np.ones(2, np.float32)],
    math.inf,
    1,
    [Epoch(1, 2.0, 1.5, 0.25)],
)
CONTENT = STATE.to_bytes()
REMEDY = "delete it and give the same command again, which trains from the first epoch"


def same(a: State, b: State) -> bool:
    lists = ("weights", "optimizer", "best_weights")
    equal = all(
        x.dtype == y.dtype and np.array_equal(x, y)
        for name in lists
        for x, y in zip(getattr(a, name), getattr(b, name), strict=True)
    )
    return equal and (a.best_loss, a.best_epoch, a.history) == (b.best_loss, b.best_epoch, b.history)


def complaint(content: bytes) -> str:
    """What is said of a damaged checkpoint; empty where it is read as another state or the same."""
    try:
        State.from_bytes(content, "a.npz")
    except DamagedFileError as error:
        return str(error)
    return ""


def test_a_state_comes_back(tmp_path: Path) -> None:
    STATE.save(tmp_path / "a.npz")
    found = State.load(tmp_path / "a.npz")
    assert found
    assert same(found, STATE)
    assert State.load(tmp_path / "b.npz") is None


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 8 * len(CONTENT) - 1))
def test_a_flipped_bit_or_a_cut_anywhere_is_damage(bit: int) -> None:
    changed = bytearray(CONTENT)
    changed[bit // 8] ^= 1 << bit % 8
    assert complaint(bytes(changed)) == f"a.npz: is damaged; {REMEDY}"
    assert complaint(CONTENT[: bit // 8]) == f"a.npz: is damaged; {REMEDY}"


def arrays() -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(CONTENT)) as file:
        return dict(file)


def test_a_checkpoint_of_the_first_version_is_read_as_before() -> None:
    content = io.BytesIO()
    np.savez(content, **arrays())
    assert same(State.from_bytes(content.getvalue()), STATE)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, "not JSON"),
        ("[]", "not a JSON object"),
        ({"best_loss": None}, "key 'best_loss'"),
        ({"best_epoch": 1.5}, "key 'best_epoch'"),
        ({"history": [{"epoch": 1}]}, "key 'history.0.loss'"),
    ],
)
def test_a_summary_of_another_form_is_named(told: object, said: str) -> None:
    held = arrays()
    summary = held.pop("told")
    if isinstance(told, dict):
        held["told"] = np.array(json.dumps({**json.loads(str(summary)), **told}))
    elif told:
        held["told"] = np.array(told)
    assert complaint(pack(held)).startswith(f"a.npz: is damaged: {said}")


def test_what_the_system_refuses_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory; check the path"):
        State.load(tmp_path)
