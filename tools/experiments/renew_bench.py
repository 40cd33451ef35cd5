"""Measure all figures in docs/bench again, with the model and the options that each file names; write its tables."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenelet.benchmark.instructions import bench
from scenelet.compiler.options import Options
from scenelet.core import toolchain
from scenelet.core.files import write_text
from scenelet.core.markdown_tables import fill

FOLDER = toolchain.REPOSITORY / "docs" / "bench"
TOOLS = Path(__file__).resolve().parents[1]
# TFLite Micro with CMSIS-NN, measured outside this repository: instructions and arena bytes.
PEERS = {
    "esc10_sm1": (59_185_560, 68_116),
    "sm2": (68_973_080, 60_260),
    "sm3_pruned": (64_214_680, 55_780),
    "resnet8": (29_864_640, 55_092),
    "ds_cnn": (7_701_040, 22_916),
    "autoencoder": (583_000, 2_676),
}
HEAD = (
    "| file | network | weights | RAM target | MACs | instructions | per MAC | ratio to peer | cycles, modelled "
    "| arena | peer's arena | flash, all |\n|" + "---|" * 12
)


def models() -> None:
    """Write the networks with random weights whose figures are recorded."""
    subprocess.run([sys.executable, TOOLS / "models" / "recipe_models.py", "sm2", "sm3_pruned"], check=True)
    subprocess.run([sys.executable, TOOLS / "models" / "mlperf_tiny.py"], check=True)


def renew(path: Path) -> None:
    """Measure one file's figures and rewrite it."""
    before = json.loads(path.read_text("utf-8"))
    now = bench(before["model"], Options(**before["options"])).to_json()
    write_text(path, json.dumps({**now, "model": before["model"]}, indent=2) + "\n")


def row(path: Path) -> str:
    """Row of the table for a file."""
    figures: dict[str, Any] = json.loads(path.read_text("utf-8"))
    name, options, count = Path(figures["model"]).stem, figures["options"], figures["instructions"]
    macs = sum(layer["macs"] for layer in figures["layers"])
    instructions, arena = PEERS.get(name, (0, 0))
    cells = [
        path.stem,
        "SM1" if name == "esc10_sm1" else name,
        options["weights"],
        f"{options['ram_bytes']:,}",
        f"{macs:,}",
        f"{count:,}",
        f"{count / macs:.2f}",
        f"{count / instructions:.3f}" if instructions else "",
        f"{figures['modelled_cycles']:,}" if "modelled_cycles" in figures else "",
        f"{figures['arena_bytes']:,}",
        f"{arena:,}" if arena else "",
        f"{figures['flash']['total']:,}",
    ]
    return f"| {' | '.join(cells)} |"


def stages(path: Path) -> Iterator[str]:
    """Lines of the table of a segment's stages."""
    figures = json.loads(path.read_text("utf-8"))
    layer = max(figures["layers"], key=lambda layer: len(layer.get("stages") or ()))
    yield "| stage | kernel | MACs | instructions | cycles, modelled |\n|---|---|---|---|---|"
    named = [("the whole segment, without probes", "", layer)]
    for name, kernel, one in [*((stage["name"], stage["kernel"], stage) for stage in layer["stages"]), *named]:
        cycles = f"{one['modelled_cycles']:,}" if "modelled_cycles" in one else ""
        yield f"| {name} | {kernel} | {one['macs']:,} | {one['instructions']:,} | {cycles} |"


def tables() -> dict[str, list[str]]:
    """Lines of every table of the page."""
    return {
        "networks": [HEAD, *(row(path) for path in sorted(FOLDER.glob("*.json")))],
        "tiny": [HEAD, *(row(path) for path in sorted((FOLDER / "tiny").glob("*.json")))],
        "stages": list(stages(FOLDER / "sm1_packed.json")),
    }


def main() -> None:
    """Measure and write all files, then the page."""
    models()
    for path in sorted(FOLDER.rglob("*.json")):
        renew(path)
        print(row(path), flush=True)
    fill(FOLDER / "README.md", tables())


if __name__ == "__main__":
    main()
