"""Bundles: complete, buildable by the tools that are here, and right where they run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkBuilder
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema

from scenelet.config.frontend import FrontendConfig
from scenelet.core import cortex_m4, toolchain
from scenelet.core.files import write_folder
from scenelet.deploy.bundles.bundle import frontend_library, library_name
from scenelet.deploy.bundles.kinds import NAMES
from scenelet.deploy.export import export
from scenelet.errors import InputError
from scenelet.frontend import fixed_point
from scenelet.frontend.tables import make_tables

sys.path.insert(0, str(toolchain.FIRMWARE / "platform" / "builder"))
import stack

LIBRARY = "scenelet_small"
CORES = {"cortex-m0plus": "-O1", "cortex-m3": "-Os", "cortex-m4": "-O1", "cortex-m7": "-Og", "cortex-m33": "-Os"}
"""With an optimisation level each that the firmware's own flags do not have: a compiler warns of other things there."""
ARDUINO_H = """
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
struct Port {
    void begin(long) {}
    void print(const char *text) { std::printf("%s", text); }
    void print(char one) { std::putchar(one); }
    void println(const char *text) { std::puts(text); }
    void println(int value) { std::printf("%d\\n", value); }
};
static Port Serial;
"""
RUNS_ONCE = """
#include "Arduino.h"
#include "Classify.ino"
int main() {
    setup();
    for (int i = 0; i < 40; i++) loop();
}
"""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", NAMES)
def test_every_file_that_a_bundle_names_is_there(bundles: Path, kind: str) -> None:
    folder = bundles / kind
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"README.md", "LICENSE"} <= written
    manifests = [path for path in folder.rglob("*") if path.suffix in (".txt", ".pdsc")]
    named = {name for path in manifests for name in re.findall(r"src/scn_\w+\.c", path.read_text("utf-8"))}
    sources = {name for name in written if name.startswith("src/") and name.endswith(".c")}
    assert len(sources) > 10
    assert not named or named == sources
    assert str(toolchain.REPOSITORY) not in "".join(path.read_text("utf-8") for path in folder.rglob("*.*"))


@pytest.mark.parametrize("kind", [kind for kind in NAMES if kind != "tflm"])
def test_three_lines_are_shown(bundles: Path, kind: str) -> None:
    text = (bundles / kind / "README.md").read_text("utf-8")
    shown = text.split("```c\n")[1].split("```")[0].strip().splitlines()
    assert [line.split("(")[0] for line in shown[-3:]] == ["scn_classify_begin", "scn_classify_push_s16", "puts"]


