"""The kinds of input that are mutated: how a case is made from its seed, and what reads it.

A case is right if it is read, or refused by an error of :mod:`scenelet.errors` that is one line with a remedy. Anything
else is a finding: another exception, a warning, something written elsewhere, more time or memory than is stated.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import documents
import numpy as np
from audio_files import audio_file
from model_files import model_file

from scenelet.cli import main
from scenelet.compiler.options import Options
from scenelet.compiler.pipeline import compile_model
from scenelet.config import recipe
from scenelet.core import toolchain
from scenelet.core.notes import InputNote
from scenelet.core.sealed import read_array, unpack
from scenelet.data.audio import read_audio
from scenelet.data.datasets.registry import open_dataset
from scenelet.errors import SceneletError
from scenelet.frontend.tables import make_tables
from scenelet.tflite import metadata
from scenelet.training.checkpoint import State

_MODEL = toolchain.FIRMWARE / "models" / "esc10_sm1.tflite"
_COMMAND_EVERY = 50
"""One case in so many passes through the command line."""
_FUSED_EVERY = 4
"""One model in so many is compiled with fusion, whose search takes most of the time and sees nothing of the file."""


class Finding(Exception):
    """What is wrong with a case."""


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes
    ----------
    run
        Makes the case of a seed inside an empty folder and reads it; raises SceneletError where it is refused.
    command
        The same through the command line: (seed, folder) -> arguments; None where no command reads it alone.
    prepare
        Imports what is slow to import, before the first case.
    """

    run: Callable[[int, Path], None]
    command: Callable[[int, Path], list[str]] | None = None
    prepare: Callable[[], object] = lambda: None


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# --- models


def _model(seed: int, folder: Path) -> None:
    path = _written(folder / "case.tflite", model_file(seed))
    metadata.read(path.read_bytes(), path)
    options = Options(fusion=seed % _FUSED_EVERY == 0)
    for name, text in compile_model(path, options).files().items():
        require_plain_c(name, text)


_IN_QUOTES = re.compile(
    r'"(?:[^"\\\n]|\\(?:[0-7]{3}|["\\?]))*"|/\*(?:(?!\*/|/\*)[A-Za-z0-9_.:;,=+<>\'/*()\[\]\s-])*\*/'
)
_C_TEXT = re.compile(r"[\w\s{}()\[\].,;:=+\-*/&<>#!|?%\"]*", re.ASCII)


def require_plain_c(name: str, text: str) -> None:
    """Check that no name of a model has left its string or comment, as an inverted comma or a ``*/`` would let it."""
    left = _IN_QUOTES.sub("", text)
    if not text.isascii() or not _C_TEXT.fullmatch(left) or '"' in re.sub(r'#include "[\w.]+"', "", left):
        raise Finding(f"{name} holds text of the model outside of strings and comments")


