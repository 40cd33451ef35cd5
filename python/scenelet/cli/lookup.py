"""``recipes``, ``boards``, ``doctor``: what there is to choose from, and what this computer lacks."""

from __future__ import annotations

import typer

from .options import Json
from .output import out, print_json, table


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (recipes, boards, doctor):
        app.command(rich_help_panel="Look up")(command)


def recipes(json: Json = False) -> None:
    """List the shipped recipes with their audio, parameters and MACs."""
    from ..config import recipe
    from ..models.architecture import cost_of_recipe

    rows = []
    for name in recipe.shipped():
        loaded = recipe.load(name)
        cost = cost_of_recipe(loaded)
        rows.append((name, loaded.frontend.sample_rate, cost.params_bytes, cost.macs, loaded.description))
    if json:
        keys = ("name", "sample_rate", "params_bytes", "macs", "description")
        print_json({"recipes": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    out.print(table("recipes", ["~recipe", ">Hz", ">bytes", ">MACs", "description"], rows))
    out.print("bytes are those of the parameters in INT8")
    out.print("a recipe of your own is a .toml file: docs/TRAINING.md; give its path in place of the name")


def boards(json: Json = False) -> None:
    """List the boards that firmware is built for, with memory and clock."""
    from ..targets import boards as known

    found = [known.find(name) for name in known.names()]
    rows = [(one.name, one.flash_bytes, one.ram_bytes, f"{one.clock_hz / 1e6:g}") for one in found]
    if json:
        keys = ("name", "flash_bytes", "ram_bytes", "clock_hz")
        values = [(one.name, one.flash_bytes, one.ram_bytes, one.clock_hz) for one in found]
        print_json({"boards": [dict(zip(keys, row, strict=True)) for row in values]})
        return
    out.print(table("boards", ["board", ">flash", ">RAM", ">MHz"], rows))
    out.print("netduinoplus2 is the one that QEMU emulates; docs/PORTING.md says how to add another")


def doctor(json: Json = False) -> None:
    """Look for compilers, QEMU, packages, probes and serial ports, and say what to do about what is missing."""
    from ..targets.doctor import debian_command, examine

    found = list(examine())
    packages = debian_command(found)
    if json:
        print_json({"findings": [one.to_json() for one in found], "debian_command": packages})
        return
    rows = [(one.name, one.state, one.found, one.serves) for one in found]
    out.print(table("this computer", ["", "state", "found", "serves"], rows))
    for one in found:
        if one.remedy:
            out.print(f"{one.name}: {one.remedy}")
    if packages:
        out.print(f"all of Debian's packages at once: {packages}")
