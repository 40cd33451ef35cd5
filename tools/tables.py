#!/usr/bin/env python3
"""``tools/tables.py [--check]``: tables of the documentation that are generated from the code."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from scenelet.cli.app import app
from scenelet.compiler.operators import OPERATORS
from scenelet.compiler.operators.checker import INSTEAD
from scenelet.core.files import write_text
from scenelet.core.markdown_tables import filled
from scenelet.core.toolchain import REPOSITORY
from scenelet.errors import SceneletError, StaleError


def leaves(command: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Name and first sentence of the help of every command, those of groups included."""
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        sentence = re.split(r"\.(?:\s|$)", " ".join(command.help.split()), maxsplit=1)[0]
        yield name, sentence
        return
    for part, subcommand in subcommands.items():
        yield from leaves(subcommand, f"{name} {part}".strip())


def commands() -> Iterator[str]:
    """Table of all commands."""
    yield "| `scenelet` ... | |\n|---|---|"
    yield from (f"| `{name}` | {sentence} |" for name, sentence in leaves(get_command(app)))


def operators() -> Iterator[str]:
    """Table of the operators that the compiler accepts."""
    yield "| operator | types | options and limits | TFLite Micro |\n|---|---|---|---|"
    yield from (f"| {name} | {row.shown_types} | {row.accepts} | {row.in_tflm} |" for name, row in OPERATORS.items())


def refused() -> Iterator[str]:
    """Table of operators that the compiler refuses with a remedy of their own."""
    yield "| operator | instead |\n|---|---|"
    yield from (f"| {name} | {remedy} |" for name, remedy in sorted(INSTEAD.items()))


# Page, name of the marks in it, and what gives the lines between them.
TABLES: tuple[tuple[str, str, Callable[[], Iterable[str]]], ...] = (
    ("docs/COMMANDS.md", "commands", commands),
    ("docs/OPERATORS.md", "operators", operators),
    ("docs/OPERATORS.md", "refused", refused),
)


def update(root: Path, *, check: bool) -> None:
    """Write all tables into the pages below ``root``; with ``check``, raise a StaleError instead if one differs."""
    for page, mark, rows in TABLES:
        path = root / page
        text = filled(path, {mark: rows()})
        if text == path.read_text("utf-8"):
            continue
        if check:
            raise StaleError(path, f"the table '{mark}' is not what the code gives", "run tools/tables.py")
        write_text(path, text)


def main() -> int:
    """Update or check the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table is stale")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="repository; default: this one")
    arguments = parser.parse_args()
    try:
        update(arguments.root, check=arguments.check)
    except SceneletError as error:
        sys.stderr.write(f"tables: {error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
