"""What a cross-validation found: the scores of every network, their mean and spread, and the folder that keeps them."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.files import sweep
from ..core.metrics import are_scores
from ..errors import InputError

OUTCOME, RESULT = "outcome.json", "crossval.json"
MEASURES = ("accuracy", "clip_accuracy", "log_loss")
LEAK_WARNING = "windows of one recording lie on both sides: this measures memory, not hearing"

# What a cross-validation's folder may hold; cost.json is tools/experiments/training.py's.
_OWN = re.compile(r"fold\d+-(?:seed\d+(?:-whole)?|teacher)|leak-seed\d+|crossval\.json|cost\.json")
_REMEDY = "delete that file and give the same command again"


@dataclass(frozen=True)
class Outcome:
    """One network's scores on its test windows.

    Attributes
    ----------
    fold
        0: the leak.
    int8
        None where the recipe is for no board.
    cpu_seconds
        Of training it, of all threads, features of new windows included; without what an interrupted call had done.
    """

    fold: int
    seed: int
    run: str
    epochs: int
    validation: dict[str, Any]
    float: dict[str, Any]
    int8: dict[str, Any] | None
    cpu_seconds: int = field(default=0, compare=False)


@dataclass(frozen=True)
class CrossValidation:
    """All outcomes of a recipe."""

    recipe: str
    dataset: str
    outcomes: tuple[Outcome, ...]
    leaks: tuple[Outcome, ...] = ()

    warning = LEAK_WARNING

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Rows of a table: test, number format, accuracy of windows, of clips, log loss."""
        for name, outcomes in (("", self.outcomes), ("LEAK ", self.leaks)):
            for outcome in outcomes:
                test = f"seed {outcome.seed}" if name else f"fold {outcome.fold}, seed {outcome.seed}"
                for kind, scores in (("float", outcome.float), ("INT8", outcome.int8)):
                    if scores:
                        yield name + test, kind, *_told({measure: scores[measure] for measure in MEASURES})
            for kind, spread in summary(outcomes).items() if outcomes else ():
                yield f"{name}mean", kind.upper().replace("FLOAT", "float"), *_told_spread(spread)

    def to_json(self) -> dict[str, Any]:
        """Outcomes, and mean and spread of both number formats."""
        result = {
            "recipe": self.recipe,
            "dataset": self.dataset,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
            "summary": summary(self.outcomes),
        }
        if self.leaks:
            leak = [asdict(outcome) for outcome in self.leaks]
            result["leak"] = {"warning": LEAK_WARNING, "outcomes": leak, "summary": summary(self.leaks)}
        return result


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Mean and sample standard deviation (None for one network) over networks, by number format and measure."""
    made: dict[str, Any] = {}
    for kind in ("float", "int8"):
        scores = [getattr(outcome, kind) for outcome in outcomes]
        if all(scores):
            made[kind] = {name: _spread([one[name] for one in scores]) for name in MEASURES}
    return made


def _told(scores: dict[str, float]) -> tuple[str, str, str]:
    return f"{scores['accuracy']:.1%}", f"{scores['clip_accuracy']:.1%}", f"{scores['log_loss']:.3f}"


def _told_spread(spread: dict[str, dict[str, float | None]]) -> Iterator[str]:
    means = _told({name: spread[name]["mean"] or 0.0 for name in MEASURES})
    for mean, name in zip(means, MEASURES, strict=True):
        deviation = spread[name]["sd"]
        if deviation is None:
            yield mean
        else:
            yield f"{mean} ± {deviation:.3f}" if name == "log_loss" else f"{mean} ± {deviation:.1%}"


def _spread(values: list[float]) -> dict[str, float | None]:
    return {"mean": statistics.fmean(values), "sd": statistics.stdev(values) if len(values) > 1 else None}


def _parse(content: Any, path: Path) -> Outcome:
    """Insist that one outcome is whole."""
    known = Outcome.__dataclass_fields__.keys()
    scored = ("validation", "float")
    if (
        not isinstance(content, dict)
        or not known - {"cpu_seconds"} <= content.keys() <= known
        or any(type(content[name]) is not int for name in ("fold", "seed", "epochs"))
        or not isinstance(content["run"], str)
        or not all(are_scores(content[name]) for name in scored)
        or not (content["int8"] is None or are_scores(content["int8"]))
        or not isinstance(content.get("cpu_seconds", 0), int)
    ):
        raise InputError(path, "is damaged", _REMEDY)
    return Outcome(**content)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(path, "is missing", "give the folder of a finished `scenelet crossval`") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}", "check its permissions") from None
    except ValueError:
        raise InputError(path, "is damaged", _REMEDY) from None


def read_outcome(path: Path) -> Outcome:
    """Read one network's ``outcome.json``.

    Raises
    ------
    InputError
        Where the file is damaged.
    """
    return _parse(_read(path), path)


def read_result(folder: Path) -> CrossValidation:
    """Read a finished cross-validation.

    Raises
    ------
    InputError
        Where there is none, or its file is damaged.
    """
    path = folder / RESULT
    content = _read(path)
    try:
        parts = [content["outcomes"], content.get("leak", {"outcomes": []})["outcomes"]]
        outcomes, leaks = (tuple(_parse(outcome, path) for outcome in part) for part in parts)
        return CrossValidation(content["recipe"], content["dataset"], outcomes, leaks)
    except (KeyError, TypeError, AttributeError):
        raise InputError(path, "is damaged", _REMEDY) from None


def require_room(folder: Path, wanted: Collection[tuple[int, int]]) -> None:
    """Insist that a cross-validation may write into a folder, and throws none of its outcomes away there.

    Parameters
    ----------
    folder
        Need not exist.
    wanted
        (fold, seed) of the networks that are asked for; fold 0 is the leak.

    Raises
    ------
    InputError
        Where it holds anything else, or the outcomes of networks that are not wanted.
    """
    if folder.is_dir():
        sweep(folder)
    if folder.exists() and (not folder.is_dir() or any(not _OWN.fullmatch(path.name) for path in folder.iterdir())):
        raise InputError(folder, "holds something else than a cross-validation", "choose another folder")
    result = read_result(folder) if (folder / RESULT).is_file() else None
    held = {(outcome.fold, outcome.seed) for outcome in (*result.outcomes, *result.leaks)} if result else set()
    if held - set(wanted):
        raise InputError(
            folder, f"holds the cross-validation of {_named(held)}", "choose another folder or ask for those, too"
        )


def _named(held: Collection[tuple[int, int]]) -> str:
    """Say which networks these are: "folds 2,3 and the leak with seeds 0,1"."""
    folds, seeds = sorted({fold for fold, _ in held if fold}), sorted({seed for _, seed in held})
    parts = [_listed("fold", folds)] if folds else []
    parts += ["the leak"] if any(not fold for fold, _ in held) else []
    return f"{' and '.join(parts)} with {_listed('seed', seeds)}"


def _listed(name: str, numbers: Sequence[int]) -> str:
    return f"{name}{'s' * (len(numbers) > 1)} {','.join(map(str, numbers))}"
