"""What a comparison compares: a model file or a run, as it is or as of a commit, with options of its own."""

from __future__ import annotations

import posixpath
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..compiler.options import DEFAULT, Options
from ..core.files import read_bytes
from ..errors import InputError, ToolError
from ..targets import boards

_OPTIONS = ("weights", "ram", "board", "fusion")
_FORM = "write PATH or REVISION:PATH, then options as in model.tflite,weights=expanded,ram=16384,board=feather_f405"


@dataclass(frozen=True)
class Asked:
    """Options of a subject as a user writes them; ``ram`` is None for what the board leaves."""

    weights: str = DEFAULT.weights
    ram: int | None = None
    board: str | None = None
    fusion: bool = True

    @property
    def options(self) -> Options:
        """As the compiler takes them.

        Raises
        ------
        InputError
            There is no such board, or no such form of weights.
        """
        left = boards.arena_bytes(self.board)
        ram = left if self.ram is None else self.ram
        return Options(self.fusion, self.weights, ram, wait_states=boards.wait_states(self.board))


@dataclass(frozen=True)
class Subject:
    """A model with the options that it is compiled with.

    Attributes
    ----------
    name
        As the user wrote it.
    origin
        "file", or "commit" with its hash: the file is of that commit, the compiler is this one.
    content
        Of the .tflite file.
    asked
        Its options.
    """

    name: str
    origin: str
    content: bytes
    asked: Asked


def parse(text: str, asked: Asked) -> Subject:
    """Read a subject as the command line has it.

    Parameters
    ----------
    text
        ``PATH`` of a .tflite or a run folder, or ``REVISION:PATH`` as git has it, then options after commas.
    asked
        Options where the text has none.

    Raises
    ------
    InputError
        There is no such file, commit or option.
    ToolError
        A commit is asked for and git is not installed.
    """
    if Path(text).exists():  # whatever its name holds
        return Subject(text, "file", _file(Path(text)), asked)
    place, *changes = text.split(",")
    return Subject(text, *_content(place), _changed(text, asked, changes))


def _changed(text: str, asked: Asked, changes: list[str]) -> Asked:
    values = {"weights": asked.weights, "ram": asked.ram, "board": asked.board, "fusion": asked.fusion}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in _OPTIONS:
            raise InputError(text, f"has no option '{change}': there are {', '.join(_OPTIONS)}", _FORM)
        if name == "ram" and not value.isdecimal():
            raise InputError(text, f"ram '{value}' is no number of bytes", _FORM)
        if name == "fusion" and value not in ("on", "off"):
            raise InputError(text, f"fusion '{value}' is neither on nor off", _FORM)
        values[name] = int(value) if name == "ram" else value == "on" if name == "fusion" else value
    return Asked(**values)  # type: ignore[arg-type]  # each is of its option's type


def _content(place: str) -> tuple[str, bytes]:
    if Path(place).exists() or ":" not in place:
        return "file", _file(Path(place))
    revision, _, path = place.partition(":")
    found = _git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = found.decode().strip()
    if path.startswith(("./", "../")):  # as git has it, other paths are from the repository's top
        prefix = _git(place, "rev-parse", "--show-prefix").decode().strip()
        path = posixpath.normpath(posixpath.join(prefix, path))
    return f"commit {commit}", _blob(place, f"{commit}:{path}")


def _blob(place: str, name: str) -> bytes:
    """Content of a file of a commit, through links: a shipped model may be a link to another."""
    said = _git(place, "cat-file", "--batch", "--follow-symlinks", asked=f"{name}\n".encode())
    head, _, content = said.partition(b"\n")
    _, kind, *size = head.decode(errors="replace").rsplit(" ", 2)
    if kind != "blob" or not size:
        raise InputError(place, "that commit has no such file", _FORM)
    return content[: int(size[0])]


def _file(path: Path) -> bytes:
    return read_bytes(path / "model.tflite" if path.is_dir() else path)


def _git(place: str, *arguments: str, asked: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", *arguments], input=asked, capture_output=True, check=False)
    except FileNotFoundError:
        raise ToolError("git", "is not installed", "install git, or give files") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        problem = said[-1].removeprefix("fatal: ") if said else "git knows no such commit here"
        raise InputError(place, problem, _FORM)
    return done.stdout
