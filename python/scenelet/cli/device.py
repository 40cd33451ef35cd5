"""``device``: commands for a board on a serial port."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .options import Data, Json, Model, Subset
from .output import out, print_json, progress, table

app = typer.Typer(help="Commands for a board, or QEMU, on a serial port.", rich_markup_mode=None)

Port = Annotated[str, typer.Option("--port", help="Name of a serial port, unix:PATH, or tcp:HOST:PORT.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0.1, help="Seconds of silence after which the device counts as dead.")
]


@app.command()
def info(port: Port, timeout: Timeout = 10.0, json: Json = False) -> None:
    """Print the device's model, front end, memory and clock."""
    from ..targets.board import open_device

    with open_device(port, timeout) as device:
        held = device.info() | {"labels": ", ".join(device.labels())}
    if json:
        print_json(held)
    else:
        out.print(table(port, ["field", "value"], held.items()))


@app.command()
def selftest(port: Port, timeout: Timeout = 10.0, json: Json = False) -> None:
    """Run the device's known-answer test. Exits with 1 if it fails."""
    from ..errors import ParityError
    from ..targets.board import open_device

    with open_device(port, timeout) as device:
        result = device.selftest()
    if json:
        print_json({"selftest": result})
    else:
        out.print(f"{port}: {result}")
    if result.startswith("fail"):
        raise ParityError(port, f"the device's self-test gives {result}", "flash it again")


@app.command()
def bench(port: Port, timeout: Timeout = 60.0, json: Json = False) -> None:
    """Measure the front end and every layer on the device, in processor cycles."""
    from ..targets.board import open_device

    with open_device(port, timeout) as device:
        held = device.info()
        steps = device.bench()
    rows = [(step["name"], step["op"], int(step["macs"]), int(step["cycles"])) for step in steps]
    total = sum(cycles for *_, cycles in rows)
    clock, cpu_hz = held["clock"], int(held["cpu_hz"])
    if json:
        named = [dict(zip(("name", "op", "macs", "cycles"), row, strict=True)) for row in rows]
        print_json({"board": held["board"], "clock": clock, "cpu_hz": cpu_hz, "steps": named, "cycles": total})
        return
    out.print(table(f"{held['model']} on {held['board']}", ["layer", "operator", ">MACs", ">cycles"], rows))
    emulated = "; emulated time, no latency" if clock == "emulated" else f", {total / cpu_hz * 1e3:.1f} ms"
    out.print(f"{total:,} cycles of {cpu_hz / 1e6:g} MHz{emulated}")


@app.command()
def checksums(
    model: Model,
    port: Port,
    file: Annotated[
        Path | None, typer.Option(help="Audio file whose first window to use; default: the self-test's noise.")
    ] = None,
    timeout: Timeout = 10.0,
    json: Json = False,
) -> None:
    """Compare the device's features and every tensor with the references. Exits with 1 on a difference."""
    from ..deploy.device_parity import compare_device, require_equal
    from ..targets.board import open_device

    with open_device(port, timeout) as device:
        rows = compare_device(model, device, file)
    if json:
        print_json({"arrays": [row.to_json() for row in rows]})
    else:
        cells = [(row.name, row.bytes, "yes" if row.same else "NO") for row in rows]
        out.print(table(f"{model.name} on {port}", ["array", ">bytes", "equals the reference"], cells))
    require_equal(rows, port)


@app.command()
def soak(
    model: Model,
    data: Data,
    port: Port,
    subset: Subset = None,
    split: Annotated[str, typer.Option(help="Split of the data set.")] = "all",
    seconds: Annotated[float, typer.Option(min=0, help="Seconds of audio; the clips repeat as needed.")] = 60.0,
    spoil: Annotated[int, typer.Option(min=0, help="Frames per injected bit error, on average; 0: no errors.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the injected errors.")] = 0,
    timeout: Timeout = 60.0,
    json: Json = False,
) -> None:
    """Stream audio with injected bit errors, and compare every window with the host. Exits with 1 on a difference."""
    from ..data.datasets.registry import open_dataset
    from ..deploy.soak import soak as run
    from ..targets.board import open_port

    dataset = open_dataset(data, subset=subset)
    line = open_port(port)
    try:
        with progress(f"{model.name} on {port}") as step:
            result = run(
                *(model, dataset, split, line),
                audio_seconds=seconds, one_in=spoil, seed=seed, silence=timeout, progress=step,
            )  # fmt: skip
    finally:
        line.close()
    if json:
        print_json(result.to_json())
    else:
        out.print(table(f"{model.name} on {port}", ["", ">"], result.summary()))
    result.require(model)


