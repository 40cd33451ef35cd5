"""Hooks of MkDocs (mkdocs.yml): pages of the site that are no files of docs/.

Pages link to files beside docs/ as GitHub has them: CONTRIBUTING.md, model cards, C headers, folders. Each such file
becomes a page of its own, Markdown as Markdown and all else as a listing, and the links lead there.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

import references
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from references import REPOSITORY

DOCS = "docs/"
# Sections that list every page of a folder, in the order of the names.
WHOLE_FOLDERS = {"Decisions": "decisions", "Results": "results"}
PAGES = (".md", ".ipynb")
# Code, or text and address of a link or an image outside code.
LINK = re.compile(r"(```.*?^[ ]*```|`[^`\n]+`)|\[([^\[\]]*)\]\(([^)\s]+)\)", re.DOTALL | re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:", "#")


def on_config(config: MkDocsConfig) -> None:
    """Date the site by the release, not by the clock, and complete the sections that list folders."""
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    released = datetime.combine(citation["date-released"], time(), UTC)
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(released.timestamp())))
    for section in config.nav or ():
        for title, pages in section.items():
            if title in WHOLE_FOLDERS:
                folder = REPOSITORY / DOCS / WHOLE_FOLDERS[title]
                found = (f"{folder.name}/{path.name}" for path in sorted(folder.glob("*.md")))
                pages += [page for page in found if page not in pages]


def site_path(path: str) -> str:
    """Path of the page, or the picture, that shows a file of the repository."""
    if path.startswith(DOCS):
        inside = path.removeprefix(DOCS)
        return inside.removesuffix(".ipynb") + "_notebook.md" if inside.endswith(".ipynb") else inside
    return f"source/{path}" if path.endswith(".md") else f"source/{path}.md"


def target_of(link: str, page: str) -> tuple[str, str]:
    """File of the repository that a page's link means, a folder's README.md for the folder, and the anchor."""
    place, hash_, anchor = link.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), place))
    if (REPOSITORY / path).is_dir():
        path = posixpath.join(path, "README.md")
    return path, hash_ + anchor


def links(text: str) -> Iterator[str]:
    """Links of a page to files of the repository."""
    yield from (found[3] for found in LINK.finditer(text) if found[3] and not found[3].startswith(ELSEWHERE))


@cache
def title_of(path: str) -> str:
    """Title of a page of the repository."""
    title = re.search(r"^# (.+)$", content(path), re.MULTILINE)
    return title[1].replace("`", "") if title else posixpath.basename(path)


def rewritten(text: str, page: str) -> str:
    """Text of a page whose links lead to what the site has, by its title where the text is a file's name.

    ``page`` is its path in the repository.
    """
    folder = posixpath.dirname(site_path(page)) or "."

    def one(found: re.Match[str]) -> str:
        code, words, link = found.groups()
        if code or link.startswith(ELSEWHERE):
            return found[0]
        path, anchor = target_of(link, page)
        shown = title_of(path) if path.endswith(words.split("/")[-1]) and words.endswith(PAGES) else words
        return f"[{shown}]({posixpath.relpath(site_path(path), folder)}{anchor})"

    return LINK.sub(one, text)


def content(path: str) -> str:
    """Markdown of a file of the repository, with links as the repository has them."""
    if path.endswith(".md"):
        return (REPOSITORY / path).read_text("utf-8")
    return references.notebook(path) if path.endswith(".ipynb") else references.listing(path)


def beside(pages: list[str]) -> Iterator[str]:
    """Files beside docs/ and notebooks in it that pages link to, from page to page."""
    waiting, seen = list(pages), set(pages)
    while waiting:
        page = waiting.pop()
        if page.endswith(PAGES):
            targets = {target_of(link, page)[0] for link in links(content(page))}
            new = {path for path in targets - seen if not path.startswith(DOCS) or path.endswith(".ipynb")}
            waiting += sorted(path for path in new if (REPOSITORY / path).is_file())
            seen |= new
        if not page.startswith(DOCS) or page.endswith(".ipynb"):
            yield page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    made = {"reference_python.md": references.PYTHON, "reference_c.md": references.c_headers()}
    pages = [DOCS + file.src_uri for file in files.documentation_pages()]
    for path in beside([*pages, *references.headers()]):
        made[site_path(path)] = rewritten(content(path), path)
    for path, text in sorted(made.items()):
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let a page's links lead to pages of the site, and give the page of commands all options."""
    if page.is_homepage:
        page.meta["hide"] = ["navigation"]
    if page.file.generated_by:
        return markdown
    more = references.commands() if page.file.src_uri == "COMMANDS.md" else ""
    return rewritten(markdown, DOCS + page.file.src_uri) + more


def on_page_content(html: str, **_: Any) -> str:
    """Show names in docstrings as names: MkDocs knows no roles."""
    return re.sub(r":(?:attr|class|func|meth|mod):(?=<code>)", "", html)


def on_post_page(output: str, **_: Any) -> str:
    """Keep the theme's icons from screen readers: each stands in a link or a button that has a name."""
    return re.sub(r"<svg (?=xmlns=\S+ viewBox)", '<svg aria-hidden="true" ', output)
