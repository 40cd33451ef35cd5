"""Checkouts and build folders may have any name; what cannot be built there is refused before anything is built."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenelet.benchmark.disassembly import SourceLines
from scenelet.benchmark.link_map import flash_parts
from scenelet.core import cortex_m4, toolchain
from scenelet.targets.emulator.block_trace import FlashModel
from scenelet.targets.host import HostTarget
from scenelet.targets.qemu import QemuTarget

CHECKOUT = 'it\'s (a), [1] é 100% & "b"'
OTHER = "a`b`\\c|d<e>f;#g,h{}!*?"


def checkout(folder: Path) -> Path:
    """A checkout's files that PlatformIO reads."""
    for name in ("firmware", "tests/firmware"):
        left_out = shutil.ignore_patterns("models", "__pycache__")
        shutil.copytree(toolchain.REPOSITORY / name, folder / name, ignore=left_out)
    for name in ("platformio.ini", "python/scenelet/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(toolchain.REPOSITORY / name, folder / name)
    return folder


def pio(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    quiet = {"PLATFORMIO_DISABLE_UPGRADE_CHECK": "true", "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no"}
    left_out = ("SCENELET_GENERATED", "PLATFORMIO_BUILD_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    command = [toolchain.find("pio"), *arguments]
    return subprocess.run(
        command, cwd=folder, env={**environment, **quiet, **variables}, capture_output=True, text=True, check=False
    )


def without_debugging(elf: Path, folder: Path) -> bytes:
    """An ELF file without the sections for debuggers, which name the folders of its sources."""
    rest = folder / "rest.elf"
    toolchain.run(["arm-none-eabi-objcopy", "--strip-debug", elf, rest])
    return rest.read_bytes()


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A checkout of an odd name, built and run; its build folder and what was said."""
    folder = checkout(tmp_path_factory.mktemp("elsewhere") / "my projects" / CHECKOUT)
    return folder / ".pio" / "build" / "qemu", pio(folder, "run", "-e", "qemu", "-t", "upload")


@pytest.mark.cross
@pytest.mark.qemu
def test_a_checkout_of_any_name_is_built_and_run(uploaded: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    build, done = uploaded
    assert done.returncode == 0, done.stdout + done.stderr
    assert "m-ready" in done.stdout
    assert (build / "firmware.map").is_file()


@pytest.mark.cross
@pytest.mark.qemu
def test_build_and_generated_folders_may_have_any_name(
    uploaded: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """And give the same program as any others do, byte by byte, from files of another day."""
    folder, build = checkout(tmp_path / "a b"), tmp_path / OTHER / "pio"
    generated = tmp_path / OTHER / "gen"
    generated.parent.mkdir()
    (folder / "firmware" / "generated").rename(generated)
    for path in (path for place in (folder, generated) for path in place.rglob("*.[ch]")):
        os.utime(path, (0, 86_400 * 365))
    done = pio(folder, "run", "-e", "qemu", SCENELET_GENERATED=str(generated), PLATFORMIO_BUILD_DIR=str(build))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (build / "qemu" / "firmware.bin").is_file()
    before = (build / "qemu" / "firmware.bin").read_bytes()
    elsewhere, _ = uploaded
    assert before == (elsewhere / "firmware.bin").read_bytes()
    both = [without_debugging(place / "firmware.elf", tmp_path) for place in (build / "qemu", elsewhere)]
    assert both[0] == both[1]
    header = generated / "scn_model.h"
    header.write_text(header.read_text("utf-8").replace('SCN_MODEL_NAME "', 'SCN_MODEL_NAME "other '), "utf-8")
    done = pio(folder, "run", "-e", "qemu", SCENELET_GENERATED=str(generated), PLATFORMIO_BUILD_DIR=str(build))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (build / "qemu" / "firmware.bin").read_bytes() != before, "headers are still looked through"


@pytest.mark.cross
@pytest.mark.parametrize(
    ("name", "where"), [("sp$x", "project"), ("sp$x", "build"), ("sp$x", "generated"), ("100%", "build")]
)
def test_a_folder_that_cannot_be_built_in_is_refused_at_once(tmp_path: Path, name: str, where: str) -> None:
    folder = checkout(tmp_path / (name if where == "project" else "plain"))
    wrong = str(tmp_path / name / "x")
    variables = {"build": {"PLATFORMIO_BUILD_DIR": wrong}, "generated": {"SCENELET_GENERATED": wrong}}
    done = pio(folder, "run", "-e", "qemu", **variables.get(where, {}))
    assert done.returncode != 0
    (line,) = (line for line in (done.stdout + done.stderr).splitlines() if "FolderError" in line)
    assert line.startswith(f"FolderError: the {where} folder's path '{tmp_path}/")
    assert line.endswith(f"holds '{name[-2] if '$' in name else '%'}', which firmware cannot be built with; "
                         "move it to a path without that character")  # fmt: skip
    assert not list(tmp_path.rglob("*.o"))


def test_no_source_knows_when_or_where_it_is_compiled() -> None:
    sources = [path for path in toolchain.FIRMWARE.rglob("*") if path.suffix in (".c", ".h", ".j2")]
    sources += (toolchain.REPOSITORY / "python").rglob("*.j2")
    assert len(sources) > 100
    told = [path for path in sources if re.search(r"__(DATE|TIME|TIMESTAMP|FILE)__", path.read_text("utf-8"))]
    assert not told


def build_folder(folder: Path, *forms: tuple[str, ...]) -> Path:
    """A build folder that lacks a program, its model and its link, and has the objects of the engine, in some forms."""
    place = folder / "arm"
    place.mkdir(parents=True)
    for form in forms:
        for made in cortex_m4.library_objects(form):
            shutil.copyfile(made, place / made.name)
    return folder


@pytest.mark.cross
@pytest.mark.qemu
def test_measuring_programs_are_built_and_traced_in_a_folder_of_any_name(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENELET_BUILD", str(build_folder(tmp_path / f"{CHECKOUT} {OTHER}", (), cortex_m4.PROBING)))
    one = np.zeros(16 * 9, np.int8)
    with QemuTarget(small.content) as target, HostTarget(small.content) as host:
        assert np.array_equal(target.run(one[None]), host.run(one[None]))
        assert {part.group for part in flash_parts(target.runner_elf.with_suffix(".map"))} >= {"engine", "model"}
        assert target.trace_blocks(FlashModel({}, (5,)), one)
        assert SourceLines(target.runner_elf).of(0x0800_0200)[0]


@pytest.mark.cross
def test_a_build_folder_may_be_named_relatively(small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_folder(tmp_path / "out", ())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCENELET_BUILD", "out")
    elf = cortex_m4.runner(small.compiled.files())
    assert elf.is_file()
    assert elf.is_relative_to(tmp_path / "out")


@pytest.mark.cross
def test_a_path_is_one_word_of_openocds_language() -> None:
    place = toolchain.FIRMWARE / "platform" / "builder" / "upload.py"
    specification = importlib.util.spec_from_file_location("upload", place)
    assert specification
    assert specification.loader
    upload = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(upload)
    names = [CHECKOUT, OTHER, "sp$x", "[exit]", "a{b", "é雨", "plain/x-1.elf"]
    commands = [word for name in names for word in ("-c", f"echo {upload.tcl_word(name)}")]
    done = subprocess.run(["openocd", *commands, "-c", "shutdown"], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if line in names] == names


@pytest.mark.parametrize("name", ["a b", "it's", "$x$HOME", "`id`", 'say "x"', "a(b)", "[1]", "#x", "é", "a\\b", "%"])
@pytest.mark.parametrize("given_by", ["argument", "environment"])
def test_make_hands_a_data_folder_on_as_it_is(name: str, given_by: str) -> None:
    words, variables = ([f"DATA={name}"], {}) if given_by == "argument" else ([], {"DATA": name})
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-n", "demo", *words],
        cwd=toolchain.REPOSITORY,
        env={**outside, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shlex.split(done.stdout.splitlines()[-1])[1:] == ["tools/demo.py", "--data", name]


@pytest.mark.parametrize("wrong", [":", "$", '"', "`", "\\", "\n"])
def test_setup_refuses_a_path_that_it_cannot_work_in(tmp_path: Path, wrong: str) -> None:
    tools = tmp_path / f"a{wrong}b c" / "tools"
    tools.mkdir(parents=True)
    shutil.copyfile(toolchain.REPOSITORY / "tools" / "setup.sh", tools / "setup.sh")
    done = subprocess.run(["bash", tools / "setup.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("setup: move this checkout: its path holds one of")
    assert len(done.stderr.splitlines()) == 1
    assert not (tools.parent / ".venv").exists()


@pytest.mark.parametrize("name", ["docs", "firmware", "python", "tests", "tools", "build"])
def test_make_takes_no_folder_for_a_target_that_is_up_to_date(name: str) -> None:
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "-n", name], cwd=toolchain.REPOSITORY, env=outside, capture_output=True, text=True, check=False
    )
    assert "Nothing to be done" not in done.stdout + done.stderr
    assert ("pytest" in done.stdout) == (name == "tests")
    assert ("mkdocs build" in done.stdout) == (name == "docs")
