"""Output of the commands: tables and JSON on standard output, progress and notes on standard error."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..core.energy import Meter
from ..core.notes import InputNote
from ..core.shown import shown
from ..errors import ToolError

_QUIET_SECONDS = 2.0


class _Console(Console):
    """A console for plain text: what commands print holds names from files, which are no markup.

    It reports a closed pipe to the caller; rich would exit with status 1.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **settings)

    def render_str(self, text: str, **style: Any) -> Text:
        """Render a string, which every printed line, cell and title passes; see :func:`scenelet.core.shown.shown`."""
        return super().render_str(shown(text), **style)

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError


# A pipe has no width; text on its way into a file must not be truncated.
out = _Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)
err = _Console(stderr=True)


def meter(wanted: bool, folder: Path | None = None) -> Meter | None:
    """Start to measure energy if it is wanted; print a note if it cannot be measured."""
    if not wanted:
        return None
    try:
        return Meter(folder)
    except ToolError as error:
        err.print(f"note: energy is not measured: {error}", soft_wrap=True)
        return None


def note(lines: Iterable[str]) -> None:
    """Print notes for the user on standard error."""
    for line in lines:
        err.print(f"note: {line}", soft_wrap=True)


@contextmanager
def remarks_as_notes() -> Iterator[None]:
    """Print every :class:`InputNote` inside the block as a note, once; other warnings as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("default", InputNote)
        show_other = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, InputNote):
                note([" ".join(str(message).split())])
            else:
                show_other(message, category, *place, **more)

        warnings.showwarning = show
        yield


def print_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Build a table; a column whose name starts with ">" is right-aligned. Integers get thousands separators."""
    made = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for name in columns:
        number = name.startswith(">")
        made.add_column(name.lstrip(">"), justify="right" if number else "left", no_wrap=number)
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return made


def _lines(what: str) -> Callable[[int, int], None]:
    """Report progress to a file or a pipe: ten lines at most, none for short work."""
    start, reported = monotonic(), 0

    def step(done: int, total: int) -> None:
        nonlocal reported
        tenth = 10 * done // total if total else 10
        if tenth > reported and monotonic() - start > _QUIET_SECONDS:
            reported = tenth
            sys.stderr.write(f"{shown(what)}: {done:,} of {total:,}\n")
            sys.stderr.flush()

    return step


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress on standard error, as a bar or as up to ten lines; yields a function of (done, total)."""
    if not err.is_terminal:
        yield _lines(what)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(shown(what), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
