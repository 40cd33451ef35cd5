"""Pages in a browser: no error, nothing beyond the edge at three widths, names for what is seen, switches that work."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import WIDTHS, Browser
from fixtures_pages import SmallRun

from scenelet.benchmark.comparison import compare
from scenelet.benchmark.subjects import Asked, parse
from scenelet.data.datasets.registry import open_dataset
from scenelet.publish.comparison import write_comparison
from scenelet.publish.report import Request, write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "page.html"
    write_report(Request(small_run.folder, open_dataset(small_run.data), targets=("host",)), path)
    return path


@pytest.fixture(scope="module")
def comparison(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "compare.html"
    model = str(small_run.folder / "model.tflite")
    subjects = [parse(text, Asked()) for text in (model, f"{model},fusion=off", f"{model},ram=0,weights=expanded")]
    write_comparison(compare(subjects, dataset=open_dataset(small_run.data)), path)
    return path


@pytest.mark.parametrize("page", ["report", "comparison"])
def test_a_page_is_sound_at_every_width(page: str, browser: Browser, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(page)
    browser.open(path)
    browser.check_console()
    browser.check_names()
    browser.check_contrast()
    browser.check_widths()
    assert browser.requests() == []
    for width in WIDTHS:
        assert browser.cut(width) == [], width


def test_the_charts_are_there(browser: Browser, report: Path) -> None:
    browser.open(report)
    assert len(browser.all("#training svg polyline")) == 3
    assert len(browser.all("#calibration svg")) == 2
    assert len(browser.all("#memory .block")) > 4
    assert len(browser.all("#spectrogram img")) == 2
    assert browser.run("return [...document.images].every(image => image.naturalWidth > 0)")
    sounds = browser.all("audio")
    assert len(sounds) > 1
    assert browser.run("return document.querySelectorAll('.bar i').length") > 20


def test_one_matrix_shows_what_is_chosen(browser: Browser, report: Path) -> None:
    browser.open(report)
    seen = "return [...document.querySelectorAll('.heat td .v')].filter(one => one.offsetParent !== null)"
    first = browser.run(f"{seen}.map(one => one.className)")
    assert set(first) == {"v v0"}
    browser.one("#matrix-1").click()
    assert set(browser.run(f"{seen}.map(one => one.className)")) == {"v v1"}


def test_colours_follow_the_system_and_the_reader(browser: Browser, report: Path) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    browser.open(report, scheme="dark")
    dark = browser.run(colour)
    browser.one("#theme-light").click()
    light = browser.run(colour)
    assert light != dark
    browser.open(report, scheme="light")
    assert browser.run(colour) == light
    browser.media(scheme="dark", print_=True)
    assert browser.run(colour) == light  # paper is light
    assert browser.one(".theme").is_displayed() is False
