"""Calls the engine's kernels, compiled for this computer, as the compiler's lowering says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cffi
import numpy as np
from numpy.typing import NDArray

from scenelet.compiler.program import SCRATCH, Step
from scenelet.core import toolchain
from scenelet.targets.host import WARNINGS

SANITIZE = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_GUARD = 64


def declarations() -> str:
    """The engine's contract as cffi takes it: without comments, directives and C++."""
    text = "\n".join(_with_includes("scn_engine.h", [])).replace("\\\n", " ")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def _with_includes(name: str, seen: list[str]) -> Iterator[str]:
    """A header's text after the text of those that it includes, each once."""
    if name in seen:
        return
    seen.append(name)
    text = source(name).read_text("utf-8")
    for included in re.findall(r'#include "(.+)"', text):
        yield from _with_includes(included, seen)
    yield text


def source(name: str) -> Path:
    """Path of the engine's file of this name."""
    return next(path for folder in toolchain.engine_folders() if (path := folder / name).is_file())


def build(*, flags: Sequence[str] = WARNINGS) -> Path:
    """Compile all kernels into a shared library, by default the one that models on this computer use."""
    return toolchain.shared_library("engine", toolchain.engine_sources(), toolchain.engine_folders(), flags)


def run_sanitized(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder, or below it, with the sanitized library, and its runtime loaded first."""
    compiler = toolchain.find(toolchain.host_compiler())
    names = ("libasan.so", "libubsan.so")
    runtimes = [subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip() for name in names]
    # Python leaks on purpose at exit, and its own allocator would hide overruns.
    environment = {**os.environ, "LD_PRELOAD": " ".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    environment["PYTHONMALLOC"] = "malloc"
    support = Path(__file__).parent
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(support), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, str(support / script), str(build(flags=SANITIZE)), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


class Engine:
    """The kernels of one library."""

    def __init__(self, library: Path) -> None:
        self.ffi = cffi.FFI()
        self.ffi.cdef(declarations())
        self.library = self.ffi.dlopen(str(library))

    def run(self, step: Step, tensors: Mapping[int, NDArray[np.int8]], *, in_place: int | None = None) -> NDArray[Any]:
        """Run one step and return its output, flat.

        ``tensors`` holds the inputs, and anything of the output's shape under its index. Output and scratch are
        exactly as large as the step says, between guards that must survive. With ``in_place`` the output replaces that
        tensor.
        """
        tables = {table.kind: self._table(table.type, table.values) for table in step.tables}
        size = tensors[step.writes[0]].size
        place = self._guarded(max(size, tensors[in_place].size if in_place is not None else 0))
        scratch = self._guarded(step.scratch_bytes)
        arguments = []
        for argument in step.arguments:
            if argument == SCRATCH:
                arguments.append(self._at(scratch, "void *"))
            elif isinstance(argument, str):
                arguments.append(tables[argument])
            elif isinstance(argument, tuple):
                pieces = [tables[one] if isinstance(one, str) else tensors[one] for one in argument]
                pointers = [self.ffi.from_buffer("int8_t[]", p) if isinstance(p, np.ndarray) else p for p in pieces]
                arguments.append(self.ffi.new("const int8_t *[]", pointers))
            elif argument == step.writes[0]:
                arguments.append(self._at(place, "int8_t *"))
            elif argument == in_place:
                place[_GUARD : _GUARD + tensors[argument].size] = tensors[argument].ravel().view(np.uint8)
                arguments.append(self._at(place, "int8_t *"))
            else:
                arguments.append(self.ffi.from_buffer("int8_t[]", tensors[argument]))
        getattr(self.library, step.kernel)(self._params(step, tables), *arguments)
        for guarded in (place, scratch):
            assert (guarded[:_GUARD] == 0xA5).all(), f"{step.name} writes in front of its memory"
            assert (guarded[-_GUARD:] == 0xA5).all(), f"{step.name} writes beyond its memory"
        return place[_GUARD : _GUARD + size].view(np.int8).copy()

    @staticmethod
    def _guarded(size: int) -> NDArray[np.uint8]:
        return np.full(size + 2 * _GUARD, 0xA5, np.uint8)

    def _at(self, guarded: NDArray[np.uint8], kind: str) -> Any:
        """Pointer to what lies between the guards."""
        start = self.ffi.cast("uint8_t *", self.ffi.from_buffer("uint8_t[]", guarded))
        return self.ffi.cast(kind, start + _GUARD)

    def _table(self, kind: str, values: NDArray[Any]) -> Any:
        items = [tuple(row) for row in values.tolist()] if values.ndim == 2 else values.tolist()
        return self.ffi.new(f"{kind}[]", items)

    def _params(self, step: Step, tables: Mapping[str, Any]) -> Any:
        if isinstance(step.params, int):
            return step.params
        fields = {name: self._field(value, tables) for name, value in step.params.fields.items()}
        return self.ffi.new(f"{step.params.type} *", fields)

    def _field(self, value: Any, tables: Mapping[str, Any]) -> Any:
        if value is None:
            return self.ffi.NULL
        if isinstance(value, str):
            return tables[value]
        if isinstance(value, Mapping):
            return {name: self._field(item, tables) for name, item in value.items()}
        return value
