"""``evaluate``, ``parity``, ``bench``, ``load``, ``profile``: measurements of a model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..compiler.options import DEFAULT, Options
from .options import (
    Board,
    Data,
    Devices,
    FrontendTables,
    Fusion,
    Json,
    MeasureEnergy,
    Model,
    Ram,
    Subset,
    TargetName,
    Weights,
    arena_limit,
    flash_waits,
    milliseconds,
)
from .output import lines, meter, out, print_json, progress, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..benchmark.instructions import LayerBench, StageBench
    from ..evaluation.evaluate import Evaluation


_HOT_COLUMNS = 68
"""Width of a table of source lines without their text."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (evaluate, parity, bench, load, profile):
        app.command(rich_help_panel="Measure")(command)


def evaluate(
    model: Model,
    data: Data,
    subset: Subset = None,
    split: Annotated[str, typer.Option(help="Split of the data set: train, validation, test, fold4 ...")] = "test",
    target: TargetName = "litert",
    device: Devices = None,
    predictions: Annotated[Path | None, typer.Option(help="CSV file for one row per window.")] = None,
    confusion: Annotated[Path | None, typer.Option(help="PNG file for the confusion matrix.")] = None,
    energy: MeasureEnergy = False,
    json: Json = False,
) -> None:
    """Measure accuracy and log loss on a data set, by class and by device."""
    from ..core.files import require_place
    from ..data.datasets.registry import open_dataset
    from ..evaluation.evaluate import clips_of, model_info
    from ..evaluation.evaluate import evaluate as measure
    from ..targets import open_target
    from ..tflite.metadata import read
    from ..tflite.reader import read_model

    require_place(predictions, confusion, read=[model])
    read_model(model)
    info = model_info(read(model.read_bytes(), model), model)
    dataset = open_dataset(data, subset=subset, devices=device or ())
    clips_of(dataset, info, split, model)
    with open_target(target, model) as place, progress(f"{model.name} on {target}") as step:
        used = meter(energy)
        result = measure(model, info, dataset, split, place, progress=step)
        if used:
            used.stop()
    if predictions:
        result.write_predictions(predictions)
    if confusion:
        from ..core.files import write_bytes
        from ..evaluation.confusion_matrix import confusion_png

        title = f"{model.stem}, {split}, windows"
        write_bytes(confusion, confusion_png(result.confusion, result.labels, title))
    if json:
        print_json({**result.to_json(), **({"energy": asdict(used.total)} if used else {})})
        return
    for title, groups in (("class", result.by_class), ("device", result.by_device)):
        if groups:
            rows = [(name, m.count, f"{m.accuracy:.1%}", f"{m.log_loss:.3f}") for name, m in groups.items()]
            out.print(table(f"by {title}", [title, ">windows", ">accuracy", ">log loss"], rows))
    out.print(
        f"{model.name} on {target}, {data} {split}: accuracy {result.accuracy:.2%} of {result.windows:,} windows, "
        f"{result.clip_accuracy:.2%} of {result.clips:,} clips, log loss {result.log_loss:.4f} (macro)"
    )
    for line in _certainty(result):
        out.print(line)
    if result.learned_clips:
        out.print(f"not a test: the network was trained on {result.learned_clips:,} of these clips")
    if used:
        out.print(f"energy: {used.total.kwh * 1000:.3g} Wh in {used.total.seconds:.0f} s, by codecarbon")


def _certainty(result: Evaluation) -> Iterator[str]:
    """Lines with the intervals of the accuracies, and with what was silent."""
    from ..evaluation.intervals import shown

    windows, clips = (shown(result.intervals[name]) for name in ("accuracy", "clip_accuracy"))
    yield f"95 % intervals by bootstrap over recordings: windows {windows}, clips {clips}"
    if result.silent_windows:
        yield f"{result.silent_windows:,} silent windows left out"
    if result.silent_clips:
        yield f"nothing but silence, counted as missed: {', '.join(result.silent_clips)}"


def parity(
    model: Model,
    target: TargetName = "host",
    cases: Annotated[int, typer.Option("-n", min=1, help="Number of inputs.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random inputs.")] = 0,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    fusion: Fusion = True,
    json: Json = False,
) -> None:
    """Compare every tensor of a target with TFLite's reference kernels. Exits with 1 on a difference."""
    from ..evaluation.parity import check
    from ..targets import open_target

    limit, waits = arena_limit(ram, board), flash_waits(board)
    options = Options(fusion=fusion, weights=weights, ram_bytes=limit, wait_states=waits, spare_ram=ram is None)
    with open_target(target, model, options) as place, progress(f"{model.name} on {target}") as step:
        result = check(model, place, cases, seed, progress=step)
    if json:
        print_json(result.to_json())
    else:
        out.print(
            f"{model.name} on {target}: {result.mismatches:,} mismatches in "
            f"{result.values:,} values of {result.cases:,} inputs"
            + (f", in {result.sequences} sequences" if result.sequences else "")
        )
    result.require(model)


