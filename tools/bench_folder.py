#!/usr/bin/env python3
"""``tools/bench_folder.py DIR [--peers FILE.csv]``: a Markdown table of every network of a folder.

Each network is compiled with default settings, compared with TFLite's reference kernels on random and extreme inputs,
and measured in QEMU. The CSV file holds another engine's figures: file name, instructions, arena in bytes.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from scenelet.benchmark.explain import explain
from scenelet.benchmark.instructions import Bench, bench
from scenelet.compiler.options import Options
from scenelet.core.stderr import discard_stderr
from scenelet.errors import SceneletError
from scenelet.evaluation.parity import check
from scenelet.targets.host import HostTarget

Peers = Mapping[str, tuple[int, int]]

HEAD = (
    "| network | MACs | instructions | per MAC | of the peer | predicted | arena | of the peer | differing values |\n"
    "|" + "---|" * 9
)
_CASES = 100


def read_peers(path: Path | None) -> Peers:
    """Read another engine's figures by file name."""
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {name: (int(count), int(arena)) for name, count, arena in csv.reader(file)}


def row(path: Path, measured: Bench, options: Options, peers: Peers) -> str:
    """One network's row."""
    macs = sum(layer.macs for layer in measured.layers)
    with discard_stderr(), HostTarget(path, options=options) as target:
        differing = check(path, target, _CASES).mismatches
    count, arena = peers.get(path.name, (0, 0))
    cells = [
        path.stem,
        f"{macs:,}",
        f"{measured.instructions:,}",
        f"{measured.instructions / macs:.2f}" if macs else "",
        f"{measured.instructions / count:.2f}" if count else "",
        f"{explain(path, options).predicted_instructions / measured.instructions:.2f}",
        f"{measured.arena_bytes:,}",
        f"{measured.arena_bytes / arena:.2f}" if arena else "",
        str(differing),
    ]
    return f"| {' | '.join(cells)} |"


def table(folder: Path, options: Options, peers: Peers) -> Iterator[str]:
    """Rows of all networks; one that is refused has the reason in its row."""
    yield HEAD
    ratios = []
    for path in sorted(folder.glob("*.tflite")):
        try:
            measured = bench(path, options)
            yield row(path, measured, options, peers)
        except SceneletError as error:
            yield f"| {path.stem} | {error} |"
            continue
        if path.name in peers:
            ratios.append(measured.instructions / peers[path.name][0])
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        yield f"\nGeometric mean of the ratios of instructions: {mean:.2f}"


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--peers", type=Path, help="CSV of another engine's figures")
    parser.add_argument("--weights", default="packed", help="packed, expanded or auto")
    arguments = parser.parse_args()
    if not arguments.folder.is_dir():
        parser.error(f"{arguments.folder}: no such folder")
    for line in table(arguments.folder, Options(weights=arguments.weights), read_peers(arguments.peers)):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
