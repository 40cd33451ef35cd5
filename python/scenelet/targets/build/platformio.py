"""The product firmware with a model, built by PlatformIO."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ... import __version__
from ...core import processes, toolchain
from ...core.files import write_folder, writing

ENVIRONMENT = "qemu"
_ELF = "firmware.elf"


def _inputs() -> Iterator[Path]:
    """Every source file of the firmware, without the generated ones."""
    yield toolchain.TREE / "platformio.ini"
    for path in sorted(toolchain.FIRMWARE.rglob("*")):
        excluded = path.relative_to(toolchain.FIRMWARE).parts[0] in ("generated", "models", "measure")
        if path.is_file() and not excluded and path.suffix in (".c", ".h", ".ld", ".json", ".py"):
            yield path


def _digest(generated: Mapping[str, str], environment: str) -> str:
    digest = hashlib.sha256(f"{environment}\0{__version__}".encode())
    for path in _inputs():
        digest.update(str(path.relative_to(toolchain.TREE)).encode() + b"\0" + path.read_bytes())
    for name, text in sorted(generated.items()):
        digest.update(name.encode() + b"\0" + text.encode())
    return digest.hexdigest()[:24]


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """One folder for all builds, locked for one build at a time, so that another model recompiles only what differs."""
    place = folder / "workshop"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield place


def _replace(folder: Path, sources: Mapping[str, str]) -> None:
    """Make a folder hold exactly these sources; unchanged files keep their time stamps."""
    flat = {name: text for name, text in sources.items() if "/" not in name}
    write_folder(folder, flat)
    for path in folder.iterdir():
        if path.name not in flat:
            path.unlink()


def _places() -> dict[str, str]:
    """Variables that keep PlatformIO's own files out of an installed package."""
    if not toolchain.INSTALLED:
        return {}
    place = toolchain.build_folder() / "platformio"
    return {"PLATFORMIO_WORKSPACE_DIR": str(place), "PLATFORMIO_PLATFORMS_DIR": str(place / "platforms")}


def _run_platformio(environment: str, generated: Path, build: Path) -> None:
    variables = {
        **os.environ,
        "SCENELET_GENERATED": str(generated),
        "PLATFORMIO_BUILD_DIR": str(build),
        "SCENELET_VERSION": __version__,
        **_places(),
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
    }
    command = [toolchain.find("pio"), "run", "-e", environment, "-d", str(toolchain.TREE)]
    with toolchain.own_temporary_files(variables) as own:
        done = processes.run(command, env=own, family=True)
    if done.returncode:
        raise toolchain.failure(f"pio run -e {environment}", done, "run it by hand to see its whole output")


def build(generated: Mapping[str, str], environment: str = ENVIRONMENT) -> Path:
    """Build the product firmware, once per content of all its sources.

    Parameters
    ----------
    generated
        C sources by file name, as ``scenelet export`` writes them.
    environment
        Name of an ``[env:...]`` of platformio.ini with a board.

    Returns
    -------
    Path
        An ELF file in the build folder.

    Raises
    ------
    ToolError
        PlatformIO or the compiler is missing, or the firmware does not fit the board's memory.
    """
    folder = toolchain.build_folder() / "product"
    elf = folder / f"{environment}-{_digest(generated, environment)}.elf"
    if not elf.exists():
        with writing(folder), _workshop(folder) as place:
            if elf.exists():  # another process has built it meanwhile
                return elf
            _replace(place / "generated", generated)
            _run_platformio(environment, place / "generated", place / "build")
            (place / "build" / environment / _ELF).replace(elf)
    return elf
