"""A model card: facts, data, scores and weak classes of a model; every figure is measured when the card is written."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..benchmark.budget import Budget, budget_of
from ..core.energy import read_energy
from ..core.files import sha256
from ..core.json_files import Checked, checked, read_object
from ..core.shown import markdown, markdown_code
from ..core.shown import shown as one_line
from ..data.datasets.registry import licence_text
from ..errors import DamagedFileError, InputError
from ..evaluation import intervals
from ..evaluation.certainty import missed_by_all
from ..evaluation.crossval_results import read_result
from ..evaluation.evaluate import Evaluation, pooled
from ..tflite.metadata import ModelInfo

_WEAK = 0.5

_MEL_NAMES = {"slaney": "Slaney", "htk": "HTK"}


@dataclass(frozen=True)
class Folds:
    """A cross-validation of the recipe of a model that was trained on all folds.

    Attributes
    ----------
    networks
        INT8 networks, each with the name of the split that it was not trained on.
    recipe
        Recipe of the command; a pruned network's recipe has another name.
    method
        Of distillation; None without a teacher.
    filters
        Filters after pruning; None where nothing was pruned.
    """

    networks: tuple[tuple[Path, str], ...]
    recipe: str
    method: str | None = None
    filters: tuple[int, ...] | None = None


def card(model: Path, info: ModelInfo, evaluations: Sequence[Evaluation], *, folds: Folds | None = None) -> str:
    """Write a card.

    Parameters
    ----------
    model
        The .tflite file.
    info
        Its metadata.
    evaluations
        At least one; the first is shown by class.
    folds
        Cross-validation that the evaluations are from, each network on its own test fold. They stand for the model,
        which was trained on all folds and has no test.

    Returns
    -------
    str
        Markdown.
    """
    shown = pooled(evaluations) if folds else evaluations[0]
    parts = [
        _facts(model, info, budget_of(str(model))),
        _data(info),
        _scores(evaluations, shown, folds is not None),
        _weakness(shown, evaluations, folds is not None),
        _commands(model, evaluations, folds, bool(info.learned and info.learned.teachers)),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def read_folds(folder: Path) -> Folds:
    """Read a finished cross-validation.

    Raises
    ------
    InputError
        Where it is missing, or its networks are not for a board.
    """
    result = read_result(folder)
    networks = tuple((folder / one.run / "model.tflite", f"fold{one.fold}") for one in result.results)
    for model, _ in networks:
        if not model.is_file():
            raise InputError(model, "is missing", "cross-validate a recipe for a board")
    return Folds(networks, result.recipe, *_changes(networks[0][0].with_name("run.json")))


class _Block(Checked):
    filters: int


class _Model(Checked):
    blocks: tuple[_Block, ...] = ()


class _Method(Checked):
    method: str


class _Recipe(Checked):
    model: _Model
    distillation: _Method | None = None


class _Request(Checked):
    """Keys of a run's request that the card tells."""

    recipe: _Recipe
    sources: dict[str, str] = Field(default_factory=dict)


def _changes(path: Path) -> tuple[str | None, tuple[int, ...] | None]:
    """Method of distillation and filters after pruning; None for what the run does not have."""
    remedy = "give the folder of a finished `scenelet crossval`"
    request = checked(_Request, read_object(path, remedy), path, remedy)
    recipe = request.recipe
    if "teacher" in request.sources and recipe.distillation is None:
        raise DamagedFileError(path, "is damaged: key 'recipe.distillation' is missing", remedy)
    method = recipe.distillation.method if recipe.distillation and "teacher" in request.sources else None
    return method, tuple(block.filters for block in recipe.model.blocks) if "pruned" in request.sources else None


def _facts(model: Path, info: ModelInfo, budget: Budget) -> Iterator[str]:
    front = info.frontend
    yield f"# {markdown(model.stem)}"
    yield ""
    yield (
        f"{len(info.labels)} classes from {front.clip_seconds:g}-s windows of {front.sample_rate / 1000:g} kHz audio: "
        f"a full INT8 network, recipe {markdown_code(info.recipe)}."
    )
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| file | {_cell(model.name)}, {model.stat().st_size:,} bytes, SHA-256 `{sha256(model)}` |"
    yield f"| classes | {', '.join(map(markdown, info.labels))} |"
    held = budget.held
    params = f" of {held.params_bytes:,}" if held.params_bytes is not None else ""
    macs = f" of {held.macs:,}" if held.macs is not None else ""
    yield f"| parameters | {budget.cost.params_bytes:,} B{params} |"
    yield f"| multiply-accumulates | {budget.cost.macs:,}{macs} |"
    yield f"| peak activations, planned RAM | {budget.cost.peak_activation_bytes:,} B, {budget.planned_ram_bytes:,} B |"
    yield (
        f"| front end | {front.sample_rate / 1000:g} kHz, {front.sample_bits} bit, n_fft {front.n_fft}, hop "
        f"{front.hop_length}, {front.n_mels} {_MEL_NAMES[front.mel_scale]} mel bands, {front.frames} frames |"
    )
    yield f"| front end SHA-256 | `{info.frontend_sha256}` |"
    yield f"| recipe SHA-256 | `{info.recipe_sha256}` |"
    energy = read_energy(model.parent)
    if energy:  # the model lies in the run folder that it was trained in
        yield f"| energy of training | {energy.kwh * 1000:.3g} Wh in {energy.seconds:,.0f} s, by codecarbon |"
    yield f"| made by | scenelet {info.version} |"


