"""Output of the commands: tables and JSON on standard output, progress and notes on standard error."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from time import monotonic
from typing import Any, NoReturn, Protocol

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..core.energy import Meter
from ..core.notes import InputNote, listening
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


# A pipe has no width, but where COLUMNS gives one; text on its way into a file must not be truncated.
out = _Console(soft_wrap=True, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160)
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


def lines(texts: Iterable[str]) -> None:
    """Print lines of a name and its figures; one that is too long goes on below its figures."""
    for text in texts:
        name = text.partition("  ")[0]
        indent = " " * (len(text) - len(text[len(name) :].lstrip())) if "  " in text else ""
        for line in wrap(text, out.width, subsequent_indent=indent, break_long_words=False):
            out.print(line)


def print_json(value: Any) -> None:
    """Write one JSON document to standard output."""
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Build a table; integers get thousands separators.

    A column whose name starts with ">" is right-aligned and not wrapped; with "~" it is left-aligned and not wrapped.
    """
    made = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=box.SIMPLE_HEAD)
    for name in columns:
        number = name.startswith(">")
        whole = number or name.startswith("~")
        made.add_column(name.lstrip(">~"), justify="right" if number else "left", no_wrap=whole)
    for row in rows:
        made.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return made


class Step(Protocol):
    """Reports progress: parts done, all parts, and figures to show beside them."""

    def __call__(self, done: int, total: int, figures: str = "", /) -> None:
        """Report."""


def _lines(what: str) -> Step:
    """Report progress to a file or a pipe: ten lines at most, none for short work."""
    start, reported = monotonic(), 0

    def step(done: int, total: int, figures: str = "") -> None:
        nonlocal reported
        tenth = 10 * done // total if total else 10
        seconds = monotonic() - start
        if tenth > reported and seconds > _QUIET_SECONDS:
            reported = tenth
            left = f"; {_duration(seconds * (total - done) / done)} left" if 0 < done < total else ""
            sys.stderr.write(f"{shown(what)}: {done:,} of {total:,}{'; ' * bool(figures)}{figures}{left}\n")
            sys.stderr.flush()

    return step


def _duration(seconds: float) -> str:
    minutes = round(seconds) // 60
    if minutes >= 100:
        return f"{minutes // 60} h {minutes % 60} min"
    return (
        f"{minutes} min"
        if minutes >= 10
        else f"{minutes} min {round(seconds) % 60} s"
        if minutes
        else f"{seconds:.0f} s"
    )


@contextmanager
def stages() -> Iterator[None]:
    """Show on a terminal what a command is doing, where nothing else does."""
    said: set[str] = set()

    def show(what: str, _done: int, _total: int, /) -> None:
        if err.is_terminal and what not in said:
            said.add(what)
            err.print(f"{what} ...", style="dim", soft_wrap=True)

    with listening(show):
        yield


@contextmanager
def progress(what: str) -> Iterator[Step]:
    """Show progress on standard error, as a bar with the time left, or as up to ten lines; stages are shown too."""
    if not err.is_terminal:
        yield _lines(what)
        return
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False), TimeRemainingColumn(compact=True),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, expand=True) as bar:
        task = bar.add_task(shown(what), total=None, figures="")

        def step(done: int, total: int, figures: str = "") -> None:
            bar.update(task, description=shown(what), completed=done, total=total, figures=figures)

        def stage(name: str, done: int, total: int, /) -> None:
            named = shown(f"{what}: {name}")
            bar.update(task, description=named, completed=done, total=total or None, figures="")

        with listening(stage):
            yield step
