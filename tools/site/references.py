"""Pages of the site that are made of the sources: commands, Python interface, C headers, listings, notebooks."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from typer.core import TyperArgument
from typer.main import get_command

from scenelet.cli.app import app
from scenelet.cli.help import EXAMPLES

REPOSITORY = Path(__file__).parents[2]
LIBRARIES = "firmware/lib"
LANGUAGES = {".c": "c", ".h": "c", ".json": "json", ".py": "python", ".toml": "toml", ".yml": "yaml"}
FENCE = "~~~~~~"  # no file shown here has it

PYTHON = """# Python interface

Made of the docstrings of `scenelet`. [PYTHON.md](PYTHON.md) says what these functions are for. Everything else in the
package may change between versions.

::: scenelet.api
    options:
      show_root_heading: false
      show_root_toc_entry: false
      members: [load, Model, Decision, features, train, export]

## Errors

::: scenelet.errors
    options:
      show_root_heading: false
      show_root_toc_entry: false
      show_signature: false
"""


def listing(path: str) -> str:
    """Page that shows a file as it is."""
    text = (REPOSITORY / path).read_text("utf-8")
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"# {posixpath.basename(path)}\n\n`{path}`\n\n{FENCE}{language}\n{text}{FENCE}\n"


def notebook(path: str) -> str:
    """Page of a notebook: its text, its code, and what that gave when it was last run."""
    parts = []
    for cell in nbformat.read(REPOSITORY / path, as_version=4).cells:
        parts.append(cell.source if cell.cell_type == "markdown" else f"{FENCE}python\n{cell.source}\n{FENCE}")
        for output in cell.get("outputs", ()):
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            parts.append(f"{FENCE}text\n{text.rstrip()}\n{FENCE}")
    return "\n\n".join(parts) + "\n"


def headers() -> list[str]:
    """Headers of the firmware's libraries; those of one chip alone are no contract."""
    found = sorted((REPOSITORY / LIBRARIES).rglob("*.h"))
    return [str(path.relative_to(REPOSITORY)) for path in found if "stm32f4" not in path.parts]


def sentence(header: str) -> str:
    """First sentence of the comment on top of a header."""
    text = (REPOSITORY / header).read_text("utf-8").partition("SPDX-License-Identifier: MIT */")[2]
    comment = re.search(r"/\*(.*?)\*/", text, re.DOTALL)
    words = " ".join(re.sub(r"^\s*\*", "", comment[1], flags=re.MULTILINE).split()) if comment else ""
    return re.split(r"(?<=[.:])\s", words, maxsplit=1)[0].rstrip(":.")


def _cell(text: str) -> str:
    """Text as a cell of a table, its characters as they are."""
    return re.sub(r"([|<*_\[\]])", r"\\\1", " ".join(text.split()))


def c_headers() -> str:
    """Page with all headers of the firmware's libraries."""
    lines = [
        "# C headers",
        "",
        "The contract of a module is its header: layout, Q format, range, who owns memory. A program of your own needs",
        "[scn_classify.h](source/firmware/lib/classifier/scn_classify.h.md) alone.",
    ]
    library = ""
    for header in headers():
        if header.split("/")[2] != library:
            library = header.split("/")[2]
            lines += ["", f"## lib/{library}", "", "| header | |", "|---|---|"]
        lines.append(f"| [{posixpath.basename(header)}](source/{header}.md) | {_cell(sentence(header))} |")
    return "\n".join(lines) + "\n"


def _table(ctx: Any, parameters: list[Any], title: str) -> Iterator[str]:
    rows = [record for parameter in parameters if (record := parameter.get_help_record(ctx))]
    if rows:
        yield f"\n| {title} | |\n|---|---|"
        yield from (f"| `{name.replace('|', chr(92) + '|')}` | {_cell(help_)} |" for name, help_ in rows)


def _command(command: Any, name: str) -> Iterator[str]:
    for part, inner in getattr(command, "commands", {}).items():
        yield from _command(inner, f"{name} {part}".strip())
    if hasattr(command, "commands"):
        return
    ctx = command.context_class(command, info_name=f"scenelet {name}")
    usage = " ".join(("scenelet", name, *command.collect_usage_pieces(ctx)))
    yield f"\n### scenelet {name}\n\n{_cell(command.help)}\n\n```\n{usage}\n```"
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    yield from _table(ctx, arguments, "argument")
    yield from _table(ctx, [one for one in command.params if one not in arguments], "option")
    if name in EXAMPLES:
        yield "\n```\n" + "\n".join(EXAMPLES[name]) + "\n```"


def commands() -> str:
    """Part of a page: every command with its arguments, options and examples."""
    return "\n## Every command\n" + "\n".join(_command(get_command(app), "")) + "\n"
