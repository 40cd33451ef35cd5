"""Tables of the documentation that are generated from the code: a stale one is found, and written anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scenelet.core.markdown_tables import fill
from scenelet.core.toolchain import REPOSITORY
from scenelet.errors import InputError


def tables(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, REPOSITORY / "tools" / "tables.py", "--root", root, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pages that hold tables."""
    (tmp_path / "docs").mkdir()
    for page in (REPOSITORY / "docs").glob("*.md"):
        (tmp_path / "docs" / page.name).write_bytes(page.read_bytes())
    return tmp_path


def test_a_stale_table_is_found_and_written_anew(copy: Path) -> None:
    assert tables(copy, "--check").returncode == 0
    page = copy / "docs" / "COMMANDS.md"
    fresh = page.read_text("utf-8")
    stale = fresh.replace("| `budget` | Count", "| `budget` | Guess")
    assert stale != fresh
    page.write_text(stale, "utf-8")
    done = tables(copy, "--check")
    assert (done.returncode, page.read_text("utf-8")) == (1, stale)
    assert done.stderr == f"tables: {page}: the table 'commands' is not what the code gives; run tools/tables.py\n"
    assert tables(copy).returncode == 0
    assert page.read_text("utf-8") == fresh


def test_only_the_lines_between_the_marks_change(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- end of a -->\nafter\n", "utf-8")
    fill(page, {"a": ["one", "two"]})
    assert page.read_text("utf-8") == "before\n<!-- a -->\none\ntwo\n<!-- end of a -->\nafter\n"


@pytest.mark.parametrize("text", ["", "<!-- a -->\n", "<!-- end of a -->\n<!-- a -->\n", "<!-- a -->\n" * 2])
def test_missing_marks_are_named(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"page\.md: needs one pair of marks '<!-- a -->'"):
        fill(page, {"a": []})
