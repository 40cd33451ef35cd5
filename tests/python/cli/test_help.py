"""Help that a newcomer can use: whole summaries in groups, and examples that parse."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import Any

import pytest
from typer.main import get_command

from scenelet.cli.app import app
from scenelet.cli.help import EXAMPLES


def leaf(name: str) -> Any:
    command: Any = get_command(app)
    for part in name.split():
        command = command.commands[part]
    return command


def leaves(command: Any, name: str = "") -> list[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        return [name]
    return [found for part, one in inner.items() for found in leaves(one, f"{name} {part}".strip())]


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(leaves(get_command(app)))


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in EXAMPLES.items() for line in lines])
def test_an_example_is_what_the_command_takes(name: str, line: str) -> None:
    words = shlex.split(line)
    parts = name.split()
    assert words[: len(parts) + 1] == ["scenelet", *parts]
    leaf(name).make_context(name, words[len(parts) + 1 :])


def test_the_summaries_are_whole_and_in_groups(scenelet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = scenelet("--help").out
    assert "..." not in text.split("\n\n", 2)[2]
    assert max(map(len, text.splitlines())) <= 80
    for title in ("Train:", "Compress:", "Deploy:", "Measure:", "Publish:", "Look up:", "Data and devices:"):
        assert f"\n{title}\n" in text


def test_a_commands_help_ends_in_its_example(scenelet: Any) -> None:
    assert scenelet("export", "--help").out.rstrip().endswith(EXAMPLES["export"][-1])


def test_the_shell_completes_commands_and_options() -> None:
    asked = {"_SCENELET_COMPLETE": "complete_bash", "COMP_WORDS": "scenelet ex", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "scenelet"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["explain", "export"]
