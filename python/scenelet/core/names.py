"""Names of classes: what a data set's folders and tables may call them, so that every later stage can carry them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST_LABEL = 64
"""Characters of a class name; it becomes a C string, a field of the wire protocol and a tick of a picture."""

# Control characters, halves of surrogate pairs (bytes that are not UTF-8), and Unicode's own line and paragraph ends.
_NO_NAME = {"Cc", "Cs", "Zl", "Zp"}


def one_form(name: str) -> str:
    """Write a name in Unicode's composed form (NFC), in which equal names are equal strings."""
    return unicodedata.normalize("NFC", name)


def is_utf8(name: str) -> bool:
    """Whether a file's name is UTF-8; Python gives other bytes of a name as halves of surrogate pairs."""
    return name.isascii() or not any(unicodedata.category(one) == "Cs" for one in name)


def label_problem(label: str) -> str:
    """What is wrong with the name of a class; "" for nothing."""
    if not label.strip():
        return "is empty or only spaces"
    if len(label) > LONGEST_LABEL:
        return f"has {len(label)} characters, at most {LONGEST_LABEL} fit into a model"
    if not is_utf8(label):
        return "is not UTF-8 text"
    wrong = next((one for one in label if unicodedata.category(one) in _NO_NAME), "")
    return f"holds the control character U+{ord(wrong):04X}" if wrong else ""


def twice(labels: Iterable[str]) -> str | None:
    """First name that stands twice, but for its Unicode form and the spaces around it; None where all differ."""
    seen: set[str] = set()
    for label in labels:
        name = one_form(label).strip()
        if name in seen:
            return label
        seen.add(name)
    return None
