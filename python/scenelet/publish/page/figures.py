"""Figures as a page shows them: short, of a fixed number of digits."""

from __future__ import annotations

_STEPS = ((1e9, " G"), (1e6, " M"), (1e3, " k"))


def compact(value: float) -> str:
    """Write a number in three digits: "18.6 M", "412", "0.35"."""
    size = abs(value)
    for factor, letter in _STEPS:
        if size >= 0.9995 * factor:
            return f"{_three(value / factor)}{letter}"
    return f"{value:.0f}" if value == int(value) else _three(value)


def _three(value: float) -> str:
    size = abs(value)
    return f"{value:.0f}" if size >= 99.95 else f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def per_cent(share: float, digits: int = 1) -> str:
    """Write a share, 0 to 1, in per cent: "87.1 %"."""
    return f"{100 * share:.{digits}f} %"


def width(value: float, most: float) -> str:
    """Length of a bar of a value, of which the largest is ``most``, in per cent of its place."""
    return f"{100 * max(value, 0.0) / most:.1f}" if most > 0 else "0"