def _data(info: ModelInfo) -> Iterator[str]:
    yield "## Data"
    yield ""
    yield licence_text(info.dataset or "unknown")
    for name in info.learned.teachers if info.learned else ():
        yield ""
        yield f"Taught by the outputs of a network from elsewhere, and so by its data: **{markdown(name)}**."


def _scores(evaluations: Sequence[Evaluation], shown: Evaluation, folds: bool) -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield (
        "Means over classes, of windows and of clips (the mean of a clip's window probabilities). "
        f"Chance is {1 / len(shown.labels):.1%}. Intervals are of {intervals.DRAWS:,} draws of recordings (bootstrap)."
    )
    if shown.silent_windows:
        yield f"{shown.silent_windows:,} windows of silence have no part in either."
    if folds:
        yield "This network learned from all folds, so nothing is left to test it on. These are the scores of networks"
        yield "of the same recipe, each of which learned from the other folds alone; the spread is theirs."
    for one in evaluations:
        if one.learned_clips:
            share = f"{one.learned_clips:,} of the {one.clips:,} clips of {one.split}"
            yield f"**No test: the network learned from {share}.**"
    yield ""
    yield "| target | split | windows | accuracy | log loss | clips | clip accuracy | clip accuracy, 95 % |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in evaluations:
        yield (
            f"| {_cell(one.target)} | {one.split} | {one.windows:,} | {one.accuracy:.1%} | {one.log_loss:.3f} | "
            f"{one.clips:,} | {one.clip_accuracy:.1%} | {intervals.shown(one.intervals['clip_accuracy'])} |"
        )
    if folds and len(evaluations) > 1:
        windows, losses, clips = (
            np.array([getattr(one, name) for one in evaluations]) for name in ("accuracy", "log_loss", "clip_accuracy")
        )
        yield (
            f"| | mean | {shown.windows:,} | {_spread(windows)} | {losses.mean():.3f} ± {losses.std(ddof=1):.3f} | "
            f"{shown.clips:,} | {_spread(clips)} | {intervals.shown(shown.intervals['clip_accuracy'])} |"
        )
    for title, groups in (("class", shown.by_class), ("device", shown.by_device)):
        if groups:
            yield ""
            yield f"| {title} ({_cell(shown.target)}, {shown.split}) | windows | accuracy | log loss |"
            yield "|---|---|---|---|"
            for name, m in groups.items():
                yield f"| {markdown(name)} | {m.count:,} | {m.accuracy:.1%} | {m.log_loss:.3f} |"


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.1%} ± {values.std(ddof=1):.1%}"


def _missed(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Name the clips that every network misses that was not trained on them."""
    splits = list(dict.fromkeys(one.split for one in evaluations))
    for clip in missed_by_all([(splits.index(one.split), one.answers) for one in evaluations]):
        taken = ", ".join(map(markdown_code, clip.answers))
        yield f"- Every network misses {markdown_code(clip.file)} of {markdown_code(clip.truth)}: taken for {taken}."


def _weakness(one: Evaluation, evaluations: Sequence[Evaluation], folds: bool) -> Iterator[str]:
    """List what is missed: classes missed more often than not with what they are taken for, clips that all miss."""
    yield "## Limits of use"
    yield ""
    weak = [name for name, measures in one.by_class.items() if measures.accuracy < _WEAK]
    for name in weak:
        row = one.confusion[one.labels.index(name)].copy()
        row[one.labels.index(name)] = 0
        taken = one.labels[int(np.argmax(row))]
        missed, said = markdown_code(name), markdown_code(taken)
        yield f"- {missed} is missed more often than not; most often it is taken for {said} ({row.max()} windows)."
    if not weak:
        yield "- No class is missed more often than not."
    if folds:
        yield from _missed(evaluations)
    yield f"- {one.clips:,} clips were scored; one is {100 / one.clips:.2f} points of clip accuracy."
    yield "- Sounds of no class of the list get an answer from the list, too."


def _commands(model: Path, evaluations: Sequence[Evaluation], folds: Folds | None, outside: bool) -> Iterator[str]:
    yield "## Made and measured with" if folds else "## Measured with"
    yield ""
    yield "```"
    if folds:
        yield from _making(folds, outside)
        yield "scenelet quantize RUN"
        yield f"scenelet card {_word(model.name)} --data DIR --crossval FOLDS --out {_word(f'{model.stem}.md')}"
    else:
        for one in evaluations:
            yield f"scenelet evaluate {_word(model.name)} --data DIR --split {one.split} --target {_word(one.target)}"
    yield "```"


def _cell(name: str) -> str:
    """Write a name as code in a table."""
    return markdown_code(name, in_table=True)


def _word(name: str) -> str:
    """Write a name as one word of a shell's line."""
    return one_line(shlex.quote(name))


def _making(folds: Folds, outside: bool) -> Iterator[str]:
    """Commands of the cross-validation and of the network that is trained on all folds."""
    method = f" --method {folds.method}" if folds.method else ""
    filters = f" --filters {','.join(map(str, folds.filters))}" if folds.filters else ""
    option = "--teacher-logits" if outside else "--teacher"
    teachers = f" {option} TEACHERS" if method else ""
    yield f"scenelet crossval {_word(folds.recipe)} --data DIR --out FOLDS{teachers}{method}{filters}"
    out = "WHOLE" if filters else "RUN"
    teacher = f" {option} TEACHER" if method else ""
    command = f"distill {_word(folds.recipe)}{teacher}{method}" if method else f"train {_word(folds.recipe)}"
    yield f"scenelet {command} --data DIR --out {out} --all-clips"
    if filters:
        yield f"scenelet prune WHOLE{filters}{teacher} --data DIR --out RUN --all-clips"
