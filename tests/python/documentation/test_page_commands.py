"""Every command on every page is one that the program takes: its name, its options, their values.

What a page shows with its output, `tools/transcripts.py` runs; everything else is held to the programs' own parsers.
"""

from __future__ import annotations

import ast
import re
import runpy
import shlex
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from typer.main import get_command

from scenelet.cli.app import app
from scenelet.core.toolchain import REPOSITORY

PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "firmware" / "models").glob("*.md"),
    ]
)
# The changelog speaks of commands of the past; a model's card repeats how it was made.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
SEPARATORS = {"&&", "||", ";", ";;", "|", ">", "2>"}
VARIABLE = re.compile(r"[A-Z_0-9]+=.*")
PLACEHOLDER = re.compile(r"\.\.\.|<.*>|.+=\.\.\.")
FOR_THE_READER = re.compile(r"\$|\b[A-Z]+\b")  # a shell's variable, a value to choose
PIO_ENVIRONMENTS = {"BOARD", "myboard"}  # names that stand for one of the reader's
PIO_TARGETS = {"upload", "emulate", "clean"}


def blocks(page: Path) -> Iterator[tuple[str, bool]]:
    """Code of a page, and whether it is a block of its own, whose commands are whole."""
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text("utf-8")):
        if token.type in ("fence", "code_block") and token.info.strip() in ("", "bash", "sh", "console"):
            yield token.content, True
        yield from ((child.content, False) for child in token.children or () if child.type == "code_inline")


def lines(code: str) -> Iterator[str]:
    """Lines that are typed: those after a `$` where there are such, else all; a line ends where no backslash does."""
    joined = code.replace("\\\n", " ").splitlines()
    typed = [line.removeprefix("$ ") for line in joined if line.startswith("$ ")]
    yield from typed or joined


def commands(page: Path) -> Iterator[tuple[list[str], bool]]:
    """Words of every command on a page, without what only the shell sees, and whether it is whole."""
    for code, whole in blocks(page):
        for line in lines(code):
            try:
                words = shlex.split(line, comments=True)
            except ValueError:  # prose, or output with a lonely quote
                continue
            command: list[str] = []
            for word in [*words, ";"]:
                if word not in SEPARATORS:
                    command.append(word.rstrip(";"))
                if word in SEPARATORS or word.endswith(";"):
                    while command and VARIABLE.fullmatch(command[0]):
                        command = command[1:]
                    if command:
                        yield command, whole
                    command = []


def parsed(command: Any, words: list[str], *, whole: bool) -> None:
    """Let a parser of click, or of Typer, take words: it refuses what it does not know."""
    whole = whole and "--help" not in words
    with command.context_class(command, info_name=command.name or "") as context:
        options, left, _ = command.make_parser(context).parse_args(list(words))
        assert not left, f"takes no more arguments: {left}"
        for parameter in command.params:
            given = options.get(parameter.name)
            missing = given is None or given == ()
            assert not (whole and parameter.required and missing), f"{parameter.name} is missing"
            if not missing and not FOR_THE_READER.search(str(given)):
                parameter.process_value(context, given)


