"""A PlatformIO project of the user's own: the product firmware with a model, which builds without this package."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..compiler.options import Options
from ..core import toolchain
from ..core.files import write_folder
from ..core.shown import markdown
from ..core.templating import render
from ..errors import InputError
from ..targets import boards
from .export import Export, export

DEFAULT_MODEL = toolchain.FIRMWARE / "models" / "default.tflite"
_LEFT_OUT = ("generated", "measure", "models", "__pycache__")
_TEXT = (".c", ".h", ".ld", ".json", ".py")
_TESTS = ("check.h", "test_custom_runner.py")


@dataclass(frozen=True)
class Project:
    """A new project: its folder, its board, and what was exported into it."""

    folder: Path
    board: str
    export: Export


def _wanted(path: Path, board: str) -> bool:
    """Whether a file of the firmware tree belongs to a project for a board; QEMU's board always does."""
    if path.suffix not in _TEXT or path.parts[0] in _LEFT_OUT or "__pycache__" in path.parts:
        return False
    kept = {board, toolchain.EMULATED_BOARD, "host"}
    return path.parts[0] != "boards" or path.with_suffix("").parts[1] in kept


def _tree(board: str) -> Iterator[tuple[str, str]]:
    for path in sorted(path for path in toolchain.FIRMWARE.rglob("*") if path.is_file()):
        inside = path.relative_to(toolchain.FIRMWARE)
        if _wanted(inside, board):
            yield f"firmware/{inside.as_posix()}", path.read_text("utf-8")
    for name in _TESTS:
        yield f"tests/{name}", (toolchain.TREE / "tests" / "firmware" / name).read_text("utf-8")


def _pages(folder: Path, board: str, made: Export) -> dict[str, str]:
    values = {
        "name": folder.name,
        "board": board,
        "emulated": toolchain.EMULATED_BOARD,
        "version": __version__,
        "hears": made.frontend_sha256 is not None,
    }
    pages = {
        "platformio.ini": "project_platformio.ini",
        "README.md": "project_README.md",
        ".gitignore": "project_gitignore",
        "firmware/VERSION": "project_VERSION",
        "tests/test_known_answer/test_main.c": "project_test_main.c",
    }
    return {path: render(__package__, template, values, markdown=markdown) for path, template in pages.items()}


def new_project(to: str | Path, board: str, model: str | Path, options: Options, rule: str | None = None) -> Project:
    """Write a project.

    Parameters
    ----------
    to
        Folder of the project; it must not exist, or be empty.
    board
        One of :func:`scenelet.targets.boards.names`.
    model
        An INT8 .tflite.
    options, rule
        As :func:`.export.export` takes them.

    Raises
    ------
    InputError
        The folder holds something, or there is no such board.
    ModelError, LimitExceeded
        As :func:`.export.export`; nothing is left in the folder.
    """
    folder = Path(to)
    boards.find(board)
    if folder.exists() and (not folder.is_dir() or any(os.scandir(folder))):
        raise InputError(folder, "exists already", "give a new folder")
    generated = folder / "firmware" / "generated"
    made = export(model, generated, tflm=False, options=options, rule=rule, board=board)
    write_folder(folder, {**dict(_tree(board)), **_pages(folder, board, made)})
    return Project(folder, board, made)
