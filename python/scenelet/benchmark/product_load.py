"""Load of the whole product on processor and memory, counted in QEMU.

Instructions are counted. Cycles are estimated (see :mod:`scenelet.benchmark.disassembly`): the blocks that ran from
reset to the end of the firmware's ``bench`` command give the cycles per instruction of each part of the firmware.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiler.options import DEFAULT, Options
from ..core import toolchain
from ..targets.emulator.block_trace import BlockCount, trace_product
from ..targets.qemu import QemuTarget
from ..targets.serial.client import fields
from .disassembly import SourceLines, block_at, block_cycles, disassemble

CLOCKS_HZ = (84_000_000, 168_000_000)
PARTS = ("frontend", "engine", "link")
"""Parts of the firmware, each with its own cycles per instruction; folders of firmware/lib."""

_RAM = re.compile(r"^\.(?:stack|data|noinit|bss)\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """Cost of one periodic task.

    Attributes
    ----------
    name
        Readable name.
    instructions
        Largest count over all inputs tried.
    cycles
        Estimated cycles.
    seconds
        Period of the task.
    """

    name: str
    instructions: int
    cycles: int
    seconds: float

    def share(self, clock_hz: int) -> float:
        """Estimated share of the processor's time; above 1, the task does not fit."""
        return self.cycles / (self.seconds * clock_hz)


@dataclass(frozen=True)
class Load:
    """Load of the product firmware; ``ram_bytes`` include the stack and its guard."""

    model: str
    options: Options
    hop: Cost
    link: Cost
    decision: Cost
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    stack_peak_bytes: int

    @property
    def costs(self) -> tuple[Cost, ...]:
        """Costs of all tasks."""
        return self.hop, self.link, self.decision

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        values = asdict(self)
        for cost in self.costs:
            name = next(key for key in ("hop", "link", "decision") if getattr(self, key) is cost)
            values[name]["shares"] = {str(hertz): cost.share(hertz) for hertz in CLOCKS_HZ}
        return values

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Rows of a table: task, instructions, estimated cycles, period in ms, share per clock; the sum last."""
        for cost in self.costs:
            shares = (f"{cost.share(hertz):.1%}" for hertz in CLOCKS_HZ)
            yield cost.name, cost.instructions, cost.cycles, f"{cost.seconds * 1e3:g}", *shares
        sums = (f"{sum(cost.share(hertz) for cost in self.costs):.1%}" for hertz in CLOCKS_HZ)
        yield "all", "", "", "", *sums

    def summary(self) -> Iterator[str]:
        """Lines of text below the table."""
        yield f"flash  {self.flash_bytes:,} bytes, all included"
        yield (
            f"RAM    {self.ram_bytes:,} bytes, buffers and stack included; stack peak "
            f"{self.stack_peak_bytes:,} of {self.stack_bytes:,}"
        )


def _inputs(count: int) -> Iterator[NDArray[np.int8]]:
    """Inputs that may affect a network's cost: noise, constants (both extremes and zero), and alternating extremes."""
    yield np.random.default_rng(1).integers(-128, 128, count).astype(np.int8)
    for value in (-128, 0, 127):
        yield np.full(count, value, np.int8)
    yield np.resize(np.array([-128, 127], np.int8), count)


def _frames(n_fft: int, bits: int) -> Iterator[NDArray[np.int32]]:
    """Frames of audio: noise, silence, and square waves of the smallest and the largest amplitude."""
    limit = 1 << (bits - 1)
    yield np.random.default_rng(1).integers(-limit, limit, n_fft).astype(np.int32)
    yield np.zeros(n_fft, np.int32)
    for low, high in ((0, 1), (-limit, limit - 1)):
        yield np.resize(np.repeat(np.array([low, high], np.int32), 8), n_fft)


def _worst(target: QemuTarget) -> tuple[int, int]:
    """Instructions of the most expensive inference; excess of the most expensive frame over one of noise."""
    config = target.tables.config
    networks = [sum(target.measure(one).steps) for one in _inputs(target.input.elements)]
    frames = [target.measure(frame=frame).frame or 0 for frame in _frames(config.n_fft, config.sample_bits)]
    return max(networks), max(frames) - frames[0]


def _part(path: str) -> str:
    """Part of the firmware that a source belongs to; "" for any other source."""
    if Path(path).name == "scn_model.c":
        return "engine"
    libraries = {name for before, name in pairwise(Path(path).parent.parts) if before == "lib"}
    return next((part for part in PARTS if part in libraries), "")


def cycles_per_instruction(elf: Path, runs: Iterable[BlockCount]) -> dict[str, float]:
    """Estimated cycles per instruction of each of :data:`PARTS`.

    Parameters
    ----------
    elf
        The traced program.
    runs
        Trace by :func:`scenelet.targets.emulator.block_trace.trace_product`, in which every part ran.
    """
    code, sources = disassemble(elf), SourceLines(elf)
    counted: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    for run in runs:
        part, block = _part(sources.of(run.first)[0]), block_at(code, run.first, run.end)
        counted[part] += run.runs * len(block)
        costs[part] += sum(block_cycles(block, run.runs, run.jumps))
    return {part: costs[part] / counted[part] for part in PARTS}


def load(model: str | Path, options: Options = DEFAULT) -> Load:
    """Build the product with a model, boot it in QEMU and count the instructions of each hop and each decision.

    Parameters
    ----------
    model
        An INT8 .tflite with a front end.
    options
        Compiler options.

    Returns
    -------
    Load
        Counts of one toolchain repeat, up to a few instructions.

    Raises
    ------
    ModelError
        The model cannot be compiled, or has no front end.
    ToolError
        A compiler or QEMU is missing, or the firmware does not fit its board.
    """
    with QemuTarget(model, options) as target:
        config, elf = target.tables.config, target.product_elf
        network, extra = _worst(target)
    (lines, info), runs = trace_product(elf, lambda device: (device.command("bench"), device.info()))
    lines = [line for line in lines if not line.startswith("bench step=")]
    factors = cycles_per_instruction(elf, runs)
    tasks = {line.split()[1]: fields(line) for line in lines}
    per_cycle = 1e9 / int(info["cpu_hz"])
    hop, link = (round(int(tasks["hop"][key]) * per_cycle) for key in ("cycles", "link_cycles"))
    decision = max(round(int(tasks["network"]["cycles"]) * per_cycle), network)
    period, window = config.hop_length / config.sample_rate, config.clip_samples / config.sample_rate
    return Load(
        str(model),
        options,
        Cost("a hop's samples and column", hop + extra, round((hop + extra) * factors["frontend"]), period),
        Cost("a hop's frames over the link", link, round(link * factors["link"]), period),
        Cost("a decision", decision, round(decision * factors["engine"]), window),
        int(info["flash_bytes"]),
        sum(map(int, _RAM.findall(toolchain.run(["arm-none-eabi-size", "-A", "-d", elf])))),
        int(info["stack_bytes"]),
        int(info["stack_peak_bytes"]),
    )
