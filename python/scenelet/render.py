"""Jinja templates to text: C sources and pages. An unknown name in a template is an error, never an empty string."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jinja2


@cache
def _environment(html: bool, filters: tuple[tuple[str, Callable[..., str]], ...]) -> jinja2.Environment:
    """An environment keeps its compiled templates: one for each set of filters."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader("scenelet.compiler"), jinja2.PackageLoader("scenelet")]),
        undefined=jinja2.StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters)
    return environment


def render(name: str, values: Mapping[str, Any], **filters: Callable[..., str]) -> str:
    """Fill the template ``name``.j2; the same values give the same text. Pages (.html) are escaped."""
    environment = _environment(name.endswith(".html"), tuple(sorted(filters.items())))
    return environment.get_template(f"{name}.j2").render(values)
