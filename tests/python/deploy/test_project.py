"""A project of the user's own builds, tests and runs with nothing but its own files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scenelet.compiler.options import DEFAULT
from scenelet.core import toolchain
from scenelet.deploy.project import new_project
from scenelet.errors import InputError, LimitExceeded

BOARD = "nucleo_f446re"


@pytest.fixture(scope="module")
def project(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine") / "door bell"
    return new_project(folder, BOARD, small_file, DEFAULT).folder


def pio(project: Path, *arguments: str) -> str:
    """Run PlatformIO in a project, without anything of this repository in its environment."""
    left_out = ("PYTHONPATH", "SCENELET_GENERATED", "SCENELET_VERSION", "SCENELET_BUILD")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    quiet = {"PLATFORMIO_DISABLE_UPGRADE_CHECK": "true", "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no"}
    command = [toolchain.find("pio"), *arguments]
    done = subprocess.run(
        command, cwd=project, env={**environment, **quiet}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_project_holds_its_own_board_and_nothing_of_this_computer(project: Path) -> None:
    names = {path.stem for path in (project / "firmware" / "boards").iterdir()}
    assert names == {BOARD, toolchain.EMULATED_BOARD, "host"}
    made = {".pio", "__pycache__"}  # by another test's PlatformIO
    written = [path for path in project.rglob("*") if path.is_file() and not made.intersection(path.parts)]
    text = "".join(path.read_text("utf-8") for path in written)
    assert str(toolchain.REPOSITORY) not in text
    assert f"default_envs = {BOARD}" in (project / "platformio.ini").read_text("utf-8")


@pytest.mark.cross
@pytest.mark.qemu
def test_a_project_builds_for_its_board_and_gives_the_known_answer_in_qemu(project: Path) -> None:
    assert "SUCCESS" in pio(project, "run")
    assert (project / ".pio" / "build" / BOARD / "firmware.elf").is_file()
    assert "test_known_answer\t[PASSED]" in pio(project, "test", "-e", "qemu")


def test_a_folder_with_anything_in_it_is_left_alone(small_file: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already; give a new folder"):
        new_project(tmp_path, BOARD, small_file, DEFAULT)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_model_over_a_limit_leaves_no_folder(sm1: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenelet.graph.limits.MACS", 10)
    with pytest.raises(LimitExceeded, match="over the limit of 10"):
        new_project(tmp_path / "new", BOARD, sm1, DEFAULT)
    assert not (tmp_path / "new").exists()


def test_the_command_takes_the_shipped_model_and_names_the_boards(scenelet: Any, tmp_path: Path) -> None:
    assert "pio run -t upload" in scenelet("new", tmp_path / "mine", "--board", "disco_f407vg").out
    header = (tmp_path / "mine" / "firmware" / "generated" / "scn_model.h").read_text("utf-8")
    assert "esc10_cnn32k_large" in header
    refused = scenelet("new", tmp_path / "other", "--board", "disco")
    assert refused.status == 2
    assert "choose one of: disco_f407vg" in refused.err
