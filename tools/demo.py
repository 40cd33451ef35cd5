#!/usr/bin/env python3
"""``make demo``: recordings to a Cortex-M4 prediction, end to end. ``--data DIR`` takes recordings of your own.

Without ``--recipe``, SM1 is trained for a minute or two. With it, the recipe is trained in full; ``--teacher`` trains a
teacher first and distils from it. The complete AI4EDGE method is ``--recipe sm1 --teacher teacher``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import Any, NoReturn

from scenelet.cli.output import out, progress, table
from scenelet.config.recipe import load
from scenelet.core.shown import shown
from scenelet.core.toolchain import build_folder
from scenelet.errors import SceneletError
from scenelet.publish.demo import run_demo

# What a stage is for, by how its name begins.
WHY = {
    "write a synthetic city": "no download; TAU's layout, nine microphones",
    "train": "in floating point, on the features that the device computes",
    "distil": "the network learns from its teacher",
    "quantise": "weights and activations of 8 bits",
    "check the limits": "parameters, MACs and memory",
    "export": "the network and its front end, with planned memory",
    "pio run": "the whole firmware, as for a board",
    "evaluate on litert": "TFLite's reference kernels on this computer",
    "evaluate on qemu": "the same windows on the emulated board",
    "parity": "every value of every layer against TFLite's reference",
    "count": "layer by layer, in QEMU",
}


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
    """Say what begins, and what it is for."""
    why = next((why for start, why in WHY.items() if stage.startswith(start)), "")
    out.print(f"- {stage}: {why}" if why else f"- {stage}")


def begin(data: Path | None) -> None:
    """Say what will happen."""
    source = f"the recordings in {data}" if data else "synthetic recordings of ten scenes"
    out.print(f"From {source} to predictions on an emulated Cortex-M4.")
    out.print("With the short training that takes about ten minutes on two cores.")
    out.print("If it is interrupted, the same command goes on where it stopped.")


def end(result: dict[str, Any], folder: Path, *, same: bool) -> None:
    """Say what was shown, where it is, and what can be done next."""
    windows, model = result["windows"], result["model"]
    if same:
        out.print("\nwhat this shows")
        out.print(f"- All {windows:,} test windows have the same scores here and on the Cortex-M4.")
        out.print("- Every value of every layer that was compared is TFLite's.")
        out.print("- The network keeps the limits, and the whole firmware fits the board.")
        if result["data"] == "synthetic_city":
            out.print("The accuracy is that of a synthetic city after a short training: it says")
            out.print("nothing about real scenes, and differs by some points between computers.")
    out.print("\nwhat is there")
    out.print(f"- {folder / 'report.html'}: the model on one page, for a browser")
    out.print(f"- {folder / 'report.json'}: the figures above")
    out.print(f"- {model}: the network")
    out.print("\nwhat next: how it became C; a project to flash; the same with your recordings")
    out.print("  source .venv/bin/activate")
    out.print(f"  scenelet explain {quote(model)}")
    out.print(f"  scenelet new my_board --board feather_f405 --from {quote(model)}")
    out.print("  make demo DATA=folder")
    out.print("docs/FIRST_STEPS.md goes this way step by step")


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
        begin(arguments.data)
        result = run_demo(arguments.out, arguments.data, _announce, progress, recipe_=recipe_, teacher=teacher)
    except SceneletError as error:
        sys.stderr.write(f"demo: {shown(str(error))}\n")
        return error.exit_status
    out.print(table("from recordings to a Cortex-M4", ["", ">"], rows(result)))
    same = result["accuracy_int8"] == result["accuracy_qemu"] and not result["parity_mismatches"]
    end(result, arguments.out, same=same)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
