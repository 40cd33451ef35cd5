"""A slip of the keyboard is named before TensorFlow is imported and before anything is planned: both take seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Done

from scenelet.compiler import pipeline

NOWHERE = "/nowhere"
SLIPS = (
    ("train", "sm1", "--data", NOWHERE, "--out", "x"),
    ("train", "sm-one", "--data", ".", "--out", "x"),
    ("distill", "sm1", "--teacher", NOWHERE, "--data", ".", "--out", "x"),
    ("distill", "sm1", "--teacher", ".", "--data", ".", "--out", "x", "--method", "magic"),
    ("distill", "sm1", "--teacher-model", "gone.h5", "--data", ".", "--out", "x"),
    ("distill", "sm1", "--teacher-model", "net.pt", "--data", ".", "--out", "x"),
    ("crossval", "sm1", "--teacher-name", "Ears", "--data", ".", "--out", "x"),
    ("crossval", "sm1", "--teacher-model", "gone.keras", "--teacher-name", "Ears", "--data", ".", "--out", "x"),
    ("quantize", NOWHERE),
    ("quantize", NOWHERE, "--qat", "--data", "."),
    ("crossval", "sm1", "--data", NOWHERE, "--out", "x"),
    ("crossval", "sm1", "--data", ".", "--out", "x", "--folds", "a"),
    ("tune", "sm1", "--data", NOWHERE, "--out", "x"),
    ("tune", "sm1", "--data", ".", "--out", "x", "--only", "everything"),
    ("prune", NOWHERE, "--data", ".", "--out", "x"),
    ("prune", ".", "--data", ".", "--out", "x", "--filters", "many"),
    ("sqnr", NOWHERE),
    ("budget", "gone.keras"),
    ("budget", "MODEL", "--board", "abacus"),
    ("budget", "MODEL", "--limits", "sky"),
    ("explain", "MODEL", "--board", "abacus"),
    ("explain", "MODEL", "--weights", "none"),
    ("tradeoff", "MODEL", "--weights", "none"),
    ("tradeoff", "MODEL", "--out", "curve.png"),
    ("tradeoff", "MODEL", "--out", "/dev/null/x.svg"),
    ("export", "MODEL", "--out", "x", "--bundle", "make"),
    ("export", "MODEL", "--out", "x", "--limits", "sky"),
    ("export", "MODEL", "--out", "x", "--frontend", "gone.toml"),
    ("export", "MODEL", "--out", "/dev/null/x"),
    ("new", "x", "--board", "abacus"),
    ("new", "x", "--board", "netduinoplus2", "--limits", "sky"),
    ("new", ".", "--board", "netduinoplus2"),
    ("run", "MODEL", "gone.wav", "--target", "host"),
    ("run", "MODEL", "gone.npy", "--target", "qemu"),
    ("evaluate", "MODEL", "--data", NOWHERE, "--target", "host"),
    ("parity", "MODEL", "--target", "moon"),
    ("bench", "MODEL", "--frontend-tables", "round"),
    ("load", "MODEL", "--board", "abacus"),
    ("profile", "MODEL", "--weights", "none"),
    ("report", "MODEL", "--out", "/dev/null/x"),
    ("report", "MODEL", "--out", "x", "--board", "abacus"),
    ("report", "MODEL", "--out", "x", "--target", "host"),
    ("compare", "MODEL"),
    ("compare", "MODEL", "MODEL,rim=3"),
    ("compare", "MODEL", "MODEL", "--out", "/dev/null/x"),
    ("card", "MODEL", "--data", ".", "--out", "/dev/null/x"),
    ("device", "evaluate", "MODEL", "--data", NOWHERE, "--port", "none"),
)


@pytest.mark.parametrize("words", SLIPS, ids=" ".join)
def test_a_slip_is_named_at_once(
    words: tuple[str, ...],
    scenelet: Callable[..., Done],
    small_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def plan(*_: object) -> None:
        pytest.fail("a plan was made first")

    monkeypatch.setattr(pipeline, "lower", plan)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "scenelet.models.backend", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()
    done = scenelet(*(str(small_file) if word == "MODEL" else word for word in words))
    assert done.status == 2, done.err
    assert "tensorflow" not in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "x").exists()
