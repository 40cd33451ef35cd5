"""What commands print: plain text, whatever a file is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from scenelet.cli import main, output
from scenelet.core.shown import shown
from scenelet.errors import DatasetError

AWKWARD = [
    "a b", "it's", "[red]x[/red]", "gen[/b]", "$5", "a\nb", "\u202egnp", "cafe\u0301", ":skull:", "\x1b[2J", "\\[x]",
]  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], *things: object) -> str:
    capsys.readouterr()
    for thing in things:
        output.out.print(thing)
    return capsys.readouterr().out


@given(name=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_is_printed_as_it_is(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert printed(capsys, f"{name} written") == f"{shown(name)} written\n"


@pytest.mark.parametrize("name", AWKWARD)
def test_a_table_shows_names_in_title_and_cells(capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = printed(capsys, output.table(f"{name}: a title", [name, ">n"], [(name, 1000)]))
    assert text.splitlines()[0].rstrip() == f"{shown(name)}: a title"
    assert text.count(shown(name)) == 3
    assert "1,000" in text


@pytest.mark.parametrize("name", AWKWARD)
def test_progress_and_notes_show_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    output.note([name])
    assert capsys.readouterr().err == f"note: {shown(name)}\n"
    monkeypatch.setattr(output, "_QUIET_SECONDS", -1.0)
    with output.progress(name) as step:
        step(1, 1)
    assert capsys.readouterr().err == f"{shown(name)}: 1 of 1\n"


def test_a_bar_shows_names(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(force_terminal=True, width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    monkeypatch.setattr(output, "err", console)
    with output.progress("evaluate m[/b]\n[red].tflite") as step:
        step(1, 2)
        text = console.export_text()
    console.file.close()
    assert r"evaluate m[/b]\n[red].tflite" in text


def test_an_error_is_one_line_that_names_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "a  b\n\x1b[2J[/red]"
    assert main(["data", "info", "--data", str(folder)]) == 2
    assert (
        capsys.readouterr().err == rf"scenelet: {tmp_path}/a  b\n\x1b[2J[/red]: no such folder; give the folder of a "
        "data set\n"
    )
    assert str(DatasetError("a  b\n", "said\n twice", "try")) == r"a  b\n: said twice; try"


def test_a_terminal_without_the_letters_gets_escapes(tmp_path: Path) -> None:
    for label in ("Straßenlärm", "rain"):
        for number in range(3):
            (tmp_path / label).mkdir(exist_ok=True)
            (tmp_path / label / f"{number}.wav").touch()
    done = subprocess.run(
        [sys.executable, "-m", "scenelet", "data", "info", "--data", tmp_path],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert rb"Stra\xdfenl\xe4rm" in done.stdout


def test_a_model_and_a_folder_may_have_any_name(sm1: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "m[red] $x\n.tflite"
    model.write_bytes(sm1.read_bytes())
    assert main(["budget", str(model)]) == 0
    assert capsys.readouterr().out.startswith(rf"{tmp_path}/m[red] $x\n.tflite")
    page = tmp_path / "gen[/b]" / "page.html"
    assert main(["report", str(model), "--out", str(page)]) == 0
    assert capsys.readouterr().out.startswith(f"{page} written\n")
    assert r"<h1>" in page.read_text("utf-8")
