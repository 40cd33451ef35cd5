"""A firmware that ends by itself, in the emulator."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from scenelet.core import toolchain
from scenelet.targets.emulator import process


def last_words(elf: Path, options: Sequence[str] = ()) -> tuple[int, str]:
    """Exit status and output of a program that ends by itself."""
    command = ["-M", toolchain.EMULATED_BOARD, "-display", "none", "-monitor", "none", "-serial", "stdio"]
    command += ["-semihosting-config", "enable=on,target=native", *options]
    done = subprocess.run(
        [toolchain.find(process.PROGRAM), *command, "-kernel", elf],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout
