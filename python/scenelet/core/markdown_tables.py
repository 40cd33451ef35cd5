"""Generated tables in Markdown pages, between the marks `<!-- name -->` and `<!-- end of name -->`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def fill(page: Path, tables: Mapping[str, Iterable[str]]) -> None:
    """Write new lines between a page's marks; see :func:`filled`."""
    write_text(page, filled(page, tables))
