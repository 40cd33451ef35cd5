"""Compares modelled cycles with those that others published of real Cortex-M4s, and writes docs/results/cycles.md.

    git clone --recurse-submodules https://github.com/mupq/pqm4
    python tools/experiments/cycles.py --pqm4 pqm4 --out docs/results/cycles.md MODEL ...

pqm4 publishes the cycles of cryptographic schemes on an STM32F4 at 24 MHz, where flash has no wait states, in its
benchmarks.csv. Its sources are built here, run in QEMU, and their cycles modelled. Nothing of that project is in this
repository.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenelet.benchmark.instructions import bench
from scenelet.benchmark.modelled_cycles import Program, Spent
from scenelet.compiler.options import Options
from scenelet.core import cortex_m4, files, toolchain
from scenelet.errors import InputError, SceneletError
from scenelet.targets.emulator.block_trace import trace_program

SCHEMES = (
    ("crypto_kem", "ml-kem-512", "m4fspeed"),
    ("crypto_kem", "ml-kem-512", "m4fstack"),
    ("crypto_kem", "ml-kem-768", "m4fspeed"),
    ("crypto_kem", "ml-kem-1024", "m4fspeed"),
    ("crypto_sign", "ml-dsa-44", "m4f"),
    ("crypto_sign", "ml-dsa-44", "m4fstack"),
)
# How long a signature takes depends on how many tries it needs: it is left out.
PHASES = {"crypto_kem": ("key pair", "encapsulate", "decapsulate"), "crypto_sign": ("key pair", "", "verify")}
_MEANS = (2, 5, 8)
_STACK_BYTES = 80 * 1024
WAIT_STATES = (0, 2, 5)


@dataclass(frozen=True)
class Compared:
    """One phase of a scheme: cycles that were published, and modelled ones; each the mean of some runs."""

    scheme: str
    phase: str
    published: int
    modelled: float
    instructions: float

    @property
    def error(self) -> float:
        """Modelled over published, minus one."""
        return self.modelled / self.published - 1


def published(pqm4: Path) -> dict[tuple[str, str], list[int]]:
    """Mean cycles of the phases, by scheme and implementation: the first rows of either in benchmarks.csv.

    Raises
    ------
    InputError
        The folder is no clone of pqm4 with its submodules.
    """
    path = pqm4 / "benchmarks.csv"
    if not path.is_file() or not (pqm4 / "mupq" / "common").is_dir():
        raise InputError(pqm4, "no clone of pqm4", "git clone --recurse-submodules https://github.com/mupq/pqm4")
    found: dict[tuple[str, str], list[int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            # The name may end in the number of runs: "ml-kem-512 (1000 executions)".
            name = row[0].split(" ")[0] if row else ""
            if len(row) > max(_MEANS) and all(row[place].isdigit() for place in _MEANS):
                found.setdefault((name, row[1]), [int(row[place]) for place in _MEANS])
    return found


def build(pqm4: Path, kind: str, scheme: str, form: str, elf: Path) -> None:
    """Compile a scheme with pqm4's optimisation level for the emulated board."""
    settings, board = cortex_m4.flags(), cortex_m4.board()
    port = toolchain.FIRMWARE / "lib" / "port" / board["build"]["port"]
    measure, source = toolchain.FIRMWARE / "measure", pqm4 / kind / scheme / form
    symbols = {
        "SCN_FLASH_BYTES": board["upload"]["maximum_size"],
        "SCN_RAM_BYTES": board["upload"]["maximum_ram_size"],
        "SCN_STACK_BYTES": _STACK_BYTES,
    }
    includes = [
        *(source, pqm4 / "common", pqm4 / "mupq" / "common", measure / "runner", port, port.parent),
        toolchain.FIRMWARE / "boards" / toolchain.EMULATED_BOARD,
    ]
    sources = [
        *sorted(source.glob("*.[cSs]")),
        *(pqm4 / "mupq" / "common" / "fips202.c", pqm4 / "common" / "keccakf1600.S"),
        *(measure / "probe" / "pqm4_probe.c", *sorted(port.glob("*.c"))),
    ]
    toolchain.run(
        [
            *("arm-none-eabi-gcc", *settings["cortex-m4"], "-std=gnu11", "-O3", "-g3", "-ffunction-sections"),
            *("-fdata-sections", *settings["link"], f"-D{'PQM4_KEM' if kind == 'crypto_kem' else 'PQM4_SIGN'}"),
            *(f"-Wl,--defsym={name}={value}" for name, value in symbols.items()),
            *("-T", str(port / f"{port.name}.ld"), *(f"-I{include}" for include in includes), *map(str, sources)),
            *("-o", str(elf)),
        ]
    )


