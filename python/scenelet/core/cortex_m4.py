"""Programs for the emulated Cortex-M4, compiled with PlatformIO's flags; each source once per content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import processes, toolchain
from .files import held, scratch, writing

COMPILER = "arm-none-eabi-gcc"
PROBING = ("-DSCN_PROBE",)
"""Defines of a program with probes in its depth-first segments; see scn_probe.h."""


def flags() -> dict[str, Any]:
    """Compiler and linker flags of every firmware program (firmware/flags.json)."""
    return toolchain.read_tree_json("flags.json")


def board(name: str = toolchain.EMULATED_BOARD) -> dict[str, Any]:
    """PlatformIO's description of a board (firmware/boards)."""
    return toolchain.read_tree_json(f"boards/{name}.json")


def _port() -> Path:
    return toolchain.FIRMWARE / "lib" / "port" / str(board()["build"]["port"])


def _includes() -> list[Path]:
    own = toolchain.FIRMWARE / "boards" / toolchain.EMULATED_BOARD
    return [*toolchain.engine_folders(), toolchain.FIRMWARE / "lib" / "frontend", _port().parent, _port(), own]


def _compile_flags() -> list[str]:
    every = flags()
    cpu = every[board()["build"]["cpu"]]
    return [*cpu, *every["c"], *every["warnings"]]


def _link_flags() -> list[str]:
    every, memory, port = flags(), board()["upload"], _port()
    symbols = {
        "SCN_FLASH_BYTES": memory["maximum_size"],
        "SCN_RAM_BYTES": memory["maximum_ram_size"],
        "SCN_STACK_BYTES": every["stack_bytes"],
    }
    return [
        *every[board()["build"]["cpu"]],
        *every["link"],
        *(f"-Wl,--defsym={name}={value}" for name, value in symbols.items()),
        "-T",
        str(port / f"{port.name}.ld"),
    ]


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:24]


def _contents(paths: Iterable[Path]) -> list[bytes]:
    return [path.name.encode() + b"\0" + path.read_bytes() for path in sorted(paths)]


def _invoke(arguments: Sequence[str | Path], folder: Path | None = None) -> None:
    """Run the compiler, in a folder if it is given; its first error line becomes a ToolError."""
    program = toolchain.find(COMPILER)
    with toolchain.own_temporary_files() as variables:
        done = processes.run([program, *arguments], cwd=folder, env=variables)
    if done.returncode:
        raise toolchain.failure(COMPILER, done, "shrink the model if it does not fit, else report this as a defect")


def _objects(sources: Iterable[Path], includes: Sequence[Path], defines: Sequence[str]) -> list[Path]:
    """Compile each source once per content of itself, of every header, and of the command; on all cores."""
    folder = toolchain.build_folder() / "arm"
    options = [*_compile_flags(), *defines]
    headers = _contents(header for place in includes for header in place.glob("*.h"))
    command = [*options, *(f"-I{include}" for include in includes), "-c"]
    made = {}
    for source in sources:
        key = _digest("\0".join(options).encode(), source.name.encode(), source.read_bytes(), *headers)
        made[folder / f"{source.stem}-{key}.o"] = source
    if not all(target.exists() for target in made):
        _compile(command, made, folder)
    return list(made)


def _compile(command: Sequence[str | Path], sources: Mapping[Path, Path], folder: Path) -> None:
    """Compile what another process has not compiled meanwhile: sources by their objects, which lie in the folder."""

    def one(target: Path) -> None:
        with scratch(folder) as place:
            fresh = place / target.name
            _invoke([*command, sources[target], "-o", fresh])
            fresh.replace(target)

    with writing(folder), held(folder):
        toolchain.on_all_cores(one, [target for target in sources if not target.exists()])


def library_objects(defines: Sequence[str] = ()) -> list[Path]:
    """Objects of the engine, the front end and the port, which no model changes; :data:`PROBING` adds probes."""
    frontend = toolchain.FIRMWARE / "lib" / "frontend"
    sources = sorted((*toolchain.engine_sources(), *frontend.glob("*.c"), *_port().glob("*.c")))
    return _objects(sources, _includes(), defines)


def probe(folder: Path, name: str, sources: Sequence[Path], options: Sequence[str] = ()) -> Path:
    """Build a probe: a program of firmware/measure/probe around what it measures.

    Parameters
    ----------
    folder
        Holds generated headers, if there are any; the ELF is written here.
    name
        Of the probe's source, without its ending.
    sources
        C files to link with it, besides the port.
    options
        Further compiler options.

    Returns
    -------
    Path
        The ELF.

    Raises
    ------
    ToolError
        The compiler is missing or refuses a source.
    """
    own = toolchain.FIRMWARE / "measure" / "probe" / f"{name}.c"
    port = _objects(sorted(_port().glob("*.c")), _includes(), ())
    objects = [*_objects([*sources, own], [*_includes(), folder], options), *port]
    elf = folder / "probe.elf"
    _invoke([*_link_flags(), *objects, "-o", elf])
    return elf


def runner(generated: Mapping[str, str], *, probes: bool = False, program: str = "runner") -> Path:
    """Build the measuring program for a model, or another program of firmware/measure.

    Parameters
    ----------
    generated
        C sources by file name, as :func:`scenelet.deploy.export.render_engine` returns them.
    probes
        Add probes to depth-first segments, which cost some instructions per stripe of a stage; see scn_probe.h.
    program
        Its folder.

    Returns
    -------
    Path
        An ELF file in the build folder, built once per content; the linker's map beside it ends in ".map".

    Raises
    ------
    ToolError
        The compiler is missing, or the program does not fit the memory of the board.
    """
    build = toolchain.build_folder() / "arm"
    with scratch(build) as folder:
        for name, text in generated.items():
            (folder / name).write_text(text, "utf-8")
        probing = PROBING if probes else ()
        own = [*sorted(folder.glob("*.c")), *(toolchain.FIRMWARE / "measure" / program).glob("*.c")]
        # A model of any size may be measured here; the challenge's limits apply to firmware that ships.
        around = _objects(own, [*_includes(), folder], ("-DSCN_MODEL_UNLIMITED", *probing))
        objects = [*library_objects(probing), *around]
        elf = build / f"{program}-{_digest('.'.join(_link_flags()).encode(), *_contents(objects))}.elf"
        if not (elf.exists() and elf.with_suffix(".map").exists()):
            fresh = folder / "runner.elf"
            link_map = fresh.with_suffix(".map")
            # The map's name alone, and not behind -Wl: the linker replaces % in it, and -Wl divides at commas.
            _invoke([*_link_flags(), *objects, "-Xlinker", f"-Map={link_map.name}", "-o", fresh], folder)
            link_map.replace(elf.with_suffix(".map"))
            fresh.replace(elf)
    return elf
