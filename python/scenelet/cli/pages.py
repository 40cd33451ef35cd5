"""``report``, ``compare``: pages of one model, and of several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..compiler.options import DEFAULT, Options
from ..errors import InputError
from .options import Board, Fusion, Json, Ram, Subset, TargetName, Weights, arena_limit, flash_waits
from .output import lines, note, out, print_json, progress, table

if TYPE_CHECKING:
    from ..benchmark.comparison import Change, Comparison

_SIDE_BY_SIDE = 3
"""Models that 80 columns show beside each other."""

DataSet = Annotated[
    Path | None, typer.Option("--data", help="Folder of a data set (docs/DATA.md): adds scores, calibration, mistakes.")
]
Split = Annotated[str, typer.Option(help="Split of the data set: train, validation, test, fold4 ...")]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target", help="Where to score beside TFLite's kernels: host, qemu ...; can be repeated."),
]
Measure = Annotated[bool, typer.Option("--measure", help="Count instructions and flash in QEMU.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (report, compare):
        app.command(rich_help_panel="Measure")(command)


def report(
    subject: Annotated[Path, typer.Argument(metavar="RUN|MODEL", help="A run folder or an INT8 .tflite file.")],
    to: Annotated[Path, typer.Option("--out", help="HTML file to write.")],
    data: DataSet = None,
    subset: Subset = None,
    split: Split = "test",
    target: Targets = None,
    measure: Measure = False,
    float_network: Annotated[
        bool, typer.Option("--float/--no-float", help="Compare a run's float network, which needs TensorFlow.")
    ] = True,
    mistakes: Annotated[int, typer.Option(min=0, max=100, help="Worst mistakes to show, with their sound.")] = 6,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    json: Json = False,
) -> None:
    """Write a self-contained HTML page about a run or a model: limits, scores, cost, memory, front end, origin."""
    from ..core.files import require_place
    from ..data.datasets.registry import open_dataset
    from ..publish.report import Request, write_report

    require_place(to, read=[subject])
    _require_data(data, subset=subset, target=target)
    limit, waits = arena_limit(ram, board), flash_waits(board)
    dataset = open_dataset(data, subset=subset) if data else None
    if dataset:
        note(dataset.notes)
    request = Request(
        subject,
        dataset,
        split,
        tuple(target or ()),
        measure,
        float_network,
        Options(weights=weights, ram_bytes=limit, wait_states=waits),
        board,
        mistakes,
    )
    with progress(f"page of {subject.name}") as step:
        missing = write_report(request, to, lambda name: lambda done, total: step(done, total, name))
    if json:
        print_json({"report": str(to), "missing": missing})
        return
    out.print(f"{to} written")
    for name, remedy in missing.items():
        out.print(f"  {name}: {remedy}")


def _require_data(data: Path | None, **others: object) -> None:
    """Refuse options that are nothing without a data set."""
    for name, value in others.items():
        if value and data is None:
            raise InputError(f"--{name}", "needs a data set", "give --data DIR")


def compare(
    subjects: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL MODEL...",
            help="Two or more: a .tflite or a run folder, also as of a commit (REVISION:PATH), with options of its own "
            "after commas: model.tflite,weights=expanded,ram=16384,board=feather_f405,fusion=off.",
        ),
    ],
    to: Annotated[Path | None, typer.Option("--out", help="HTML file for a page.")] = None,
    data: DataSet = None,
    subset: Subset = None,
    split: Split = "test",
    target: TargetName = "litert",
    measure: Measure = False,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    fusion: Fusion = True,
    json: Json = False,
) -> None:
    """Compare models, options or commits with the first: what became smaller, faster, better or worse."""
    from ..benchmark.comparison import compare as measured
    from ..benchmark.subjects import Asked, parse
    from ..core.files import require_place
    from ..data.datasets.registry import open_dataset
    from ..publish.comparison.page import MOST, write_comparison

    require_place(to, read=map(Path, subjects))
    _require_data(data, subset=subset)
    if len(subjects) > MOST:
        raise InputError("compare", f"takes at most {MOST} models", "compare fewer")
    asked = Asked(weights, ram, board, fusion)
    parsed = [parse(text, asked) for text in subjects]
    dataset = open_dataset(data, subset=subset) if data else None
    with progress("compare") as step:
        found = measured(
            parsed, dataset=dataset, split=split, target=target, measure=measure,
            watch=lambda name: lambda done, total: step(done, total, name),
        )  # fmt: skip
    if to:
        write_comparison(found, to)
    if json:
        print_json(found.to_json() | ({"page": str(to)} if to else {}))
        return
    _show_comparison(found)
    if to:
        out.print(f"{to} written")


def _show_comparison(found: Comparison) -> None:
    from ..publish.comparison.page import letters, rows

    named = letters(found)
    for letter, one in named:
        out.print(f"{letter}  {one.subject.name}" + (f", {one.subject.origin}" * (one.subject.origin != "file")))
    if len(named) > _SIDE_BY_SIDE:
        columns = ["figure", "", ">value", ">change"]
        cells: list[tuple[str, ...]] = [
            (kind.name if letter == named[0][0] else "", letter, text, _change(change))
            for kind, row in rows(found)
            for (letter, _), (text, _, change, _) in zip(named, row, strict=True)
        ]
    else:
        columns = ["figure", *(f">{letter}" for letter, _ in named)]
        cells = [
            (kind.name, *(" ".join(filter(None, (text, _change(change)))) for text, _, change, _ in row))
            for kind, row in rows(found)
        ]
    out.print(table("against A", columns, cells))
    for number, (letter, _) in enumerate(named):
        if number:
            lines(f"{letter} is {word:9}{what}" for word, what in found.summary(number))


def _change(change: Change | None) -> str:
    return f"({change.shown})" if change and change.good is not None else ""