def test_the_cmake_bundle_gives_the_known_answer_here(bundles: Path, tmp_path: Path) -> None:
    run("cmake", "-S", bundles / "cmake", "-B", tmp_path, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-w")
    run("cmake", "--build", tmp_path, "-j2")
    assert run(tmp_path / "classify").startswith("known answer: pass\nsilence: ")


@pytest.mark.cross
@pytest.mark.qemu
def test_the_cmake_bundle_gives_the_known_answer_on_a_cortex_m4(
    bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the three calls take no more stack than the README says."""
    chain = bundles / "cmake" / "example" / "qemu" / "toolchain.cmake"
    # The symbol is what the prover of the stack reads.
    linked = "-nostartfiles --specs=rdimon.specs -Wl,--gc-sections -Wl,--defsym=scn_stack_bytes=0"
    flags = (f"-DCMAKE_TOOLCHAIN_FILE={chain}", f"-DCMAKE_EXE_LINKER_FLAGS={linked}")
    run("cmake", "-S", bundles / "cmake", "-B", tmp_path, *flags)
    run("cmake", "--build", tmp_path, "-j2")
    board = ("qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-semihosting")
    assert run(*board, "-kernel", tmp_path / "classify").startswith("known answer: pass\nsilence: ")
    monkeypatch.setitem(stack.POINTERS, ".*", ())  # newlib calls through pointers, too; not what is measured here
    calls = stack.Program(tmp_path / "classify")
    calls.resolve()
    depth, path = calls.deepest("scn_classify_push_s16")
    assert {"scn_pipeline_decide", "scn_model_run", "step0_run"} <= set(path)
    assert 256 < depth < 2048
    assert "| stack | less than 2,048 bytes, on a Cortex-M4 |" in (bundles / "cmake" / "README.md").read_text("utf-8")


def test_the_sketch_runs_as_cpp_on_a_flat_source_folder(bundles: Path, tmp_path: Path) -> None:
    folder = bundles / "arduino"
    sources = sorted((folder / "src").glob("*.c"))
    assert not [path for path in (folder / "src").iterdir() if path.is_dir()]
    (tmp_path / "Arduino.h").write_text(ARDUINO_H, "utf-8")
    (tmp_path / "sketch.cpp").write_text(RUNS_ONCE, "utf-8")
    run("cc", "-std=c11", "-O0", f"-I{folder / 'src'}", "-c", *sources, cwd=tmp_path)
    includes = [f"-I{place}" for place in (tmp_path, folder / "src", folder / "examples" / "Classify")]
    warnings = ("-std=c++17", "-Wall", "-Wextra", "-Werror")
    run("c++", *warnings, *includes, tmp_path / "sketch.cpp", *tmp_path.glob("*.o"), "-o", tmp_path / "sketch")
    printed = run(tmp_path / "sketch").splitlines()
    assert printed[0] == "known answer: pass"
    assert len(printed) > 1


@pytest.mark.cross
@pytest.mark.parametrize(("core", "level"), CORES.items())
def test_the_sources_compile_for_every_core(bundles: Path, tmp_path: Path, core: str, level: str) -> None:
    folder = bundles / "arduino"
    sources = sorted((folder / "src").glob("*.c"))
    assert {path.name for path in toolchain.engine_sources()} <= {path.name for path in sources}
    flags = ("-std=c11", level, f"-mcpu={core}", "-mthumb", *cortex_m4.flags()["warnings"], f"-I{folder / 'src'}")
    run("arm-none-eabi-gcc", *flags, "-c", *sources, cwd=tmp_path)
    header = folder / "src" / f"{LIBRARY}.h"
    flags = ("-std=c++17", f"-mcpu={core}", "-mthumb", "-Wall", "-Wextra", "-Werror", f"-I{folder / 'src'}")
    run("arm-none-eabi-g++", *flags, "-fsyntax-only", "-x", "c++", header)


def test_platformios_own_schema_takes_the_manifest(bundles: Path) -> None:
    path = bundles / "platformio" / "library.json"
    manifest = ManifestParserFactory.new_from_file(str(path)).as_dict()
    assert manifest.pop("license") == "MIT"  # which the schema looks up in the network
    assert ManifestSchema().load_manifest(manifest)["name"] == LIBRARY


def test_arduinos_fields_are_all_there(bundles: Path) -> None:
    """The fields that the Arduino library specification calls required, and its categories."""
    lines = (bundles / "arduino" / "library.properties").read_text("utf-8").splitlines()
    fields = dict(line.split("=", 1) for line in lines)
    required = ("name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures")
    assert all(fields[name] for name in required)
    assert re.fullmatch(r"[A-Za-z0-9][\w .-]{0,62}", fields["name"])
    assert fields["category"] == "Signal Input/Output"
    assert (bundles / "arduino" / "src" / fields["includes"]).is_file()


def test_a_model_without_a_front_end_is_a_bundle_of_tensors(tmp_path: Path) -> None:
    network = NetworkBuilder(2, (1, 8, 8, 1))
    path = tmp_path / "foreign model.tflite"
    path.write_bytes(network.model(network.softmax(network.fully_connected(network.mean(network.start), 3))))
    export(path, tmp_path / "out", bundle="cmake", tflm=False)
    text = (tmp_path / "out" / "example" / "main.c").read_text("utf-8")
    assert "scn_model_run" in text
    assert "scn_classify" not in text
    with pytest.raises(InputError, match="cannot be a bundle of kind 'tflm': it has no front end; choose another kind"):
        export(path, tmp_path / "tflm", bundle="tflm")
    assert not (tmp_path / "tflm").exists()


def test_an_unknown_kind_is_refused_before_anything_is_written(small_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="bundle 'mbed': unknown kind; choose one of: platformio, arduino"):
        export(small_file, tmp_path / "out", bundle="mbed")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("model", "name"),
    [("My Model (v2)", "scenelet_my_model_v2"), ("größe", "scenelet_gr_e"), ("..", "scenelet_model")],
)
def test_a_librarys_name_is_an_identifier(model: str, name: str) -> None:
    assert library_name(model) == name


def test_long_names_that_begin_alike_stay_apart() -> None:
    """A CMSIS-Pack's Csub has 32 characters at most, a name of Arduino's 63."""
    names = {library_name(f"a network for the machines of hall {number}") for number in range(20)}
    assert len(names) == 20
    assert all(
        re.fullmatch(r"scenelet_a_network_for_[0-9a-f]{8}|scenelet_[a-z_]{1,14}_[0-9a-f]{8}", name) for name in names
    )
    assert max(map(len, names)) <= 32


@pytest.mark.parametrize("form", ["fast", "compact"])
def test_the_front_end_alone_gives_the_features_of_the_specification(tmp_path: Path, form: str) -> None:
    config = FrontendConfig(
        sample_rate=22050, n_fft=512, hop_length=500, n_mels=20, clip_seconds=0.2, mel_scale="htk", mel_norm="none"
    )
    write_folder(tmp_path / "mel", frontend_library(config, form=form))
    sources = sorted((tmp_path / "mel" / "src").glob("*.c"))
    program = tmp_path / "features"
    flags = ("-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{tmp_path / 'mel' / 'src'}")
    run("cc", *flags, tmp_path / "mel" / "example" / "main.c", *sources, "-o", program)
    windows = np.random.default_rng(0).integers(-(2**23), 2**23, (3, config.clip_samples), np.int32)
    printed = subprocess.run([program], input=windows.tobytes(), capture_output=True, check=True).stdout
    assert printed == fixed_point.features(windows, make_tables(config)).tobytes()
    assert "22050 Hz" in (tmp_path / "mel" / "README.md").read_text("utf-8")
