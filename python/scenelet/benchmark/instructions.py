"""A model's cost on the Cortex-M4: instructions by layer, memory and flash, counted in QEMU and repeatable.

Cycles are modelled beside them: see :mod:`scenelet.benchmark.modelled_cycles`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..compiler.depth_first.lowering import stages_of
from ..compiler.depth_first.stage import Stage
from ..compiler.kernels.cost import Terms
from ..compiler.kernels.cost_model import terms_of
from ..compiler.options import DEFAULT, Options
from ..compiler.program import Step
from ..frontend.flash_tables import DeviceTables, device_tables
from ..targets.emulator.block_trace import FRAME_STEP
from ..targets.qemu import QemuTarget
from .link_map import Part, flash_parts
from .modelled_cycles import Spent, trace


@dataclass(frozen=True)
class StageBench:
    """One stage of a depth-first segment; the first entry is the segment's schedule.

    Stages are counted with probes, which change the code slightly: their sum is close to the step's count, not equal.
    """

    name: str
    op: str
    kernel: str
    macs: int
    instructions: int
    modelled_cycles: int = 0
    wait_cycles: int = 0
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerBench:
    """One step of the network, with the stages of a segment that has several.

    Cycles are modelled from a program with probes, whose own instructions are left out; ``wait_cycles``, those of
    waiting for flash, are part of ``modelled_cycles``. ``terms`` are what the cost model counts:
    :mod:`scenelet.compiler.kernels.cost`.
    """

    name: str
    op: str
    macs: int
    instructions: int
    stages: tuple[StageBench, ...] = ()
    modelled_cycles: int = 0
    wait_cycles: int = 0
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Flash:
    """Bytes of flash of model, engine and front end in the linked program, without board code and libc.

    Attributes
    ----------
    weights
        The model's tables: weights, biases, requantization factors, lookup tables.
    code
        Functions.
    tables
        The front end's tables.
    structs
        Parameter structs, names, labels and small constants.
    parts
        The same bytes by origin.
    """

    weights: int
    code: int
    tables: int
    structs: int
    parts: tuple[Part, ...] = ()

    @property
    def total(self) -> int:
        """All four together: the image without board code and libc."""
        return self.weights + self.code + self.tables + self.structs


@dataclass(frozen=True)
class FrontendBench:
    """One frame of the front end: instructions, modelled cycles, and bytes of RAM and tables."""

    instructions_per_frame: int
    ram_bytes: int
    table_bytes: int
    modelled_cycles_per_frame: int = 0


@dataclass(frozen=True)
class Bench:
    """Counts of one model.

    Instructions are counted in QEMU; they are neither cycles nor a latency. Cycles are modelled, with the wait states
    of flash that ``options`` name.
    """

    model: str
    options: Options
    layers: tuple[LayerBench, ...]
    activation_bytes: int
    scratch_bytes: int
    arena_bytes: int
    flash: Flash
    frontend: FrontendBench | None
    state_bytes: int = 0

    @property
    def instructions(self) -> int:
        """Instructions of one inference, without the front end."""
        return sum(layer.instructions for layer in self.layers)

    @property
    def part_instructions(self) -> tuple[int, ...]:
        """Instructions of every part of an explanation: a segment's stages without their schedule, or a whole step."""
        parts = [layer.stages[1:] or (layer,) for layer in self.layers]
        return tuple(one.instructions for layer in parts for one in layer)

    @property
    def modelled_cycles(self) -> int:
        """Cycles of one inference with wait states, without the front end."""
        return sum(layer.modelled_cycles for layer in self.layers)

    @property
    def wait_cycles(self) -> int:
        """Those of them that wait for flash."""
        return sum(layer.wait_cycles for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        values = asdict(self)
        values["flash"]["total"] = self.flash.total
        totals = {"instructions": self.instructions, "modelled_cycles": self.modelled_cycles}
        return totals | {"wait_cycles": self.wait_cycles} | values

    def summary(self) -> Iterator[str]:
        """Lines of text below the table of layers."""
        share = self.wait_cycles / self.modelled_cycles if self.modelled_cycles else 0.0
        yield (
            f"cycles {self.modelled_cycles:,} modelled, {share:.0%} of them wait for flash "
            f"({self.options.wait_states} wait states)"
        )
        yield (
            f"RAM    {self.arena_bytes:,} bytes of arena: activations {self.activation_bytes:,}, "
            f"scratch {self.scratch_bytes:,}, overlapping in time"
            + (f"; state {self.state_bytes:,}, kept between runs" if self.state_bytes else "")
        )
        yield (
            f"flash  {self.flash.total:,} bytes: weights {self.flash.weights:,}, code {self.flash.code:,}, "
            f"front end tables {self.flash.tables:,}, structs and names {self.flash.structs:,}"
        )
        if self.frontend:
            yield (
                f"front end  {self.frontend.instructions_per_frame:,} instructions per frame "
                f"({self.frontend.modelled_cycles_per_frame:,} cycles, modelled), "
                f"{self.frontend.ram_bytes:,} bytes of RAM, {self.frontend.table_bytes:,} bytes of tables"
            )


TOLERANCE = 0.02
"""Relative growth of a figure that is tolerated between compiler versions; one toolchain repeats exactly."""


def regressions(before: Mapping[str, Any], now: Bench) -> list[str]:
    """List the figures that have grown by more than :data:`TOLERANCE`.

    Parameters
    ----------
    before
        :meth:`Bench.to_json` of a committed measurement of the same model and options.
    now
        A new one.

    Returns
    -------
    list of str
        One line per figure; empty if none has grown.
    """
    after = now.to_json()
    figures = {"instructions": (before["instructions"], after["instructions"])}
    if "modelled_cycles" in before:
        figures["modelled cycles"] = before["modelled_cycles"], after["modelled_cycles"]
    figures["arena bytes"] = before["arena_bytes"], after["arena_bytes"]
    figures |= {f"flash {key}": (before["flash"][key], after["flash"][key]) for key in ("weights", "code", "total")}
    if before["frontend"] and after["frontend"]:
        figures |= {f"front end {key}": (value, after["frontend"][key]) for key, value in before["frontend"].items()}
    return [
        f"{name}: {new:,} instead of {old:,}, {new / old - 1:+.1%}"
        for name, (old, new) in figures.items()
        if new > old * (1 + TOLERANCE)
    ]


def bench(model: str | Path, options: Options = DEFAULT) -> Bench:
    """Build a model for the Cortex-M4 and count one inference and one frame in QEMU.

    Parameters
    ----------
    model
        Path of an INT8 .tflite.
    options
        Compiler options.

    Raises
    ------
    ToolError
        The cross compiler or QEMU is missing, or the model does not fit the board.
    """
    with QemuTarget(model, options) as target:
        counts = target.measure()
        compiled = target.compiled
        spent = _spent(target)
        parts = _stages(target, spent)
        tables = target.tables if compiled.info else None
        steps = compiled.program.steps
        device = device_tables(tables, options.frontend_form) if tables else None
        flash = _flash(flash_parts(target.runner_elf.with_suffix(".map")), compiled.program.table_bytes, device)
    layers = []
    for number, (step, count, stages) in enumerate(zip(steps, counts.steps, parts, strict=True)):
        whole = sum((one for (where, _), one in spent.items() if where == number), Spent())
        cycles = whole.modelled_cycles, whole.waits
        layers.append(LayerBench(step.name, step.op, step.macs, count, stages, *cycles, _amounts(terms_of(step))))
    frontend = None
    if tables and device and counts.frame is not None:
        memory = tables.work_bytes + tables.history_bytes, device.table_bytes
        frontend = FrontendBench(counts.frame, *memory, spent[FRAME_STEP, 0].modelled_cycles)
    plan = compiled.plan
    arena = plan.activation_bytes, plan.scratch_bytes, plan.arena_bytes
    return Bench(str(model), options, tuple(layers), *arena, flash, frontend, plan.state_bytes)


def _spent(target: QemuTarget) -> Mapping[tuple[int, int], Spent]:
    """What each part of every step takes, and a frame of the front end, by (step, place) of :class:`BlockCount`."""
    found: defaultdict[tuple[int, int], Spent] = defaultdict(Spent)
    for block in trace(target):
        found[block.count.step, block.count.place] += block.spent
    return found


def _flash(parts: tuple[Part, ...], weights: int, device: DeviceTables | None) -> Flash:
    code, tables = sum(part.code for part in parts), device.table_bytes if device else 0
    return Flash(weights, code, tables, sum(part.constants for part in parts) - weights - tables, parts)


def _stages(target: QemuTarget, spent: Mapping[tuple[int, int], Spent]) -> list[tuple[StageBench, ...]]:
    """Count the stages of every segment that has several; runs nothing if there is no such segment."""
    steps = target.compiled.program.steps
    if not any(_parts(step) for step in steps):
        return [()] * len(steps)
    found = []
    for number, (step, counts) in enumerate(zip(steps, target.measure_stages(), strict=True)):
        named = [("schedule", "", "", 0), *map(describe, _parts(step))]
        own = tuple(term for term in terms_of(step) if term.name.startswith("schedule/"))
        listed = [own, *(stage.terms for stage in _parts(step))]
        rows = []
        for place, (name, count) in enumerate(zip(named, counts, strict=False)):
            part = spent.get((number, place), Spent())
            counted = _amounts(listed[place] if place < len(listed) else ())
            rows.append(StageBench(*name, count, part.modelled_cycles, part.waits, counted))
        found.append(tuple(rows) if _parts(step) else ())
    return found


def _amounts(terms: Terms) -> Mapping[str, float]:
    """Sum terms of the same name, to three digits behind the point."""
    found: defaultdict[str, float] = defaultdict(float)
    for term in terms:
        found[term.name] += term.amount
    return {name: round(amount, 3) for name, amount in found.items() if amount}


def describe(stage: Stage) -> tuple[str, str, str, int]:
    """Name, operators, kernel and MACs of a stage with its fused followers."""
    both = [stage.step, *stage.followers]
    name, op = (" + ".join(getattr(part, field) for part in both) for field in ("name", "op"))
    return name, op, stage.variant.name, sum(part.macs for part in both)


def _parts(step: Step) -> tuple[Stage, ...]:
    stages = stages_of(step)
    return stages if len(stages) > 1 else ()
