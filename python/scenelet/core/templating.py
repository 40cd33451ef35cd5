"""Jinja templates to text: C sources and pages. An unknown name in a template is an error, never an empty string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from .shown import shown


def _one_line(value: object) -> object:
    """Escape what no page can hold: control characters, and what is not UTF-8."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else shown(value)


@cache
def _environment(
    package: str, marked_up: bool, filters: tuple[tuple[str, Callable[..., str]], ...]
) -> jinja2.Environment:
    """One environment per package and set of filters, which caches its compiled templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        undefined=jinja2.StrictUndefined,
        autoescape=marked_up,
        finalize=_one_line if marked_up else None,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters)
    return environment


def render(package: str, name: str, values: Mapping[str, Any], **filters: Callable[..., str]) -> str:
    """Render a template; the same values give the same text. Values in .html and .svg templates are escaped.

    Parameters
    ----------
    package
        Dotted name of the package whose folder ``templates`` holds the template; callers pass their ``__package__``.
    name
        Name of the template without its ending ".j2".
    values
        Variables of the template.
    **filters
        Filters of the template: functions from text to text.
    """
    environment = _environment(package, name.endswith((".html", ".svg")), tuple(sorted(filters.items())))
    return environment.get_template(f"{name}.j2").render(values)
