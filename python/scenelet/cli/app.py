"""All commands. A command imports its modules when it runs, so ``--help`` is instant and does not load TensorFlow."""

from __future__ import annotations

import typer

from . import compress, data, deploy, device, frontend, listen, lookup, measure, pages, publish, train
from .help import Group

app = typer.Typer(
    cls=Group,
    help="Train acoustic scene classifiers and run them on a Cortex-M4.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for module in (train, compress, deploy, listen, measure, pages, publish, lookup):
    module.register(app)
app.add_typer(data.app, name="data", rich_help_panel="Data and devices", cls=Group)
app.add_typer(frontend.app, name="frontend", rich_help_panel="Data and devices", cls=Group)
app.add_typer(device.app, name="device", rich_help_panel="Data and devices", cls=Group)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"scenelet {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass
