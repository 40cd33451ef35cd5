"""What there is to choose from, and what a computer lacks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scenelet.config import recipe
from scenelet.core import toolchain
from scenelet.targets import boards, doctor


def test_every_recipe_is_listed_with_its_cost(scenelet: Any) -> None:
    rows = json.loads(scenelet("recipes", "--json").out)["recipes"]
    assert [row["name"] for row in rows] == recipe.shipped()
    sm1 = next(row for row in rows if row["name"] == "sm1")
    assert (sm1["params_bytes"], sm1["macs"], sm1["sample_rate"]) == (52_844, 25_475_456, 8000)
    assert "sm1" in scenelet("recipes").out


def test_every_board_is_listed_with_its_memory(scenelet: Any) -> None:
    rows = json.loads(scenelet("boards", "--json").out)["boards"]
    assert [row["name"] for row in rows] == list(boards.names())
    assert all(row["ram_bytes"] >= 131_072 and row["clock_hz"] > 0 for row in rows)
    assert "netduinoplus2" in scenelet("boards").out


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A computer without any program."""
    monkeypatch.setattr("scenelet.core.toolchain._path_of", lambda _: None)
    return monkeypatch


@pytest.mark.usefixtures("bare")
def test_a_missing_program_is_named_with_its_remedy(scenelet: Any) -> None:
    found = {one.name: one for one in doctor.examine()}
    assert found["cc"].state == "missing"
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends gcc libc6-dev)" in found["cc"].remedy
    assert found["python"].state == "ok"
    said = " ".join(scenelet("doctor").out.split())
    assert "cc: install it (Debian" in said
    wanted = "gcc libc6-dev gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm cmake openocd gdb-multiarch"
    assert f"at once: sudo apt-get update && sudo apt-get install --no-install-recommends {wanted}" in said


@pytest.mark.cross
@pytest.mark.qemu
def test_a_compiler_without_its_c_library_is_named_with_the_package(
    scenelet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian installs gcc without libc6-dev where recommended packages are left out."""
    compiler = toolchain.find("cc")
    (tmp_path / "cc").write_text(f'#!/bin/sh\nexec {compiler} -nostdinc "$@"\n')
    (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SCENELET_BUILD", str(tmp_path / "build"))
    monkeypatch.delenv("CC", raising=False)
    found = {one.name: one for one in doctor.examine()}
    assert (found["cc"].state, found["cc"].found) == ("missing", "no headers of its C library")
    assert found["cc"].remedy.endswith("install --no-install-recommends libc6-dev)")
    done = scenelet("parity", toolchain.FIRMWARE / "models" / "esc10_sm1.tflite", "--target", "host")
    assert done.status == 2
    assert "No such file or directory; install its C library's headers (Debian: " in done.complaint


def device(root: Path, name: str, vendor: str, product: str) -> None:
    (root / name).mkdir(parents=True)
    for field, value in {"idVendor": vendor, "idProduct": product, "busnum": "1", "devnum": "250"}.items():
        (root / name / field).write_text(f"{value}\n")


def test_a_probe_that_may_not_be_opened_is_noted(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    device(tmp_path, "1-1", "0483", "374b")
    device(tmp_path, "1-2", "046d", "c52b")
    (tmp_path / "usb1").mkdir()
    bare.setattr(doctor, "_USB", tmp_path)
    probes = [one for one in doctor.examine() if one.name == "probe"]
    assert [(one.found, one.state) for one in probes] == [("ST-LINK/V2-1", "note")]
    assert "/dev/bus/usb/001/250" in probes[0].remedy
    bare.setattr(doctor, "_USB", tmp_path / "none")
    assert [one.state for one in doctor.examine() if one.name == "probe"] == ["missing"]


def test_a_serial_port_of_another_group_is_noted(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    class Port:
        def __init__(self, path: str) -> None:
            self.device, self.description, self.vid = path, "ST-LINK", 0x0483

    mine = tmp_path / "ttyACM0"
    mine.touch()
    bare.setattr(doctor.list_ports, "comports", lambda: [Port(str(mine)), Port(str(tmp_path / "ttyACM1"))])
    states = [one.state for one in doctor.examine() if one.name == "serial port"]
    assert states == ["ok", "note"]


def test_little_room_for_caches_is_noted(bare: pytest.MonkeyPatch) -> None:
    bare.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert next(one for one in doctor.examine() if one.name == "build folder").state == "note"


@pytest.mark.cross
@pytest.mark.qemu
def test_what_is_here_has_a_version() -> None:
    found = {one.name: one for one in doctor.examine()}
    assert all(found[name].found[:1].isdigit() for name in ("cc", "arm-none-eabi-gcc", "qemu-system-arm", "pio"))
