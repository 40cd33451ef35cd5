#!/usr/bin/env python3
"""``tools/figures.py [--check]``: the drawings of the documentation.

Each is drawn for a column of 640 units, so that its text is read on a telephone, too, and has its colours from the
scheme that the page is shown in.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from scenelet.config.frontend import FrontendConfig
from scenelet.core.files import write_text
from scenelet.core.toolchain import REPOSITORY
from scenelet.frontend import fixed_point
from scenelet.frontend.tables import make_tables

WIDTH = 640
STYLE = """
svg { --ink: #1c2430; --soft: #46515f; --line: #6b7685; --calm: #e3f0ee; --warm: #fdeccd; --cold: #e2e6fb;
  --loud: #00796b; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #eef1f5; --soft: #b8c1cd; --line: #8c97a6; --calm: #1d3f3b; --warm: #4a3a1a; --cold: #2a3057;
    --loud: #4db6ac; }
}
text { font: 17px system-ui, sans-serif; fill: var(--ink); }
.soft { fill: var(--soft); } .small { font-size: 16px; } .name { font-weight: 600; font-size: 19px; }
.mid { text-anchor: middle; } .end { text-anchor: end; }
.code { font-family: ui-monospace, monospace; font-size: 16px; }
.line { fill: none; stroke: var(--line); stroke-width: 2; } .thin { fill: none; stroke: var(--line); stroke-width: 1; }
.curve { fill: none; stroke: var(--loud); stroke-width: 2; } .mark { fill: var(--loud); } .tip { fill: var(--line); }
.calm { fill: var(--calm); stroke: var(--line); } .warm { fill: var(--warm); stroke: var(--line); }
.cold { fill: var(--cold); stroke: var(--line); } .none { fill: none; stroke: var(--line); stroke-dasharray: 4 4; }
"""


class Drawing:
    """An SVG that says what it shows.

    Parameters
    ----------
    height
        Units; the width is that of all drawings.
    title, description
        What a screen reader says.
    """

    def __init__(self, height: int, title: str, description: str) -> None:
        size = {"viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH), "height": str(height)}
        named = {"role": "img", "aria-labelledby": "title description"}
        self.root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **named})
        self._add("title", {"id": "title"}, title)
        self._add("desc", {"id": "description"}, description)
        self._add("style", {}, STYLE)

    def _add(self, tag: str, attributes: dict[str, str], text: str = "") -> None:
        ET.SubElement(self.root, tag, attributes).text = text or None

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Write text whose base line begins at a point, or has its middle or its end there."""
        self._add("text", {"x": f"{x:g}", "y": f"{y:g}", **({"class": kind} if kind else {})}, text)

    def box(self, x: float, y: float, width: float, height: float, kind: str, *, radius: float = 0) -> None:
        """Draw a rectangle."""
        size = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
        self._add("rect", {**size, **({"rx": f"{radius:g}"} if radius else {}), "class": kind})

    def path(self, points: Iterable[tuple[float, float]], kind: str = "line") -> None:
        """Draw straight lines from point to point."""
        self._add("path", {"d": "M" + " L".join(f"{x:.4g} {y:.4g}" for x, y in points), "class": kind})

    def arrow(self, *points: tuple[float, float]) -> None:
        """Draw a line with a tip, along an axis at its end."""
        (x0, y0), (x1, y1) = points[-2:]
        dx, dy = np.sign(x1 - x0), np.sign(y1 - y0)
        back = (x1 - 9 * dx, y1 - 9 * dy)
        self.path([*points[:-1], back])
        sides = ((back[0] + 5 * side * dy, back[1] + 5 * side * dx) for side in (1, -1))
        self.path([(x1, y1), *sides, (x1, y1)], "tip")

    def __str__(self) -> str:
        ET.indent(self.root)
        return ET.tostring(self.root, encoding="unicode") + "\n"


