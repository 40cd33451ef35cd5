"""Instructions and flash of plans over their arena, with the knee of the curve and the board's plan marked."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from ...benchmark.tradeoff import Choice, Tradeoff
from ...core.files import write_text
from ...core.templating import render
from ...errors import InputError
from ..page.chart import HEIGHT, WIDTH, Chart, Label, Series, draw
from ..page.figures import compact
from ..page.frame import Part, page
from ..page.rendering import rendered, word

_KINDS = (".svg", ".html")


def require_kind(to: Path | None) -> None:
    """Check, before a model is planned many times, that a file's name says what is to be written.

    Raises
    ------
    InputError
        It ends neither in .svg nor in .html.
    """
    if to is not None and to.suffix not in _KINDS:
        raise InputError(to, "says neither picture nor page", "let its name end in .svg or .html")


def charts(found: Tradeoff, limit: int, board: str) -> tuple[Chart, Chart]:
    """Predicted instructions, and constants in flash, over the arena.

    Parameters
    ----------
    found
        The plans.
    limit
        Arena that the product leaves on the board, bytes.
    board
        Its name.
    """
    knee, last = found.choices[found.knee], found.choices[-1]
    uprights = ((float(limit), "left to the arena"),)

    def chart(key: str, title: str, y: str) -> Chart:
        def at(choice: Choice) -> tuple[float, float]:
            return float(choice.arena_bytes), float(getattr(choice, key))

        labels = (Label("knee", at(knee)),) + ((Label("board", at(last)),) if last is not knee else ())
        said = (
            f"{title} of {len(found.choices)} plans over their arena: {compact(at(knee)[1])} in {knee.arena_bytes:,} B "
            f"at the knee, {compact(at(last)[1])} in {last.arena_bytes:,} B on {board}"
        )
        series = (Series(y, tuple(map(at, found.choices)), dots=True),)
        most = 1.1 * max(value for _, value in series[0].points)
        return Chart(said, "arena, bytes", y, series, labels, uprights=uprights, y_range=(0.0, most))

    return (
        chart("predicted_instructions", "Predicted instructions", "instructions, predicted"),
        chart("constant_bytes", "Constants in flash", "constants in flash, bytes"),
    )


def write_tradeoff(found: Tradeoff, to: Path, limit: int, board: str | None = None) -> None:
    """Write the picture or the page, as the file's name says, whole or not at all.

    Parameters
    ----------
    found
        The plans.
    to
        A file whose name :func:`require_kind` accepts.
    limit, board
        See :func:`charts`; None for the smallest board.
    """
    name = board or "the smallest board"
    upper, lower = charts(found, limit, name)
    if to.suffix == ".svg":
        drawn = [Markup(draw(upper, alone=True)), Markup(draw(lower))]
        values = {"drawn": drawn, "width": WIDTH, "height": HEIGHT, "title": f"{upper.title}. {lower.title}"}
        write_text(to, render(__package__, "picture.svg", values))
        return
    values = {"drawn": [(one.y, draw(one)) for one in (upper, lower)], "found": found, "limit": limit, "board": name}
    body = rendered(__package__, "curve", values)
    source = f"scenelet tradeoff {word(found.model)} --weights {found.weights}" + (f" --board {board}" if board else "")
    title = f"What more RAM buys: {Path(found.model).name}"
    lead = f"{len(found.choices)} plans, weights {found.weights}, {found.wait_states} wait states of flash."
    write_text(to, page(title, lead, [Part("curve", "Plans", body, source=source)]))
