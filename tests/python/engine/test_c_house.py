"""The rules of the C side: places of files, unique names, headers that stand alone in C and in C++."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from scenelet.core import toolchain

FIRMWARE = toolchain.FIRMWARE
ENGINE = FIRMWARE / "lib" / "engine"
LIBRARIES = (
    *toolchain.engine_folders(),
    *(FIRMWARE / "lib" / name for name in ("classifier", "frontend", "link", "port")),
)
GENERATED = FIRMWARE / "generated"
INCLUDES = [f"-I{folder}" for folder in (*LIBRARIES, GENERATED)]
SPDX = "/* SPDX-License-Identifier: MIT */"

_STATIC = re.compile(r"^(?:static|SCN_NOINLINE|inline| )+[\w ]+?[ *]+(\w+)\(", re.MULTILINE)


def is_private(header: Path) -> bool:
    """Whether a header's first comment says that only some sources of its library include it."""
    return "private to" in header.read_text("utf-8").partition("#ifndef")[0].lower()


HEADERS = sorted(header for folder in (*LIBRARIES, GENERATED) for header in folder.glob("*.h"))
PUBLIC = [header for header in HEADERS if not is_private(header)]


def check(header: Path, compiler: str, *flags: str) -> None:
    toolchain.run([compiler, *flags, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *INCLUDES, "-include", header,
                   "-x", "c++" if compiler.endswith("++") else "c", "/dev/null"])  # fmt: skip


def test_every_folder_of_the_engine_is_listed() -> None:
    found = {path.parent for path in ENGINE.rglob("*") if path.suffix in (".c", ".h")}
    assert found == set(toolchain.engine_folders())
    assert json.loads((ENGINE / "library.json").read_text("utf-8"))["build"]["srcFilter"] == "+<**/*.c>"


def test_names_of_files_are_unique() -> None:
    """Include folders are searched in order, and objects are named after sources."""
    names = [path.name for folder in (*LIBRARIES, GENERATED) for path in folder.glob("*.[ch]")]
    assert len(names) == len(set(names))


def test_no_two_static_functions_of_the_engine_share_a_name() -> None:
    """So that profiles, maps and debuggers name one function."""
    places = defaultdict(set)
    for folder in toolchain.engine_folders():
        for path in folder.glob("*.[ch]"):
            for found in _STATIC.finditer(path.read_text("utf-8")):
                if found[0].startswith("static"):
                    places[found[1]].add(path.name)
    assert len(places) > 100
    assert not {name: files for name, files in places.items() if len(files) > 1}


@pytest.mark.parametrize("header", PUBLIC, ids=lambda path: path.name)
def test_a_public_header_stands_alone_in_c_and_in_cpp(header: Path) -> None:
    text = header.read_text("utf-8")
    declares = re.search(r"^(?:extern )?[\w ]+[ *]+\w+(?:\[\w+\]|\([^;{]*\));", text, re.MULTILINE)
    assert not declares or 'extern "C"' in text
    check(header, toolchain.host_compiler(), "-std=c99")
    check(header, "c++", "-std=c++17")


@pytest.mark.parametrize("header", [header for header in HEADERS if is_private(header)], ids=lambda path: path.name)
def test_a_private_header_includes_what_it_uses(header: Path) -> None:
    check(header, toolchain.host_compiler(), "-std=c11", "-Wno-unused-function", "-Wno-unused-variable")


def test_every_file_that_is_copied_says_its_licence() -> None:
    files = [path for path in FIRMWARE.rglob("*.[ch]") if GENERATED not in path.parents]
    assert len(files) > 150
    missing = [path for path in (*files, *GENERATED.glob("*.h")) if path.read_text("utf-8").split("\n", 1)[0] != SPDX]
    assert not missing
