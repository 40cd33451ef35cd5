"""``budget``, ``explain``, ``tradeoff``, ``export``, ``run``: from a model to a board."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.options import DEFAULT, Options
from ..errors import SceneletError
from .options import (
    Board,
    FrontendTables,
    Json,
    Limits,
    Model,
    Ram,
    TargetName,
    Weights,
    arena_limit,
    flash_waits,
    milliseconds,
)
from .output import lines, note, out, print_json, table


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (budget, explain, tradeoff, export, new, run):
        app.command(rich_help_panel="Deploy")(command)


def budget(
    subject: Annotated[str, typer.Argument(metavar="MODEL|RECIPE", help="A .tflite, a .keras model, or a recipe.")],
    board: Annotated[str | None, typer.Option(help="Board whose flash and RAM to check too.")] = None,
    limits: Limits = None,
    json: Json = False,
) -> None:
    """Count a model's parameters, MACs and memory by layer, and check the limits. Exits with 1 over a limit."""
    from ..benchmark.budget import budget_of

    result = budget_of(subject, board, limits)
    if json:
        print_json(result.to_json())
    else:
        rows = [
            (
                layer.name,
                layer.op,
                "x".join(map(str, layer.output_shape[1:])),
                layer.params_bytes,
                layer.macs,
                layer.live_bytes,
            )
            for layer in result.cost.layers
        ]
        columns = ["layer", "operator", "output", ">parameter bytes", ">MACs", ">live bytes"]
        out.print(table(f"{subject}", columns, rows))
        for line in result.summary():
            out.print(line)
    if not result.ok:
        from ..graph.limits import exceeded

        raise exceeded(subject, result.violations, result.held)


def explain(
    model: Model,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    json: Json = False,
) -> None:
    """Explain how each layer was compiled: kernel, fusion, buffers, memory over time, predicted cost, and why."""
    from ..benchmark.explain import explain as explain_model

    limit = arena_limit(ram, board)
    result = explain_model(
        model, Options(weights=weights, ram_bytes=limit, wait_states=flash_waits(board), spare_ram=ram is None)
    )
    _note_excess(result.arena_bytes, limit)
    if json:
        print_json(result.to_json())
        return
    columns = ["step", "layer: kernel", ">rows", ">line", ">scratch", ">instructions", ">cycles*"]
    rows = [
        (
            str(p.step),
            f"{p.layer}: {p.kernel}",
            "all" if p.rows is None else p.rows,
            p.line_bytes,
            p.scratch_bytes,
            p.predicted_instructions,
            p.predicted_cycles,
        )
        for p in result.parts
    ]
    out.print(table(f"{model.name}, as it was compiled", columns, rows))
    out.print("* as the cost model predicts them; bench counts")
    out.print(table("why", ["layer", "reason"], [(p.layer, p.why) for p in result.parts]))
    out.print(table("the arena over time", ["step", "live blocks, offset+bytes", ">up to"], result.timeline()))
    lines(
        [
            f"{result.arena_bytes:,} B of arena ("
            + (f"{result.state_bytes:,} of it state, " if result.state_bytes else "")
            + f"busiest step {result.busiest_step_bytes:,}), "
            f"{result.constant_bytes:,} B of constants, {result.predicted_instructions:,} instructions predicted, "
            f"{result.predicted_cycles:,} modelled cycles: {milliseconds(result.predicted_cycles, board)}"
        ]
    )


def _note_excess(arena_bytes: int, limit: int) -> None:
    """Report that no plan fits the arena that was asked for; with 0, the smallest was."""
    if arena_bytes > limit > 0:
        note([f"no plan needs {limit:,} bytes or fewer; this one, near the smallest, needs {arena_bytes:,}"])


def tradeoff(
    model: Model,
    to: Annotated[Path | None, typer.Option("--out", help=".svg file for the curve, or .html file for a page.")] = None,
    weights: Weights = DEFAULT.weights,
    board: Board = None,
    json: Json = False,
) -> None:
    """List what more RAM buys: arena, constants, predicted instructions and cycles of plans, and their curve's knee."""
    from ..benchmark.tradeoff import tradeoff as compare
    from ..core.files import require_place
    from ..publish.curve import require_kind, write_tradeoff

    require_kind(to)
    require_place(to, read=[model])
    limit = arena_limit(None, board)
    result = compare(model, Options(weights=weights, ram_bytes=limit, wait_states=flash_waits(board)))
    if to:
        write_tradeoff(result, to, limit, board)
    if json:
        print_json(result.to_json() | ({"picture": str(to)} if to else {}))
        return
    least = result.choices[-1].predicted_cycles
    rows = [
        (c.arena_bytes, c.constant_bytes, c.predicted_instructions, c.predicted_cycles,
         f"{c.predicted_cycles / least:.2f}", "knee" if number == result.knee else "")
        for number, c in enumerate(result.choices)
    ]  # fmt: skip
    columns = [">arena", ">constants", ">instructions", ">cycles, modelled", ">of the fastest", ""]
    out.print(table(f"{model.name}: bytes; instructions and cycles as the cost model predicts", columns, rows))
    out.print(f"use one with --ram, such as: --ram {result.choices[result.knee].arena_bytes}")
    if to:
        out.print(f"{to} written")


