"""What this computer has for scenelet's commands, and what to do about the rest."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ctypes.util import find_library
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from ..core import extras, processes, toolchain
from ..errors import ToolError

_PROGRAMS = {
    "cc": "the target host, the front end at full speed",
    "arm-none-eabi-gcc": "bench, profile, load, the target qemu",
    "qemu-system-arm": "bench, profile, load, the target qemu",
    "pio": "load, firmware for a board",
    "cmake": "exported CMake libraries",
    "openocd": "flashing a board (pio run -t upload)",
    "gdb-multiarch": "debugging, and flashing by GDB",
}
_COMPILERS = ("cc", "arm-none-eabi-gcc")
# What it serves, and its extra; without one, it comes with scenelet where there is a package for the system.
_PACKAGES = {
    "tensorflow": ("train, distill, prune, quantize", "train"),
    "tflite-micro": ("the target tflm, its sources in an export", ""),
    "librosa": ("frontend compare", "librosa"),
    "distributed": ("--cluster dask://", "dask"),
    "ray": ("--cluster ray://", "ray"),
    "codecarbon": ("--energy", "energy"),
    "sounddevice": ("listen: this computer's microphone", "listen"),
    "uvicorn": ("listen --web", "listen"),
}
_ENOUGH_BYTES = 2 << 30
_USB = Path("/sys/bus/usb/devices")
# USB identities of debug probes: vendor, and product where the vendor makes other things too.
_PROBES = {
    ("0483", "3744"): "ST-LINK", ("0483", "3748"): "ST-LINK/V2", ("0483", "374b"): "ST-LINK/V2-1",
    ("0483", "374e"): "STLINK-V3", ("0483", "374f"): "STLINK-V3", ("0483", "3752"): "ST-LINK/V2-1",
    ("0483", "3753"): "STLINK-V3", ("0483", "df11"): "STM32 boot loader (DFU)", ("1366", ""): "J-Link",
    ("0d28", "0204"): "CMSIS-DAP", ("1d50", "6018"): "Black Magic Probe",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name
        What was looked for.
    state
        "ok", "missing", or "note".
    found
        Version or place; "" where it is missing.
    serves
        What needs it.
    remedy
        What to do; "" where nothing is to be done.
    """

    name: str
    state: str
    found: str
    serves: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return asdict(self)


def examine() -> Iterator[Finding]:
    """Look for programs, packages, probes, serial ports and room for caches; nothing is changed."""
    yield Finding("python", "ok", ".".join(map(str, sys.version_info[:3])), "everything")
    for program, serves in _PROGRAMS.items():
        yield _program(program, serves)
    for package, (serves, extra) in _PACKAGES.items():
        yield _package(package, serves, extras.remedy(extra) if extra else f"pip install {package}")
    yield _portaudio()
    yield _cache()
    yield from _probes()
    yield from _ports()


def debian_command(findings: Iterable[Finding]) -> str:
    """One command for all the Debian packages that are missing; "" where none is."""
    lacking = [one.name for one in findings if one.state == "missing" and one.name in toolchain.DEBIAN]
    return toolchain.debian_command(name for one in lacking for name in toolchain.DEBIAN[one]) if lacking else ""


def _program(name: str, serves: str) -> Finding:
    try:
        path = toolchain.find(name)
    except ToolError as error:
        return Finding(name, "missing", "", serves, error.remedy)
    done = processes.run([path, "--version"], seconds=60)
    if name in _COMPILERS and not toolchain.has_headers(path):
        return Finding(name, "missing", "no headers of its C library", serves, toolchain.headers_remedy(name))
    number = re.search(r"\d+\.\d+(?:\.\d+)?", (done.stdout + done.stderr).partition("\n")[0])
    return Finding(name, "ok", number[0] if number else path, serves)


def _package(name: str, serves: str, remedy: str) -> Finding:
    for package in (name, f"{name}-cpu"):  # TensorFlow's package for processors alone
        with suppress(PackageNotFoundError):
            return Finding(name, "ok", version(package), serves)
    return Finding(name, "missing", "", serves, remedy)


def _portaudio() -> Finding:
    serves = "listen: this computer's microphone"
    if found := find_library("portaudio"):
        return Finding("portaudio", "ok", found, serves)
    command = toolchain.debian_command(toolchain.DEBIAN["portaudio"])
    return Finding("portaudio", "missing", "", serves, f"install it (Debian: {command})")


def _cache() -> Finding:
    folder = toolchain.build_folder()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    found = f"{folder}, {free / 1e9:.0f} GB free"
    if not os.access(there, os.W_OK):
        remedy = f"let your user write to {there}, or set SCENELET_BUILD"
        return Finding("build folder", "note", found, "caches", remedy)
    if free < _ENOUGH_BYTES:
        return Finding("build folder", "note", found, "caches", f"free space in {there}, or set SCENELET_BUILD")
    return Finding("build folder", "ok", found, "caches")


def _identity(device: Path) -> tuple[str, str]:
    try:
        return (device / "idVendor").read_text().strip(), (device / "idProduct").read_text().strip()
    except OSError:  # a hub's port, or a device that was just unplugged
        return "", ""


def _probes() -> Iterator[Finding]:
    serves, seen = "flashing and debugging a board", False
    for device in sorted(_USB.glob("*")) if _USB.is_dir() else ():
        vendor, product = _identity(device)
        name = _PROBES.get((vendor, product)) or _PROBES.get((vendor, ""))
        if not name:
            continue
        seen = True
        number = (device / "busnum").read_text().strip(), (device / "devnum").read_text().strip()
        node = Path(f"/dev/bus/usb/{int(number[0]):03d}/{int(number[1]):03d}")
        if os.access(node, os.W_OK):
            yield Finding("probe", "ok", name, serves)
        else:
            remedy = f"let your user open {node}: install OpenOCD's udev rules, and connect the board again"
            yield Finding("probe", "note", name, serves, remedy)
    if not seen:
        remedy = "connect the board's USB; without a board, use QEMU (pio run -e qemu -t emulate)"
        yield Finding("probe", "missing", "", serves, remedy)


def _ports() -> Iterator[Finding]:
    serves = "device, --target serial:PORT"
    ports = [port for port in list_ports.comports() if port.vid is not None or "ttyS" not in port.device]
    for port in sorted(ports, key=lambda one: one.device):
        if os.access(port.device, os.R_OK | os.W_OK):
            yield Finding("serial port", "ok", f"{port.device} ({port.description})", serves)
        else:
            remedy = "add your user to the group dialout (sudo usermod -aG dialout $USER), and log in again"
            yield Finding("serial port", "note", port.device, serves, remedy)
    if not ports:
        yield Finding("serial port", "missing", "", serves, "connect the board's console")
