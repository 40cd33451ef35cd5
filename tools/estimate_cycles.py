#!/usr/bin/env python3
"""Estimate the Cortex-M4 cycles behind QEMU's instruction counts: ``tools/estimate_cycles.py firmware.elf``.

QEMU writes down every block of instructions that the product runs from reset to the end of its self-test. Each
instruction is given the cycles that ARM's technical reference manual (DDI 0439, 3.3) lists for memory without wait
states. The outcome is a model of the processor, no measurement: flash wait states beyond the accelerator's reach, bus
conflicts and DMA are not in it. Prints cycles an instruction by part of the firmware; scenelet/load.py holds them.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import threading
from collections import Counter
from pathlib import Path

from scenelet import toolchain
from scenelet.targets import emulator

LISTED = re.compile(r"^0x([0-9a-f]{8}):  \S+(?: [0-9a-f]{4})? +(\S+) *(.*)$")
RAN = re.compile(r"\[[0-9a-f]+/([0-9a-f]+)/")
BRANCH = 3
"""1 and a refill of the pipeline, 1 to 3."""
DIVIDE = 6
"""2 to 12."""

Instruction = tuple[int, str, str]


def registers(operands: str) -> int:
    """How many registers a list like {r4, r5, r7-r9, lr} names."""
    names = operands[operands.index("{") + 1 : operands.index("}")].split(",")
    numbers = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
    count = 0
    for name in names:
        first, _, last = name.strip().partition("-")
        ends = [numbers.get(end, int(end[1:]) if end[1:].isdigit() else 0) for end in (first, last) if end]
        count += ends[-1] - ends[0] + 1
    return count


def cycles(word: str, operands: str, after_load: bool) -> int:
    """Cycles of one instruction that goes straight on; ``after_load``: the one before it accessed memory, too."""
    if word.startswith(("ldrd", "strd")):
        return 3
    if word.startswith(("ldm", "stm", "push", "pop")):
        return 1 + registers(operands) + (BRANCH - 1 if "pc" in operands else 0)
    if word.startswith(("tbb", "tbh")):
        return 2 + BRANCH
    if word.startswith("ldr"):
        return 1 if after_load else 2
    return DIVIDE if word.startswith(("udiv", "sdiv")) else 1


def block_cycles(block: list[Instruction]) -> int:
    """Cycles of a block whose last instruction does not branch."""
    total, after_load = 0, False
    for _, word, operands in block:
        total += cycles(word, operands, after_load)
        after_load = word.startswith(("ldr", "str"))
    return total


def parts(elf: Path) -> list[tuple[int, int, str]]:
    """Start, end and part of the firmware ("frontend", "engine", "other") of every function, in order."""
    found = []
    for line in toolchain.run(["arm-none-eabi-nm", "-S", "-n", "-l", elf]).splitlines():
        match = re.match(r"(\w+) (\w+) [tT] \w+\s*(\S*)", line)
        if match:
            start, place = int(match[1], 16) & ~1, match[3]
            part = next((name for name in ("frontend", "engine") if f"/lib/{name}/" in place), "other")
            part = "engine" if "scn_model.c" in place else part
            found.append((start, start + int(match[2], 16), part))
    return found


class Tally:
    """Instructions and estimated cycles of each block, from QEMU's log, line by line."""

    def __init__(self) -> None:
        self.blocks: dict[int, list[Instruction]] = {}
        self.runs: Counter[int] = Counter()
        self.taken: Counter[int] = Counter()
        self._listing: list[Instruction] = []
        self._last = 0

    def take(self, line: str) -> None:
        """One line of `-d in_asm,exec`."""
        if line.startswith("Trace"):
            match = RAN.search(line)
            assert match, line
            self._run(int(match[1], 16))
        elif line.startswith("IN:"):
            self._listing = []
        else:
            match = LISTED.match(line)
            if match:
                self._listing.append((int(match[1], 16), match[2], match[3]))
                self.blocks[self._listing[0][0]] = self._listing

    def _run(self, start: int) -> None:
        if self._last:
            last = self.blocks[self._last][-1]
            size = 4 if last[1].endswith(".w") or last[1] in ("bl", "blx") else 2
            # Straight on is behind the last instruction; its length shows in where the next block begins.
            self.taken[self._last] += not last[0] < start <= last[0] + max(size, 4)
        self.runs[start] += 1
        self._last = start

    def sums(self, functions: list[tuple[int, int, str]]) -> dict[str, tuple[int, int]]:
        """Instructions and cycles by part of the firmware."""
        totals: dict[str, tuple[int, int]] = {}
        for start, count in self.runs.items():
            part = next((name for first, end, name in functions if first <= start < end), "other")
            block = self.blocks[start]
            branches = self.taken[start] * (BRANCH - 1) if not block[-1][1].startswith(("pop", "tb", "ldm")) else 0
            instructions, spent = totals.get(part, (0, 0))
            totals[part] = (instructions + count * len(block), spent + count * block_cycles(block) + branches)
        return totals


def trace(elf: Path, seconds: float) -> Tally:
    """Run a product firmware from reset until its self-test is over."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        os.mkfifo(log)
        command = [toolchain.find(emulator.PROGRAM), "-M", "netduinoplus2", "-display", "none", "-monitor", "none"]
        command += ["-serial", "stdio", "-kernel", str(elf), *emulator.COUNT_INSTRUCTIONS]
        command += ["-d", "in_asm,exec,nochain", "-D", str(log)]
        board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        patience = threading.Timer(seconds, board.kill)
        patience.start()

        def end_when_ready() -> None:
            assert board.stdout
            next((line for line in board.stdout if line.startswith("m-ready")), None)
            board.kill()

        threading.Thread(target=end_when_ready, daemon=True).start()
        with log.open(errors="replace") as lines:
            for line in lines:
                if line.endswith("\n"):
                    tally.take(line)
        board.wait()
        patience.cancel()
    return tally


def main() -> None:
    """Print one line a part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elf", type=Path)
    parser.add_argument("--seconds", type=float, default=600, help="give up then")
    arguments = parser.parse_args()
    sums = trace(arguments.elf, arguments.seconds).sums(parts(arguments.elf))
    for part, (instructions, spent) in sorted(sums.items()):
        print(f"{part}: {instructions:,} instructions, {spent:,} cycles estimated, {spent / instructions:.3f} each")


if __name__ == "__main__":
    main()
