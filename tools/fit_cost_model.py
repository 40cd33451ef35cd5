"""Fits the rates of the cost model to measurements, and says how far its estimates are from them.

    python tools/fit_cost_model.py measure DIR MODEL ...     # `scenelet bench --json` of each, in several plans
    python tools/fit_cost_model.py measure --each-kernel ... # ... with each of a layer's kernels, whatever is quickest
    python tools/fit_cost_model.py fit DIR ...               # residuals by kernel and by network
    python tools/fit_cost_model.py fit DIR ... --write       # ... and new rates for the compiler

MODEL is an INT8 .tflite or a folder of them. `fit` reads every .json of its folders, as `scenelet bench --json` prints
it: measured instructions and modelled cycles of each stage, beside what the cost model counts there. With other rates
the compiler makes other plans: after `--write`, measure and fit once more.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from scenelet.benchmark.instructions import bench
from scenelet.compiler import plan_cache
from scenelet.compiler.kernels.cost import FLASH_LINE, RATES_FILE, Rate, guessed, rates
from scenelet.compiler.kernels.registry import KERNELS, Ways
from scenelet.compiler.kernels.variant import Variant, Work
from scenelet.compiler.options import Options
from scenelet.core import files
from scenelet.errors import InputError, SceneletError

PLANS = (Options(), Options(weights="expanded"), Options(ram_bytes=0), Options(ram_bytes=16_384), Options(fusion=False))
_EACH = ", each kernel"
# Of them, those that run convolutions by the kernels of segments.
_FUSED = 3
# How much a relative change of a rate weighs against the relative error of a whole network.
_HOLD = 0.02
_LEAST_WAITS = 0.002
# No rate falls below this share of what it was: of two that always occur together, one would otherwise take all.
_LEAST = 0.2


@dataclass(frozen=True)
class Row:
    """One stage of a network, or a step without stages: what was measured, and what the cost model counts."""

    network: str
    kernel: str
    instructions: int
    cycles: int
    waits: float
    wait_states: int
    terms: Mapping[str, float]


def networks(paths: Sequence[Path]) -> Iterator[Path]:
    """List the .tflite files of a list of files and folders."""
    for path in paths:
        yield from sorted(path.glob("*.tflite")) if path.is_dir() else [path]


def measure(folder: Path, models: Sequence[Path], *, each_kernel: bool) -> None:
    """Bench networks in every plan; one .json each."""
    folder.mkdir(parents=True, exist_ok=True)
    for model in networks(models):
        for name, kernels in _kernels() if each_kernel else [("", KERNELS)]:
            # A kept plan may be of other kernels.
            kept = patch.multiple(plan_cache, _found=lambda *_: None, _keep=lambda *_: None)
            with patch.dict(cast(dict[str, object], KERNELS), kernels), kept:
                _measure(folder, model, name)


def _kernels() -> Iterator[tuple[str, Mapping[str, tuple[Ways, ...]]]]:
    """Each kernel of the steps that have several; the last one, which takes every step, runs what it does not take."""
    for step, several in KERNELS.items():
        for ways in several if len(several) > 1 else ():
            yield (
                f"-{ways.__module__.removesuffix('.variants').rpartition('.')[2]}",
                {step: (_either(ways, several[-1]),)},
            )


def _either(first: Ways, other: Ways) -> Ways:
    def ways(work: Work) -> Iterator[Variant]:
        yield from tuple(first(work)) or other(work)

    return ways


def _measure(folder: Path, model: Path, suffix: str) -> None:
    for number, options in enumerate(PLANS[:_FUSED] if suffix else PLANS):
        try:
            result = bench(model, options).to_json()
        except SceneletError as error:
            print(f"{model.stem}{suffix}, plan {number}: {error}", file=sys.stderr)
            continue
        name = f"{model.stem}{_EACH}" if suffix else model.stem
        text = json.dumps(result | {"model": f"{name}.tflite"}, indent=1)
        files.write_text(folder / f"{model.stem}{suffix}-{number}.json", text + "\n")
        print(f"{model.stem}{suffix}, plan {number}: {result['instructions']:,}", flush=True)


def read(folders: Sequence[Path]) -> list[Row]:
    """Rows of all measurements.

    Raises
    ------
    InputError
        A folder holds none, or a file is none.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    if not paths:
        raise InputError(", ".join(map(str, folders)), "no .json in it", "write `scenelet bench MODEL --json` there")
    return [row for path in paths for row in _rows(path)]


