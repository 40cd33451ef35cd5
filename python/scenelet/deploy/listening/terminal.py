"""The terminal: spectrogram, decision, class bars and load, drawn anew a few times a second."""

from __future__ import annotations

import time
from collections import deque
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ...core.shown import bar, shown
from ..listen import WindowDecision
from .events import About, Heard, Load, level_db

_FRAMES_PER_SECOND = 12
_LEAST_ROWS, _MOST_ROWS = 4, 10
_ROOMY = 28
"""Lines of a terminal that has room for more than the newest line of the log."""
_AXIS_CELLS, _LABEL_CELLS, _LOG_LINES = 8, 20, 3
_SHADES = " .:-=+*#%@"
# Loudness as a colour: anchors of a ramp that also rises in brightness, so that it reads without its hues.
_ANCHORS = ((8, 12, 40), (60, 25, 110), (150, 40, 110), (225, 85, 60), (250, 170, 50), (252, 250, 190))


def ramp(value: int) -> str:
    """Colour of an INT8 feature, for rich: dark for -128, bright for 127."""
    place = (value + 128) / 255 * (len(_ANCHORS) - 1)
    below = min(int(place), len(_ANCHORS) - 2)
    low, high = _ANCHORS[below], _ANCHORS[below + 1]
    red, green, blue = (round(a + (b - a) * (place - below)) for a, b in zip(low, high, strict=True))
    return f"rgb({red},{green},{blue})"


def rows_of(columns: NDArray[np.int8], rows: int) -> NDArray[np.int8]:
    """Loudest feature of each of ``rows`` groups of neighbouring bands: (bands, n) -> (rows, n), low bands first."""
    edges = np.linspace(0, len(columns), rows + 1).astype(int)
    return np.stack([columns[low : max(high, low + 1)].max(axis=0) for low, high in pairwise(edges)])


class Terminal:
    """Shows a source; a context manager, which leaves the last picture standing.

    Parameters
    ----------
    console
        A terminal; one without colours gets shades.
    """

    def __init__(self, console: Console, about: About) -> None:
        self._console, self._about = console, about
        width = max(console.width - _AXIS_CELLS, 8)
        self._columns: deque[NDArray[np.int8]] = deque(maxlen=width)
        self._log: deque[Text] = deque(maxlen=_LOG_LINES)
        self._heard = Heard("", 0.0)
        self._decision: WindowDecision | None = None
        self._scores: tuple[int, ...] = ()
        self._loads: tuple[Load, ...] = ()
        self._level: float | None = None
        self._drawn = 0.0
        self._live = Live(console=console, auto_refresh=False, get_renderable=self.picture, vertical_overflow="crop")

    def take(self, heard: Heard) -> None:
        """See :class:`.events.Consumer`."""
        self._heard = heard
        self._columns.extend(heard.columns.T)
        self._loads = heard.loads or self._loads
        level = level_db(heard.samples, self._about.sample_bits)
        self._level = self._level if level is None else level
        if heard.decision:
            self._decision = heard.decision
            self._scores = heard.decision.scores or self._scores
            self._log.append(self._line(heard.decision, heard.seconds))
        if heard.remark:
            self._log.append(Text(f"  {shown(heard.remark)}", style="yellow", overflow="ellipsis", no_wrap=True))
        now = time.monotonic()
        if now - self._drawn > 1 / _FRAMES_PER_SECOND:
            self._drawn = now
            self._live.refresh()

    def picture(self) -> Group:
        """What is shown now."""
        about = self._about
        head = Text.assemble((shown(about.model), "bold"), f": {shown(about.source)}", overflow="fold")
        log = list(self._log)[-1 if self._console.height < _ROOMY else 0 :]
        below = [self._now(), *self._bars(), *self._load_lines(), *log, Text("Ctrl-C ends", style="dim")]
        above, below = self._wrapped(head), self._wrapped(*below)
        rows = max(_LEAST_ROWS, min(_MOST_ROWS, self._console.height - len(above) - len(below) - 1))
        return Group(*above, *self._wrapped(*self._spectrogram(rows)), *below)

    def _wrapped(self, *texts: Text) -> list[Text]:
        """Lines of texts; a console that leaves long lines to the terminal would cut them here."""
        return [
            line
            for text in texts
            for line in ([text] if text.no_wrap else text.wrap(self._console, self._console.width, no_wrap=False))
        ]

    def _spectrogram(self, lines: int) -> list[Text]:
        about = self._about
        if not about.bands:
            return [Text(f"spectrogram: {shown(about.spectrogram)}", style="dim", overflow="fold")]
        coloured = self._console.color_system is not None and not self._console.no_color
        grid = np.stack(self._columns, axis=1) if self._columns else np.empty((len(about.bands), 0), np.int8)
        cells = rows_of(grid, lines * 2 if coloured else lines)
        drawn = []
        for line in range(lines):
            text = Text.assemble((f"{self._axis(line, lines):>{_AXIS_CELLS - 1}} ", "dim"), no_wrap=True)
            low = len(cells) - 1 - (2 * line if coloured else line)
            for column in range(cells.shape[1]):
                if coloured:
                    upper, lower = ramp(int(cells[low, column])), ramp(int(cells[low - 1, column]))
                    text.append("▀", f"{upper} on {lower}")
                else:
                    text.append(_SHADES[(int(cells[low, column]) + 128) * len(_SHADES) // 256])
            drawn.append(text)
        return drawn

    def _axis(self, line: int, lines: int) -> str:
        bands = self._about.bands
        if line not in (0, lines // 2, lines - 1):
            return ""
        hertz = bands[-1 - min(len(bands) - 1, line * (len(bands) - 1) // max(lines - 1, 1))]
        return f"{hertz / 1000:.1f}k" if hertz >= 1000 else f"{hertz:.0f} Hz"

    def _now(self) -> Text:
        said = shown(self._decision.said) if self._decision else "..."
        place = f"{shown(self._heard.file)}  {self._heard.seconds:.1f} s"
        level = "" if self._level is None else f"  {self._level:.0f} dBFS"
        return Text.assemble((said, "bold green"), f"   {place}{level}", overflow="ellipsis", no_wrap=True)

    def _bars(self) -> list[Text]:
        """The ten likeliest classes, in the order of the labels."""
        if not self._scores:
            return []
        numbers = range(min(len(self._about.labels), len(self._scores)))
        likeliest = sorted(sorted(numbers, key=lambda one: -self._scores[one])[:10])
        best = max(numbers, key=lambda one: self._scores[one])
        width = max(10, min(self._console.width, 100) - _LABEL_CELLS - 8)
        drawn = []
        for number in likeliest:
            share = (self._scores[number] + 128) / 256
            name = Text(shown(self._about.labels[number]))
            name.truncate(_LABEL_CELLS, overflow="ellipsis", pad=True)
            style = "bold green" if number == best else ""
            drawn.append(
                Text.assemble(name, f" {share:4.0%} ", (bar(share, width), style or "blue"), style=style, no_wrap=True)
            )
        return drawn

    def _load_lines(self) -> list[Text]:
        return [
            Text(f"load {load.share:6.1%} of {shown(load.of)}, {load.how}: {load.by}", overflow="fold")
            for load in self._loads
        ]

    def _line(self, decision: WindowDecision, seconds: float) -> Text:
        share = f"{(max(decision.scores) + 128) / 256:.0%}" if decision.scores else ""
        text = f"  {seconds:7.1f} s  {shown(decision.said)}  {share}"
        return Text(text, style="dim", overflow="ellipsis", no_wrap=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
