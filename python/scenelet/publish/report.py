"""A self-contained HTML page about a run or a model: cost, scores, curves, front end. No network, no scripts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ..benchmark.budget import Budget, budget_of
from ..core.files import is_there, read_bytes, sha256, write_text
from ..core.json_files import Checked, checked, read_object
from ..core.metrics import Scores
from ..core.templating import render
from ..errors import DamagedFileError, InputError
from ..tflite.metadata import ModelInfo, read

MODEL_FILE = "model.tflite"


def _model_of(subject: Path) -> Path:
    """The .tflite file of a run folder, or the path itself."""
    model = subject / MODEL_FILE if subject.is_dir() else subject
    if not model.is_file():
        raise InputError(
            subject,
            f"holds no {MODEL_FILE}" if subject.is_dir() else "no such file",
            "run `scenelet quantize` on it first" if subject.is_dir() else "check the path",
        )
    return model


def _tiles(budget: Budget) -> list[tuple[str, str, str, str]]:
    """Name, value, note and state of the boxes at the top."""
    over = {violation.limit for violation in budget.violations}

    def state(name: str) -> str:
        return "bad" if name in over else "ok"

    held = budget.held
    params = f"of {held.params_bytes:,}" if held.params_bytes is not None else "no limit"
    macs = f"of {held.macs / 1e6:g} M" if held.macs is not None else "no limit"
    return [
        ("parameters", f"{budget.cost.params_bytes:,} B", params, state("parameters")),
        ("MACs", f"{budget.cost.macs / 1e6:.2f} M", macs, state("MACs")),
        ("peak activations", f"{budget.cost.peak_activation_bytes:,} B", "live at once", ""),
        ("planned RAM", f"{budget.planned_ram_bytes:,} B", "of the engine", ""),
    ]


def _facts(info: ModelInfo, model: Path) -> list[tuple[str, str]]:
    settings = info.frontend.model_dump(mode="json", exclude_none=True)
    return [
        ("labels", ", ".join(info.labels)),
        ("recipe", info.recipe),
        ("data set", info.dataset),
        ("front end", ", ".join(f"{name} {value}" for name, value in settings.items())),
        ("front end SHA-256", info.frontend_sha256),
        ("model SHA-256", sha256(model)),
    ]


class _Group(Checked):
    count: int
    accuracy: float
    log_loss: float


class _Evaluation(Scores):
    """Keys of an evaluation that the page shows."""

    target: str
    split: str
    labels: Annotated[list[str], Field(min_length=1)]
    confusion: list[list[Annotated[int, Field(ge=0)]]]
    by_device: dict[str, _Group] = Field(default_factory=dict)


def _evaluations(folder: Path) -> list[_Evaluation]:
    """Evaluations that are saved beside a run's model as evaluation*.json, by name."""
    return [_evaluation(path) for path in sorted(folder.glob("evaluation*.json"))]


def _evaluation(path: Path) -> _Evaluation:
    remedy = "write it again with `scenelet evaluate --json`, or remove it"
    found = checked(_Evaluation, read_object(path, remedy), path, remedy)
    classes = len(found.labels)
    if [len(row) for row in found.confusion] != [classes] * classes:
        raise DamagedFileError(path, f"is damaged: key 'confusion' is no table of {classes} x {classes}", remedy)
    return found


def write_report(subject: Path, to: Path) -> None:
    """Write the page.

    Parameters
    ----------
    subject
        A run folder with a quantized model, or a .tflite file.
    to
        HTML file to write.

    Raises
    ------
    InputError
        Where there is no model, or the page cannot be written.
    """
    model = _model_of(subject)
    budget = budget_of(str(model))
    info = read(model.read_bytes(), model)
    curves = subject / "curves.png"
    page = render(
        __package__,
        "report.html",
        {
            "title": f"{info.recipe} on {info.dataset}" if info else model.name,
            "tiles": _tiles(budget),
            "curves": base64.b64encode(read_bytes(curves)).decode() if is_there(curves) else "",
            "evaluations": _evaluations(subject) if subject.is_dir() else [],
            "layers": budget.cost.layers,
            "info": _facts(info, model) if info else [],
        },
    )
    write_text(to, page)
