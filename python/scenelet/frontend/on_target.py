"""The front end's C on an emulated Cortex-M4: features and instruction counts.

For any front end, without a network. The instructions of a model's whole firmware are measured by its own runner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core import cortex_m4, processes, toolchain
from ..core.files import scratch
from ..errors import ToolError
from .codegen import render_frontend
from .tables import Tables
from .windows import checked

_SECONDS = 120


@dataclass(frozen=True)
class ProbeResult:
    """Features and instruction counts of the emulated board.

    Attributes
    ----------
    features
        int8, (n, n_mels, frames).
    frame_instructions
        Of one ``scn_frontend_frame``, the largest over the clips; exact to about 6.
    clip_instructions
        Of one whole clip through the streaming driver, the largest over the clips.
    code_bytes
        Machine code of the front end in flash, tables not counted.
    """

    features: NDArray[np.int8]
    frame_instructions: int
    clip_instructions: int
    code_bytes: int


def probe(windows: NDArray[np.int32], tables: Tables, flags: Sequence[str] = (), *, form: str = "fast") -> ProbeResult:
    """Compute features on the emulated board.

    Parameters
    ----------
    windows
        (n, clip_samples) integers, n >= 1.
    tables
        From :func:`scenelet.frontend.tables.make_tables`.
    flags
        Further compiler flags, such as another optimization level.
    form
        "fast" or "compact" tables.

    Raises
    ------
    ToolError
        Where compiler or emulator is missing or fails.
    AudioError
        Where type, shape or range of ``windows`` is wrong.
    """
    windows = checked(windows, tables.config)
    config = tables.config
    with scratch() as folder:
        elf = _build(folder, render_frontend(tables, form=form), flags)
        (folder / "clips").write_bytes(windows.astype("<i4").tobytes())
        run_program(elf)
        maps = np.frombuffer((folder / "features").read_bytes(), np.int8)
        cycles = np.frombuffer((folder / "cycles").read_bytes(), "<u8")
        if cycles.size != 2 * len(windows):
            raise ToolError("qemu-system-arm", f"gave {cycles.size // 2} of {len(windows)} clips", "report this defect")
        frame, clip = (instructions(int(column.max())) for column in cycles.reshape(-1, 2).T)
        features = maps.reshape(len(windows), config.n_mels, config.frames).copy()
        return ProbeResult(features, frame, clip, _code_bytes(elf))


def instructions(cycles: int) -> int:
    """Convert cycles to instructions: with -icount shift=0 an instruction takes 1 ns; cycles count at the CPU clock."""
    return round(cycles * 1e9 / int(str(cortex_m4.board()["build"]["f_cpu"]).rstrip("L")))


def _build(folder: Path, generated: Mapping[str, str], flags: Sequence[str]) -> Path:
    for name, text in generated.items():
        (folder / name).write_text(text, "utf-8")
    library = toolchain.FIRMWARE / "lib" / "frontend"
    sources = [folder / "scn_frontend_tables.c", *sorted(library.glob("*.c"))]
    return cortex_m4.probe(folder, "frontend_probe", sources, flags)


def run_program(elf: Path) -> None:
    """Run a probe to its end, in the folder of its files.

    Raises
    ------
    ToolError
        Where the emulator is missing, fails or runs too long.
    """
    machine = str(cortex_m4.board()["build"]["qemu_machine"])
    command = [
        *(toolchain.find("qemu-system-arm"), "-M", machine, "-icount", "shift=0", "-display", "none"),
        *("-monitor", "none", "-serial", "null", "-semihosting-config", "enable=on,target=native"),
        *("-kernel", str(elf)),
    ]
    done = processes.run(command, cwd=elf.parent, seconds=_SECONDS)
    if done.returncode:
        raise ToolError("qemu-system-arm", f"ended with status {done.returncode}: {done.stderr}", "report this defect")


def _code_bytes(elf: Path) -> int:
    """Bytes of the front end's functions that are linked into the program."""
    listing = toolchain.run(["arm-none-eabi-nm", "--size-sort", "-S", "-l", str(elf)])
    lines = (line.split() for line in listing.splitlines() if "/lib/frontend/" in line)
    return sum(int(size, 16) for _, size, kind, *_ in lines if kind in "tT")


def probe_decimator(
    content: bytes, rate_in: int, rate_out: int, flags: Sequence[str] = ()
) -> tuple[NDArray[np.int32], int]:
    """Decimate on the emulated board.

    Parameters
    ----------
    content
        int32 samples, little endian; uint16 words of PDM where ``rate_in`` is 1,024,000.

    Returns
    -------
    samples
        int32 (n,).
    count
        Total instructions, exact to about 6 per 256 samples or words.

    Raises
    ------
    ToolError
        Where compiler or emulator is missing or fails.
    """
    with scratch() as folder:
        library = toolchain.FIRMWARE / "lib" / "frontend"
        elf = cortex_m4.probe(folder, "decimator_probe", [library / "scn_decimator.c", library / "scn_cic.c"], flags)
        (folder / "header").write_bytes(np.array([rate_in, rate_out], "<u4").tobytes())
        (folder / "input").write_bytes(content)
        run_program(elf)
        samples = np.frombuffer((folder / "output").read_bytes(), "<i4").astype(np.int32)
        return samples, instructions(int(np.frombuffer((folder / "cycles").read_bytes(), "<u8")[0]))
