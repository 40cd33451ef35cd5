import json
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from scenelet.benchmark import flash_symbols
from scenelet.benchmark.instructions import Bench, bench
from scenelet.benchmark.link_map import flash_parts
from scenelet.compiler.options import Options
from scenelet.errors import ToolError
from scenelet.targets.qemu import QemuTarget


@pytest.mark.qemu
def test_a_bench_adds_up_and_is_the_same_twice(sm1: Path, benched: Callable[..., Bench]) -> None:
    first, second = benched(sm1, Options()), bench(sm1)
    assert first.flash == second.flash
    assert first.frontend is not None
    assert second.frontend is not None
    # The emulated timer ticks at 168 MHz, six instructions a tick.
    for one, other in zip(first.layers, second.layers, strict=True):
        assert abs(one.instructions - other.instructions) <= 6
    assert abs(first.frontend.instructions_per_frame - second.frontend.instructions_per_frame) <= 6
    result = first.to_json()
    assert result["instructions"] == sum(layer["instructions"] for layer in result["layers"])
    assert all(layer["instructions"] > 0 for layer in result["layers"])
    assert sum(layer["macs"] for layer in result["layers"]) == 25_475_456
    assert result["flash"]["weights"] > 52_844
    assert result["frontend"]["instructions_per_frame"] > 50_000
    assert result["frontend"]["modelled_cycles_per_frame"] > result["frontend"]["instructions_per_frame"]
    assert result["modelled_cycles"] == sum(layer["modelled_cycles"] for layer in result["layers"])
    assert first.modelled_cycles == second.modelled_cycles
    for layer in result["layers"]:
        assert layer["instructions"] < layer["modelled_cycles"] - layer["wait_cycles"] < 3 * layer["instructions"]
    json.dumps(result)


@pytest.mark.qemu
def test_stages_of_a_segment_add_up_to_it(sm1: Path, benched: Callable[..., Bench]) -> None:
    (segment, *others) = benched(sm1, Options(ram_bytes=16_384)).layers
    assert [stage.name for stage in segment.stages] == [
        "schedule", "0:conv1", "1:conv2 + 2:bn2 + 3:bn2 + 4:pool2", "5:conv3 + 6:bn3 + 7:bn3 + 8:pool3",
        "9:conv4 + 10:bn4 + 11:bn4", "12:pooling",
    ]  # fmt: skip
    assert sum(stage.macs for stage in segment.stages) == segment.macs
    # Probes move code about, so the two programs are not the same to the instruction.
    assert sum(stage.instructions for stage in segment.stages) == pytest.approx(segment.instructions, rel=0.002)
    assert all(stage.instructions > 10_000 for stage in segment.stages)
    assert sum(stage.modelled_cycles for stage in segment.stages) == segment.modelled_cycles
    assert not any(layer.stages for layer in others)


@pytest.mark.qemu
def test_flash_is_that_of_model_engine_and_front_end_only(sm1: Path) -> None:
    with QemuTarget(sm1) as target:
        elf = target.runner_elf
        parts = flash_parts(elf.with_suffix(".map"))
        weights = target.compiled.program.table_bytes
    assert {part.group for part in parts} == {"model", "engine", "front end"}
    assert len({(part.group, part.name) for part in parts}) == len(parts)
    named = {part.name: part for part in parts}
    assert weights == sum(named[kind].constants for kind in ("weights", "biases", "factors", "maps"))
    # All that is in flash beside it is the board's code and libc: the runner's own, a few kilobytes.
    with elf.open("rb") as file:
        sections = [section for section in ELFFile(file).iter_sections() if section["sh_addr"] >> 24 == 0x08]
        rest = sum(section["sh_size"] for section in sections) - sum(part.total for part in parts)
    assert 2_000 < rest < 8_000
    every, named = flash_symbols.sections(elf), flash_symbols.symbols(elf)
    assert {one.name for one in every} == {section.name for section in sections if section["sh_size"]}
    assert sum(one.bytes for one in every) == sum(section["sh_size"] for section in sections)
    assert sum(one.bytes for one in named) <= sum(one.bytes for one in every)
    assert [one.bytes for one in named] == sorted((one.bytes for one in named), reverse=True)
    by_kind = {kind: sum(one.bytes for one in named if one.kind == kind) for kind in ("code", "constants")}
    assert by_kind["code"] == pytest.approx(sum(part.code for part in parts), rel=0.25)  # libc and board code beside it
    assert by_kind["constants"] >= weights


@pytest.mark.qemu
def test_the_packed_image_is_small(sm1: Path, benched: Callable[..., Bench]) -> None:
    """Model, engine and front end, packed, in 16 kB: under 90 kB. TFLite Micro takes 152 kB for the same model."""
    packed, fast = (
        benched(sm1, Options(weights="packed", ram_bytes=16_384, frontend_tables=form)) for form in ("auto", "fast")
    )
    assert packed.flash.total == sum(part.total for part in packed.flash.parts) <= 90_000
    assert packed.flash.tables <= 6_000 < fast.flash.tables
    assert packed.frontend is not None
    assert packed.frontend.instructions_per_frame <= 165_000


def test_a_file_that_is_no_link_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.map").write_text("nothing of ours\n")
    with pytest.raises(ToolError, match="names none"):
        flash_parts(tmp_path / "x.map")
