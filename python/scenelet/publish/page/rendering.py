"""What the parts of all pages need to become HTML."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ...core.templating import render
from .figures import compact, per_cent, width


def rendered(package: str | None, name: str, values: Mapping[str, Any]) -> Markup:
    """HTML of a part's template, in which foreign text is escaped; a part passes its ``__package__``."""
    helpers = {"compact": compact, "per_cent": per_cent, "width": width}
    return Markup(render(package or "", f"{name}.html", {**helpers, **values}))


def word(text: object) -> str:
    """Write a name as one word of a shell's line."""
    return shlex.quote(str(text))
