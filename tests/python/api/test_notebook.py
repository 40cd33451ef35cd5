"""The notebook of the documentation runs from its first cell to its last, and prints what it stores."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from scenelet.core.toolchain import REPOSITORY

NOTEBOOK = REPOSITORY / "docs" / "python.ipynb"


def outputs(notebook: Any) -> list[list[dict[str, Any]]]:
    """What every cell of code prints and returns, without counters."""
    kept = ("name", "text", "data", "output_type")
    return [
        [{key: output[key] for key in kept if key in output} for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.fixture(scope="module")
def stored() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_runs_and_its_stored_outputs_are_true(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "python"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    made = nbformat.from_dict(stored)
    NotebookClient(made, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert json.dumps(outputs(made), indent=1) == json.dumps(outputs(stored), indent=1)


def test_the_stored_notebook_names_no_machine(stored: Any) -> None:
    nbformat.validate(stored)
    text = NOTEBOOK.read_text("utf-8")
    assert not re.search(r"/(home|tmp|root|work|usr|Users|opt)/", text)
    assert all(cell.execution_count is None for cell in stored.cells if cell.cell_type == "code")
    assert any(outputs(stored))
