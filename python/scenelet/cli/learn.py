"""``train``, ``quantize``: from recordings to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Data, Jobs, Json
from .output import out, print_json, table


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (train, quantize):
        app.command()(command)
