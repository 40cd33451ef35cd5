"""The curve of what more RAM buys: its marks are the plans', its picture stands alone, its page has the table."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Browser
from commands import Done

from scenelet.benchmark.tradeoff import Choice, Tradeoff
from scenelet.errors import InputError
from scenelet.publish.curve import require_kind, write_tradeoff
from scenelet.publish.curve.picture import charts

Run = Callable[..., Done]
CHOICES = (Choice(1000, 300, 90, 200), Choice(2000, 310, 40, 90), Choice(9000, 320, 30, 70))
FOUND = Tradeoff("a<b>.tflite", "packed", 5, CHOICES, 1)


def test_knee_and_board_are_marked_where_their_plans_are() -> None:
    instructions, constants = charts(FOUND, 10_000, "feather")
    assert [(one.name, one.at) for one in instructions.labels] == [("knee", (2000, 40)), ("board", (9000, 30))]
    assert instructions.series[0].points == ((1000, 90), (2000, 40), (9000, 30))
    assert constants.series[0].points == ((1000, 300), (2000, 310), (9000, 320))
    assert instructions.uprights == ((10_000, "left to the arena"),)
    (only,) = charts(replace(FOUND, choices=CHOICES[:1], knee=0), 10_000, "feather")[0].labels
    assert only.name == "knee"


def test_the_picture_is_svg_alone_and_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        write_tradeoff(FOUND, tmp_path / name, 10_000)
    content = (tmp_path / "a.svg").read_text("utf-8")
    assert content == (tmp_path / "b.svg").read_text("utf-8")
    root = ET.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(root.findall(".//{*}polyline")) == 2
    assert len(root.findall(".//{*}circle")) == 2 * (3 + 2)
    assert "knee" in root.get("aria-label", "")


def test_a_name_says_what_is_written(scenelet: Run, small_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"let its name end in \.svg or \.html"):
        require_kind(tmp_path / "curve.png")
    to = tmp_path / "curve.svg"
    answer = json.loads(scenelet("tradeoff", small_file, "--json", "--out", to).out)
    assert answer["picture"] == str(to)
    assert answer["choices"]
    assert to.is_file()


@pytest.mark.browser
def test_picture_and_page_are_sound(browser: Browser, tmp_path: Path) -> None:
    write_tradeoff(FOUND, tmp_path / "curve.svg", 10_000)
    browser.open(tmp_path / "curve.svg")
    browser.check_console()
    write_tradeoff(FOUND, tmp_path / "curve.html", 10_000, "feather")
    browser.open(tmp_path / "curve.html")
    browser.check_console()
    browser.check_names()
    browser.check_widths()
    assert browser.cut(390) == []
    assert len(browser.all("figure svg polyline")) == 2
    assert "a<b>.tflite" in browser.one("h1").text
