"""The program that prints cycles on a board: QEMU runs it as far as it can, without a counter of cycles."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from scenelet.compiler.pipeline import compile_model
from scenelet.core import cortex_m4
from scenelet.frontend.codegen import render_frontend
from scenelet.targets.emulator.serial_port import SerialBoard
from scenelet.targets.qemu import QemuTarget

pytestmark = [pytest.mark.cross, pytest.mark.qemu]

SECONDS = 60


def first_line(elf: Path) -> str:
    """What the program says first."""
    said, end = b"", time.monotonic() + SECONDS
    with SerialBoard(elf) as board:
        while b"\n" not in said and time.monotonic() < end:
            said += board.read(1.0)
    return said.decode("ascii").splitlines()[0]


@pytest.mark.parametrize("frontend", [True, False])
def test_it_names_what_it_ran_and_that_qemu_has_no_counter(sm1: Path, frontend: bool) -> None:
    sources = dict(compile_model(sm1).files())
    if frontend:
        with QemuTarget(sm1) as target:
            sources |= render_frontend(target.tables)
    line = first_line(cortex_m4.runner(sources, program="cycles"))
    assert re.fullmatch(r"cycles esc10_sm1 168000000 Hz: inference 0 frame 0 \(no counter: QEMU\)", line)