def bench(
    model: Model,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    fusion: Fusion = True,
    frontend_tables: FrontendTables = DEFAULT.frontend_tables,
    flash: Annotated[bool, typer.Option("--flash", help="Also list the flash by origin.")] = False,
    json: Json = False,
) -> None:
    """Build for the Cortex-M4, count instructions by layer in QEMU and model cycles; fused layers count as one."""
    from ..benchmark.instructions import bench as measure

    limit, waits = arena_limit(ram, board), flash_waits(board)
    result = measure(model, Options(fusion, weights, limit, frontend_tables, waits, ram is None))
    if json:
        print_json(result.to_json())
        return
    rows: list[tuple[object, ...]] = []
    for layer in result.layers:
        rows.append(_bench_row(layer.name if layer.stages else f"{layer.name} {layer.op}", layer))
        for stage in layer.stages:
            rows.append(_bench_row(f"  {stage.name}: {stage.kernel}".rstrip(": "), stage))
    macs = sum(layer.macs for layer in result.layers)
    rows.append(("all", macs, result.instructions, _per(result.instructions, macs), result.modelled_cycles))
    columns = ["layer", ">MACs", ">instructions", ">per MAC", ">cycles*"]
    out.print(table(f"{model.name} on a Cortex-M4", columns, rows))
    if flash:
        parts = [(part.group, part.name, part.code, part.constants) for part in result.flash.parts]
        out.print(table("flash by part, bytes", ["part", "", ">code", ">constants"], parts))
    out.print("* instructions are counted in QEMU, cycles modelled")
    out.print(f"time   {milliseconds(result.modelled_cycles, board)} per inference, modelled")
    lines(result.summary())


def profile(
    model: Model,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    fusion: Fusion = True,
    hot_lines: Annotated[
        int, typer.Option("--lines", min=0, help="Source lines to show, the most expensive first.")
    ] = 15,
    json: Json = False,
) -> None:
    """Count instructions by class, layer and source line in QEMU, and model the Cortex-M4's cycles."""
    from ..benchmark.profile import CLASSES
    from ..benchmark.profile import profile as measure

    limit, waits = arena_limit(ram, board), flash_waits(board)
    result = measure(
        model, Options(fusion=fusion, weights=weights, ram_bytes=limit, wait_states=waits, spare_ram=ram is None)
    )
    if json:
        print_json(result.to_json())
        return
    rows = [
        (f"{row.name}: {row.kernel}".rstrip(": "), row.instructions, row.modelled_cycles,
         f"{row.wait_cycles / row.modelled_cycles:.0%}" if row.modelled_cycles else "",
         _per(row.modelled_cycles, row.macs))
        for row in result.rows
    ]  # fmt: skip
    columns = ["layer: kernel", ">instructions", ">cycles*", ">waits", ">per MAC"]
    out.print(table(f"{model.name} on a Cortex-M4", columns, rows))
    out.print("* modelled, with the share that waits for flash; instructions are counted in QEMU")
    kinds = [(row.name, *(f"{row.share(kind):.0%}" for kind in CLASSES)) for row in result.rows]
    out.print(table("instructions by class", ["layer", *(f">{kind}" for kind in CLASSES)], kinds))
    if hot_lines:
        hot = [
            (
                f"{line.path}:{line.line}",
                line.instructions,
                line.modelled_cycles,
                f"{line.modelled_cycles / result.modelled_cycles:.1%}",
                " ".join(line.text.split())[: max(out.width - _HOT_COLUMNS, 12)],
            )
            for line in result.lines[:hot_lines]
        ]
        out.print(table("hot spots", ["~source", ">instructions", ">cycles*", ">of all", "~text"], hot))
    lines(result.summary())


def _bench_row(name: str, one: LayerBench | StageBench) -> tuple[object, ...]:
    return name, one.macs, one.instructions, _per(one.instructions, one.macs), one.modelled_cycles


def _per(count: int, macs: int) -> str:
    return f"{count / macs:.2f}" if macs else ""


def load(
    model: Model,
    weights: Weights = DEFAULT.weights,
    ram: Ram = None,
    board: Board = None,
    json: Json = False,
) -> None:
    """Build the whole product and count the instructions per hop and per decision in QEMU. Cycles are modelled."""
    from ..benchmark.product_load import CLOCKS_HZ
    from ..benchmark.product_load import load as measure

    limit, waits = arena_limit(ram, board), flash_waits(board)
    with progress(f"{model.name} in the product"):
        result = measure(model, Options(weights=weights, ram_bytes=limit, wait_states=waits, spare_ram=ram is None))
    if json:
        print_json(result.to_json())
        return
    clocks = [f">ms* at {hertz / 1e6:g} MHz" for hertz in CLOCKS_HZ]
    columns = ["task", ">every ms", ">instructions", *clocks]
    out.print(table(f"{model.name} in the product, at most", columns, list(result.rows())))
    out.print("* modelled, with the share of the processor; instructions are counted in QEMU")
    lines(result.summary())
