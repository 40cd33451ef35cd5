"""Some of the flipped bits of docs/RELIABILITY.md, and damage that a debugger makes on purpose, in QEMU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flips
import pytest
from gdb_remote import FlashedBoard

from scenelet.targets.serial.client import Device, fields

pytestmark = pytest.mark.qemu

BRANCH_TO_ITSELF = bytes.fromhex("fee7")
RETURN_A_CONSTANT = bytes.fromhex("207047")  # behind the constant: movs r0, #constant; bx lr


def test_every_flipped_bit_of_flash_is_found(product_elf: Path, small: Any) -> None:
    counts = flips.campaign("flash", product_elf, small.content, 40, 2)
    assert counts.total() == 40
    assert not {outcome for _, outcome in counts} & set(flips.BROKEN)
    found = sum(count for (_, outcome), count in counts.items() if outcome.startswith("periodic check"))
    assert found > 20, "most bits are found by the periodic check, without a crash"


def test_no_flipped_bit_of_ram_leaves_a_hang(product_elf: Path, small: Any) -> None:
    counts = flips.campaign("ram", product_elf, small.content, 24, 1)
    assert counts.total() == 24
    assert not {outcome for _, outcome in counts} & {*flips.BROKEN, flips.WRONG_FOR_EVER}


def test_a_missed_flip_would_be_told(product_elf: Path) -> None:
    """A bit that no check covers: the first byte behind the image."""
    with flips.Patient(product_elf) as patient:
        behind = flips.FLASH + len(patient.board.image)
        assert flips.flip_flash(patient, behind, 0) == flips.MISSED


@pytest.mark.parametrize("name", ["scn_integrity_whole", "scn_classifier_selftest"])
def test_either_look_at_flash_refuses_at_boot_alone(product_elf: Path, name: str) -> None:
    """The other one always says that all is well: no flipped bit switches off more than one of them."""
    yes = {"scn_integrity_whole": 1, "scn_classifier_selftest": 0}[name]
    start, _ = flips.Image(product_elf).symbols[name]
    with FlashedBoard(product_elf, flips.CLOCK) as board:
        device = Device(board)
        device.wait_ready()
        with board.debugger.halted():
            board.debugger.write(start, bytes([yes, *RETURN_A_CONSTANT]))
        told = device.wait_ready()
    assert [fields(line)["cause"] for line in told if line.startswith("crash ")] == ["flash"]
    assert "selftest fail: flash" in told


def test_a_changed_setting_is_found_and_a_reset_undoes_it(product_elf: Path) -> None:
    with flips.Patient(product_elf) as patient:
        patient.flip(patient.image.symbols["identity"][0], 0)
        told = patient.lines(10.0)
        assert [fields(line)["cause"] for line in told if line.startswith("crash ")] == ["ram"]
        assert "selftest pass" in told
        health = patient.device.health()
        assert (health["crashes"], health["cause"]) == ("1", "ram")


def test_a_command_may_change_a_setting(product_elf: Path) -> None:
    with flips.Patient(product_elf) as patient:
        passes = int(patient.device.health()["flash_passes"])
        assert patient.device.decide_by("decide 64 0 100").startswith("decide share=64")
        while int(patient.device.health()["flash_passes"]) < passes + 2:
            pass
        assert patient.device.health()["crashes"] == "0"


def test_a_hang_in_an_interrupt_ends_by_the_watchdog(product_elf: Path) -> None:
    """SysTick is more urgent than the console's interrupt, which hangs here at the first byte."""
    receive = flips.Image(product_elf).symbols["scn_ring_push"][0]
    with FlashedBoard(product_elf, ("-icount", "shift=6")) as board:
        device = Device(board)
        device.wait_ready()
        with board.debugger.halted():
            board.debugger.write(receive, BRANCH_TO_ITSELF)
        board.write(b"x")
        told = device.wait_ready()
    (record,) = [fields(line) for line in told if line.startswith("crash ")]
    assert record["cause"] == "watchdog"
    assert int(record["pc"], 16) == receive
    assert "selftest fail: flash" in told


def test_a_flood_of_noise_leaves_it_answering(product_elf: Path) -> None:
    with flips.Patient(product_elf) as patient:
        patient.flood(100_000, 3)
        assert patient.device.selftest() == "pass"
        assert patient.device.health()["crashes"] == "0"
