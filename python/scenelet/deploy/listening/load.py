"""Load of a processor while it listens: measured by a board, counted and modelled in QEMU, or predicted."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from ...benchmark.explain import explain
from ...benchmark.product_load import CLOCKS_HZ, bench_costs
from ...compiler.options import Options
from ...config.frontend import FrontendConfig
from ...core import toolchain
from ...core.files import sha256, write_text
from ...core.notes import note, tell
from ...errors import SceneletError, ToolError
from ...targets import boards
from ...targets.serial.client import Device, fields
from .events import Load

_EMULATED = "emulated"


def predicted(model: Path, config: FrontendConfig) -> tuple[Load, ...]:
    """What the network alone would take of a board's processor, as the cost model predicts; maybe nothing."""
    hertz = boards.clock_hz()
    with suppress(SceneletError):
        options = Options(ram_bytes=boards.arena_bytes(), wait_states=boards.wait_states())
        cycles = explain(model, options).predicted_cycles
        share = cycles / hertz / config.clip_seconds
        return (Load(share, f"a board at {hertz / 1e6:g} MHz", "modelled", "network alone, by the cost model"),)
    return ()


def emulated(elf: Path, config: FrontendConfig) -> tuple[Load, ...]:
    """Load of the emulated product: its own bench, counted in QEMU and modelled once per program; maybe nothing.

    A note says why there is nothing, such as a QEMU without plugins.
    """
    kept = toolchain.build_folder() / "load" / f"{sha256(elf)}.json"
    hertz = max(CLOCKS_HZ)
    name, by = f"a board at {hertz / 1e6:g} MHz", "front end, link and network, counted in QEMU"
    with suppress(OSError, ValueError, TypeError, KeyError):
        return (Load(float(json.loads(kept.read_text("utf-8"))["share"]), name, "modelled", by),)
    tell("count the product's bench in QEMU")
    try:
        costs, _ = bench_costs(elf, config)
    except ToolError as error:
        note("load", f"not modelled: {error}")
        return ()
    share = sum(cost.share(hertz) for cost in costs)
    kept.parent.mkdir(parents=True, exist_ok=True)
    write_text(kept, json.dumps({"share": share}))
    return (Load(share, name, "modelled", by),)


def measured(device: Device, rate: int, window_samples: int) -> tuple[Load, ...]:
    """Load of a board by its own ``bench``, in processor cycles; nothing of an emulated clock, which measures none."""
    held = device.info()
    if held.get("clock") == _EMULATED:
        return ()
    tasks = {line.split()[1]: fields(line) for line in device.command("bench") if not line.startswith("bench step=")}
    try:
        hop, network, hertz = tasks["hop"], int(tasks["network"]["cycles"]), int(held["cpu_hz"])
        per_hop = int(hop["cycles"]) + int(hop["link_cycles"])
        busy = per_hop * rate / int(hop["samples"]) + network * rate / window_samples
    except (KeyError, ValueError, ZeroDivisionError):
        return ()
    name = f"{held.get('board', 'the board')} at {hertz / 1e6:g} MHz"
    return (Load(busy / hertz, name, "measured", "front end, link and network, by the board's own cycle counter"),)