@app.command()
def stream(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Audio: .wav, .flac, .ogg.")],
    port: Port,
    decide: Annotated[
        str | None, typer.Option("--decide", help='Rule over windows, "SHARE MARGIN THRESHOLD", as calibrate gives it.')
    ] = None,
    timeout: Timeout = 60.0,
    json: Json = False,
) -> None:
    """Stream audio files to the device and print its decisions as they come."""
    from ..deploy.listen import listen
    from ..evaluation.decision import Rule
    from ..targets.board import open_device

    with open_device(port, timeout) as device:
        device.decide_by(Rule.parse(decide).command if decide else "decide off")
        results = []
        for decision in listen(device, files, port):
            results.append(decision.to_json())
            if not json:
                out.print(decision.line)
    if json:
        print_json({"port": port, "results": results})


@app.command()
def calibrate(
    model: Model,
    data: Data,
    subset: Subset = None,
    split: Annotated[str, typer.Option(help="Split that the model was not trained on.")] = "validation",
    accuracy: Annotated[
        float, typer.Option(min=0, max=1, help="Required accuracy of the windows that get a label.")
    ] = 0.9,
    share: Annotated[int, typer.Option(help="Weight of the newest window, of 256; 256: no smoothing.")] = 256,
    margin: Annotated[int, typer.Option(help="Lead that a class needs to replace the current one, 0 to 255.")] = 0,
    diagram: Annotated[Path | None, typer.Option(help="SVG file for the reliability diagram.")] = None,
    json: Json = False,
) -> None:
    """Find the score threshold below which the device reports "unknown", and measure the calibration of the scores."""
    from ..core import files
    from ..data.datasets.registry import open_dataset
    from ..data.provenance import require_held_out
    from ..evaluation import calibration
    from ..evaluation.decision import Rule, calibrate, clips_of
    from ..evaluation.evaluate import evaluate as measure
    from ..evaluation.evaluate import model_info
    from ..targets import open_target
    from ..tflite.metadata import read

    files.require_place(diagram, read=[model])
    metadata = model_info(read(model.read_bytes(), model) if model.is_file() else None, model)
    dataset = open_dataset(data, subset=subset)
    require_held_out(dataset, metadata, split, model)
    with open_target("host", model) as place, progress(f"{model.name} on host") as step:
        result = measure(model, metadata, dataset, split, place, progress=step)
    clips = clips_of(result)
    rule, coverage = calibrate(clips, Rule(share, margin), accuracy)
    bins = calibration.confidence_bins(clips, rule)
    error = calibration.calibration_error(bins)
    if diagram:
        files.write_text(diagram, calibration.diagram(bins, rule, f"{model.name}, {split}"))
    if json:
        found = {"share": rule.share, "margin": rule.margin, "threshold": rule.threshold, "coverage": coverage}
        print_json(found | {"reliability": [asdict(one) for one in bins], "calibration_error": error})
        return
    rows = [
        (f"{one.low:.0%} to {one.high:.0%}", f"{one.windows:,}", f"{one.confidence:.1%}", f"{one.accuracy:.1%}")
        for one in bins
        if one.windows
    ]
    columns = ["confidence", ">windows", ">mean confidence", ">accuracy"]
    out.print(table(f"{model.name}, {split}: calibration error {error:.3f}", columns, rows))
    out.print(f'--decide "{rule.share} {rule.margin} {rule.threshold}": {coverage:.1%} of the windows get a label')


@app.command()
def evaluate(
    model: Model,
    data: Data,
    port: Port,
    subset: Subset = None,
    split: Annotated[str, typer.Option(help="Split of the data set: train, validation, test, fold4 ...")] = "test",
    journal: Annotated[
        Path, typer.Option(help="File of the scores so far; with the same file an interrupted run resumes.")
    ] = Path("device-scores.jsonl"),
    timeout: Timeout = 60.0,
    json: Json = False,
) -> None:
    """Evaluate a data set on the device, and compare every window with this computer. Exits with 1 on a difference."""
    from ..data.datasets.registry import open_dataset
    from ..deploy.device_evaluation import evaluate_device
    from ..evaluation.evaluate import model_info
    from ..tflite.metadata import read

    metadata = model_info(read(model.read_bytes(), model) if model.is_file() else None, model)
    dataset = open_dataset(data, subset=subset)
    with progress(f"{model.name} on {port}") as step:
        result = evaluate_device(model, metadata, dataset, split, port, journal, seconds=timeout, progress=step)
    summary, counts = result.evaluation, result.counts
    if json:
        print_json(result.to_json())
    else:
        out.print(
            f"{model.name} on {port}, {data} {split}: accuracy {summary.accuracy:.2%} of {summary.windows:,} windows; "
            f"{counts.mismatches:,} differ from this computer's; {counts.sent:,} sent, {counts.known:,} known, "
            f"{counts.resent:,} frames sent again"
        )
    result.require(model)
