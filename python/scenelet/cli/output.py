"""How results reach people and machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..core.energy import Meter
from ..errors import ToolError

_QUIET_SECONDS = 2.0


class _Console(Console):
    """A console that leaves it to the command line what a reader who has gone means; rich would exit with 1."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


# A pipe has no width; nothing may be cut off on its way into a file.
out = _Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
err = _Console(stderr=True, highlight=False)


def meter(wanted: bool, folder: Path | None = None) -> Meter | None:
    """Begin to measure energy where it is wanted and can be; else, if it was wanted, say why not."""
    if not wanted:
        return None
    try:
        return Meter(folder)
    except ToolError as error:
        err.print(f"note: energy is not measured: {error}", markup=False, soft_wrap=True)
        return None


def note(lines: Iterable[str]) -> None:
    """Tell the user what there is to know before a result, on standard error."""
    for line in lines:
        err.print(f"note: {line}", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON document on standard output."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Build a table; columns whose name starts with ">" are right-aligned. Integers get thousands separators."""
    made = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for name in columns:
        number = name.startswith(">")
        made.add_column(name.lstrip(">"), justify="right" if number else "left", no_wrap=number)
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else escape(str(cell)) for cell in row))
    return made


def _lines(what: str) -> Callable[[int, int], None]:
    """Report into a file or a pipe: ten lines at most, and none for work that is over at once."""
    start, told = monotonic(), 0

    def step(done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // total if total else 10
        if tenth > told and monotonic() - start > _QUIET_SECONDS:
            told = tenth
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n")
            sys.stderr.flush()

    return step


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on standard error, a bar or ten lines; gives a function of (done, total)."""
    if not err.is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
