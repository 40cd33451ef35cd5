"""Models side by side: what became smaller, faster, better or worse against the first of them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..compiler.pipeline import Compiled, compile_model
from ..core.files import scratch
from ..core.metrics import Measures
from ..data.dataset import Dataset
from ..errors import InputError, SceneletError
from ..evaluation.evaluate import Evaluation, evaluate, model_info
from ..evaluation.intervals import Interval
from ..targets import boards, open_target
from .explain import explain_compiled, operator_costs
from .instructions import bench
from .subjects import Subject

Progress = Callable[[int, int], None]

# In the generated C; the same for all, so that only what is compared differs.
_NAME = "model"


@dataclass(frozen=True)
class Kind:
    """A figure that models are compared by: its name, unit, and the words for less and for more of it."""

    name: str
    unit: str
    less: str
    more: str
    lower_is_better: bool = True


KINDS: Mapping[str, Kind] = {
    "file_bytes": Kind(".tflite file", "B", "smaller", "larger"),
    "params_bytes": Kind("parameters", "B", "smaller", "larger"),
    "macs": Kind("MACs", "", "smaller", "larger"),
    "peak_activation_bytes": Kind("peak activations", "B", "smaller", "larger"),
    "arena_bytes": Kind("arena", "B", "smaller", "larger"),
    "constant_bytes": Kind("constants", "B", "smaller", "larger"),
    "flash_bytes": Kind("flash", "B", "smaller", "larger"),
    "predicted_instructions": Kind("instructions, predicted", "", "faster", "slower"),
    "predicted_cycles": Kind("cycles, predicted", "", "faster", "slower"),
    "instructions": Kind("instructions, counted", "", "faster", "slower"),
    "modelled_cycles": Kind("cycles, modelled", "", "faster", "slower"),
    "milliseconds": Kind("time at the board's clock", "ms", "faster", "slower"),
    "accuracy": Kind("windows right", "%", "worse", "better", lower_is_better=False),
    "clip_accuracy": Kind("clips right", "%", "worse", "better", lower_is_better=False),
    "log_loss": Kind("log loss", "", "better", "worse"),
}
"""Figures by their JSON key, in the order of the tables; accuracies are shares, 0 to 1."""


@dataclass(frozen=True)
class Layer:
    """A layer as it runs: instructions counted or predicted, MACs, bytes of parameters."""

    name: str
    kernel: str
    instructions: int
    macs: int
    bytes: int


@dataclass(frozen=True)
class Measured:
    """One model with its figures, by the keys of :data:`KINDS`; those that were not asked for are not there."""

    subject: Subject
    sha256: str
    figures: Mapping[str, float]
    layers: tuple[Layer, ...]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    by_class: Mapping[str, Measures] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {
            "subject": self.subject.name,
            "origin": self.subject.origin,
            "model_sha256": self.sha256,
            "options": asdict(self.subject.asked),
            "figures": dict(self.figures),
            "intervals": {name: list(one) for name, one in self.intervals.items()},
            "by_class": {name: asdict(one) for name, one in self.by_class.items()},
            "layers": [asdict(layer) for layer in self.layers],
        }


@dataclass(frozen=True)
class Change:
    """A figure against that of the first model.

    Attributes
    ----------
    ratio
        Relative change, such as -0.1 for a tenth less; None where there was nothing before.
    word
        "smaller", "faster", "better" ... or "equal".
    good
        Whether it is to be wished for; None where it is equal.
    certain
        False for an accuracy whose 95 % interval overlaps that of the first model.
    """

    key: str
    before: float
    after: float
    ratio: float | None
    word: str
    good: bool | None
    certain: bool = True

    @property
    def shown(self) -> str:
        """The change in per cent, of accuracies in points."""
        if KINDS[self.key].unit == "%":
            return f"{100 * (self.after - self.before):+.1f} points"
        return "" if self.ratio is None else f"{100 * self.ratio:+.1f} %"


@dataclass(frozen=True)
class Comparison:
    """Models in the order that they were given."""

    models: tuple[Measured, ...]

    def changes(self, number: int) -> list[Change]:
        """What differs between a model and the first, and what is equal, in the order of :data:`KINDS`."""
        first, other = self.models[0], self.models[number]
        keys = [key for key in KINDS if key in first.figures and key in other.figures]
        return [_change(key, first, other) for key in keys]

    def to_json(self) -> dict[str, Any]:
        """As a dictionary; ``changes`` has an entry for each model but the first."""
        changes = [
            {"subject": other.subject.name, "figures": {one.key: _plain(one) for one in self.changes(number)}}
            for number, other in enumerate(self.models)
            if number
        ]
        return {"models": [one.to_json() for one in self.models], "changes": changes}

    def summary(self, number: int) -> Iterator[tuple[str, str]]:
        """Words, "smaller", "faster" ..., each with the figures that became so."""
        found: dict[str, list[str]] = {}
        for one in self.changes(number):
            doubt = "" if one.certain else ", within the 95 % intervals"
            found.setdefault(one.word, []).append(f"{KINDS[one.key].name} {one.shown}{doubt}".rstrip())
        for word in ("smaller", "faster", "better", "larger", "slower", "worse"):
            if word in found:
                yield word, "; ".join(found[word])
        if set(found) == {"equal"}:
            yield "equal", "in every figure"


def _plain(one: Change) -> dict[str, Any]:
    return {key: value for key, value in asdict(one).items() if key != "key"}


def _change(key: str, first: Measured, other: Measured) -> Change:
    before, after, kind = first.figures[key], other.figures[key], KINDS[key]
    ratio = after / before - 1 if before else None
    if after == before:
        return Change(key, before, after, ratio, "equal", None)
    word = kind.less if after < before else kind.more
    good = (after < before) == kind.lower_is_better
    ranges = [one.intervals.get(key) for one in (first, other)]
    certain = not (ranges[0] and ranges[1] and ranges[0][0] <= ranges[1][1] and ranges[1][0] <= ranges[0][1])
    return Change(key, before, after, ratio, word, good, certain)


def compare(
    subjects: Sequence[Subject],
    *,
    dataset: Dataset | None = None,
    split: str = "test",
    target: str = "litert",
    measure: bool = False,
    watch: Callable[[str], Progress] | None = None,
) -> Comparison:
    """Compile, measure and score models alike.

    Parameters
    ----------
    subjects
        Two or more.
    dataset, split, target
        What each is scored on, and where; None for no scores.
    measure
        Whether instructions and flash are counted in QEMU.
    watch
        Called with a subject's name before it is scored; gives what is then called with (clips done, clips).

    Raises
    ------
    InputError
        There are fewer than two.
    SceneletError
        One of them cannot be read, compiled, measured or scored.
    """
    if len(subjects) < 2:
        raise InputError("compare", "needs two models or more", "give the second after the first")
    compiled = [_compiled(one) for one in subjects]  # before minutes of QEMU
    made = []
    with scratch() as folder:
        for one, program in zip(subjects, compiled, strict=True):
            path = Path(tempfile.mkdtemp(dir=folder)) / f"{_NAME}.tflite"
            path.write_bytes(one.content)
            result = None
            if dataset is not None:
                info = model_info(program.info, one.name)
                with open_target(target, path, one.asked.options) as place:
                    step = watch(one.name) if watch else None
                    result = evaluate(one.name, info, dataset, split, place, progress=step)
            made.append(_measured(one, program, path if measure else None, result))
    return Comparison(tuple(made))


def _compiled(subject: Subject) -> Compiled:
    try:
        return compile_model(subject.content, subject.asked.options, _NAME)
    except SceneletError as error:  # which knows the content alone
        named = f"{subject.name}{error.subject.removeprefix(_NAME)}"
        raise type(error)(named, error.problem, error.remedy) from None


def _measured(subject: Subject, compiled: Compiled, path: Path | None, result: Evaluation | None) -> Measured:
    """Figures of a model; ``path`` is None for one that is not run in QEMU."""
    explained, cost, costs = explain_compiled(compiled), compiled.cost, operator_costs(compiled)
    figures: dict[str, float] = {
        "file_bytes": len(subject.content),
        "params_bytes": cost.params_bytes,
        "macs": cost.macs,
        "peak_activation_bytes": cost.peak_activation_bytes,
        "arena_bytes": explained.arena_bytes,
        "constant_bytes": explained.constant_bytes,
        "predicted_instructions": explained.predicted_instructions,
        "predicted_cycles": explained.predicted_cycles,
    }
    cycles = explained.predicted_cycles
    counted: tuple[int, ...] | None = None
    if path is not None:
        measured = bench(path, subject.asked.options)
        cycles = measured.modelled_cycles
        figures |= {"instructions": measured.instructions, "modelled_cycles": cycles}
        figures["flash_bytes"] = measured.flash.total
        counted = measured.part_instructions
    figures["milliseconds"] = round(cycles / boards.clock_hz(subject.asked.board) * 1e3, 3)
    if result:
        figures |= {key: getattr(result, key) for key in ("accuracy", "clip_accuracy", "log_loss")}
    layers = tuple(
        Layer(
            part.layer,
            part.kernel,
            counted[number] if counted else part.predicted_instructions,
            part.macs,
            sum(costs[number].params_bytes for number in part.operators),
        )
        for number, part in enumerate(explained.parts)
    )
    digest = hashlib.sha256(subject.content).hexdigest()
    scores = (result.intervals, result.by_class) if result else ({}, {})
    return Measured(subject, digest, figures, layers, *scores)
