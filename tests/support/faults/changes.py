"""Changes that fit any input: of bytes, of the words of a binary file, of a tree of values, of a text."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Chance = np.random.Generator

WORDS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 44, 127, 128, 255, 256, 1000, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
"""Values of 32-bit fields at which a reader may err: sizes, counts, offsets."""

TEXTS = (
    "", " ", "a" * 65, "a" * 5000, "é", "e\u0301", "名前", "\x00", "\x1b[31m", "a\nb", "a\r", "\u202egnp", "\ud800",
    '"', "'", "\\", "*/", "/*", "//", "??/", "%s%n", "${HOME}", "$(id)", "`id`", "; id", "#include", "{{ 7 * 7 }}",
    "<b>", "[red]", "../../up", "/etc/passwd", "a,b", "a\tb", "-", "--help", "NaN", "nan", "1e999", "true", "0x10",
)  # fmt: skip
"""Names and texts that some medium takes for more than text."""

_NUMBERS = (
    0, 1, -1, 2, 3, 7, 8, 127, 128, 255, 256, 1000, 8000, 65_536, 2**31 - 1, 2**31, -(2**31), 2**63, 10**30,
    0.0, -0.0, 0.5, 1e-300, 1e300, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
_DEEP = 2000


def pick(chance: Chance, values: Any) -> Any:
    """One of a sequence, of any types."""
    return values[int(chance.integers(len(values)))]


def change_bytes(chance: Chance, whole: bytes, head: int = 0) -> bytes:
    """Up to four changes of bytes, cuts and repetitions; half of them among the first ``head`` bytes, if given."""
    damaged = bytearray(whole)
    for _ in range(int(chance.integers(1, 5))):
        if not damaged:
            break
        end = min(head, len(damaged)) if head and chance.random() < 0.5 else len(damaged)
        place = int(chance.integers(end))
        kind = chance.random()
        if kind < 0.35:
            damaged[place] ^= 1 << int(chance.integers(8))
        elif kind < 0.5:
            damaged[place] = int(pick(chance, (0, 1, 127, 128, 255)))
        elif kind < 0.75:
            order = "little" if chance.random() < 0.8 else "big"
            width = int(pick(chance, (2, 4, 4, 8)))
            damaged[place : place + width] = (int(pick(chance, WORDS)) % 256**width).to_bytes(width, order)  # type: ignore[arg-type]
        elif kind < 0.85:
            del damaged[place : place + int(chance.integers(1, 64))]
        elif kind < 0.95:
            damaged[place:place] = damaged[place : place + int(chance.integers(1, 64))]
        else:
            del damaged[place:]
    return bytes(damaged)


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Places of a tree of dictionaries and lists, the tree itself left out."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in inner for found in ((*path, key), *_paths(value, (*path, key)))]


def odd_value(chance: Chance, value: Any = None) -> Any:
    """A value near ``value``, or of another kind."""
    kind = chance.random()
    if isinstance(value, int | float) and not isinstance(value, bool) and kind < 0.6:
        near = (value + 1, value - 1, -value, value * 2, value * 1000, value / 2)
        return pick(chance, near if kind < 0.3 else _NUMBERS)
    if isinstance(value, str) and kind < 0.6:
        return pick(chance, (value + pick(chance, TEXTS), pick(chance, TEXTS), value.upper(), value[:-1]))
    if isinstance(value, list) and kind < 0.6:
        return pick(chance, (value * 2, value[1:], [], [*value, pick(chance, _NUMBERS)], value[::-1]))
    return pick(chance, (None, True, pick(chance, _NUMBERS), pick(chance, TEXTS), [], {}, [value], {"a": value}))


def change_tree(chance: Chance, tree: Any) -> Any:
    """A copy of a tree of dictionaries, lists and values in which up to three places differ."""
    changed = copy.deepcopy(tree)
    for _ in range(int(chance.integers(1, 4))):
        places = _paths(changed)
        if not places:
            return odd_value(chance, changed)
        *above, key = pick(chance, places)
        holder = changed
        for step in above:
            holder = holder[step]
        kind = chance.random()
        if kind < 0.15:
            del holder[key]
        elif kind < 0.25 and isinstance(holder, dict):
            holder[pick(chance, TEXTS)] = holder[key]
        else:
            holder[key] = odd_value(chance, holder[key])
    return changed


def change_text(chance: Chance, text: str) -> bytes:
    """A text with up to three changes of its characters, lines and encoding."""
    for _ in range(int(chance.integers(1, 4))):
        lines = text.split("\n")
        place, kind = int(chance.integers(len(text) + 1)), chance.random()
        line = int(chance.integers(len(lines)))
        if kind < 0.3:
            text = text[:place] + pick(chance, TEXTS) + text[place + int(chance.integers(3)) :]
        elif kind < 0.4:
            text = text[:place]
        elif kind < 0.6:
            lines.insert(int(chance.integers(len(lines) + 1)), lines[line])
            text = "\n".join(lines)
        elif kind < 0.75:
            del lines[line]
            text = "\n".join(lines)
        elif kind < 0.9:
            marks = "[]{}\",=:.\t \n#'\\"
            text = text[:place] + pick(chance, marks) + text[place:]
        elif kind < 0.93:
            text = text[:place] + pick(chance, "[{") * _DEEP + text[place:]
        else:
            text = text.replace("\n", pick(chance, ("\r\n", "\r", "\n\n", "")))
    encoding = "utf-8" if chance.random() < 0.9 else pick(chance, ("utf-16", "utf-8-sig", "latin-1", "utf-32"))
    content = text.encode(encoding, "surrogatepass" if encoding != "latin-1" else "replace")
    return content if chance.random() < 0.8 else change_bytes(chance, content)
