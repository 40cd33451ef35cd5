"""The page of models side by side: what changed, every figure, layers, classes, and what each model is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...benchmark.comparison import KINDS, Change, Comparison, Kind, Measured
from ...core.files import write_text
from ...evaluation import intervals
from ..page.figures import width
from ..page.frame import Part, page
from ..page.rendering import rendered

LETTERS = "ABCDEF"  # as many models as a telephone shows side by side
MOST = len(LETTERS)


def letters(found: Comparison) -> list[tuple[str, Measured]]:
    """Models with the letters that stand for them."""
    return list(zip(LETTERS, found.models, strict=False))


def shown(key: str, value: float) -> str:
    """A figure with its unit, as tables have it."""
    kind = KINDS[key]
    if kind.unit == "%":
        return f"{100 * value:.2f} %"
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
    return f"{number} {kind.unit}".rstrip()


def rows(found: Comparison) -> list[tuple[Kind, list[tuple[str, str, Change | None, str]]]]:
    """Figures of all models: of each its text, its bar's length in per cent, its change, its interval."""
    changes = [{one.key: one for one in found.changes(number)} for number in range(len(found.models))]
    made = []
    for key, kind in KINDS.items():
        values = [one.figures[key] for one in found.models if key in one.figures]
        if not values:
            continue
        most = 1.0 if kind.unit == "%" else max(values)
        made.append((kind, [_cell(key, one, changes[number], most) for number, one in enumerate(found.models)]))
    return made


def _cell(key: str, one: Measured, changes: dict[str, Change], most: float) -> tuple[str, str, Change | None, str]:
    if key not in one.figures:
        return "", "0", None, ""
    value = one.figures[key]
    known = one.intervals.get(key)
    return shown(key, value), width(value, most), changes.get(key), intervals.shown(known) if known else ""


def write_comparison(found: Comparison, to: Path) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    found
        At most :data:`MOST` models.
    to
        HTML file to write.
    """
    named = letters(found)
    parts = [_summary(named, found), _figures(named, found), _layers(named)]
    parts += [_classes(named)] if any(one.by_class for one in found.models) else []
    parts.append(Part("models", "Models", rendered(__package__, "models", {"named": named})))
    lead = "; ".join(f"{letter}: {one.subject.name}" for letter, one in named)
    write_text(to, page("Comparison of models", lead, parts))


def _summary(named: Sequence[tuple[str, Measured]], found: Comparison) -> Part:
    changes = [(letter, one, list(found.summary(number))) for number, (letter, one) in enumerate(named) if number]
    return Part("changes", "What changed", rendered(__package__, "changes", {"changes": changes}))


def _figures(named: Sequence[tuple[str, Measured]], found: Comparison) -> Part:
    values = {"named": named, "rows": rows(found)}
    missing = [] if "accuracy" in found.models[0].figures else ["--data DIR for scores"]
    missing += [] if "instructions" in found.models[0].figures else ["--measure for counted instructions and flash"]
    text = f"Give {' and '.join(missing)}." if missing else ""
    return Part("figures", "Figures", rendered(__package__, "figures", values), text)


def _layers(named: Sequence[tuple[str, Measured]]) -> Part:
    """Layers by name: those of one model alone have empty cells."""
    names = list(dict.fromkeys(layer.name for _, one in named for layer in one.layers))
    held = [{layer.name: layer for layer in one.layers} for _, one in named]
    table = [(name, [layers.get(name) for layers in held]) for name in names]
    most = max((layer.instructions for _, one in named for layer in one.layers), default=0)
    counted = "instructions" in named[0][1].figures
    values = {"named": named, "table": table, "most": most, "counted": counted}
    return Part("layers", "Layers", rendered(__package__, "layers", values))


def _classes(named: Sequence[tuple[str, Measured]]) -> Part:
    names = list(dict.fromkeys(name for _, one in named for name in one.by_class))
    table = [(name, [one.by_class.get(name) for _, one in named]) for name in names]
    return Part("classes", "Windows right by class", rendered(__package__, "classes", {"named": named, "table": table}))
