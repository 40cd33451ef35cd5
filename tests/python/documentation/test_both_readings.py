"""A page has the same lists, tables and blocks on GitHub as on the site: two dialects of Markdown read it alike."""

from __future__ import annotations

from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown import Markdown
from markdown_it import MarkdownIt
from mkdocs.config import load_config

from scenelet.core.toolchain import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
COUNTED = {"blockquote", "h1", "h2", "h3", "h4", "img", "li", "ol", "pre", "table", "tr", "ul"}


class Elements(HTMLParser):
    """How often each element that a reader sees stands in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(html)

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        self.found[tag] += tag in COUNTED


@cache
def site() -> Markdown:
    config = load_config(str(REPOSITORY / "mkdocs.yml"))
    return Markdown(extensions=config.markdown_extensions, extension_configs=config.mdx_configs)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_page_reads_the_same(page: Path) -> None:
    text = page.read_text("utf-8")
    github = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert Elements(site().reset().convert(text)).found == Elements(github).found