def under(group: Any, words: list[str], *, whole: bool) -> None:
    """Go down the groups of a program to the command that is meant, and parse the rest."""
    while hasattr(group, "list_commands"):
        name = words[0] if words else ""
        if not words or name.startswith("-"):
            break  # options of the program itself
        with group.context_class(group) as context:
            inner = group.get_command(context, name)
        assert inner is not None, f"no command {name}"
        group, words = inner, words[1:]
    if hasattr(group, "list_commands"):
        known = {option for parameter in group.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert all(word in known | {"--help", "--install-completion", "--show-completion"} for word in words), words
        return
    parsed(group, words, whole=whole)


@cache
def program() -> Any:
    return get_command(app)


def scenelet(words: list[str], whole: bool) -> None:
    under(program(), words, whole=whole)


@cache
def makefile() -> tuple[set[str], set[str]]:
    """Targets and variables of the Makefile."""
    text = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = {name for line in re.findall(r"^([a-z][a-z -]*):(?!=)", text, re.MULTILINE) for name in line.split()}
    return targets, set(re.findall(r"^([A-Z_]+) \?=", text, re.MULTILINE))


def make(words: list[str], _whole: bool) -> None:
    targets, variables = makefile()
    for word in words:
        name, equals, _ = word.partition("=")
        assert name in (variables if equals else targets), f"make knows no {word}"


def pio(words: list[str], whole: bool) -> None:
    from platformio.cli import PlatformioCLI

    ini = ConfigParser()
    ini.read(REPOSITORY / "platformio.ini")
    environments = {name.removeprefix("env:") for name in ini.sections()} | PIO_ENVIRONMENTS
    for option, value in pairwise(words):
        assert option not in ("-e", "--environment") or value in environments, f"no environment {value}"
        assert option not in ("-t", "--target") or value in PIO_TARGETS, f"no target {value}"
    under(PlatformioCLI(), words, whole=whole)


@cache
def options_of(script: Path) -> set[str]:
    """Options and subcommands that a script of argparse names, in itself or in what it imports from its folder.

    Read, not run: some scripts import TensorFlow first.
    """
    found = {"--help"}
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("add_argument", "add_parser"):
                found |= {word.value for word in node.args if isinstance(word, ast.Constant)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            beside = script.parent / f"{node.module.split('.')[0]}.py"
            found |= options_of(beside) if beside.is_file() else set()
    return found


def script(name: str, words: list[str], whole: bool) -> None:
    path = REPOSITORY / name
    assert path.is_file(), f"no {name}"
    if "scenelet.cli import main" in path.read_text("utf-8"):
        scenelet([path.stem, *words], whole)
    elif path.suffix == ".py":
        given = {word.partition("=")[0] for word in words if word.startswith("-") and not word[1:].isdigit()}
        assert given <= options_of(path), f"no such option: {given - options_of(path)}"


PROGRAMS: dict[str, Callable[[list[str], bool], None]] = {"scenelet": scenelet, "make": make, "pio": pio}


def check(words: list[str], whole: bool) -> None:
    """Hold a command to its program's parser; programs of others are not ours to know."""
    whole = whole and "..." not in words  # what is left out is the reader's to know
    before = ["", *words]
    words = [  # brackets: what may be left out
        word.strip("[]")
        for word, option in zip(words, before, strict=False)
        if not PLACEHOLDER.fullmatch(word) or option.startswith("-")
    ]
    name = words[0].removeprefix(".venv/bin/") if words else ""
    if name in ("python", "python3") and len(words) > 1 and words[1].endswith(".py"):
        name, words = words[1], words[1:]
    if name in PROGRAMS and len(words) > 1:
        PROGRAMS[name](words[1:], whole)
    elif name.startswith(("tools/", "tests/")) and Path(name).suffix:
        script(name, words[1:], whole)


def refusals(page: Path) -> Iterator[str]:
    """What the commands of a page are refused for."""
    for words, whole in commands(page):
        try:
            check(words, whole)
        except (Exception, SystemExit) as error:
            if not whole and "requires an argument" in str(error):
                continue  # prose: the option is known, and its value is left out
            yield f"{shlex.join(words)}: {getattr(error, 'message', '') or error}"


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_programs_take_every_command_of_a_page(page: Path) -> None:
    refused = list(refusals(page))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("scenelet frobnicate model.tflite", "no command frobnicate"),
        ("scenelet bench model.tflite --wait 5", "No such option: --wait"),
        ("scenelet bench", "model is missing"),
        ("scenelet run a.tflite b.wav && scenelet data info", "data is missing"),
        ("scenelet data synth --out x --like dcase", "dcase"),
        ("A=1 make dmeo", "make knows no dmeo"),
        ("make demo DATTA=x", "make knows no DATTA=x"),
        ("pio run -e nowhere", "no environment nowhere"),
        ("pio run --flash", "No such option"),
        ("python tools/demo.py --city", "no such option: {'--city'}"),
        ("tools/export.py model.tflite --city", "No such option: --city"),
        ("tools/gone.py", "no tools/gone.py"),
    ],
)
def test_a_wrong_command_would_be_found(tmp_path: Path, code: str, said: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```\n{code}\n```\n")
    (refused,) = refusals(page)
    assert said in refused


def test_the_demo_ends_with_commands_that_can_be_typed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    end = runpy.run_path(str(REPOSITORY / "tools" / "demo.py"))["end"]
    result = {"windows": 1234, "model": "build/demo/a run/model.tflite", "data": "synthetic_city"}
    end(result, Path("build/demo"), same=True)
    said = capsys.readouterr().out
    assert "All 1,234 test windows have the same scores" in said
    assert "nothing about real scenes" in said
    assert all(len(line) <= 80 for line in said.splitlines() if result["model"] not in line)
    page = tmp_path / "page.md"
    page.write_text("```\n" + "\n".join(line for line in said.splitlines() if line.startswith("  ")) + "\n```\n")
    assert len(list(commands(page))) >= 4
    assert not list(refusals(page))
    end(result, Path("build/demo"), same=False)
    assert "same scores" not in capsys.readouterr().out
