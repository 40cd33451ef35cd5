"""Results of a cross-validation: the scores of every network, their mean and spread, and the folder that holds them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ..core.files import is_there, sweep
from ..core.json_files import Checked, checked, read_object
from ..core.metrics import Scores
from ..errors import InputError
from .certainty import Missed, clips_interval, missed_by_all
from .clip_answers import ClipAnswer
from .intervals import Interval

OUTCOME, RESULT = "outcome.json", "crossval.json"
MEASURES = ("accuracy", "clip_accuracy", "log_loss")
LEAK_WARNING = "windows of one recording are on both sides: this measures memory, not recognition"

# What a cross-validation's folder may hold; cost.json is tools/experiments/training.py's.
_OWN = re.compile(r"fold\d+-(?:seed\d+(?:-whole)?|teacher)|leak-seed\d+|crossval\.json|cost\.json")
_REMEDY = "delete that file and give the same command again"


@dataclass(frozen=True)
class FoldResult:
    """Scores of one network on its test windows.

    Attributes
    ----------
    fold
        The test fold; 0 for the leaky random split.
    run
        Name of the run folder.
    epochs
        Number of trained epochs.
    validation, float
        Scores of the float network on the validation and the test windows.
    int8
        Scores of the INT8 network on the test windows; None where the recipe is not for a board.
    answers
        Of the INT8 network to every test clip; none where there is no such network, for the leak, and in files of
        earlier versions.
    cpu_seconds
        CPU time of the training, of all threads, with features of new windows; without that of interrupted calls.
    """

    fold: int
    seed: int
    run: str
    epochs: int
    validation: dict[str, Any]
    float: dict[str, Any]
    int8: dict[str, Any] | None
    cpu_seconds: int = field(default=0, compare=False)
    answers: tuple[ClipAnswer, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a dictionary."""
        return {**asdict(self), "answers": [asdict(one) for one in self.answers]}


@dataclass(frozen=True)
class CrossValidation:
    """All results of a recipe; ``leaks`` are those of the leaky random split."""

    recipe: str
    dataset: str
    results: tuple[FoldResult, ...]
    leaks: tuple[FoldResult, ...] = ()

    warning = LEAK_WARNING

    @property
    def answers(self) -> list[tuple[int, tuple[ClipAnswer, ...]]]:
        """Of every INT8 network: its test fold, and its answers to the clips."""
        return [(result.fold, result.answers) for result in self.results if result.int8]

    @property
    def clip_interval(self) -> Interval | None:
        """95 % interval of the INT8 networks' accuracy of clips, by bootstrap over recordings; None where unknown."""
        return clips_interval(self.answers)

    @property
    def missed(self) -> list[Missed]:
        """Clips that none of the INT8 networks recognises."""
        return missed_by_all(self.answers)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Rows of a table: test, number format, accuracy of windows, of clips, log loss."""
        for name, results in (("", self.results), ("LEAK ", self.leaks)):
            for result in results:
                test = f"seed {result.seed}" if name else f"fold {result.fold}, seed {result.seed}"
                for kind, scores in (("float", result.float), ("INT8", result.int8)):
                    if scores:
                        yield name + test, kind, *_formatted({measure: scores[measure] for measure in MEASURES})
            for kind, spread in summary(results).items() if results else ():
                yield f"{name}mean", kind.upper().replace("FLOAT", "float"), *_formatted_spread(spread)

    def to_json(self) -> dict[str, Any]:
        """Results, mean and spread of both number formats, interval and missed clips of the INT8 networks."""
        content: dict[str, Any] = {
            "recipe": self.recipe,
            "dataset": self.dataset,
            "outcomes": [result.to_json() for result in self.results],
            "summary": summary(self.results),
        }
        if interval := self.clip_interval:
            content["clip_interval"] = list(interval)
            content["missed_by_all"] = [one.to_json() for one in self.missed]
        if self.leaks:
            leak = [result.to_json() for result in self.leaks]
            content["leak"] = {"warning": LEAK_WARNING, "outcomes": leak, "summary": summary(self.leaks)}
        return content


def summary(results: Sequence[FoldResult]) -> dict[str, Any]:
    """Mean and sample standard deviation (None for one network) over networks, by number format and measure."""
    made: dict[str, Any] = {}
    for kind in ("float", "int8"):
        scores = [getattr(result, kind) for result in results]
        if all(scores):
            made[kind] = {name: _spread([one[name] for one in scores]) for name in MEASURES}
    return made


def _formatted(scores: dict[str, float]) -> tuple[str, str, str]:
    return f"{scores['accuracy']:.1%}", f"{scores['clip_accuracy']:.1%}", f"{scores['log_loss']:.3f}"


def _formatted_spread(spread: dict[str, dict[str, float | None]]) -> Iterator[str]:
    means = _formatted({name: spread[name]["mean"] or 0.0 for name in MEASURES})
    for mean, name in zip(means, MEASURES, strict=True):
        deviation = spread[name]["sd"]
        if deviation is None:
            yield mean
        else:
            yield f"{mean} ± {deviation:.3f}" if name == "log_loss" else f"{mean} ± {deviation:.1%}"


def _spread(values: list[float]) -> dict[str, float | None]:
    return {"mean": statistics.fmean(values), "sd": statistics.stdev(values) if len(values) > 1 else None}


class _Answer(Checked, extra="forbid"):
    """Answer to a clip, as the files hold it."""

    file: str
    recording: str
    truth: str
    answer: str
    silent: bool


class _Outcome(Checked, extra="forbid"):
    """A network's result, as the files hold it; those of earlier versions lack the time and the answers."""

    fold: int
    seed: int
    run: str
    epochs: int
    validation: Scores
    float: Scores
    int8: Scores | None
    cpu_seconds: int = 0
    answers: list[_Answer] = Field(default_factory=list)


