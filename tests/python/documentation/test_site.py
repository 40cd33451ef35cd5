"""The site: strict, of the sources alone, the same bytes each time, and nothing in it from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenelet.core.toolchain import REPOSITORY

if TYPE_CHECKING:
    from browser import Browser

# What a browser fetches without being asked, from an address with a host.
FETCHED = re.compile(r"<(?:script|img|iframe|source|video|audio|link)\b[^>]*?\b(?:src|href)=\"?(?:https?:)?//[^>]*>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `make docs` builds it, where no network is: whatever wants one fails, and strict ends the build."""
    folder = tmp_path_factory.mktemp("site") / "site"
    nowhere = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https")}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(REPOSITORY / "python")}
    before = untracked()
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert untracked() == before, "the build writes into the sources"
    return folder


def untracked() -> str:
    command = [
        "git",
        "status",
        "--porcelain",
        "--ignored",
        "--untracked-files=all",
        "docs",
        "tools",
        "python",
        "mkdocs.yml",
    ]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in listed.splitlines() if "__pycache__" not in line)


def test_no_page_fetches_anything_from_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not FETCHED.findall(page.read_text("utf-8")), page.relative_to(site)
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*", sheet.read_text("utf-8")), sheet.name


def test_every_page_and_every_header_is_there(site: Path) -> None:
    pages = [path.relative_to(REPOSITORY / "docs") for path in (REPOSITORY / "docs").rglob("*.md")]
    expected = {"index.html" if page.name == "README.md" else f"{page.stem}.html" for page in pages}
    assert expected <= {path.name for path in site.rglob("*.html")}
    for header in ("classifier/scn_classify", "engine/scn_engine", "frontend/scn_frontend", "port/scn_port"):
        assert (site / "source" / "firmware" / "lib" / f"{header}.h.html").is_file()


def wait_for(seen: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)


# The widest tables, the longest code, references, pictures, the first page.
SHOWN = ("index", "COMMANDS", "COMPILER", "PROTOCOL", "reference_python", "results/esc10", "source/SECURITY")


@pytest.mark.browser
@pytest.mark.parametrize("name", SHOWN)
def test_a_page_fits_every_width_and_asks_no_other_host(site: Path, browser: Browser, name: str) -> None:
    for scheme, body in (("light", "default"), ("dark", "slate")):
        browser.open(site / f"{name}.html", scheme=scheme)
        wait_for(lambda body=body: browser.run("return document.body.dataset.mdColorScheme") == body)
        assert all(address.startswith("file:") for address in browser.requests())
    browser.check_console()
    browser.check_widths()
    browser.check_names()


@pytest.mark.browser
def test_search_finds_a_page_without_a_server(site: Path, browser: Browser) -> None:
    browser.open(site / "index.html")
    browser.run("document.querySelector('[data-md-toggle=search]').click()")
    browser.one(".md-search__input").send_keys("winograd")
    wait_for(lambda: bool(browser.all(".md-search-result__item")))
    found = [item.text.splitlines()[0] for item in browser.all(".md-search-result__item")]
    assert any("Winograd" in title for title in found)


def test_references_are_made_of_the_sources(site: Path) -> None:
    python = (site / "reference_python.html").read_text("utf-8")
    for name in ("load", "Model.classify", "Decision", "features", "train", "export"):
        assert f'id="scenelet.api.{name}"' in python
    assert 'id="scenelet.errors.AudioError"' in python
    commands = (site / "COMMANDS.html").read_text("utf-8")
    assert 'id="scenelet-device-soak"' in commands
    assert "--frontend-tables" in commands
    headers = (site / "reference_c.html").read_text("utf-8")
    assert "From audio samples to a label, in three calls" in headers
