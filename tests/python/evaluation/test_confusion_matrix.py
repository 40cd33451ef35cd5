from __future__ import annotations

import warnings

import numpy as np
import pytest

from scenelet.evaluation.confusion_matrix import confusion_png


@pytest.mark.parametrize(
    "label",
    ["$x$", "a $5 and $6", "\\frac", "$\\frac{", "a_b^c", "100 %", "{}", "雨", "مطر", "cafe\u0301", "🌧", "x" * 64],
)
def test_a_class_may_have_any_name(label: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = confusion_png(np.eye(2, dtype=np.int64), [label, "rain"], f"{label}\x1b, test")
    assert picture.startswith(b"\x89PNG")


def test_dollars_are_letters_and_no_formula() -> None:
    counts = np.eye(2, dtype=np.int64)
    assert confusion_png(counts, ["$a$", "b"]) != confusion_png(counts, ["a", "b"])
    assert confusion_png(counts, [r"\$a", "b"]) != confusion_png(counts, ["$a", "b"])
