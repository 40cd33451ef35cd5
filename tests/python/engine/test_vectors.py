"""The board's golden vectors are those that the generator writes today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "firmware" / "test_engine"


def test_vectors_are_not_stale() -> None:
    spec = importlib.util.spec_from_file_location("make_vectors", FOLDER / "make_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    held = (FOLDER / "vectors.h").read_text("utf-8")
    assert held == generator.render(), "run tests/firmware/test_engine/make_vectors.py"