def compare(pqm4: Path) -> Iterator[Compared]:
    """Build and run all schemes."""
    known = published(pqm4)
    for kind, scheme, form in SCHEMES:
        with files.scratch() as folder:
            elf = folder / "scheme.elf"
            build(pqm4, kind, scheme, form, elf)
            program = Program(elf)
            spent: defaultdict[int, Spent] = defaultdict(Spent)
            for count in trace_program(elf, program.flash_model(0)):
                spent[count.step] += program.block(count, 0, 0).spent
        phases = PHASES[kind]
        steps = sorted(spent)[: max(spent) // len(phases) * len(phases)]
        for number, phase in enumerate(phases):
            some = [spent[step] for step in steps if step % len(phases) == number]
            if phase:
                cycles, instructions = (
                    sum(getattr(one, name) for one in some) / len(some) for name in ("cycles", "instructions")
                )
                yield Compared(f"{scheme} {form}", phase, known[scheme, form][number], cycles, instructions)


def networks(models: Sequence[Path]) -> Iterator[str]:
    """Lines of the table of what wait states cost."""
    yield "| network | weights | instructions | 0 wait states | 2 (84 MHz) | 5 (168 MHz) |"
    yield "|---|---|---|---|---|---|"
    for model in models:
        for weights in ("packed", "expanded"):
            made = [bench(model, Options(weights=weights, wait_states=waits)) for waits in WAIT_STATES]
            cycles = " | ".join(f"{one.modelled_cycles:,}" for one in made)
            yield f"| {model.stem} | {weights} | {made[-1].instructions:,} | {cycles} |"


ABOUT = """# Modelled cycles, and cycles of real boards

Written by `{command}`; do not edit.

No figure of this project was measured on a board. Instructions are counted by QEMU; cycles are modelled from them:

- **Instructions** (`python/scenelet/benchmark/disassembly.py`): LDR 2 cycles, 1 directly after another load; STR 1;
  LDRD and STRD 3; a load or store of N registers 1 + N; a taken branch 3; divide 6; all else 1. ARM's technical
  reference manual (DDI 0439, 3.3) gives these figures, and ranges where they depend on operands or the pipeline.
- **Flash** (`firmware/measure/qemu_plugin/scn_flash.h`): the accelerator of the STM32F4 (RM0090, 3.5.2) with 64 lines
  of 16 bytes of instructions and 8 of data, least recently used, and a line fetched ahead. Every fetch and every load
  of the program runs through it while QEMU executes it.

Not modelled: contention for memory between instructions, data and DMA; the pipeline beyond the rules above.

## Against published cycles, without wait states

[pqm4](https://github.com/mupq/pqm4) publishes the cycles of cryptographic schemes on an STM32F4 at 24 MHz, where flash
needs no wait states. The same sources, built here with gcc 12.2 and -O3, run in QEMU. The compiler behind the published
cycles may be another one.
"""

FLASH = """
## With wait states

The model of flash was not compared with silicon. ST's data sheet promises the speed of 0 wait states at 168 MHz, which
code reaches whose loops fit the 64 lines and whose constants fit the 8. Networks are different: their weights are
streamed, and each line of 16 bytes costs the wait states. Expanded weights are two to four times as many lines, so
the compiler expands less where there are more wait states.

"""

MOBILENET = """
MobileNet-0.25 at 96 x 96 (`mobilenet`) is a network for which ST publishes cycles of its own library on a board:
10.7 million. Clock and wait states of that measurement are not stated with it, and its weights are trained ones. The
figures above are modelled, and of random weights.

`firmware/measure/cycles` is a program that prints the cycles of one inference and one frame by DWT's CYCCNT, for the
first board: see [FIRMWARE.md](../FIRMWARE.md).
"""


def page(compared: Sequence[Compared], models: Sequence[Path]) -> Iterator[str]:
    """Lines of the page."""
    yield ABOUT.format(command="python tools/experiments/cycles.py --pqm4 PQM4 --out docs/results/cycles.md MODEL ...")
    yield "| scheme | phase | instructions | modelled cycles | published | modelled over published |"
    yield "|---|---|---|---|---|---|"
    for one in compared:
        figures = f"{one.instructions:,.0f} | {one.modelled:,.0f} | {one.published:,} | {one.error:+.1%}"
        yield f"| {one.scheme} | {one.phase} | {figures} |"
    errors = [one.error for one in compared]
    mean = sum(map(abs, errors)) / len(errors)
    yield f"\nThe model is off by {min(errors):+.1%} to {max(errors):+.1%}, by {mean:.1%} on average."
    yield FLASH
    yield from networks(models)
    yield MOBILENET


def main() -> int:
    """Compare and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pqm4", type=Path, required=True, help="a clone of pqm4 with its submodules")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("models", type=Path, nargs="*", help="networks for the table of wait states")
    asked = parser.parse_args()
    try:
        compared = list(compare(asked.pqm4))
        files.write_text(asked.out, "\n".join(page(compared, asked.models)))
    except SceneletError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
