"""What the product takes of processor and memory: counted, within what was promised, and never growing unnoticed."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from scenelet.benchmark.modelled_cycles import Program
from scenelet.benchmark.product_load import (
    CLOCKS_HZ,
    PARTS,
    WAIT_STATES,
    Cost,
    Load,
    cycles_per_instruction,
    load,
)
from scenelet.cli.app import app
from scenelet.compiler.options import Options
from scenelet.core import toolchain
from scenelet.targets.emulator.block_trace import trace_product
from scenelet.targets.qemu import QemuTarget
from scenelet.targets.serial.client import Device

pytestmark = pytest.mark.qemu

MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
COMMITTED = toolchain.REPOSITORY / "docs" / "results" / "load.json"
FLASH_BYTES, RAM_BYTES = 110_000, 40_000
TOLERANCE = 1.02


@pytest.fixture(scope="module")
def measured() -> Load:
    return load(MODEL, Options(ram_bytes=16_384))


def test_flash_and_ram_with_buffers_and_stack_keep_their_promise(measured: Load) -> None:
    assert measured.flash_bytes <= FLASH_BYTES
    assert measured.ram_bytes <= RAM_BYTES


def test_the_stack_has_room_for_half_as_much_again(measured: Load) -> None:
    assert 0 < measured.stack_peak_bytes * 3 // 2 <= measured.stack_bytes


def test_nothing_grew_by_more_than_two_percent(measured: Load) -> None:
    before, now = json.loads(COMMITTED.read_text("utf-8")), measured.to_json()
    for key in ("flash_bytes", "ram_bytes"):
        assert now[key] <= before[key] * TOLERANCE, key
    for key in ("hop", "link", "decision"):
        assert now[key]["instructions"] <= before[key]["instructions"] * TOLERANCE, key


def test_the_page_says_what_was_measured() -> None:
    page, before = (
        (toolchain.REPOSITORY / "docs" / "results" / "load.md").read_text("utf-8"),
        json.loads(COMMITTED.read_text("utf-8")),
    )
    for key in ("hop", "link", "decision"):
        assert f"{before[key]['instructions']:,}" in page
        assert f"{before[key]['shares']['84000000']:.1%}".replace("%", " %") in page
    assert f"{before['flash_bytes']:,} bytes of flash and {before['ram_bytes']:,} of RAM" in page


def test_the_product_keeps_up_at_half_its_clock(measured: Load) -> None:
    assert sum(cost.share(CLOCKS_HZ[0]) for cost in measured.costs) < 1


def test_a_share_is_cycles_of_the_time_between() -> None:
    cycles = {84_000_000: 42_000_000, 168_000_000: 126_000_000}
    assert Cost("", 1, 1, 1.0, cycles).share(84_000_000) == 0.5
    assert Cost("", 1, 1, 1.5, cycles).share(168_000_000) == 0.5


def test_a_hop_holds_its_column(measured: Load) -> None:
    """A frame alone takes 108 thousand instructions; the samples that fill it come on top."""
    assert measured.hop.instructions > 108_000
    assert measured.hop.seconds == 1024 / 8000
    assert measured.decision.instructions > 5_000_000


def test_the_estimate_is_of_what_the_product_ran(measured: Load) -> None:
    with QemuTarget(MODEL, options=Options(ram_bytes=16_384)) as target:
        elf = target.product_elf
    program = Program(elf)
    info, runs = trace_product(elf, program.flash_model(*WAIT_STATES.values()), Device.info)
    assert int(info["flash_bytes"]) == measured.flash_bytes
    # The self-test has run the network once; an instruction has 2 or 4 bytes.
    ran = sum(run.runs * (run.end - run.first) for run in runs)
    assert 2 * measured.decision.instructions < ran < 8 * measured.decision.instructions
    assert all(run.jumps <= run.runs for run in runs)
    modelled = cycles_per_instruction(program, runs)
    assert set(modelled) == set(PARTS)
    for factors in modelled.values():
        assert 1.2 < factors[0] < factors[1] < factors[2] < 2.5, "more wait states, more cycles"
    # Most of a decision is the same code over and over, however often it runs.
    decision = measured.decision
    assert decision.cycles == pytest.approx(decision.instructions * modelled["engine"][0], rel=0.02)
    fastest = CLOCKS_HZ[-1]
    assert decision.modelled_cycles[fastest] == pytest.approx(decision.instructions * modelled["engine"][-1], rel=0.02)


def test_nonsense_is_refused_before_anything_is_built() -> None:
    said = CliRunner().invoke(app, ["load", str(MODEL), "--weights", "large"])
    assert said.exit_code != 0
    assert "weights 'large'" in str(said.exception)
