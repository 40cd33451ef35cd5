"""Load of the whole product on processor and memory, counted in QEMU.

Instructions are counted. Cycles are modelled (see :mod:`scenelet.benchmark.modelled_cycles`): the blocks that ran from
reset to the end of the firmware's ``bench`` command give the cycles per instruction of each part of the firmware.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiler.options import DEFAULT, Options
from ..config.recipe import FrontendConfig
from ..core import toolchain
from ..targets.emulator.block_trace import BlockCount, trace_product
from ..targets.qemu import QemuTarget
from ..targets.serial.client import fields
from .modelled_cycles import Program, Spent

WAIT_STATES = {84_000_000: 2, 168_000_000: 5}
"""Of the flash of an STM32F4 at some clocks in Hz, at 2.7 to 3.6 V (RM0090, table 10)."""
CLOCKS_HZ = tuple(WAIT_STATES)
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
        Modelled cycles without wait states.
    seconds
        Period of the task.
    modelled_cycles
        With the wait states of each of :data:`CLOCKS_HZ`.
    """

    name: str
    instructions: int
    cycles: int
    seconds: float
    modelled_cycles: Mapping[int, int]

    def share(self, clock_hz: int) -> float:
        """Modelled share of the processor's time; above 1, the task does not fit."""
        return self.modelled_cycles[clock_hz] / (self.seconds * clock_hz)


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
            values[name]["modelled_cycles"] = {str(hertz): cost.modelled_cycles[hertz] for hertz in CLOCKS_HZ}
        return values

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Rows of a table: task, period in ms, instructions, modelled ms and share per clock; the sum last."""
        for cost in self.costs:
            clocks = (
                f"{cost.modelled_cycles[hertz] / hertz * 1e3:.2f} ({cost.share(hertz):.1%})" for hertz in CLOCKS_HZ
            )
            yield cost.name, f"{cost.seconds * 1e3:g}", cost.instructions, *clocks
        sums = (f"({sum(cost.share(hertz) for cost in self.costs):.1%})" for hertz in CLOCKS_HZ)
        yield "all", "", "", *sums

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


def cycles_per_instruction(program: Program, runs: Iterable[BlockCount]) -> dict[str, tuple[float, ...]]:
    """Modelled cycles per instruction of each of :data:`PARTS`: without wait states, then for each of CLOCKS_HZ.

    Parameters
    ----------
    program
        The traced program.
    runs
        Trace by :func:`scenelet.targets.emulator.block_trace.trace_product`, in which every part ran.
    """
    spent: defaultdict[tuple[str, int], Spent] = defaultdict(Spent)
    for run in runs:
        part = _part(program.source(run.first))
        for number, wait_states in enumerate(WAIT_STATES.values()):
            spent[part, number] += program.block(run, number, wait_states).spent
    found = {}
    for part in PARTS:
        each = [spent[part, number] for number in range(len(WAIT_STATES))]
        counted = each[0].instructions
        found[part] = (each[0].cycles / counted, *(one.modelled_cycles / counted for one in each))
    return found


def _cost(name: str, instructions: int, factors: tuple[float, ...], seconds: float) -> Cost:
    plain, *waiting = (round(instructions * factor) for factor in factors)
    return Cost(name, instructions, plain, seconds, dict(zip(CLOCKS_HZ, waiting, strict=True)))


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
    (hop, link, decision), info = bench_costs(elf, config, least_decision=network, more_per_hop=extra)
    return Load(
        str(model),
        options,
        hop,
        link,
        decision,
        int(info["flash_bytes"]),
        sum(map(int, _RAM.findall(toolchain.run(["arm-none-eabi-size", "-A", "-d", elf])))),
        int(info["stack_bytes"]),
        int(info["stack_peak_bytes"]),
    )


def bench_costs(
    elf: Path, config: FrontendConfig, *, least_decision: int = 0, more_per_hop: int = 0
) -> tuple[tuple[Cost, Cost, Cost], dict[str, str]]:
    """Boot a product in QEMU, count what its own ``bench`` takes, and model the cycles.

    Parameters
    ----------
    elf
        Product firmware, built for any board of the project.
    config
        Its front end.
    least_decision, more_per_hop
        Instructions that a decision takes at least, and a hop besides, by other measurements.

    Returns
    -------
    costs
        Of a hop's samples and column, of a hop's frames over the link, and of a decision.
    info
        The device's ``info``.

    Raises
    ------
    ToolError
        QEMU or the host compiler is missing, or QEMU has no plugin support.
    """
    program = Program(elf)
    flash = program.flash_model(*WAIT_STATES.values())
    (lines, info), runs = trace_product(elf, flash, lambda device: (device.command("bench"), device.info()))
    factors = cycles_per_instruction(program, runs)
    tasks = {line.split()[1]: fields(line) for line in lines if not line.startswith("bench step=")}
    per_cycle = 1e9 / int(info["cpu_hz"])
    hop, link = (round(int(tasks["hop"][key]) * per_cycle) for key in ("cycles", "link_cycles"))
    decision = max(round(int(tasks["network"]["cycles"]) * per_cycle), least_decision)
    period, window = config.hop_length / config.sample_rate, config.clip_samples / config.sample_rate
    return (
        _cost("a hop's samples and column", hop + more_per_hop, factors["frontend"], period),
        _cost("a hop's frames over the link", link, factors["link"], period),
        _cost("a decision", decision, factors["engine"], window),
    ), info
