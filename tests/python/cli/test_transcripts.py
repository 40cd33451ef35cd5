"""Pages of what commands print show what they print now, at 80 columns, and nothing of the machine that ran them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import EllipsisType

import pytest

from scenelet.core.toolchain import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
import transcripts

PAGES = ("COMMAND_LINE.md", "FIRST_STEPS.md")


def test_what_is_the_same_everywhere_is_as_the_page_shows_it() -> None:
    command = [sys.executable, "tools/transcripts.py", "docs/COMMAND_LINE.md", "--check"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("write the city: 15 of 150; 16 min left", None),
        ("write the city: 150 of 150", None),
        ("model.tflite on qemu: 2 of 1,005; 1 h 30 min left", None),
        ("train: 1 of 3; loss 2.255, accuracy 9.8%; 3 min 55 s left", "train: 1 of 3; loss 2.255, accuracy 9.8%"),
        ("train sm1: 3 of 3; loss 2.036", "train sm1: 3 of 3; loss 2.036"),
        ("RAM    71,716 bytes, buffers and stack included; stack peak 1,764 of 4,096", ...),
        ("library written: 158 files", ...),
    ],
)  # fmt: skip
def test_progress_of_one_machine_is_left_out(line: str, left: str | EllipsisType | None) -> None:
    assert transcripts.settled(line) == (line if left is ... else left)


def test_no_page_shows_how_long_a_machine_took() -> None:
    for page in PAGES:
        lines = (REPOSITORY / "docs" / page).read_text("utf-8").splitlines()
        assert [line for line in lines if transcripts.settled(line) != line] == []


@pytest.mark.train
@pytest.mark.cross
@pytest.mark.qemu
def test_the_tutorials_commands_run_word_for_word(recordings: Path) -> None:
    command = [sys.executable, "tools/transcripts.py", "docs/FIRST_STEPS.md", "--check", "--recordings", recordings]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) >= 10


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_80_columns_and_names_no_machine(page: str) -> None:
    text = (REPOSITORY / "docs" / page).read_text("utf-8")
    blocks = re.findall(r"^```\n\$ (.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall(r"^<!-- capture(?: \w+)*: ", text, re.MULTILINE)) > 5
    assert not re.search(r"/(home|tmp|root|work|usr|opt)/", text)
    for block in blocks:
        tables = [line for line in block.splitlines() if "──" in line]
        assert all(len(line) <= 80 for line in tables)
