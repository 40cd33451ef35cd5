#!/usr/bin/env python3
"""``tools/transcripts.py PAGE... [--check] [--recordings DIR]``: pages of what commands print at 80 columns.

A page says once where its commands run::

    <!-- captures in a clone -->    this clone's scenelet, in a folder with model.tflite (SM1) and clip.wav
    <!-- captures from a wheel -->  a wheel that is built now, in an empty folder outside the repository

and holds the commands, each followed by the block that is written anew::

    <!-- capture fixed: scenelet explain model.tflite -->

``;;`` stands between the commands of one block. A page that ends in .ipynb is a notebook, and run as it is. ``fixed``
output is the same everywhere; ``--check`` runs those commands alone and fails where a page differs. A command that
``fails`` must. Progress is left out, for its lines and times are those of one machine; of a line with figures, such as
an epoch's loss, those stay. With ``--recordings`` every command of a page runs in the folder's copy of recordings, with
this clone's scenelet, but those that take ``long``, which install scenelet or make recordings.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from scenelet.core.files import write_text
from scenelet.core.toolchain import FIRMWARE, REPOSITORY

COLUMNS = 80
BLOCK = re.compile(r"<!-- capture((?: fixed| fails| long)*): (.+?) -->\n```\n.*?```\n", re.DOTALL)
PROGRESS = re.compile(
    r"(?P<done>.+: [\d,]+ of [\d,]+)(; (?P<figures>(?!(\d+ (h|min|s) ?)+left$).+?))?(; (\d+ (h|min|s) ?)+left)?"
)
WHEEL = "<!-- captures from a wheel -->"
LEFT_OUT = ("PYTHONPATH", "SCENELET_BUILD", "SCENELET_GENERATED", "VIRTUAL_ENV")


def surroundings(folder: Path, programs: Path) -> dict[str, str]:
    """Environment of a user at a terminal of 80 columns, whose caches are empty."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    path = f"{programs}{os.pathsep}{kept['PATH']}"
    return {
        **kept,
        "PATH": path,
        "COLUMNS": str(COLUMNS),
        "LC_ALL": "C.UTF-8",
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
    }


def clone(folder: Path) -> dict[str, str]:
    """Prepare a folder for commands of this clone."""
    shutil.copyfile(FIRMWARE / "models" / "esc10_sm1.tflite", folder / "model.tflite")
    noise = np.random.default_rng(0).normal(size=16_000).cumsum()
    soundfile.write(folder / "clip.wav", noise / np.abs(noise).max() / 2, 8000)
    made = surroundings(folder, Path(sys.executable).parent)
    return {**made, "PYTHONPATH": str(REPOSITORY / "python"), "SCENELET_BUILD": str(REPOSITORY / "build")}


def wheel(folder: Path) -> dict[str, str]:
    """Prepare a folder with a wheel in it; the page's commands make the virtual environment."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, REPOSITORY],
        check=True,
        capture_output=True,
    )
    return surroundings(folder, folder / "venv" / "bin")


def settled(line: str) -> str | None:
    """A line without what differs from machine to machine; None where nothing is left of it."""
    progress = PROGRESS.fullmatch(line)
    if not progress:
        return line
    return f"{progress['done']}; {progress['figures']}" if progress["figures"] else None


def capture(command: str, folder: Path, environment: Mapping[str, str], *, fails: bool = False) -> str:
    """What a command prints on both streams, as a block.

    Raises
    ------
    SystemExit
        The command failed and was not to, or the other way round.
    """
    done = subprocess.run(
        ["bash", "-c", command.replace(" ;; ", "\n")], cwd=folder, env=environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if bool(done.returncode) != fails:
        raise SystemExit(f"transcripts: '{command}' ended with {done.returncode}: {done.stdout}")
    lines = (settled(line.rstrip().replace(str(folder), ".")) for line in done.stdout.splitlines())
    shown = "\n".join(line for line in lines if line is not None).strip("\n")
    typed = command.replace(" ;; ", "\n$ ")
    return f"```\n$ {typed}\n{shown}\n```\n" if shown else f"```\n$ {typed}\n```\n"


def renewed(page: str, *, fixed_only: bool = False, recordings: Path | None = None) -> str:
    """Text of a page with its blocks as the commands print them now.

    With ``recordings`` and ``fixed_only`` all blocks but long ones run, and those alone that are fixed are written.
    """
    with tempfile.TemporaryDirectory(prefix="scenelet-") as place:
        folder = Path(place) / "work"
        folder.mkdir()
        environment = wheel(folder) if WHEEL in page and recordings is None else clone(folder)
        if recordings is not None:
            shutil.copytree(recordings, folder / "recordings")

        def block(found: re.Match[str]) -> str:
            words, command = found.groups()
            runs = "long" not in words if recordings is not None else not fixed_only or "fixed" in words
            if not runs:
                return found[0]
            sys.stderr.write(f"transcripts: {command}\n")
            made = capture(command, folder, environment, fails="fails" in words)
            return found[0] if fixed_only and "fixed" not in words else f"<!-- capture{words}: {command} -->\n{made}"

        return BLOCK.sub(block, page)


def executed(text: str) -> str:
    """Text of a notebook with the outputs of a run from its first cell to its last, without counters and times."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(text, as_version=4)
    with tempfile.TemporaryDirectory(prefix="scenelet-") as place:
        os.environ.update(surroundings(Path(place) / "work", Path(sys.executable).parent), IPYTHONDIR=place)
        os.environ["PYTHONPATH"] = str(REPOSITORY / "python")
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": place}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.metadata = None, {}
            for output in cell.outputs:
                if "execution_count" in output:
                    output["execution_count"] = None
    notebook.metadata["language_info"] = {"name": "python"}
    return str(nbformat.writes(notebook)) + "\n"


def main() -> int:
    """Renew or check pages; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where fixed output has changed")
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="folder of classes that the commands find")
    arguments = parser.parse_args()
    stale = []
    for path in arguments.pages:
        text = path.read_text("utf-8")
        options = {"fixed_only": arguments.check, "recordings": arguments.recordings}
        made = executed(text) if path.suffix == ".ipynb" else renewed(text, **options)
        if arguments.check and made != text:
            stale.append(path)
        elif not arguments.check:
            write_text(path, made)
    for path in stale:
        sys.stderr.write(f"transcripts: {path} is stale; run: tools/transcripts.py {path}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
