"""The picture in a terminal: it fits, in colours or in shades, and shows what was heard."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from scenelet.deploy.listen import WindowDecision
from scenelet.deploy.listening.events import About, Heard, Load
from scenelet.deploy.listening.terminal import Terminal, ramp, rows_of

LABELS = tuple(f"class {number}" for number in range(12))
ABOUT = About(
    *("files in real time, streamed to QEMU (netduinoplus2), which decides", "m.tflite", LABELS, 8000, 16, 1.0, 0.032),
    *(tuple(50.0 * (number + 1) for number in range(64)), "computed here"),
)  # fmt: skip
LOADS = (Load(0.023, "this computer's core", "measured", "front end and network"),)


def lines(about: About = ABOUT, *, height: int = 24, colours: Any = None, remark: str = "") -> list[str]:
    console = Console(
        file=io.StringIO(),
        width=80,
        height=height,
        force_terminal=True,
        color_system=colours,
        highlight=False,
        soft_wrap=True,
    )
    terminal = Terminal(console, about)
    columns = np.repeat(np.linspace(-128, 127, 64).astype(np.int8)[:, None], 200, axis=1)
    scores = (-128, 100, *range(-120, -110))
    with terminal:
        terminal.take(Heard("street.wav", 1.0, np.full(9, 1 << 13, np.int32), columns))
        for number in range(5):
            decision = WindowDecision("street.wav", number, "class 1", scores, None)
            terminal.take(Heard("street.wav", number + 1.0, decision=decision, loads=LOADS, remark=remark))
    with console.capture() as captured:
        console.print(terminal.picture())
    return captured.get().splitlines()


@pytest.mark.parametrize("height", [24, 50])
def test_it_fits_a_terminal_of_80_columns(height: int) -> None:
    shown = lines(height=height)
    assert len(shown) < height
    assert max(map(len, shown)) <= 80


def test_it_shows_all_that_was_heard() -> None:
    text = "\n".join(lines(height=40))
    assert text.startswith("m.tflite: files in real time, streamed to QEMU")
    assert "class 1   street.wav  5.0 s  -12 dBFS" in text
    assert "load   2.3% of this computer's core, measured: front end and network" in text
    (bar,) = [line for line in text.splitlines() if line.startswith("class 1  ") and "█" in line]
    assert bar.split()[2:] == ["89%", "█" * 46 + "▌"]
    assert "class 0 " not in text, "the ten likeliest of twelve"
    assert [line.split()[0] for line in text.splitlines() if line.endswith("class 1  89%")] == ["3.0", "4.0", "5.0"]


@pytest.mark.parametrize("colours", [None, "truecolor"])
def test_without_colours_shades_show_high_bands_above_low_ones(
    colours: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines(colours=colours)]
    shaded = [line[8:] for line in plain if line[8:] and set(line[8:]) <= set(" .:-=+*#%@") and len(line) == 80]
    assert shaded[0] == "@" * 72
    assert shaded[-1][0] != "@"
    assert rows_of(np.arange(8, dtype=np.int8)[:, None], 4).tolist() == [[1], [3], [5], [7]]
    assert rows_of(np.arange(3, dtype=np.int8)[:, None], 5).shape == (5, 1)


def test_colours_grow_brighter_with_loudness() -> None:
    assert "38;2;252;250;190" in "\n".join(lines(colours="truecolor"))
    sums = [sum(map(int, ramp(value)[4:-1].split(","))) for value in range(-128, 128)]
    assert sums == sorted(sums)


def test_without_a_spectrogram_it_says_why() -> None:
    text = "\n".join(lines(replace(ABOUT, bands=(), spectrogram="none: the samples stay on the board")))
    assert "spectrogram: none: the samples stay on the board" in text


def test_what_comes_from_outside_commands_no_terminal() -> None:
    labels = ("rain", "class\x1b[31m", *LABELS[2:])
    shown = "\n".join(lines(replace(ABOUT, labels=labels, source="a\x1b]0;x"), remark="lost\r\x1b[2J"))
    assert "\x1b" not in shown
    assert r"class\x1b[31m" in shown
    assert r"lost\r\x1b[2J" in shown
