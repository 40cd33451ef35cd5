"""External programs (compilers, emulator, PlatformIO): where they are, and the package to install."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from signal import SIGXFSZ
from subprocess import CompletedProcess
from typing import Any

from platformdirs import user_cache_dir

from ..errors import InputError, ToolError
from . import extras, processes
from .files import held, scratch

_PACKAGE = Path(__file__).resolve().parents[1]
REPOSITORY = _PACKAGE.parents[1]
"""The clone; only tools and tests may ask for more of it than the tree."""
INSTALLED = (_PACKAGE / "tree").is_dir()
"""Whether this package was installed from a wheel, which carries the tree with it."""
TREE = _PACKAGE / "tree" if INSTALLED else REPOSITORY
"""The folder with platformio.ini and firmware/: the clone, or the installed package's copy; never written to."""
FIRMWARE = TREE / "firmware"
EMULATED_BOARD = "netduinoplus2"
"""The board of firmware/boards that QEMU emulates; measurements run on it."""

DEBIAN = {
    "cc": ("gcc", "libc6-dev"),
    "arm-none-eabi-gcc": ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi"),
    "arm-none-eabi-objdump": ("binutils-arm-none-eabi",),
    "arm-none-eabi-size": ("binutils-arm-none-eabi",),
    "cmake": ("cmake",),
    "gdb-multiarch": ("gdb-multiarch",),
    "openocd": ("openocd",),
    "portaudio": ("libportaudio2",),
    "qemu-system-arm": ("qemu-system-arm",),
}
"""Debian packages of programs, and of the library PortAudio; of a compiler, also its C library, which it lacks."""
_NO_HEADER = re.compile(r"fatal error: (std\w+|string|math|limits|errno|time|ctype|inttypes)\.h: No such file")


def build_folder() -> Path:
    """Folder of all build products and caches, an absolute path.

    SCENELET_BUILD, else build/ of the clone, else, for a package installed from a wheel, the user's cache folder.

    Raises
    ------
    InputError
        Its name is not UTF-8, which compilers' bindings need.
    """
    own = str(REPOSITORY / "build") if not INSTALLED else user_cache_dir("scenelet", appauthor=False)
    folder = os.environ.get("SCENELET_BUILD") or own
    try:
        folder.encode()
    except UnicodeEncodeError:
        raise InputError(folder, "the build folder's name is not UTF-8", "set SCENELET_BUILD to another") from None
    return Path(folder).absolute()


def engine_folders() -> list[Path]:
    """Folders of the engine's sources and headers, as firmware/flags.json lists them.

    Raises
    ------
    ToolError
        A file of the installation is missing.
    """
    return [FIRMWARE / folder for folder in read_tree_json("flags.json")["engine"]]


@cache
def read_tree_json(name: str) -> dict[str, Any]:
    """Read a JSON file of the firmware tree.

    Parameters
    ----------
    name
        Path within firmware/.

    Raises
    ------
    ToolError
        The file is missing.
    """
    path = FIRMWARE / name
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise ToolError(path, "is missing from this installation", "install scenelet again, or clone it") from None


def engine_sources() -> list[Path]:
    """C sources of the engine, sorted."""
    return sorted(source for folder in engine_folders() for source in folder.glob("*.c"))


def find(program: str) -> str:
    """Path of a program on PATH or beside this Python.

    Raises
    ------
    ToolError
        The program is missing; the message names the package to install.
    """
    path = _path_of(program)
    if not path:
        raise ToolError(program, "not found on PATH", _remedy(program))
    return path


def debian_command(packages: Iterable[str]) -> str:
    """Command that installs Debian packages, each once; on a fresh system, nothing is found without an update."""
    once = " ".join(dict.fromkeys(packages))
    return f"sudo apt-get update && sudo apt-get install --no-install-recommends {once}"


def _remedy(program: str) -> str:
    if program == "pio":
        return f"install PlatformIO: {extras.remedy('firmware')}"
    packages = DEBIAN.get(program)
    return f"install it (Debian: {debian_command(packages)})" if packages else "install it"


def is_installed(program: str) -> bool:
    """Whether :func:`find` would find it."""
    return _path_of(program) is not None


