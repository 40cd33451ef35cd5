"""Charts of lines and points as SVG, drawn for the width of a telephone and scaled up from there.

Colours are the page's variables, so they follow light and dark. Every series also has a dash or a mark of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from ...core.templating import render
from .figures import compact

WIDTH, HEIGHT = 360, 240
"""Of a drawing, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 24, 34

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Points in order of x, joined by a line, each with a mark where ``dots`` is set."""

    name: str
    points: tuple[Point, ...]
    dots: bool = False


@dataclass(frozen=True)
class Label:
    """A point with a name beside it."""

    name: str
    at: Point


@dataclass(frozen=True)
class Chart:
    """What a chart shows.

    Attributes
    ----------
    title
        Its accessible name, with what the chart says in words.
    x, y
        Names of the axes, with units.
    x_range, y_range
        Ends of the axes; by default those of the points.
    bars
        (from x, to x, y): boxes from the x axis up to y.
    uprights
        (x, name): dashed lines across the chart.
    diagonal
        Whether the line y = x is drawn.
    per_cent
        Whether y is a share, 0 to 1, shown in per cent; ``x_per_cent`` of x.
    """

    title: str
    x: str
    y: str
    series: tuple[Series, ...] = ()
    labels: tuple[Label, ...] = ()
    bars: tuple[tuple[float, float, float], ...] = ()
    uprights: tuple[tuple[float, str], ...] = ()
    x_range: Point | None = None
    y_range: Point | None = None
    diagonal: bool = False
    per_cent: bool = False
    x_per_cent: bool = False


@dataclass(frozen=True)
class _Axis:
    """From values to places in the drawing."""

    low: float
    high: float
    start: float
    end: float
    ticks: list[float] = field(default_factory=list)

    def place(self, value: float) -> float:
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values inside a range, at equal steps of 1, 2 or 5 times a power of ten; at most ``most`` + 1 of them."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def draw(chart: Chart, *, alone: bool = False) -> Markup:
    """Draw a chart.

    Parameters
    ----------
    chart
        With at least one point, bar or label.
    alone
        Whether the SVG is a file of its own, with the colours that a page would give it.
    """
    points = [point for one in chart.series for point in one.points] + [one.at for one in chart.labels]
    points += [(x, y) for left, right, y in chart.bars for x in (left, right)]
    across = _axis([x for x, _ in points] + [x for x, _ in chart.uprights], chart.x_range, _LEFT, WIDTH - _RIGHT)
    up = _axis([y for _, y in points], chart.y_range, HEIGHT - _BOTTOM, _TOP)
    values = {
        "chart": chart, "across": across, "up": up, "width": WIDTH, "height": HEIGHT, "alone": alone,
        "labels": [_beside(one, across, up) for one in chart.labels],
        "uprights": [_across(x, name, across) for x, name in chart.uprights],
        "tick": {"x": _tick(chart.x_per_cent), "y": _tick(chart.per_cent)},
    }  # fmt: skip
    return Markup(render(__package__, "chart.svg", values))


def _tick(per_cent: bool) -> object:
    return (lambda value: f"{100 * value:.0f} %") if per_cent else compact


def _axis(values: Sequence[float], asked: Point | None, start: float, end: float) -> _Axis:
    low, high = asked or (min(values), max(values))
    if asked is None:
        margin = 0.05 * (high - low) or abs(high) * 0.1 or 1.0
        low, high = (max(0.0, low - margin) if low >= 0 else low - margin), high + margin
    return _Axis(low, high, start, end, ticks(low, high))


def _beside(label: Label, across: _Axis, up: _Axis) -> tuple[float, float, float, str, str]:
    """Place of a point, height of its name, where the name is anchored, and the name, which stays in the drawing."""
    x, y = across.place(label.at[0]), up.place(label.at[1])
    return x, y, y - 9 if y > _TOP + 40 else y + 20, _anchor(x), label.name


def _across(x: float, name: str, across: _Axis) -> tuple[float, str, str]:
    return across.place(x), _anchor(across.place(x)), name


def _anchor(x: float) -> str:
    """Side of a point on which a name has room."""
    return "start" if x < _LEFT + (WIDTH - _LEFT - _RIGHT) / 2 else "end"
