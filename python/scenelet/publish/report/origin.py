"""Where the model comes from: the commands that made it and this page, hashes, data and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ...compiler.options import DEFAULT
from ...core.energy import read_energy
from ...core.files import is_there
from ...data.datasets.registry import licence_text
from ...training import run_folder
from ..page.frame import Part
from ..page.rendering import rendered, word
from .subject import Subject


def part(subject: Subject) -> Part:
    """The part of the page."""
    values = {"made": list(_made(subject)), "shown": _shown(subject), "facts": list(_facts(subject))}
    return Part("origin", "Origin", rendered(__package__, "origin", values))


def _made(subject: Subject) -> Iterator[str]:
    """Commands that make such a model; files that the run does not name are in capitals."""
    run, info = subject.run, subject.info
    if run is None or not is_there(run / run_folder.REQUEST):
        if info and info.recipe:
            yield f"scenelet train {word(info.recipe)} --data DIR --out RUN" + _whole(subject)
            yield "scenelet quantize RUN"
        return
    request = run_folder.request_of(run)
    recipe, out = word(request.recipe.name), f"--data DIR --out {word(run)}{_whole(subject)}"
    if "pruned" in request.sources:
        yield f"scenelet prune WHOLE {out}"
    elif "teacher" in request.sources:
        yield f"scenelet distill {recipe} --teacher TEACHER {out}"
    else:
        yield f"scenelet train {recipe} {out}"
    aware = is_there(run / f"{run_folder.QAT_PREFIX}{run_folder.HISTORY}")
    yield f"scenelet quantize {word(run)}" + (" --qat --data DIR" if aware else "")


def _whole(subject: Subject) -> str:
    info = subject.info
    return " --all-clips" if info and info.learned and info.learned.all_clips else ""


def _shown(subject: Subject) -> str:
    """The command that writes this page."""
    asked, words = subject.request, [f"scenelet report {word(subject.request.subject)} --out FILE.html"]
    if asked.dataset is not None:
        words.append(f"--data DIR --split {word(asked.split)}")
        words += [f"--target {word(name)}" for name in asked.targets]
    if asked.options != DEFAULT:
        words.append(f"--weights {asked.options.weights} --ram {asked.options.ram_bytes}")
    words += [f"--board {word(asked.board)}"] if asked.board else []
    words += ["--measure"] if subject.bench else []
    return " ".join(words)


def _facts(subject: Subject) -> Iterator[tuple[str, str]]:
    info = subject.info
    yield "model", f"{subject.model.name}, {len(subject.content):,} bytes"
    yield "model SHA-256", hashlib.sha256(subject.content).hexdigest()
    options = subject.request.options
    yield (
        "compiled with",
        f"weights {options.weights}, arena up to {options.ram_bytes:,} B, {options.wait_states} wait states of flash",
    )
    if info is None:
        yield "metadata", "none of scenelet: labels, front end and training are not known"
        return
    yield "classes", ", ".join(info.labels)
    yield "recipe", f"{info.recipe}, SHA-256 {info.recipe_sha256}" if info.recipe_sha256 else info.recipe
    yield (
        "front end",
        ", ".join(f"{k} {v}" for k, v in info.frontend.model_dump(mode="json", exclude_none=True).items()),
    )
    yield "front end SHA-256", info.frontend_sha256
    yield "data set", info.dataset or "unknown"
    yield "licence of the data", " ".join(licence_text(info.dataset or "unknown").replace("**", "").split())
    if info.learned:
        yield "trained on", _learned(subject)
    energy = read_energy(subject.run) if subject.run else None
    if energy:
        yield "energy of training", f"{energy.kwh * 1000:.3g} Wh in {energy.seconds:,.0f} s, by codecarbon"
    yield "made by", f"scenelet {info.version}"


def _learned(subject: Subject) -> str:
    learned = subject.info.learned if subject.info else None
    assert learned is not None
    words = [f"clips with SHA-256 {learned.clips_sha256}"]
    words += [f"folds {', '.join(map(str, learned.folds))}"] if learned.folds else []
    words += ["the test clips too"] if learned.all_clips else []
    words += [f"{learned.percent} % of the training split"] if learned.percent else []
    words += [f"devices {', '.join(learned.devices)}"] if learned.devices else []
    words += [f"taught by {', '.join(learned.teachers)}"] if learned.teachers else []
    return "; ".join([*words, f"validation share {learned.validation_fraction:g}, seed {learned.validation_seed}"])