def dataflow() -> Drawing:
    """From recordings to scores, and back to this computer's."""
    drawing = Drawing(
        262,
        "The way from recordings to a Cortex-M4",
        "Recordings go through the integer front end into a network; that becomes an INT8 .tflite, C sources, and "
        "firmware, whose scores equal this computer's. Limits are checked at every arrow.",
    )
    first = (("recordings", "WAV, FLAC"), ("front end", "integers"), ("network", "Keras"), ("INT8", ".tflite file"))
    second = ((2, "scores", "same bits"), (1, "firmware", "Cortex-M4"), (0, "C sources", "planned RAM"))
    wide, high, step = 132, 78, 168
    for place, (name, what) in enumerate(first):
        x = 2 + place * step
        drawing.box(x, 8, wide, high, "cold" if place == 0 else "calm", radius=10)
        drawing.text(x + wide / 2, 42, name, "name mid")
        drawing.text(x + wide / 2, 68, what, "soft mid")
        if place:
            drawing.arrow((x - step + wide, 47), (x, 47))
    for place, name, what in second:
        x = 2 + (3 - place) * step
        drawing.box(x, 136, wide, high, "warm", radius=10)
        drawing.text(x + wide / 2, 170, name, "name mid")
        drawing.text(x + wide / 2, 196, what, "soft mid")
        if place:
            drawing.arrow((x + step, 175), (x + wide, 175))
    drawing.arrow((2 + 3 * step + wide / 2, 86), (2 + 3 * step + wide / 2, 136))
    drawing.text(2 + wide / 2, 170, "equal to", "soft mid")
    drawing.text(2 + wide / 2, 193, "the computer's", "soft mid")
    drawing.text(WIDTH / 2, 248, "parameters, MACs, flash and RAM are checked at every arrow", "soft mid")
    return drawing


def _sound(config: FrontendConfig) -> NDArray[np.int32]:
    """A falling whistle with a knock in it: something to see in a map."""
    time = np.arange(config.clip_samples) / config.sample_rate
    whistle = np.sin(2 * np.pi * (2600 * time - 1000 * time**2)) * np.hanning(time.size)
    knock = np.exp(-((time - 0.62) ** 2) / 2e-5) * np.sin(2 * np.pi * 300 * time)
    whole: NDArray[np.int32] = np.rint((0.3 * whistle + 0.5 * knock) * 2 ** (config.sample_bits - 1)).astype(np.int32)
    return whole


