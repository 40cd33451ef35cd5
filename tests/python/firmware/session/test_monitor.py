"""The filter of ``pio device monitor``, as PlatformIO itself loads it."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformio.device.monitor.filters.base import load_monitor_filters
from serial.tools import miniterm

from scenelet.core import toolchain
from scenelet.targets.serial.framing import crc16


@pytest.fixture(scope="module")
def loaded() -> Iterator[Any]:
    before = dict(miniterm.TRANSFORMATIONS)
    load_monitor_filters(str(toolchain.FIRMWARE / "platform" / "monitor"), prefix="filter_", options={})
    yield miniterm.TRANSFORMATIONS["bars"]
    miniterm.TRANSFORMATIONS.clear()
    miniterm.TRANSFORMATIONS.update(before)


def said(text: str) -> str:
    return f"{text} *{crc16(text.encode()):04x}\r\n"


def test_a_decision_becomes_bars(loaded: Any) -> None:
    bars = type(loaded)({})
    for index, name in enumerate(("rain", "sea%20waves", "dog%20bark")):
        line = said(f"label index={index} name={name}")
        assert bars.rx(line) == line
    drawn = bars.rx(said("decision window=7 label=sea%20waves scores=-128,127,0")).splitlines()
    assert drawn[0] == "window 7"
    assert drawn[1] == "  rain      0.000"
    assert drawn[2] == "> sea waves 0.996 " + "█" * 40
    assert drawn[3].startswith("  dog bark  0.500 " + "█" * 20)
    assert len(drawn) == 4


def test_a_name_is_known_once_it_was_said(loaded: Any) -> None:
    bars = type(loaded)({})
    first = bars.rx(said("decision window=0 label=rain scores=9,-9"))
    assert "> rain" in first
    assert "class 1" in first
    assert "  rain" in bars.rx(said("decision window=1 label=sea scores=-9,9"))


def test_what_is_not_whole_stays_as_it_is(loaded: Any) -> None:
    bars = type(loaded)({})
    for line in ("decision window=1 label=rain scores=1,2\r\n", "decision window=x *0000\r\n", "decisive\r\n"):
        assert bars.rx(line) == line
    assert bars.rx("m-re") == "m-re", "an unfinished line is shown at once"
    assert bars.rx("ady\r\nde") == "ady\r\n", "but not one that may become a decision"
    assert bars.rx("lay\r\n") == "delay\r\n"


def test_a_name_cannot_command_the_terminal(loaded: Any) -> None:
    drawn = type(loaded)({}).rx(said("decision window=7 label=%1b[2J\u2028\x85é scores=9,-9"))
    assert r"> \x1b[2J\u2028\x85é " in drawn
    assert "\x1b" not in drawn


@given(st.lists(st.integers(1, 9), max_size=200))
def test_pieces_make_no_difference(loaded: Any, cuts: list[int]) -> None:
    text = said("info a=b") + said("decision window=1 label=rain scores=-5,7") + "m-ready\r\n" + said("heard window=1")
    bars, got, at = type(loaded)({}), "", 0
    for cut in [*cuts, len(text)]:
        got += bars.rx(text[at : at + cut])
        at += cut
    assert got == type(loaded)({}).rx(text)


def test_every_board_monitors_with_it() -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(toolchain.REPOSITORY / "platformio.ini")
    assert settings["env"]["monitor_filters"] == "bars"
