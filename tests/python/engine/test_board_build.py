"""The kernels as built for the board: at every optimisation level, and with the SIMD instructions in their loops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_library import FOLDER

from scenelet.core import toolchain

pytestmark = pytest.mark.cross

FLAGS = json.loads((toolchain.FIRMWARE / "flags.json").read_text("utf-8"))
COMMON = [*FLAGS["cortex-m4"], *FLAGS["warnings"], "-std=c11"]


def assembly(source: str, folder: Path, *flags: str) -> str:
    listing = folder / f"{source}.s"
    toolchain.run(["arm-none-eabi-gcc", *COMMON, *flags, "-S", FOLDER / source, "-o", listing])
    return listing.read_text("utf-8")


@pytest.mark.parametrize(
    ("source", "instructions"),
    [
        ("scn_dot.c", ("smlad", "sxtb16", "ldrd")),
        ("scn_dot_slide.c", ("smlad", "ldrd")),
        ("scn_winograd_put.c", ("smmulr", "ssat")),
        ("scn_dot_column.c", ("smlad", "ldrd")),
        ("scn_gemm_2x4.c", ("smlad", "ldrd", "smmlar", "ssat")),
        ("scn_depthwise_planar_3x3.c", ("smlad", "smlatb", "smlabt", "smmlar")),
        ("scn_dense_four.c", ("smlad", "sxtb16", "smmla")),
        ("scn_add_lut_s8.c", ("mla", "ssat")),
        ("scn_winograd.c", ("sadd16", "ssub16", "sxtab16", "sxtb16")),
        ("scn_gather.c", ("sxtab16", "pkhbt", "pkhtb")),
        ("scn_depthwise_four.c", ("sxtab16", "sxtb16", "smlabb", "smlatt")),
        ("scn_fully_connected_s8.c", ("smlad", "sxtb16", "sxtab16")),
        ("scn_max_pool_s8.c", ("ssub8", "sel")),
        ("scn_output.c", ("smmulr", "ssat")),
    ],
)
def test_simd_instructions_are_used(source: str, instructions: tuple[str, ...], tmp_path: Path) -> None:
    text = assembly(source, tmp_path, "-O2")
    missing = [name for name in instructions if f"{name} " not in text and f"{name}\t" not in text]
    assert not missing


@pytest.mark.parametrize("level", ["-O0", "-Og", "-Os", "-O3"])
def test_every_optimisation_level_builds(level: str, tmp_path: Path) -> None:
    for source in sorted(FOLDER.glob("*.c")):
        toolchain.run(["arm-none-eabi-gcc", *COMMON, level, "-c", source, "-o", tmp_path / "kernel.o"])


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m3", "cortex-m7", "cortex-m33"])
def test_other_processors_build(cpu: str, tmp_path: Path) -> None:
    flags = [f"-mcpu={cpu}", "-mthumb", *FLAGS["warnings"], "-std=c11", "-O1"]
    for source in sorted(FOLDER.glob("*.c")):
        toolchain.run(["arm-none-eabi-gcc", *flags, "-c", source, "-o", tmp_path / "kernel.o"])


def test_kernels_have_no_data_of_their_own(tmp_path: Path) -> None:
    # State would forbid a second model or a second core; tables belong in flash.
    for source in sorted(FOLDER.glob("*.c")):
        made = tmp_path / "kernel.o"
        toolchain.run(["arm-none-eabi-gcc", *COMMON, "-O2", "-c", source, "-o", made])
        sizes = toolchain.run(["arm-none-eabi-size", made]).splitlines()[1].split()
        assert sizes[1:3] == ["0", "0"], f"{source.name}: data or bss"
