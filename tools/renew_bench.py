"""Measure all figures below docs/bench again, with the model and the options that each file names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from scenelet import toolchain
from scenelet.bench import bench
from scenelet.compiler.options import Options
from scenelet.files import write_text

FOLDER = toolchain.REPOSITORY / "docs" / "bench"
TOOLS = Path(__file__).resolve().parent


def models() -> None:
    """Write the networks with random weights that figures are kept of."""
    subprocess.run([sys.executable, TOOLS / "recipe_models.py", "sm2", "sm3_pruned"], check=True)
    subprocess.run([sys.executable, TOOLS / "tiny_models.py"], check=True)


def renew(path: Path) -> str:
    """Write one file anew; gives a line that tells what changed."""
    before = json.loads(path.read_text("utf-8"))
    now = bench(before["model"], Options(**before["options"])).to_json()
    write_text(path, json.dumps({**now, "model": before["model"]}, indent=2) + "\n")
    arena = f"arena {before['arena_bytes']:,} -> {now['arena_bytes']:,}"
    flash = f"flash {now['flash']['total']:,}"
    told = path.relative_to(FOLDER)
    return f"{told}: instructions {before['instructions']:,} -> {now['instructions']:,}, {arena}, {flash}"


def main() -> None:
    """Measure and write all files."""
    models()
    for path in sorted(FOLDER.rglob("*.json")):
        print(renew(path), flush=True)


if __name__ == "__main__":
    main()
