"""CSV files read with the line number of every row, so that an error can name the line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import DatasetError


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its file, its line number (the header is line 1), and its cells by column."""

    path: Path
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def error(self, problem: str, remedy: str = "") -> DatasetError:
        """Make the error that names this row."""
        return DatasetError(f"{self.path}:{self.line}", problem, remedy)

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """Return the cell if it is one of ``allowed``; raise DatasetError otherwise."""
        value = self.cells[column]
        if value not in allowed:
            raise self.error(f"unknown {column} '{value}'", f"use one of: {', '.join(allowed)}")
        return value

    def file(self, folder: Path, column: str = "filename") -> Path:
        """Return the path of the file that a cell names in a folder of the data set.

        Raises
        ------
        DatasetError
            The cell leads out of the folder, is not the plain form of its path, or names no file.
        """
        name = PurePosixPath(self.cells[column])
        if name.is_relative_to(inside := folder.absolute()) and ".." not in name.parts:
            raise self.error(f"{column} '{name}' is an absolute path", f"write {name.relative_to(inside)}")
        if name.is_absolute() or ".." in name.parts:
            raise self.error(f"{column} '{name}' leads out of the data set", f"give a path inside {folder}")
        if str(name) != self.cells[column]:
            raise self.error(f"{column} '{self.cells[column]}' is a detour", f"write {name}")
        path = folder / name
        try:
            found = path.is_file()
        except OSError as error:
            raise self.error(f"'{path.name}' cannot be looked up: {error.strerror}", "correct the name") from None
        if not found:
            raise self.error(f"audio file '{path.name}' is missing from {path.parent}", "restore it or remove the row")
        return path


def read_table(path: Path, columns: Sequence[str], *, delimiter: str = ",", unique: str = "filename") -> list[Row]:
    """Read a CSV file with a header.

    Parameters
    ----------
    path
        UTF-8 text, with or without a byte order mark.
    columns
        Required columns, in any order; others may stand between them. None of their cells may be empty.
    delimiter
        Character between cells.
    unique
        Column whose values must differ from row to row.

    Raises
    ------
    DatasetError
        With file and line: missing or unreadable file, missing column, row with too few cells, repeated row, no rows.
    """
    rows = read_lines(path, columns, delimiter=delimiter)
    _require_unique(rows, unique)
    return rows


def read_lines(path: Path, columns: Sequence[str], *, delimiter: str = ",") -> list[Row]:
    """Read a CSV file as :func:`read_table` does, whose rows may name a file several times."""
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            _require_columns(path, reader.fieldnames or (), columns)
            rows = [
                Row(path, reader.line_num, {name: (cells[name] or "").strip() for name in columns}) for cells in reader
            ]
    except OSError as error:
        raise DatasetError(path, error.strerror or "cannot be opened", "restore the file") from None
    except UnicodeDecodeError as error:
        raise DatasetError(path, f"not UTF-8 text at byte {error.start}", "save it as UTF-8") from None
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.reader.line_num}", f"not CSV ({error})", "correct that line") from None
    if not rows:
        raise DatasetError(path, "a header without rows", "restore the file")
    _require_whole(rows)
    return rows


def _require_columns(path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    for column in wanted:
        if column not in found:
            listed = ", ".join(found) or "none"
            raise DatasetError(f"{path}:1", f"column '{column}' is missing (columns: {listed})", "add it to the header")


def _require_whole(rows: Sequence[Row]) -> None:
    for row in rows:
        for column, cell in row.cells.items():
            if not cell:
                raise row.error(f"no value for column '{column}'", "complete or remove the row")


def _require_unique(rows: Sequence[Row], unique: str) -> None:
    first: dict[str, int] = {}
    for row in rows:
        if first.setdefault(row[unique], row.line) != row.line:
            raise row.error(f"{unique} '{row[unique]}' stands on line {first[row[unique]]} already", "remove one row")