def _runs(row: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Start, length and value of equal neighbours."""
    start = 0
    for value, same in groupby(row):
        length = len(list(same))
        yield start, length, value
        start += length


def front_end() -> Drawing:
    """One frame's way, and the map that all frames make."""
    config = FrontendConfig(
        sample_rate=8000, n_fft=256, win_length=256, hop_length=128, n_mels=24, sample_bits=16, clip_seconds=1.0
    )
    samples = _sound(config)
    features = fixed_point.features(samples[np.newaxis], make_tables(config))[0]
    drawing = Drawing(
        470,
        "From samples to an INT8 map",
        "One frame of samples is shifted to 32 bits, windowed, transformed, summed into mel bands, and becomes one "
        "column of INT8 values; the columns of all frames are the network's input.",
    )
    steps = (
        ("samples", "int16 or int24"), ("block exponent", "loudest sample to 32 bits"),
        ("window, FFT", "Q31 products, int32"), ("power", "uint64"),
        ("mel bands", "16-bit weights"), ("log2, INT8", "64 straight lines"),
    )  # fmt: skip
    seen = 39  # of the frames: the knock's
    frame = samples[seen * 128 - 128 : seen * 128 + 128] / np.abs(samples).max()
    drawing.path([(8 + 0.9 * i, 44 - 30 * value) for i, value in enumerate(frame)], "curve")
    drawing.text(8, 104, "one frame: 256 samples", "soft")
    for place, (name, what) in enumerate(steps):
        y = 124 + 58 * place
        drawing.box(8, y, 250, 48, "calm" if place else "cold", radius=8)
        drawing.text(20, y + 20, name, "name small")
        drawing.text(20, y + 40, what, "soft small")
        if place:
            drawing.arrow((133, y - 10), (133, y))
    left, top, cell, tall = 300.0, 14.0, 5.3, 16.5
    levels = np.clip((features.astype(int) + 128) // 43, 0, 5)
    for band, row in enumerate(levels[::-1]):
        for start, length, level in _runs(row.tolist()):
            if level:
                at, down = left + start * cell, top + band * tall
                drawing._add(
                    "rect",
                    {"x": f"{at:.5g}", "y": f"{down:.4g}", "width": f"{length * cell:.4g}", "height": f"{tall:g}",
                     "class": "mark", "opacity": f"{level / 5:.1f}"},
                )  # fmt: skip
    frames = levels.shape[1]
    drawing.box(left, top, frames * cell, 24 * tall, "thin")
    drawing.box(left + seen * cell, top, cell, 24 * tall, "line")
    drawing.arrow((258, 438), (left + (seen + 0.5) * cell, 438), (left + (seen + 0.5) * cell, top + 24 * tall))
    drawing.text(left, 432, "the map: 24 bands,", "soft small")
    drawing.text(left, 460, f"{frames} frames, INT8: the network's input", "soft small")
    return drawing


def quantisation() -> Drawing:
    """Reals and integers on two lines, and the steps of a rescaled sum."""
    drawing = Drawing(
        450,
        "INT8 values stand for reals, and a sum becomes INT8 by steps",
        "Above: 256 integers from -128 to 127 stand for equally spaced reals; one of them, the zero point, "
        "stands for 0. Below: a sum of products becomes an INT8 value by a step function; a kernel is exact where "
        "every step is in its place.",
    )
    left, right = 40, 600

    def real(value: float) -> float:
        return left + (value + 1) / 3 * (right - left)

    drawing.text(left, 26, "real", "name")
    drawing.text(right, 26, "real = scale * (q - zero_point)", "code end")
    drawing.path([(left, 60), (right, 60)])
    drawing.text(left, 184, "INT8", "name")
    drawing.path([(left, 130), (right, 130)])
    for value in (-1, 0, 1, 2):
        drawing.path([(real(value), 52), (real(value), 68)])
        drawing.text(real(value), 46, f"{value}", "soft mid")
    for q in range(-128, 128, 5):
        x = left + (q + 128) / 255 * (right - left)
        drawing.path([(x, 126), (x, 134)], "thin")
    for q, name in ((-128, "-128"), (-43, "zero point -43"), (127, "127")):
        x = left + (q + 128) / 255 * (right - left)
        drawing.path([(x, 66), (x, 126)], "curve" if q == -43 else "thin")
        drawing.text(x, 156, name, "mid" if q == -43 else "soft mid")
    drawing.text(left, 232, "a sum of products becomes INT8", "name")
    base, unit, rise = 410, 56, 19
    for step in range(9):
        x, y = left + 20 + unit * step, base - rise * step
        drawing.path([(x, y), (x + unit, y), (x + unit, y - rise)] if step < 8 else [(x, y), (x + unit, y)], "curve")
    drawing.path([(left + 20, base + rise / 2), (left + 20 + unit * 9, base - rise * 8.5)], "thin")
    drawing.path([(left, base + 14), (right, base + 14)])
    drawing.text(right, base + 34, "sum, int32", "soft end")
    drawing.text(left + 20, 266, "TFLite's rounding puts every step", "soft")
    drawing.text(left + 20, 288, "somewhere: a faster way is taken", "soft")
    drawing.text(left + 20, 310, "where all steps stay there", "soft")
    return drawing


def depth_first() -> Drawing:
    """Whole maps one after the other, and a few rows of each at a time."""
    drawing = Drawing(
        430,
        "Layer by layer, and depth first",
        "Layer by layer, the input and the output of a layer lie in memory as a whole. Depth first, a layer runs as "
        "soon as the rows that it needs are there, and only those rows are kept.",
    )
    names = ("input", "conv 1", "conv 2", "pool")
    rows, tall = 12, 13
    for side, (title, kept) in enumerate((("layer by layer", (0, 12, 12, 0)), ("depth first", (2, 3, 3, 1)))):
        left = 8 + side * 326
        drawing.text(left, 24, title, "name")
        for place, name in enumerate(names):
            x = left + place * 76
            drawing.text(x + 28, 58, name, "soft mid small")
            for row in range(rows):
                done = kept[place] == rows or (side == 1 and 6 - place - kept[place] < row <= 6 - place)
                drawing.box(x, 70 + row * tall, 56, tall, "warm" if done else "none")
            if place:
                drawing.arrow((x - 20, 150 - 12 * place * side), (x - 1, 150 - 12 * place * side))
        drawing.text(left, 262, "in memory at this moment", "soft")
        full = (kept[1] + kept[2] + kept[0] + kept[3]) * 10
        drawing.box(left, 276, full, 26, "warm")
    lines = (
        "A row of conv 2 needs three rows of conv 1, and no other.",
        "Rows that nobody needs any more make place for new ones.",
        "The compiler plays the schedule through, counts the rows of every",
        "map that are alive at once, and reserves exactly those.",
    )
    for number, line in enumerate(lines):
        drawing.text(8, 342 + 26 * number, line)
    return drawing


def winograd() -> Drawing:
    """Twelve products, or six, for four outputs of three taps."""
    drawing = Drawing(
        470,
        "Four outputs of three taps by six products instead of twelve",
        "Directly, each of four outputs is a sum of three products, twelve in all. By Winograd's F(4, 3), six inputs "
        "and three weights are transformed by additions into six values each; their six products are transformed "
        "into the four outputs.",
    )
    drawing.text(8, 24, "directly: 12 products", "name")
    for tap in range(6):
        drawing.box(8 + 62 * tap, 40, 52, 34, "cold", radius=6)
        drawing.text(34 + 62 * tap, 63, f"d{tap}", "code mid")
    for out in range(4):
        for tap in range(3):
            drawing.path([(34 + 62 * (out + tap), 74), (34 + 62 * (out + 1), 122)], "thin")
        drawing.box(8 + 62 * (out + 1), 122, 52, 34, "warm", radius=6)
        drawing.text(34 + 62 * (out + 1), 145, f"y{out}", "code mid")
    drawing.text(400, 63, "inputs", "soft")
    drawing.text(400, 102, "each line is a product", "soft")
    drawing.text(400, 145, "outputs", "soft")
    drawing.text(8, 206, "by F(4, 3): 6 products", "name")
    for tap in range(6):
        x = 8 + 62 * tap
        drawing.box(x, 222, 52, 34, "cold", radius=6)
        drawing.text(x + 26, 245, f"d{tap}", "code mid")
        drawing.path([(x + 26, 256), (x + 26, 276)], "thin")
        drawing.path([(x + 26, 310), (x + 26, 332)])
        drawing.box(x, 332, 52, 34, "calm", radius=17)
        drawing.text(x + 26, 355, "×", "name mid")
        drawing.path([(x + 26, 366), (x + 26, 386)], "thin")
    drawing.box(8, 276, 362, 34, "none")
    drawing.text(189, 299, "add and subtract", "soft mid")
    drawing.box(8, 386, 362, 34, "none")
    drawing.text(189, 409, "add and subtract", "soft mid")
    for out in range(4):
        x = 8 + 62 * (out + 1)
        drawing.path([(x + 26, 420), (x + 26, 432)], "thin")
        drawing.box(x, 432, 52, 34, "warm", radius=6)
        drawing.text(x + 26, 455, f"y{out}", "code mid")
    for y, line in (
        (245, "inputs, 9 bits"),
        (299, "at most 2,550"),
        (355, "by transformed weights"),
        (409, "int32, may wrap"),
        (455, "exact"),
    ):
        drawing.text(400, y, line, "soft")
    return drawing


FIGURES: dict[str, Callable[[], Drawing]] = {
    "docs/dataflow.svg": dataflow,
    "docs/concepts/front_end.svg": front_end,
    "docs/concepts/quantisation.svg": quantisation,
    "docs/concepts/depth_first.svg": depth_first,
    "docs/concepts/winograd.svg": winograd,
}


def main() -> int:
    """Draw or check the drawings; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a drawing is stale")
    arguments = parser.parse_args()
    stale = [name for name, draw in FIGURES.items() if not _same(name, str(draw()), write=not arguments.check)]
    for name in stale if arguments.check else ():
        sys.stderr.write(f"figures: {name} is not what tools/figures.py draws; run it\n")
    return int(bool(stale) and arguments.check)


def _same(name: str, text: str, *, write: bool) -> bool:
    path = REPOSITORY / name
    same = path.is_file() and path.read_text("utf-8") == text
    if write and not same:
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
    return same


if __name__ == "__main__":
    sys.exit(main())
