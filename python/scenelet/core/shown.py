"""Text from files (names of paths, models, layers and classes) where it is shown, escaped as the medium needs.

Escapes for C lie in :mod:`scenelet.compiler.codegen.c_literals`, those of the wire protocol in ``scn_text.c``. YAML is
written by PyYAML; HTML and SVG by Jinja, whose escapes :mod:`scenelet.core.templating` turns on.
"""

from __future__ import annotations

import re
import unicodedata

# Letters of some scripts join or stay apart by these two; they cannot reorder a line or command a terminal.
_JOINERS = "\u200c\u200d"

# An underscore inside a word is no markup.
_MARKDOWN = re.compile(r"[\\`*\[\]<>#|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def _plain(one: str) -> bool:
    return one.isprintable() or one in _JOINERS or unicodedata.category(one) == "Zs"


def shown(text: str) -> str:
    r"""Write text as one line that any terminal, any XML and UTF-8 can hold.

    Control characters, line ends, marks that reverse the direction of writing, and bytes that are not UTF-8 become
    escapes such as ``\x1b``, ``\n`` and ``\u202e``; everything else stays.
    """
    if text.isprintable():
        return text
    return "".join(one if _plain(one) else one.encode("unicode_escape").decode() for one in text)


def bar(share: float, cells: int) -> str:
    """Write a share of 0 to 1 as a bar of at most so many cells, in halves of a cell."""
    halves = round(share * 2 * cells)
    return "█" * (halves // 2) + "▌" * (halves % 2)


def markdown(text: str) -> str:
    """Write text as one line of Markdown that shows it, also inside a table: no markup, no HTML."""
    return _MARKDOWN.sub(r"\\\g<0>", shown(text))


def markdown_code(text: str, *, in_table: bool = False) -> str:
    """Write text as Markdown's inline code; inside a table, ``|`` would end the cell and is escaped."""
    line = shown(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    edge = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) or not line else ""
    code = f"{fence}{edge}{line}{edge}{fence}"
    return code.replace("|", r"\|") if in_table else code
