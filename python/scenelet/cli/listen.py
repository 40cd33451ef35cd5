"""``listen``: what a board, QEMU, this computer's microphone or files sound like to a model, live."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .output import err, note, out

if TYPE_CHECKING:
    from ..deploy.listening.events import Consumer, Source
    from ..deploy.listening.web.server import Page

_MODEL_SUFFIX = ".tflite"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(rich_help_panel="Deploy")(listen)


def listen(
    words: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MODEL|FILE...",
            help="An INT8 .tflite (default: the shipped one), and audio to play: .wav, .flac, .ogg.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option("--port", help="A board decides: serial port, unix:PATH or tcp:HOST:PORT. No FILE: it listens."),
    ] = None,
    qemu: Annotated[
        bool, typer.Option("--qemu", help="The product in QEMU decides; FILES are streamed to it.")
    ] = False,
    microphone: Annotated[
        str | None, typer.Option("--microphone", help="Name or number of this computer's microphone.")
    ] = None,
    decide: Annotated[
        str | None, typer.Option("--decide", help='Rule over windows, "SHARE MARGIN THRESHOLD", as calibrate gives it.')
    ] = None,
    web: Annotated[bool, typer.Option("--web", help="Show a page on 127.0.0.1; its address is printed.")] = False,
    web_port: Annotated[
        int, typer.Option("--web-port", min=0, max=65_535, help="Port of the page; 0: one that is free.")
    ] = 0,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="End after so many seconds.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Play files as fast as possible, not in real time.")] = False,
    repeat: Annotated[bool, typer.Option("--repeat", help="Play the files again and again.")] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds of silence after which a device counts as dead.")
    ] = 10.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per decision, each on a line.")] = False,
) -> None:
    """Show live what is heard: spectrogram, classes, decisions and load, in the terminal or on a local page.

    A board on --port, the product in QEMU (--qemu) or this computer decides on FILES, or on a microphone: the board's
    with --port alone, this computer's without anything.
    """
    from ..deploy.listening.choose import Choice, opened
    from ..deploy.listening.events import Until, pass_on
    from ..evaluation.decision import Rule

    model, files = _parted(words or [])
    rule = Rule.parse(decide) if decide else None
    choice = Choice(model, files, port, qemu, microphone, rule, fast=fast, repeat=repeat, seconds=timeout)
    if web:
        from ..deploy.listening.web.server import require_packages

        require_packages()
    with ExitStack() as shown:
        with ExitStack() as heard:
            source = heard.enter_context(opened(choice))
            page = _page(source, shown, web_port) if web else None
            until = Until(seconds)
            pass_on(source, _consumers(source, heard, page, json=json), until)
        if page and not until.over:
            page.feed.end("the files have ended")
            note(["the files have ended; the page stays until Ctrl-C"])
            until.wait()


def _parted(words: list[Path]) -> tuple[Path | None, tuple[Path, ...]]:
    """The model, which comes first if it comes, and the files."""
    models = [word for word in words if word.suffix == _MODEL_SUFFIX]
    if models and (len(models) > 1 or words[0] != models[0]):
        raise InputError(models[-1], "is a model among the files", "give one MODEL, before all FILES")
    return (words[0], tuple(words[1:])) if models else (None, tuple(words))


def _page(source: Source, shown: ExitStack, port: int) -> Page:
    from ..deploy.listening.web.server import Page

    page = shown.enter_context(Page(source.about, port))
    err.print(f"page: {page.url}", soft_wrap=True)
    return page


def _consumers(source: Source, shown: ExitStack, page: Page | None, *, json: bool) -> list[Consumer]:
    """What takes the events: the page, and JSON, a picture on a terminal, or lines."""
    from ..deploy.listening.lines import JsonLines, Remarks, TextLines

    taking: list[Consumer] = [page] if page else []
    if json:
        return [*taking, JsonLines(_write), Remarks(lambda text: note([text]))]
    if page is None and out.is_terminal:
        from ..deploy.listening.terminal import Terminal

        return [shown.enter_context(Terminal(out, source.about))]
    note([source.about.source])
    return [*taking, TextLines(_say), Remarks(lambda text: note([text]))]


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _say(line: str) -> None:
    out.print(line)
    sys.stdout.flush()
