"""Scores side by side: float network, INT8 network and device; by class, by device, and one confusion matrix of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ...core.json_files import Checked, checked, read_object
from ...core.metrics import Measures, Scores
from ...errors import DamagedFileError
from ...evaluation import intervals
from ...evaluation.evaluate import Evaluation
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Missing, Subject

NAMES = {
    "float": "float network",
    "litert": "INT8, TFLite's reference kernels",
    "tflm": "INT8, TFLite Micro",
    "host": "INT8, generated C on this computer",
    "qemu": "INT8, emulated board",
}
_AGAIN = "write it again with `scenelet evaluate --json`, or remove it"


@dataclass(frozen=True)
class Scored:
    """Scores of one network in one place; ``confusion`` counts windows by true and answered class."""

    target: str
    split: str
    labels: tuple[str, ...]
    windows: int
    clips: int
    accuracy: float
    clip_accuracy: float
    log_loss: float
    confusion: list[list[int]]
    by_class: dict[str, Measures] = field(default_factory=dict)
    by_device: dict[str, Measures] = field(default_factory=dict)
    interval: str = ""
    learned_clips: int | None = None

    @property
    def name(self) -> str:
        """What the reader is told of the target."""
        return NAMES.get(self.target, self.target)

    @property
    def short(self) -> str:
        """Head of a column."""
        return "float" if self.target == "float" else f"INT8, {self.target}"

    def share(self, truth: int, answer: int) -> float:
        """Share of a true class's windows that got an answer, 0 to 1."""
        return self.confusion[truth][answer] / (sum(self.confusion[truth]) or 1)


class _Group(Checked):
    count: int
    accuracy: float
    log_loss: float


class _Saved(Scores):
    """Keys of a saved evaluation that the page shows."""

    target: str
    split: str
    labels: Annotated[list[str], Field(min_length=1)]
    confusion: list[list[Annotated[int, Field(ge=0)]]]
    by_device: dict[str, _Group] = Field(default_factory=dict)
    by_class: dict[str, _Group] = Field(default_factory=dict)


def read_saved(path: Path) -> Scored:
    """Read an evaluation that ``scenelet evaluate --json`` wrote.

    Raises
    ------
    DamagedFileError
        Where a key that the page shows is missing or wrong.
    """
    found = checked(_Saved, read_object(path, _AGAIN), path, _AGAIN)
    classes = len(found.labels)
    if [len(row) for row in found.confusion] != [classes] * classes:
        raise DamagedFileError(path, f"is damaged: key 'confusion' is no table of {classes} x {classes}", _AGAIN)
    figures = found.windows, found.clips, found.accuracy, found.clip_accuracy, found.log_loss
    groups = _measures(found.by_class), _measures(found.by_device)
    return Scored(found.target, found.split, tuple(found.labels), *figures, found.confusion, *groups)


def _measures(groups: Mapping[str, _Group]) -> dict[str, Measures]:
    return {name: Measures(one.count, one.accuracy, one.log_loss) for name, one in groups.items()}


def _of(one: Evaluation) -> Scored:
    figures = one.windows, one.clips, one.accuracy, one.clip_accuracy, one.log_loss
    interval = intervals.shown(one.intervals["clip_accuracy"])
    groups = one.by_class, one.by_device
    return Scored(
        one.target, one.split, one.labels, *figures, one.confusion.tolist(), *groups, interval, one.learned_clips
    )


def scored(subject: Subject) -> list[Scored]:
    """Evaluations on the data set, the float network's first; without one, those saved in the run's folder."""
    found = [_of(one) for one in subject.evaluations.values()]
    if not found and subject.run is not None:
        found = [read_saved(path) for path in sorted(subject.run.glob("evaluation*.json"))]
    return sorted(found, key=lambda one: list(NAMES).index(one.target) if one.target in NAMES else len(NAMES))


def _missing(subject: Subject, found: Sequence[Scored]) -> str:
    """What to do to see more."""
    if not found:
        return subject.no_data
    words = [] if subject.request.dataset else [subject.no_data]
    if subject.request.dataset and not any(one.target not in ("float", "litert") for one in found):
        words.append("Give --target host or --target qemu to see the device's scores beside these.")
    missing = subject.float_network if subject.request.dataset else None
    return " ".join([*words, missing.remedy] if isinstance(missing, Missing) else words)


def part(subject: Subject) -> Part:
    """The part of the page."""
    found = scored(subject)
    if not found:
        return Part("scores", "Scores", missing=_missing(subject, found))
    # Only what has the same classes can share a matrix.
    alike = [one for one in found if one.labels == found[0].labels]
    values: dict[str, Any] = {
        "found": found, "alike": alike, "labels": found[0].labels, "groups": _groups(found),
        "chance": 1 / len(found[0].labels), "draws": intervals.DRAWS,
        "shown": next((number for number, one in enumerate(alike) if one.target != "float"), 0),
        "differ": _differ(alike),
    }  # fmt: skip
    source = f"scenelet evaluate {word(subject.model)} --data DIR --split {word(found[0].split)}"
    return Part("scores", "Scores", rendered(__package__, "scores", values), _missing(subject, found), source)


def _groups(found: Sequence[Scored]) -> list[tuple[str, list[tuple[str, list[Measures | None]]]]]:
    """By class and by device: a name, then the measures of each evaluation; None where it has none."""
    tables = []
    for title, kind in (("class", "by_class"), ("recording device", "by_device")):
        held: list[dict[str, Measures]] = [getattr(one, kind) for one in found]
        names = list(dict.fromkeys(name for group in held for name in group))
        if names:
            tables.append((title, [(name, [group.get(name) for group in held]) for name in names]))
    return tables


def _differ(alike: Sequence[Scored]) -> str:
    """Whether INT8 networks in several places agree, which they must."""
    places = [one for one in alike if one.target != "float"]
    if len(places) < 2:
        return ""
    same = all(one.confusion == places[0].confusion for one in places)
    return "agree in every cell" if same else "differ: find out with scenelet parity"
