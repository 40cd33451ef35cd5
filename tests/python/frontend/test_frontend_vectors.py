from __future__ import annotations

import runpy
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "firmware" / "test_frontend"


def test_golden_files_of_the_board_s_test_are_fresh() -> None:
    files = runpy.run_path(str(FOLDER / "make_vectors.py"))["render"]()
    for name, text in files.items():
        assert (FOLDER / name).read_text("utf-8") == text, f"run {FOLDER / 'make_vectors.py'}"
    generated = {path.name for path in FOLDER.iterdir() if path.suffix in (".c", ".h")} - {"test_main.c"}
    assert generated == set(files)
