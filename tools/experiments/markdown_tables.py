"""Tables in pages of docs/, between the marks `<!-- name -->` and `<!-- end of name -->`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from scenelet.core.files import write_text


def fill(page: Path, tables: Mapping[str, Iterable[str]]) -> None:
    """Write lines anew between a page's marks, and leave its words alone.

    Raises
    ------
    ValueError
        Where a pair of marks is not there once.
    """
    text = page.read_text("utf-8")
    for name, lines in tables.items():
        before, rest = text.split(f"<!-- {name} -->\n")
        _, after = rest.split(f"<!-- end of {name} -->\n")
        joined = "\n".join(lines)
        text = f"{before}<!-- {name} -->\n{joined}\n<!-- end of {name} -->\n{after}"
    write_text(page, text)
