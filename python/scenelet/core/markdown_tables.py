"""Generated tables in Markdown pages, between the marks `<!-- name -->` and `<!-- end of name -->`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from .files import write_text


def filled(page: Path, tables: Mapping[str, Iterable[str]]) -> str:
    """Text of a page with new lines between its marks; everything else stays.

    Parameters
    ----------
    page
        Markdown file.
    tables
        Name of a pair of marks -> lines between them.

    Raises
    ------
    InputError
        A pair of marks is missing, or there several times.
    """
    text = page.read_text("utf-8")
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise InputError(page, f"needs one pair of marks '{begin.strip()}' and '{end.strip()}'", "add them")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        joined = "\n".join(lines)
        text = f"{before}{begin}{joined}\n{end}{after}"
    return text


def between(page: Path, name: str) -> list[str]:
    """Lines that lie between a pair of marks; none where it is not there."""
    _, _, rest = page.read_text("utf-8").partition(f"<!-- {name} -->\n")
    return rest.partition(f"<!-- end of {name} -->\n")[0].splitlines()


def rows_of(lines: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """Rows of a table under other columns: first cell -> line.

    A cell stays in the column of its name; a column that the table lacks gets a dash.
    """
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    if len(cells) < 3:
        return {}
    held, _, *rows = cells
    made = {}
    for row in rows:
        named = dict(zip(held, row, strict=True))
        made[row[0]] = f"| {' | '.join(named.get(column, '–') for column in columns)} |"
    return made


def fill(page: Path, tables: Mapping[str, Iterable[str]]) -> None:
    """Write new lines between a page's marks; see :func:`filled`."""
    write_text(page, filled(page, tables))