class _Outcomes(Checked):
    """Results of several networks."""

    outcomes: Annotated[list[_Outcome], Field(min_length=1)]


class _File(_Outcomes):
    """Keys of ``crossval.json`` that are read back."""

    recipe: str
    dataset: str
    leak: _Outcomes | None = None


def _results(outcomes: Sequence[_Outcome]) -> tuple[FoldResult, ...]:
    return tuple(
        FoldResult(
            **one.model_dump(exclude_unset=True, exclude={"answers"}),
            answers=tuple(ClipAnswer(**answer.model_dump()) for answer in one.answers),
        )
        for one in outcomes
    )


def _read(path: Path) -> dict[str, Any]:
    if not is_there(path):
        raise InputError(path, "is missing", "give the folder of a finished `scenelet crossval`")
    return read_object(path, _REMEDY)


def read_fold_result(path: Path) -> FoldResult:
    """Read one network's ``outcome.json``.

    Raises
    ------
    InputError
        Where the file is damaged or cannot be read.
    """
    return _results([checked(_Outcome, _read(path), path, _REMEDY)])[0]


def read_result(folder: Path) -> CrossValidation:
    """Read a finished cross-validation.

    Raises
    ------
    InputError
        Where it is missing or damaged, or cannot be read.
    """
    path = folder / RESULT
    file = checked(_File, _read(path), path, _REMEDY)
    leaks = file.leak.outcomes if file.leak else ()
    return CrossValidation(file.recipe, file.dataset, _results(file.outcomes), _results(leaks))


def require_room(folder: Path, networks: Collection[tuple[int, int]]) -> None:
    """Check that a cross-validation may write into a folder without losing results there.

    Parameters
    ----------
    folder
        Need not exist.
    networks
        (fold, seed) of the requested networks; fold 0 is the leaky random split.

    Raises
    ------
    InputError
        Where it holds anything else, or results of networks that are not requested.
    """
    if folder.is_dir():
        sweep(folder)
    if folder.exists() and (not folder.is_dir() or any(not _OWN.fullmatch(path.name) for path in folder.iterdir())):
        raise InputError(folder, "holds something else than a cross-validation", "choose another folder")
    result = read_result(folder) if is_there(folder / RESULT) else None
    held = {(one.fold, one.seed) for one in (*result.results, *result.leaks)} if result else set()
    if held - set(networks):
        raise InputError(
            folder, f"holds the cross-validation of {_named(held)}", "choose another folder or ask for those, too"
        )


def _named(held: Collection[tuple[int, int]]) -> str:
    """Describe networks: "folds 2,3 and the leak with seeds 0,1"."""
    folds, seeds = sorted({fold for fold, _ in held if fold}), sorted({seed for _, seed in held})
    parts = [_listed("fold", folds)] if folds else []
    parts += ["the leak"] if any(not fold for fold, _ in held) else []
    return f"{' and '.join(parts)} with {_listed('seed', seeds)}"


def _listed(name: str, numbers: Sequence[int]) -> str:
    return f"{name}{'s' * (len(numbers) > 1)} {','.join(map(str, numbers))}"
