"""A page: title, what it says first, and parts that a list at its top leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ... import __version__
from ...core.templating import render


@dataclass(frozen=True)
class Part:
    """A part of a page.

    Attributes
    ----------
    name
        Its anchor: lower-case letters and hyphens.
    title
        Its heading.
    body
        HTML; "" where there is nothing to show.
    missing
        What a reader does to get it, or what of it is missing; "" where nothing is.
    source
        Command that gives the same figures; "" where there is none.
    """

    name: str
    title: str
    body: str | Markup = ""
    missing: str = ""
    source: str = ""


def page(title: str, lead: str, parts: Sequence[Part]) -> str:
    """Render a page.

    Parameters
    ----------
    title
        Of the page.
    lead
        A sentence under it.
    parts
        In order.

    Returns
    -------
    str
        HTML that loads nothing and runs no script; the same for the same arguments.
    """
    return render(__package__, "frame.html", {"title": title, "lead": lead, "parts": parts, "version": __version__})
