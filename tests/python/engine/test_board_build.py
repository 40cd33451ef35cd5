"""The kernels as built for the board: at other optimisation levels, and with the SIMD instructions in their loops.

Other cores and further levels: test_bundles.py, which compiles the same sources and more.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from engine_library import source

from scenelet.core import cortex_m4, toolchain

pytestmark = pytest.mark.cross

FLAGS = json.loads((toolchain.FIRMWARE / "flags.json").read_text("utf-8"))
INCLUDES = [f"-I{folder}" for folder in toolchain.engine_folders()]
COMMON = [*FLAGS["cortex-m4"], *FLAGS["warnings"], "-std=c11", *INCLUDES]


def assembly(name: str, folder: Path, *flags: str) -> str:
    listing = folder / f"{name}.s"
    toolchain.run(["arm-none-eabi-gcc", *COMMON, *flags, "-S", source(name), "-o", listing])
    return listing.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "instructions"),
    [
        ("scn_dot_2x4.c", ("smlad", "sxtb16", "ldrd")),
        ("scn_winograd_dot.c", ("smlad", "ldrd")),
        ("scn_winograd_output.c", ("smmulr", "ssat")),
        ("scn_dot_column.c", ("smlad", "ldrd")),
        ("scn_gemm_2x4.c", ("smlad", "ldrd", "smmlar", "ssat")),
        ("scn_depthwise_planar_3x3.c", ("smlad", "smlatb", "smlabt", "smmlar")),
        ("scn_dense_four.c", ("smlad", "sxtb16", "smmla")),
        ("scn_add_lut_s8.c", ("mla", "ssat")),
        ("scn_winograd_2d_dot.c", ("smlad", "smuad", "ldrd")),
        ("scn_winograd_2d_input.c", ("sxtab16",)),
        ("scn_winograd_2d_output.c", ("smmla", "smmlar", "ssat")),
        ("scn_winograd_2d_weights.c", ("sadd16", "ssub16", "sxtb16")),
        ("scn_winograd_f4x3.c", ("sadd16", "ssub16", "sxtab16", "sxtb16")),
        ("scn_gather.c", ("sxtab16", "pkhbt", "pkhtb")),
        ("scn_depthwise_four.c", ("sxtab16", "sxtb16", "smlabb", "smlatt")),
        ("scn_fully_connected_s8.c", ("smlad", "sxtb16", "sxtab16")),
        ("scn_max_pool_s8.c", ("ssub8", "sel")),
        ("scn_conv2d_output.c", ("smmulr", "ssat")),
    ],
)
def test_simd_instructions_are_used(name: str, instructions: tuple[str, ...], tmp_path: Path) -> None:
    text = assembly(name, tmp_path, "-O2")
    missing = [word for word in instructions if f"{word} " not in text and f"{word}\t" not in text]
    assert not missing


@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_kernels_build_at_the_lowest_and_the_highest_optimisation(level: str, tmp_path: Path) -> None:
    toolchain.run(["arm-none-eabi-gcc", *COMMON, level, "-c", *toolchain.engine_sources()], cwd=tmp_path)


def test_kernels_have_no_data_of_their_own() -> None:
    # State would forbid a second model or a second core; tables belong in flash.
    engine = {path.stem for path in toolchain.engine_sources()}
    made = [path for path in cortex_m4.library_objects() if path.stem.rpartition("-")[0] in engine]
    assert len(made) == len(engine)
    for line in toolchain.run(["arm-none-eabi-size", *made]).splitlines()[1:]:
        _, data, bss, *_, name = line.split()
        assert (data, bss) == ("0", "0"), f"{name}: data or bss"