def export(
    model: Model,
    to: Annotated[Path, typer.Option("--out", help="Folder for the C sources.")],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the folder is stale.")] = False,
    frontend: Annotated[
        str | None, typer.Option("--frontend", help="Front end of a model without metadata: a TOML file or a recipe.")
    ] = None,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    limits: Limits = None,
    frontend_tables: FrontendTables = DEFAULT.frontend_tables,
    bundle: Annotated[
        str | None,
        typer.Option(
            "--bundle",
            help="Library to write, with engine and example: platformio, arduino, cmake, zephyr, espidf, cmsis-pack, "
            "or tflm (its arrays and the front end).",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a model, its front end and its known answer as C sources."""
    from ..deploy.export import export as write
    from ..deploy.export import require_own_folder

    if not check:
        require_own_folder(
            model,
            to,
            bool(bundle or frontend or ram is not None or board or limits)
            or (weights, frontend_tables) != (DEFAULT.weights, DEFAULT.frontend_tables),
        )
    limit = arena_limit(ram, board)
    waits = flash_waits(board)
    options = Options(
        weights=weights, ram_bytes=limit, frontend_tables=frontend_tables, wait_states=waits, spare_ram=ram is None
    )
    result = write(
        *(model, to), check=check, frontend=frontend, options=options, rule=limits, board=board, bundle=bundle
    )
    _note_excess(result.arena_bytes, limit)
    if json:
        print_json(result.to_json())
        return
    verb = "is up to date" if check else "written"
    out.print(f"{to} {verb}: {len(result.files)} files")
    out.print(f"  model      {result.model_sha256}")
    out.print(f"  front end  {result.frontend_sha256 or 'none: this model takes tensors only'}")
    out.print(
        f"  {result.cost.params_bytes:,} B of parameters, {result.cost.macs:,} MACs, {result.arena_bytes:,} B of arena"
        + (f", {result.state_bytes:,} of it state" if result.state_bytes else "")
    )
    if result.tflm_lacks:
        out.print(f"  without tflm/: {result.tflm_lacks}")


def new(
    to: Annotated[Path, typer.Argument(metavar="NAME", help="Folder of the new project.")],
    board: Annotated[str, typer.Option("--board", help="Board to build for: see scenelet boards.")],
    model: Annotated[
        Path | None, typer.Option("--from", metavar="MODEL", help="An INT8 .tflite; default: the shipped model.")
    ] = None,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    limits: Limits = None,
    json: Json = False,
) -> None:
    """Write a PlatformIO project of your own: the firmware with a model, for a board; it needs no clone."""
    from ..deploy.project import DEFAULT_MODEL, new_project

    options = Options(
        weights=weights, ram_bytes=arena_limit(ram, board), wait_states=flash_waits(board), spare_ram=ram is None
    )
    made = new_project(to, board, model or DEFAULT_MODEL, options, limits)
    if json:
        print_json({"folder": str(made.folder), "board": made.board, "export": made.export.to_json()})
        return
    out.print(f"{to} written for {board}; next, in it:")
    out.print("  pio run -t upload     flash the board; pio run alone builds")
    out.print("  pio device monitor    its console: info; listen on classifies its microphone")
    out.print("README.md in it says how to test it, change it, and flash it without a probe")


def run(
    model: Model,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help=".wav, .ogg, .flac, or tensors as .npy; as .npz for several inputs."),
    ],
    target: TargetName = "litert",
    json: Json = False,
) -> None:
    """Run a model on audio clips or tensors: the likeliest classes of every window and clip."""
    from ..evaluation.predict import predict, require_inputs
    from ..targets import open_target
    from ..tflite.metadata import read
    from ..tflite.reader import read_model

    graph = read_model(model)
    info = read(model.read_bytes(), model)
    require_inputs(files, info, model)
    with open_target(target, model) as place:
        results = list(predict(files, graph, info, place, model))
    if json:
        print_json({"model": str(model), "target": target, "results": [result.to_json() for result in results]})
        return
    several = len(graph.outputs) > 1
    if info and not several and not any(path.suffix in (".npy", ".npz") for path in files):
        from .answers import answers

        config = info.frontend
        step = config.clip_samples if config.slide is None else config.slide * config.hop_length
        for made in answers(results, info.labels, step / config.sample_rate):
            out.print(made)
    else:
        rows = [
            (r.file, r.window, *((r.output,) if several else ()), r.label, " ".join(f"{v:4d}" for v in r.scores))
            for r in results
        ]
        columns = ["file", ">window", *(("output",) if several else ()), "label", "scores"]
        out.print(table(f"{model.name} on {target}", columns, rows))
    _estimate(model)


def _estimate(model: Path) -> None:
    """Print the network's time on a board; nothing for a network that only other targets run."""
    from ..benchmark.explain import explain as explain_model

    with suppress(SceneletError):
        made = explain_model(model, Options(ram_bytes=arena_limit(None), wait_states=flash_waits(None)))
        time = milliseconds(made.predicted_cycles)
        out.print(f"on a board the network takes about {time}, as the cost model predicts; bench counts")
