from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenelet.core.shown import markdown, markdown_code, shown
from scenelet.core.templating import render

AWKWARD = [
    "a b", "it's", 'say "x"', "[red]x[/red]", "gen[/b]", "$5_000$", "100%", "a\nb", "a\r\nb\tc", "\u202egnp.exe",
    "cafe\u0301", "x" * 200, "\x1b[2J\x07", "a|b`c``d", "<b>&amp;</b>", "\\", "\udcff", ":skull:", "雨", "\u3000",
]  # fmt: skip

anything = st.text(st.characters(), max_size=200)


@given(anything)
def test_what_is_shown_is_one_line_that_commands_nothing(text: str) -> None:
    line = shown(text)
    assert len(line.splitlines()) <= 1
    assert not {unicodedata.category(one) for one in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(line) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
    assert shown(line) == line
    line.encode()


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S")), max_size=50))
def test_what_can_be_shown_stays(text: str) -> None:
    assert shown(f"{text} {text}") == f"{text} {text}"


@pytest.mark.parametrize(("text", "line"), [("a\nb", r"a\nb"), ("\x1b[2J", r"\x1b[2J"), ("\u202ex", r"\u202ex")])
def test_escapes_name_the_character(text: str, line: str) -> None:
    assert shown(text) == line


@given(anything)
def test_markdown_keeps_its_cell(text: str) -> None:
    for cell in (markdown(text), markdown_code(text, in_table=True)):
        assert "\n" not in cell
        assert not re.search(r"(?<!\\)(?:\\\\)*\|", cell.replace(r"\|", "")), "no bare | is left"
    for mark in "`*[]<>":
        assert not re.search(rf"(?<!\\)(?:\\\\)*{re.escape(mark)}", markdown(text)), f"a bare {mark} is left"


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="|"), min_size=1, max_size=50))
def test_code_is_held_by_a_longer_fence(text: str) -> None:
    code = markdown_code(text)
    fence = re.match("`+", code)
    assert fence
    assert code.endswith(fence[0])
    inside = code[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert text in (inside, inside[1:-1])


def test_names_in_plain_words_stay_as_they_are() -> None:
    assert markdown("sea_waves") == "sea_waves"
    assert markdown_code("sea_waves") == "`sea_waves`"
    assert markdown("_x_") == r"\_x\_"


@pytest.mark.parametrize("title", AWKWARD)
def test_a_drawing_holds_any_title(title: str) -> None:
    values = {"title": title, "bins": [], "most": 1, "threshold": 0.5, "error": 0.0}
    text = render("scenelet.evaluation", "reliability.svg", values)
    found = ET.fromstring(text.encode()).findtext("{http://www.w3.org/2000/svg}text")
    assert found == shown(title)