def _path_of(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=os.path.dirname(sys.executable))


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    family: bool = False,
) -> str:
    """Run a program as :func:`scenelet.core.processes.run` does, and return its standard output.

    Its temporary files are those of :func:`own_temporary_files`.

    Raises
    ------
    ToolError
        The program is missing or fails; the message holds its first error line.
    """
    program = find(str(command[0]))
    with own_temporary_files(env) as variables:
        done = processes.run([program, *command[1:]], cwd=cwd, env=variables, family=family)
    if done.returncode:
        raise failure(command[0], done, "run it by hand to see its whole output")
    return done.stdout


@contextmanager
def own_temporary_files(env: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Environment, by default this process's, for a compiler, which leaves its temporary files where it is killed.

    It makes them in a folder that goes at the end of the block; after a SIGKILL, with the next call.
    """
    with scratch() as folder:
        yield {**(os.environ if env is None else env), "TMPDIR": str(folder)}


def failure(subject: object, done: CompletedProcess[str], remedy: str) -> ToolError:
    """Make the error of a program that failed: the line of its output that tells most, and what to do."""
    lines = [line.strip() for line in (done.stderr.strip() or done.stdout.strip()).splitlines()]
    full = [line for line in lines if "No space left on device" in line or "File too large" in line]
    if full or done.returncode == -SIGXFSZ:
        places = " and ".join(dict.fromkeys((str(build_folder()), tempfile.gettempdir())))
        return ToolError(subject, full[0] if full else "wrote a file too large", f"free space in {places}")
    if any(_NO_HEADER.search(line) for line in lines):
        remedy = headers_remedy(subject)
    named = [line for line in lines if "overflowed" in line or "error" in line.lower()]
    return ToolError(subject, (named or lines[-1:] or [f"exit status {done.returncode}"])[0], remedy)


def has_headers(compiler: str | Path) -> bool:
    """Whether a compiler finds the headers of its C library."""
    done = processes.run([compiler, "-E", "-include", "stdlib.h", "-x", "c", os.devnull], seconds=60)
    return done.returncode == 0


def headers_remedy(compiler: object) -> str:
    """What to do where a compiler lacks the headers of its C library."""
    package = DEBIAN["arm-none-eabi-gcc" if "arm-none-eabi" in str(compiler) else "cc"][1]
    return f"install its C library's headers (Debian: {debian_command([package])})"


def host_compiler() -> str:
    """The host's C compiler: the environment's CC, else ``cc``."""
    return os.environ.get("CC") or "cc"


def shared_library(
    name: str,
    sources: Iterable[Path],
    includes: Iterable[Path] = (),
    flags: Sequence[str] = (),
    linked: Sequence[Path] = (),
) -> Path:
    """Compile C sources into a shared library for this computer, once per content.

    The library's name in the build folder holds a hash of the compiler, the flags, the sources and every header of the
    include folders, so a stale one is never loaded. It is written atomically.

    Parameters
    ----------
    name
        Stem of the file name.
    sources, includes
        C files; folders for ``-I``.
    flags
        Further compiler flags.
    linked
        Shared libraries that it is linked to, whether it calls them or not.

    Raises
    ------
    ToolError
        The compiler is missing, or refuses the sources.
    """
    sources, includes = sorted(sources), list(includes)
    command = [find(host_compiler()), "-std=c11", "-O2", "-fPIC", *flags, *(f"-I{folder}" for folder in includes)]
    libraries = ["-Wl,--no-as-needed", *map(str, linked), "-lm"]
    digest = hashlib.sha256(os.fsencode("\0".join([*command, *libraries])))
    headers = sorted(header for folder in includes for header in folder.glob("*.h"))
    for path in (*sources, *headers):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    library = build_folder() / "native" / f"{name}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        with held(library.parent / name):  # another process that needs it waits, and finds it made
            if not library.exists():
                _make_library(command, sources, libraries, library)
    return library


def _make_library(command: Sequence[str], sources: Sequence[Path], libraries: Sequence[str], library: Path) -> None:
    with scratch(library.parent) as folder:
        objects = {folder / f"{index}.o": source for index, source in enumerate(sources)}
        on_all_cores(lambda made: run([*command, "-c", objects[made], "-o", made]), objects)
        fresh = folder / library.name
        run([*command, "-shared", *objects, *libraries, "-o", fresh])
        fresh.replace(library)


def on_all_cores(function: Callable[[Path], object], paths: Iterable[Path]) -> None:
    """Call a function, which waits for a compiler, with each path; the first error ends it and is raised."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for _ in pool.map(function, paths):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
