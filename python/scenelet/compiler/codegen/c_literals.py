"""Python values as C text: numbers, strings that cannot break out of their quotes, initialisers, arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from ..program import Name, Table

_ARRAY_COLUMNS = 112


def quoted(text: str) -> str:
    """Write a C string literal of UTF-8 bytes; anything but plain ASCII, and ``?`` for trigraphs, is escaped.

    A file's name that is not UTF-8 keeps its own bytes.
    """
    plain = {ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    parts = (
        plain.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
        for byte in text.encode("utf-8", "surrogateescape")
    )
    return f'"{"".join(parts)}"'


def real(value: np.float32) -> str:
    """Write a float32 so that C reads the same bits: nine digits are enough."""
    digits = f"{float(value):.9g}"
    return f"{digits}f" if "." in digits or "e" in digits else f"{digits}.0f"


def comment(text: str) -> str:
    """Make a name safe inside a comment: a foreign model may call its layers anything, ``*/`` included."""
    return re.sub(r"[^A-Za-z0-9_.:;/ ()-]|(?<=\*)/|/(?=\*)", "_", text)[:80]


def initialiser(value: object, symbols: Mapping[str, str]) -> str:
    """Write the initialiser of one member of a struct.

    Parameters
    ----------
    value
        As in :class:`scenelet.compiler.program.Struct`.
    symbols
        Kind of a table or of records -> its C name.
    """
    if value is None:
        return "NULL"
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, str):
        return symbols[value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "{" + ", ".join(initialiser(item, symbols) for item in value) + "}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f".{name} = {initialiser(item, symbols)}" for name, item in value.items()) + "}"
    if isinstance(value, int):
        return _number(value)
    raise TypeError(f"no C initialiser for {type(value).__name__}")


def array(table: Table) -> str:
    """Write the elements of a table, wrapped into lines."""
    values = np.asarray(table.values)
    if values.ndim == 2:
        return _lines("{" + ", ".join(map(_number, row)) + "}" for row in values.tolist())
    return _lines(map(_number, values.tolist()))


def _number(value: int) -> str:
    # C reads -2147483648 as the negation of a number that does not fit int.
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def _lines(items: Iterable[str]) -> str:
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > _ARRAY_COLUMNS:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return "\n".join([*lines, line])