def _rows(path: Path) -> Iterator[Row]:
    try:
        measured = json.loads(path.read_text("utf-8"))
        network, wait_states = Path(measured["model"]).stem, measured["options"]["wait_states"]
        for layer in measured["layers"]:
            for one in layer["stages"] or [layer]:
                if one["terms"]:
                    yield _row(network, wait_states, one)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(path, "no output of `scenelet bench --json` of this version", "write it again") from None


def _row(network: str, wait_states: int, one: Mapping[str, Any]) -> Row:
    kernel = next((name for name in one["terms"] if name != FLASH_LINE), FLASH_LINE).partition("/")[0]
    waits = one["wait_cycles"] / wait_states if wait_states else 0.0
    cycles = one["modelled_cycles"] - one["wait_cycles"]
    return Row(network, kernel, one["instructions"], cycles, waits, wait_states, one["terms"])


def known_rates(rows: Sequence[Row]) -> dict[str, Rate]:
    """Rates of all terms that the rows name: as they stand, else a tenth of what the rows took."""
    names = sorted({name for row in rows for name in row.terms} - {FLASH_LINE})
    return {name: rates().get(name) or _rough(rows, name) for name in names}


def _rough(rows: Sequence[Row], name: str) -> Rate:
    each = [row.instructions / row.terms[name] for row in rows if row.terms.get(name)]
    return Rate(*guessed(float(np.median(each)) / 10 if each else 1.0))


def fit(rows: Sequence[Row]) -> dict[str, Rate]:
    """Find the rates that come nearest to all rows, none far below what it was.

    A row counts by its share of its network. A rate that the rows do not determine stays as it was.
    """
    now = known_rates(rows)
    names = list(now)
    counts = np.array([[row.terms.get(name, 0.0) for name in names] for row in rows])
    lines = np.array([row.terms.get(FLASH_LINE, 0.0) for row in rows])
    start = np.array([now[name] for name in names])
    start[:, 2] = np.maximum(start[:, 2], _LEAST_WAITS * start[:, 0])
    instructions = np.array([row.instructions for row in rows], float)
    cycles = np.array([row.cycles for row in rows], float)
    waits = np.array([row.waits for row in rows]) - lines
    states = np.array([row.wait_states for row in rows])
    found = np.stack(
        [
            _nearest(counts, instructions, _weights(rows, instructions), start[:, 0]),
            _nearest(counts, cycles, _weights(rows, cycles), start[:, 1]),
            _nearest(counts, waits, _weights(rows, cycles) * states, start[:, 2]),
        ],
        axis=1,
    )
    return {name: Rate(*(float(f"{value:.4g}") for value in row)) for name, row in zip(names, found, strict=True)}


