"""``pio device monitor`` with a bar for every class of the firmware's decisions."""

from __future__ import annotations

import re
from urllib.parse import unquote

from platformio.device.monitor.filters.base import DeviceMonitorFilterBase

WIDTH = 40
_DECISION = re.compile(r"decision window=(\d+) label=([^ ]*) scores=(-?\d+(?:,-?\d+)*) \*[0-9a-f]{4}")
_LABEL = re.compile(r"label index=(\d+) name=([^ ]*) \*[0-9a-f]{4}")
_DRAWN = "decision "


def bar(score: int) -> str:
    """Draw an INT8 score, -128 to 127, as up to WIDTH blocks, to an eighth of one."""
    eighths = round((score + 128) * 8 * WIDTH / 255)
    return "\u2588" * (eighths // 8) + " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"[eighths % 8].strip()


def printable(name: str) -> str:
    """Decode a name of the wire; what a terminal would obey or cannot show stays a number."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in unquote(name))


class ClassBars(DeviceMonitorFilterBase):
    """Replaces ``decision`` lines by bars and passes on everything else unchanged.

    A class has its name once the device has printed it: the command ``labels`` prints all of them.
    """

    NAME = "bars"

    def __init__(self, options: dict[str, object] | None = None) -> None:
        super().__init__(options)
        self._names: dict[int, str] = {}
        self._line = ""
        self._shown = 0  # characters of the unfinished line that were passed on

    def rx(self, text: str) -> str:
        """Convert the device's output to what the terminal shows."""
        shown = ""
        for part in re.findall(r"[^\n]*\n|[^\n]+", text):  # a name may hold what else ends a line of Unicode
            self._line += part
            if self._line.endswith("\n"):
                shown += self._drawn() or self._line[self._shown :]
                self._line, self._shown = "", 0
            elif not (_DRAWN.startswith(self._line) or self._line.startswith(_DRAWN)):
                shown += self._line[self._shown :]
                self._shown = len(self._line)
        return shown

    def _drawn(self) -> str:
        line = self._line.strip()
        label = _LABEL.fullmatch(line)
        if label:
            self._names[int(label[1])] = printable(label[2])
        decision = _DECISION.fullmatch(line)
        if not decision:
            return ""
        scores = [int(score) for score in decision[3].split(",")]
        best = scores.index(max(scores))
        self._names[best] = printable(decision[2])
        names = [self._names.get(index, f"class {index}") for index in range(len(scores))]
        width = max(map(len, names))
        rows = [
            f"{'>' if index == best else ' '} {name:{width}} {(score + 128) / 256:5.3f} {bar(score)}".rstrip()
            for index, (name, score) in enumerate(zip(names, scores, strict=True))
        ]
        return "\r\n".join([f"window {decision[1]}", *rows, ""])
