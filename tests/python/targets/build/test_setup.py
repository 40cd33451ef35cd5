"""``make setup``: the Debian packages that it finds missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scenelet.core import toolchain

TOOLS = ("bash", "dirname", "echo", "head", "sed", "xargs", "strip", "arm-none-eabi-gcc", "qemu-system-arm")


def needed(folder: Path, compiler: str) -> str:
    """What set-up asks for on a system with these tools, this compiler and no apt-get."""
    (folder / "tools").mkdir()
    shutil.copyfile(toolchain.REPOSITORY / "tools" / "setup.sh", folder / "tools" / "setup.sh")
    programs = folder / "bin"
    programs.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (programs / tool).symlink_to(found)
    (programs / "python3").write_text("#!/bin/sh\nexit 0\n")
    (programs / "cc").write_text(f"#!/bin/sh\n{compiler}\n")
    for name in ("python3", "cc"):
        (programs / name).chmod(0o755)
    environment = {"PATH": str(programs), "HOME": os.environ["HOME"]}
    command = [programs / "bash", folder / "tools" / "setup.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    return done.stderr.partition("install the equivalents of these Debian packages: ")[2]


@pytest.mark.cross
@pytest.mark.qemu
def test_a_compiler_without_headers_asks_for_those(tmp_path: Path) -> None:
    compiler = toolchain.find("cc")
    assert needed(tmp_path, f'exec {compiler} -nostdinc "$@"').split() == ["libc6-dev"]