def _model_command(seed: int, folder: Path) -> list[str]:
    path = str(_written(folder / "case.tflite", model_file(seed)))
    commands = (["budget", path], ["explain", path], ["export", path, "--out", str(folder / "out")])
    return list(commands[seed // _COMMAND_EVERY % len(commands)])


# --- audio


def _audio(seed: int, folder: Path) -> None:
    path = _written(folder / "case.wav", audio_file(seed))
    rate = (8000, 32_000)[seed % 2]
    samples = read_audio(path, rate, (16, 24)[seed // 2 % 2])
    if not samples.size or samples.dtype != np.int32:
        raise Finding(f"{samples.dtype} samples of shape {samples.shape}")


def _audio_command(seed: int, folder: Path) -> list[str]:
    return ["run", str(_MODEL), str(_written(folder / "case.flac", audio_file(seed))), "--target", "litert"]


# --- documents


def _recipe(seed: int, folder: Path) -> None:
    loaded = recipe.load(_written(folder / "case.toml", documents.recipe_file(seed)))
    make_tables(loaded.frontend)


def _tables(seed: int, folder: Path) -> None:
    documents.write_tables(folder / "data", seed)
    found = open_dataset(folder / "data")
    if not found.sha256 or any(not clip.path.is_relative_to(folder) for clip in found.clips):
        raise Finding("a clip outside of the data set's folder")


def _tables_command(seed: int, folder: Path) -> list[str]:
    documents.write_tables(folder / "data", seed)
    return ["data", "info", "--data", str(folder / "data")]


def _json_readers() -> tuple[tuple[Any, Callable[[Path], object]], ...]:
    """Documents that commands write, and what reads each back."""
    from scenelet.core.energy import read_energy
    from scenelet.deploy.device_evaluation import Journal
    from scenelet.evaluation.crossval_results import read_fold_result, read_result
    from scenelet.publish.report.scores import read_saved
    from scenelet.training import run_folder

    scores = {"accuracy": 0.5, "log_loss": 1.0, "clip_accuracy": 0.5, "windows": 4, "clips": 2}
    outcome = {"fold": 1, "seed": 0, "run": "a", "epochs": 2, "validation": scores, "float": scores, "int8": scores}
    confusion = {"target": "host", "split": "test", "labels": ["a", "b"], "confusion": [[1, 0], [1, 2]]}
    group = {"by_device": {"a": {"count": 4, "accuracy": 0.5, "log_loss": 1.0}}}
    request = {"recipe": recipe.load("sm1").model_dump(mode="json"), "dataset": "d", "labels": ["a", "b"]}
    learned = {"folds": [1], "validation_fraction": 0.2, "validation_seed": 0, "clips_sha256": "00"}
    energy = dict.fromkeys(("kwh", "cpu_kwh", "gpu_kwh", "ram_kwh", "seconds"), 1.0)
    header = {"device_scores": 1, "model_sha256": "m", "frontend_sha256": "f"}
    return (
        ({"recipe": "r", "dataset": "d", "epochs": 2, "test": scores}, lambda path: run_folder.metrics_of(path.parent)),
        ({**request, "features_sha256": {"train": "0"}}, lambda path: run_folder.request_of(path.parent)),
        (learned, lambda path: run_folder.provenance_of(path.parent)),
        (energy, lambda path: read_energy(path.parent)),
        ({**scores, **confusion, **group}, read_saved),
        (outcome, read_fold_result),
        ({"recipe": "r", "dataset": "d", "outcomes": [outcome, outcome]}, lambda path: read_result(path.parent)),
        (header, lambda path: Journal(path, "m", "f", 2).close()),
    )


_JSON_NAMES = ("metrics.json", "run.json", "learned.json", "energy.json", "evaluation.json", "outcome.json",
               "crossval.json", "scores.jsonl")  # fmt: skip


def _json(seed: int, folder: Path) -> None:
    chance = np.random.default_rng(seed)
    readers = _json_readers()
    number = int(chance.integers(len(readers)))
    tree, read = readers[number]
    read(_written(folder / _JSON_NAMES[number], documents.json_file(chance, tree)))


def _archive(seed: int, folder: Path) -> None:
    chance = np.random.default_rng(seed)
    kind = seed % 3
    if kind == 0:
        path = _written(folder / "case.npz", documents.features_archive(chance))
        unpack(path.read_bytes(), path, "make it again")
    elif kind == 1:
        State.from_bytes(documents.checkpoint(chance), folder / "checkpoint.npz")
    else:
        read_array(_written(folder / "case.npy", documents.array_file(chance)), "make it again")


def _array_command(seed: int, folder: Path) -> list[str]:
    content = documents.array_file(np.random.default_rng(seed))
    return ["run", str(_MODEL), str(_written(folder / "case.npy", content)), "--target", "litert"]


KINDS: Mapping[str, Kind] = {
    "model": Kind(_model, _model_command),
    "audio": Kind(_audio, _audio_command),
    "recipe": Kind(_recipe),
    "table": Kind(_tables, _tables_command),
    "json": Kind(_json, prepare=_json_readers),
    "archive": Kind(_archive, _array_command),
}


def run_case(kind: Kind, seed: int, folder: Path) -> str:
    """Run a case; returns "read" or "refused".

    Raises
    ------
    Finding
        The case is neither read nor refused as it should be.
    """
    if kind.command and seed % _COMMAND_EVERY == 0:
        return _run_command(kind.command(seed, folder))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", InputNote)
        try:
            kind.run(seed, folder)
        except SceneletError as error:
            require_one_line(str(error))
            if not error.remedy:
                raise Finding(f"no remedy: {error}") from None
            return "refused"
    return "read"


def require_one_line(said: str) -> None:
    """Check the text of an error: one line, neither empty nor endless."""
    if "\n" in said or "\r" in said or not 5 < len(said) < 3000 or "Traceback" in said:
        raise Finding(f"not one line: {said[:300]!r}")


def _run_command(arguments: list[str]) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    lines = [line for line in err.getvalue().splitlines() if not line.startswith("note: ")]
    if status not in (0, 1, 2) or (status == 0 and lines):
        raise Finding(f"exit status {status}: {err.getvalue()[:300]!r}")
    if status and (len(lines) != 1 or not lines[0].startswith("scenelet: ")):
        raise Finding(f"exit status {status} and not one line: {err.getvalue()[:300]!r}")
    return "refused" if status == 2 else "read"
