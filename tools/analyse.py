"""Static analysis of the firmware: gcc -fanalyzer, clang --analyze and clang-tidy (bugprone-*, cert-*).

``tools/analyse.py`` prints every finding that tools/analysis.toml does not answer, and every answer that no finding
needs any more; status 1 where there is one. tools/cppcheck.sh runs cppcheck.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenelet.core import cortex_m4, toolchain

ANSWERS = Path(__file__).with_name("analysis.toml")
_PROGRAMS = {"gcc": "arm-none-eabi-gcc", "clang": "clang", "clang-tidy": "clang-tidy"}
BOARD = "disco_f407vg"  # with a microphone, so that all of the port is compiled
_FOUND = re.compile(r"^(\S+?):(\d+):\d+: (?:warning|error): (.*?) ?\[([^\[\]]+)\]$", re.MULTILINE)
_STRANGE = re.compile(r"^\S+?:\d+:\d+: (?:fatal )?error: .*$", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """A tool's remark.

    Attributes
    ----------
    tool
        "gcc", "clang" or "clang-tidy".
    file
        Path in the repository.
    line
        Of the file.
    check
        Names of the checks that found it.
    text
        The remark.
    """

    tool: str
    file: str
    line: int
    check: tuple[str, ...]
    text: str


def _sources() -> tuple[list[str], list[str]]:
    """The portable sources and those of the chip's port."""
    command = ["git", "ls-files", "firmware/lib/*.c", "firmware/src/*.c"]
    listed = subprocess.run(command, cwd=toolchain.REPOSITORY, capture_output=True, text=True, check=True)
    port = [path for path in listed.stdout.splitlines() if "/port/stm32f4/" in path]
    return [path for path in listed.stdout.splitlines() if path not in port], port


def _includes(*further: str) -> list[str]:
    libraries = [f"firmware/lib/{name}" for name in ("classifier", "frontend", "link", "port")]
    engine = [str(folder.relative_to(toolchain.REPOSITORY)) for folder in toolchain.engine_folders()]
    return [f"-I{name}" for name in (*engine, *libraries, "firmware/generated", "firmware/src", *further)]


def _run(tool: str, command: Sequence[str]) -> list[Finding]:
    """Findings of one command; an error that is no finding ends the program."""
    program = toolchain.find(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=toolchain.REPOSITORY, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    found = [
        Finding(
            tool, os.path.relpath(toolchain.REPOSITORY / file, toolchain.REPOSITORY), int(line), _names(check), text
        )
        for file, line, text, check in _FOUND.findall(said)
    ]
    if done.returncode and not found:
        sys.exit(f"{' '.join(command[:3])}: {(_STRANGE.findall(said) or said.splitlines()[-1:] or ['failed'])[0]}")
    return found


def _names(check: str) -> tuple[str, ...]:
    """Names of checks, without what is the same for all of a compiler."""
    parts = [part.removeprefix("-Wanalyzer-") for part in check.split(",")]
    return tuple(part for part in parts if not part.startswith(("CWE-", "-Werror")))


def _commands() -> Iterator[tuple[str, list[str]]]:
    portable, port = _sources()
    version = '-DSCN_VERSION="0"'
    for_host, for_chip = (
        _includes("firmware/boards/host"),
        _includes(f"firmware/boards/{BOARD}", "firmware/lib/port/stm32f4"),
    )
    gcc = ["arm-none-eabi-gcc", *cortex_m4.flags()["cortex-m4"], "-std=c11", "-O1", "-fanalyzer", version, *for_chip]
    for source in (*(path for path in portable if "/port/host/" not in path), *port):
        yield "gcc", [*gcc, "-c", source, "-o", os.devnull]
    clang = ["clang", "--analyze", "--analyzer-output", "text", "-std=c11", version, *for_host]
    for source in portable:
        yield "clang", [*clang, source]
    tidy = ["clang-tidy", "--quiet", "--checks=-*,bugprone-*,cert-*", "--header-filter=.*firmware/.*"]
    half = len(portable) // 2
    for some in (portable[:half], portable[half:]):
        yield "clang-tidy", [*tidy, *some, "--", "-std=c11", version, *for_host]


def _major(program: str) -> str:
    """Major version of a tool."""
    said = subprocess.run([toolchain.find(program), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(?:version |\) )(\d+)\.", said)
    return found[1] if found else "unknown"


def _answered(finding: Finding, answers: dict[str, Any], used: set[str]) -> bool:
    """Whether an answer fits; those that do are added to ``used``."""
    fitting = [name for name in finding.check if name in answers["checks"]]
    fitting += [
        f"{one['tool']} {one['file']} {one['check']}"
        for one in answers["suppression"]
        if (one["tool"], one["file"]) == (finding.tool, finding.file) and one["check"] in finding.check
    ]
    used.update(fitting)
    return bool(fitting)


def main() -> int:
    """Run everything on all cores; returns the exit status."""
    answers = tomllib.loads(ANSWERS.read_text("utf-8"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = {finding for some in pool.map(lambda pair: _run(*pair), _commands()) for finding in some}
    used: set[str] = set()
    left = [finding for finding in found if not _answered(finding, answers, used)]
    for one in sorted(left, key=lambda finding: (finding.file, finding.line)):
        sys.stdout.write(f"{one.file}:{one.line}: {one.text} [{one.tool}: {', '.join(one.check)}]\n")
    strange = [tool for tool, version in answers["versions"].items() if _major(_PROGRAMS[tool]) != version]
    if strange:
        sys.stdout.write(f"{ANSWERS.name} is for other versions of {', '.join(strange)}: findings are no errors\n")
        return 0
    given = {*answers["checks"], *(f"{one['tool']} {one['file']} {one['check']}" for one in answers["suppression"])}
    for name in sorted(given - used):
        sys.stdout.write(f"{ANSWERS.name}: nothing needs the answer to {name} any more\n")
    return 1 if left or given - used else 0


if __name__ == "__main__":
    sys.exit(main())
