"""The wheel is the product: installed, away from the clone, every command works and nothing writes into it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fixtures_firmware import Small

from scenelet.core import toolchain

ROOT = toolchain.REPOSITORY
BESIDE = ("LICENSE", "platformio.ini", "tests/firmware/check.h", "tests/firmware/test_custom_runner.py")
LEFT_OUT = "firmware/generated/"


def python(*arguments: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "SCENELET_BUILD"}
    return subprocess.run(
        command, cwd=cwd, env={**environment, **variables}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as ``python -m build`` does: first the source distribution, then the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = python("-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


class Installed:
    """The unpacked wheel with this environment's other packages, a folder to work in, and a user without a cache."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.site, self.work, self.cache = (folder / name for name in ("site", "work", "cache"))
        self.work.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.site)

    def __call__(self, *arguments: str | Path, **variables: str) -> str:
        """Run a command of scenelet; returns what it prints."""
        path = os.pathsep.join((str(self.site), sysconfig.get_path("purelib")))
        here = {"PYTHONPATH": path, "XDG_CACHE_HOME": str(self.cache), **variables}
        done = python("-P", "-m", "scenelet", *arguments, cwd=self.work, **here)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self) -> dict[str, bytes]:
        """Every file of the installed package but Python's own byte code."""
        found = (path for path in self.site.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(self.site)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_the_wheel_holds_the_firmware_tree_and_nothing_that_is_not_committed(wheel: Path) -> None:
    command = ["git", "ls-files", "firmware", *BESIDE]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    with zipfile.ZipFile(wheel) as archive:
        tree = {name.removeprefix("scenelet/tree/") for name in archive.namelist() if name.startswith("scenelet/tree/")}
    assert tree == {name for name in listed if not name.startswith(LEFT_OUT)}


def test_the_wheel_holds_every_module_recipe_and_template(wheel: Path) -> None:
    command = ["git", "ls-files", "python/scenelet"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    with zipfile.ZipFile(wheel) as archive:
        assert {name.removeprefix("python/") for name in listed} <= set(archive.namelist())


def test_the_installed_commands_work_and_leave_the_package_as_it_is(installed: Installed, small: Small) -> None:
    before = installed.files()
    (installed.work / "net.tflite").write_bytes(small.content)
    assert "written" in installed("export", "net.tflite", "--out", "generated")
    assert "0 mismatches" in installed("parity", "net.tflite", "-n", "3")
    assert "predicted" in installed("explain", "net.tflite")
    assert "sm1" in installed("budget", "sm1")
    assert installed.files() == before
    assert (installed.cache / "scenelet" / "native").is_dir()


def test_without_a_compiler_audio_is_classified_with_the_same_scores(
    installed: Installed, small: Small, small_file: Path
) -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=2 * small.tables.config.clip_samples)
    soundfile.write(installed.work / "noise.wav", noise, small.tables.config.sample_rate)
    command = ("run", small_file, "noise.wav", "--json")
    assert installed(*command, PATH=os.devnull) == installed(*command)


@pytest.mark.cross
@pytest.mark.qemu
def test_the_installed_package_measures_and_builds_the_product(installed: Installed, small_file: Path) -> None:
    before = installed.files()
    assert "of arena" in installed("bench", small_file)
    assert "stack peak" in installed("load", small_file)
    assert "0 mismatches" in installed("parity", small_file, "--target", "qemu", "-n", "2")
    assert installed.files() == before
