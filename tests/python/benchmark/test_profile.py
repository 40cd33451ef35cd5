"""scenelet profile: everything that ran is counted, in the right place, and the cycles are the model that is stated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scenelet.benchmark.disassembly import (
    Instruction,
    SourceLines,
    block_at,
    block_cycles,
    cycles,
    disassemble,
    kind_of,
)
from scenelet.benchmark.instructions import Bench
from scenelet.benchmark.profile import CLASSES, Profile, profile
from scenelet.compiler.options import Options
from scenelet.errors import ToolError
from scenelet.targets.qemu import QemuTarget

SMALL = Options(ram_bytes=16_384)

KINDS = {
    "load": ["ldr", "ldrsb", "ldrd", "ldmia", "pop", "ldrne"],
    "store": ["str", "strb", "strd", "stmdb", "push"],
    "multiply": ["mul", "mla", "smlad", "smmulr", "smull", "umlal", "umaal", "smlabb"],
    "branch": ["b", "bl", "bne", "bls", "blt", "ble", "bx", "cbz", "tbb"],
    "divide": ["udiv", "sdivmi"],
    "float": ["vmul.f32", "vldr"],
    "arithmetic": ["add", "bic", "bics", "sxtb16", "ssat", "mov", "movs", "usub8", "sub", "it"],
}


@pytest.fixture(scope="module")
def measured(sm1: Path) -> Profile:
    return profile(sm1, SMALL)


@pytest.mark.qemu
def test_every_instruction_is_counted_once_and_in_its_layer(
    sm1: Path, measured: Profile, benched: Callable[..., Bench]
) -> None:
    counted = benched(sm1, SMALL)
    assert measured.instructions == pytest.approx(counted.instructions, rel=0.002)
    assert sum(line.instructions for line in measured.lines) == measured.instructions
    assert sum(line.cycles for line in measured.lines) == measured.cycles
    assert sum(line.modelled_cycles for line in measured.lines) == measured.modelled_cycles == counted.modelled_cycles
    assert all(set(row.classes) == set(CLASSES) for row in measured.rows)
    assert all(sum(row.classes.values()) == row.instructions for row in measured.rows)
    rows = {row.name: row for row in measured.rows}
    for stage in counted.layers[0].stages[1:]:
        assert rows[stage.name].instructions == pytest.approx(stage.instructions, rel=0.02)
        assert (rows[stage.name].kernel, rows[stage.name].macs) == (stage.kernel, stage.macs)
        assert rows[stage.name].modelled_cycles == stage.modelled_cycles
    for layer in counted.layers[1:]:
        assert rows[layer.name].instructions == pytest.approx(layer.instructions, abs=60)


@pytest.mark.qemu
def test_convolutions_multiply_and_softmax_does_not(measured: Profile) -> None:
    rows = {row.name: row for row in measured.rows}
    assert rows["5:conv3 + 6:bn3 + 7:bn3 + 8:pool3"].share("multiply") > 0.3
    assert rows["15:softmax"].share("multiply") < 0.2
    assert not any(row.classes["float"] for row in measured.rows), "no floating point on the audio path"
    assert all(row.instructions < row.cycles < 3 * row.instructions for row in measured.rows)


@pytest.mark.qemu
def test_hot_spots_name_lines_of_our_sources(measured: Profile) -> None:
    costs = [line.modelled_cycles for line in measured.lines]
    assert costs == sorted(costs, reverse=True)
    assert {line.path for line in measured.lines[:3]} <= {
        "scn_dot_2x4.c",
        "scn_winograd_dot.c",
        "scn_winograd_2d_dot.c",
        "scn_gemm_2x4.c",
    }
    assert all(line.text for line in measured.lines[:3])
    assert not any(line.path in ("stage_timer.c", "systick.c") for line in measured.lines), (
        "the probes count themselves"
    )
    told = measured.to_json()
    assert told["estimated_cycles"] == measured.cycles
    assert told["modelled_cycles"] == measured.modelled_cycles > measured.cycles
    json.dumps(told)


@pytest.mark.qemu
def test_a_network_without_segments_has_a_row_a_step(sm1: Path) -> None:
    names = [row.name for row in profile(sm1, Options(fusion=False)).rows]
    assert names[:3] == ["0:conv1", "1:conv2", "2:bn2"]
    assert len(names) == 16


@pytest.mark.parametrize(("kind", "mnemonic"), [(kind, one) for kind, some in KINDS.items() for one in some])
def test_classes(kind: str, mnemonic: str) -> None:
    assert kind_of(mnemonic) == kind


def test_the_model_of_cycles_is_the_one_that_is_stated() -> None:
    names = ["ldr", "ldrb", "add", "ldrd", "ldr", "str", "strd", "udiv", "smlad", "bne"]
    block = [Instruction(2 * i, name, kind_of(name), 0) for i, name in enumerate(names)]
    assert cycles(block) == [2, 1, 1, 3, 1, 1, 3, 6, 1, 1]
    assert cycles([Instruction(0, "pop", "load", 5), Instruction(4, "ldr", "load", 0)]) == [6, 1]


def test_a_block_costs_more_where_its_branch_is_taken() -> None:
    names = {0x100: "ldr", 0x102: "add", 0x106: "bne", 0x108: "mov"}  # the second one is 4 bytes long
    code = {address: Instruction(address, name, kind_of(name), 0) for address, name in names.items()}
    block = block_at(code, 0x100, 0x108)
    assert [one.mnemonic for one in block] == ["ldr", "add", "bne"]
    assert block_cycles(block, 10, 7) == [20, 10, 10 + 7 * 2]
    assert block_cycles([], 10, 7) == []


@pytest.mark.qemu
def test_instructions_and_lines_of_a_program(sm1: Path) -> None:
    with QemuTarget(sm1) as target:
        elf = target.probing_elf
    code, sources = disassemble(elf), SourceLines(elf)
    assert len(code) > 4_000
    pushes = [one for one in code.values() if one.mnemonic == "push"]
    assert {1, 2, 9} & {one.registers for one in pushes}
    named = sum(bool(sources.of(address)[1]) for address in code)
    assert named > 0.9 * len(code), "only libc is without lines"


def test_a_missing_tool_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"arm-none-eabi-objdump: not found on PATH; .*binutils-arm-none-eabi"):
        disassemble(tmp_path / "none.elf")
