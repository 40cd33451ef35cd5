"""The browser of the page tests sees what is wrong with a page; a check that cannot fail would prove nothing."""

from pathlib import Path

import pytest
from browser import Browser

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><style>:root {{ color-scheme: light dark }} body {{ margin: 0 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111 }} }}
</style></head><body>{}</body></html>"""


def show(browser: Browser, folder: Path, body: str) -> None:
    page = folder / "page.html"
    page.write_text(PAGE.format(body), "utf-8")
    browser.open(page)


def test_a_sound_page_passes(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<button>go</button><svg role="img" aria-label="a" width="90"><text y="20">ok</text></svg>')
    browser.check_console()
    browser.check_widths()
    browser.check_names()
    assert browser.cut(390) == []
    assert browser.requests() == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("<script>console.error('broken')</script>", "broken"),
        ("<script>nothing.here</script>", "ReferenceError"),
        ("<script>console.warn('odd')</script>", "odd"),
        ("<img alt='a' src='http://example.org/a.png'>", "ERR_NAME_NOT_RESOLVED"),
    ],
)
def test_the_console_is_heard(browser: Browser, tmp_path: Path, body: str, word: str) -> None:
    show(browser, tmp_path, body)
    with pytest.raises(AssertionError, match=word):
        browser.check_console()


def test_what_is_too_wide_is_named_at_the_width_at_which_it_is(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<p class="wide" style="width: 600px">a long line</p>')
    browser.check_widths((768, 1280))
    assert any("p.wide ends at 600 of 390" in line for line in browser.beyond(390))
    show(browser, tmp_path, '<div class="box" style="overflow-x: auto"><p style="width: 600px">a long line</p></div>')
    browser.check_widths()
    assert browser.cut(390) == ["div.box holds 600 in 390: a long line"]
    show(
        browser, tmp_path, '<svg role="img" aria-label="a" width="40"><text y="20">cut off by its drawing</text></svg>'
    )
    assert browser.cut(1280) == ["text of a drawing: cut off by its drawing"]


@pytest.mark.parametrize("body", ["<button></button>", "<a href='#a'></a>", "<svg role='img'></svg>", "<input>"])
def test_what_has_no_name_is_found(browser: Browser, tmp_path: Path, body: str) -> None:
    show(browser, tmp_path, body)
    with pytest.raises(AssertionError):
        browser.check_names()


def test_pale_text_is_found_in_either_scheme(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<p style="color: light-dark(#333, #ddd)">clear</p><h1 style="color: #777">large</h1>')
    browser.check_contrast()
    for colour in ("#999", "light-dark(#000, #333)"):
        show(browser, tmp_path, f'<p style="color-scheme: light dark; color: {colour}">pale words</p>')
        with pytest.raises(AssertionError, match="pale words"):
            browser.check_contrast()
    show(browser, tmp_path, '<p style="background: #111; color: #222">on its own ground</p>')
    with pytest.raises(AssertionError, match="on its own ground"):
        browser.check_contrast()


def test_pictures_follow_the_scheme_and_pages_do_without_scripts(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, "<p id='a'></p><script>document.getElementById('a').textContent = 'ran'</script>")
    assert browser.one("#a").text == "ran"
    light, dark = (browser.screenshot(tmp_path / f"{scheme}.png", scheme=scheme) for scheme in ("light", "dark"))
    assert light.read_bytes() != dark.read_bytes()
    assert browser.print(tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    browser.scripts(allowed=False)
    browser.open(tmp_path / "page.html")
    assert browser.one("#a").text == ""
