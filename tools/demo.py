#!/usr/bin/env python3
"""``make demo``: recordings to a Cortex-M4 prediction, end to end. ``--data DIR`` takes recordings of your own.

Without ``--recipe``, SM1 is trained for a minute or two. With it, the recipe is trained in full; ``--teacher`` trains a
teacher first and distils from it. The complete AI4EDGE method is ``--recipe sm1 --teacher teacher``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from scenelet.cli.output import out, progress, table
from scenelet.config.recipe import load
from scenelet.core.shown import shown
from scenelet.core.toolchain import build_folder
from scenelet.errors import SceneletError
from scenelet.publish.demo import run_demo


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line, like every command of scenelet."""

    def error(self, message: str) -> NoReturn:
        """See :class:`argparse.ArgumentParser`."""
        self.exit(2, f"demo: {message}; see --help\n")


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of the demo's final table."""
    budget, bench = result["budget"], result["bench"]
    frame = bench["frontend"]["instructions_per_frame"]
    return [
        ("data", f"{result['data']}, {result['windows']:,} test windows"),
        ("accuracy, float", f"{result['accuracy_float']:.2%}"),
        ("accuracy, INT8 on this computer", f"{result['accuracy_int8']:.2%}"),
        ("accuracy, Cortex-M4 in QEMU", f"{result['accuracy_qemu']:.2%}"),
        ("values that differ from TFLite", f"{result['parity_mismatches']:,}"),
        ("parameters", f"{budget['params_bytes']:,} of {budget['limits']['params_bytes']:,} bytes"),
        ("MACs", f"{budget['macs']:,} of {budget['limits']['macs']:,}"),
        ("planned RAM", f"{budget['planned_ram_bytes']:,} of {budget['limits']['ram_bytes']:,} bytes"),
        ("instructions, network", f"{result['instructions']:,}"),
        ("instructions, front end, per frame", f"{frame:,}"),
        *((f"time, {stage}", f"{seconds:.0f} s") for stage, seconds in result["seconds"].items()),
        *((f"of which stage {stage}", f"{seconds:.0f} s") for stage, seconds in result["stage_seconds"].items()),
        ("time", f"{sum(result['seconds'].values()):.0f} s"),
    ]


def _announce(stage: str) -> None:
    out.print(f"- {stage}")


def main() -> int:
    """Run the demo; return its exit status."""
    parser = Parser(description=__doc__)
    parser.add_argument("--data", type=Path, help="data set; default: a synthetic city")
    parser.add_argument("--out", type=Path, default=build_folder() / "demo", help="folder to work in")
    parser.add_argument("--recipe", help="name or .toml file; default: SM1 with a short training")
    parser.add_argument("--teacher", help="recipe of a teacher to distil from, such as 'teacher'; needs --recipe")
    arguments = parser.parse_args()
    if arguments.teacher and not arguments.recipe:
        parser.error("--teacher needs --recipe")
    try:
        recipe_, teacher = (load(name) if name else None for name in (arguments.recipe, arguments.teacher))
        result = run_demo(arguments.out, arguments.data, _announce, progress, recipe_=recipe_, teacher=teacher)
    except SceneletError as error:
        sys.stderr.write(f"demo: {shown(str(error))}\n")
        return error.exit_status
    out.print(table("from recordings to a Cortex-M4", ["", ">"], rows(result)))
    for page in ("report.json", "report.html"):
        out.print(str(arguments.out / page))
    same = result["accuracy_int8"] == result["accuracy_qemu"] and not result["parity_mismatches"]
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
