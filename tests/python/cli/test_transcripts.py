"""Pages of what commands print show what they print now, at 80 columns, and nothing of the machine that ran them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from scenelet.core.toolchain import REPOSITORY

PAGES = ("COMMAND_LINE.md", "FIRST_STEPS.md")


def test_what_is_the_same_everywhere_is_as_the_page_shows_it() -> None:
    command = [sys.executable, "tools/transcripts.py", "docs/COMMAND_LINE.md", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_80_columns_and_names_no_machine(page: str) -> None:
    text = (REPOSITORY / "docs" / page).read_text("utf-8")
    blocks = re.findall(r"^```\n\$ (.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall(r"^<!-- capture(?: \w+)*: ", text, re.MULTILINE)) > 5
    assert not re.search(r"/(home|tmp|root|work|usr|opt)/", text)
    for block in blocks:
        tables = [line for line in block.splitlines() if "──" in line]
        assert all(len(line) <= 80 for line in tables)
