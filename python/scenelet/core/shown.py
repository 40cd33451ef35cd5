"""Text from files (names of paths, models, layers and classes) where it is shown, escaped as the medium needs.

Escapes for C lie in :mod:`scenelet.compiler.codegen.c_literals`, those of the wire protocol in ``scn_text.c``; YAML is
written by PyYAML, HTML and SVG by Jinja with its own escapes (:mod:`scenelet.core.templating`).
"""

from __future__ import annotations

import re
import unicodedata

# Letters of some scripts join or stay apart by these two; they cannot reorder a line or command a terminal.
_JOINERS = "\u200c\u200d"
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$])")


def _plain(one: str) -> bool:
    return one.isprintable() or one in _JOINERS or unicodedata.category(one) == "Zs"


def shown(text: str) -> str:
    r"""Write text as one line that any terminal and any XML can hold.

    Control characters, line ends, marks that reverse the direction of writing, and bytes that are not UTF-8 become
    escapes such as ``\x1b``, ``\n`` and ``\u202e``; everything else stays.
    """
    if text.isprintable():
        return text
    return "".join(one if _plain(one) else one.encode("unicode_escape").decode() for one in text)


def markdown(text: str) -> str:
    """Write text as Markdown that shows it, also inside a table: one line, no markup, no HTML."""
    return _MARKUP.sub(r"\\\1", shown(text))


def markdown_code(text: str) -> str:
    """Write text as Markdown's inline code, also inside a table."""
    line = shown(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    edge = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{edge}{line}{edge}{fence}".replace("|", r"\|")