def _weights(rows: Sequence[Row], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights with which the squared residuals of a network's rows are relative, each by its share of the network."""
    totals: defaultdict[str, float] = defaultdict(float)
    for row, value in zip(rows, values, strict=True):
        totals[row.network] += value
    return np.array([1 / np.sqrt(value * totals[row.network]) for row, value in zip(rows, values, strict=True)])


def _nearest(
    counts: NDArray[np.float64], wanted: NDArray[np.float64], weights: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    # In units of the present rates, so that each is held at them alike.
    scaled = counts * start * weights[:, np.newaxis]
    held = _HOLD * np.eye(len(start))
    matrix = np.concatenate([scaled, held])
    right = np.concatenate([wanted * weights, np.full(len(start), _HOLD)])
    least = np.full(len(start), _LEAST)
    found, _ = nnls(matrix, right - matrix @ least, maxiter=50 * len(start))
    return np.asarray((found + least) * start)


def predicted(row: Row, by: Mapping[str, Rate]) -> tuple[float, float]:
    """Instructions and modelled cycles of a row by rates."""
    known = {**by, FLASH_LINE: Rate(0, 0, 1)}
    each = [(amount, known[name]) for name, amount in row.terms.items()]
    instructions = sum(amount * rate.instructions for amount, rate in each)
    return instructions, sum(amount * (rate.cycles + row.wait_states * rate.waits) for amount, rate in each)


def residuals(rows: Sequence[Row], by: Mapping[str, Rate], of: str) -> Iterator[tuple[str, int, float, float]]:
    """For each network or kernel: rows, and how far instructions and modelled cycles are off, relatively."""
    sums: defaultdict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(5))
    for row in rows:
        measured = row.instructions, row.cycles + row.waits * row.wait_states
        sums[getattr(row, of)] += (1, *measured, *predicted(row, by))
    for name, (count, instructions, cycles, *told) in sorted(sums.items()):
        yield name, int(count), told[0] / instructions - 1, told[1] / cycles - 1


def report(rows: Sequence[Row], by: Mapping[str, Rate]) -> Iterator[str]:
    """Lines of Markdown: tables of residuals."""
    for of in ("network", "kernel"):
        yield f"| {of} | stages | instructions | modelled cycles |"
        yield "|---|---|---|---|"
        for name, count, instructions, cycles in residuals(rows, by, of):
            yield f"| {name} | {count} | {instructions:+.1%} | {cycles:+.1%} |"
        yield ""


def page(rows: Sequence[Row], by: Mapping[str, Rate]) -> Iterator[str]:
    """Lines of the documentation's page."""
    names = {row.network.removesuffix(_EACH) for row in rows}
    yield "# The cost model, and how far it is off\n"
    yield "Written by `python tools/fit_cost_model.py fit DIR --page docs/results/cost_model.md`; do not edit. DIR"
    yield "holds outputs of `scenelet bench --json`; `python tools/fit_cost_model.py measure DIR MODEL ...` makes"
    yield "them.\n"
    yield "The compiler chooses kernels and plans by predicted cycles: amounts that a kernel works through"
    yield "(`python/scenelet/compiler/kernels`), times what one of each takes"
    yield "(`python/scenelet/compiler/kernels/cost_rates.json`). The rates were fitted to stages of"
    yield f"{len(names)} networks in up to {len(PLANS)} plans each, {len(rows)} stages in all: instructions that QEMU"
    yield "counts, and cycles modelled from them (see [cycles.md](cycles.md)). The tables show predicted over measured,"
    yield "minus one: of all plans of a network together, and of all stages of a kernel. Where a network stands with"
    yield "each kernel, its layers ran by those that no plan chose as well. Networks of other people are not in this"
    yield "repository.\n"
    yield from report(rows, by)


def write(by: Mapping[str, Rate]) -> None:
    """Write rates for the compiler; those that were not fitted stay."""
    content = json.loads(RATES_FILE.read_text("utf-8"))
    made = content["rates"] | {name: list(rate) for name, rate in by.items()}
    lines = ",\n".join(f'    "{name}": {json.dumps(rate)}' for name, rate in sorted(made.items()))
    about = json.dumps(content["about"])
    files.write_text(RATES_FILE, f'{{\n  "about": {about},\n  "rates": {{\n{lines}\n  }}\n}}\n')


def main() -> int:
    """Measure, or fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--each-kernel", action="store_true", help="run every layer by each of its kernels in turn")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("models", type=Path, nargs="+")
    fitting = commands.add_parser("fit")
    fitting.add_argument("folders", type=Path, nargs="+")
    fitting.add_argument("--write", action="store_true", help="write the rates for the compiler")
    fitting.add_argument("--page", type=Path, help="write residuals as a page of the documentation")
    asked = parser.parse_args()
    try:
        if asked.command == "measure":
            measure(asked.folder, asked.models, each_kernel=asked.each_kernel)
            return 0
        rows = read(asked.folders)
        fitted = fit(rows) if asked.write else known_rates(rows)
        if asked.write:
            write(fitted)
        if asked.page:
            files.write_text(asked.page, "\n".join(page(rows, fitted)))
        print("\n".join(report(rows, fitted)))
    except SceneletError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
