"""Gathers the parts of the page and writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...core.files import write_text
from ...core.notes import tell
from ..page.frame import Part, page
from . import calibration, flash, front_end, layers, memory, mistakes, origin, scores, spectrogram, training, verdict
from .subject import Progress, Request, Subject

# In the order of the page; a part that fails leaves no page.
PARTS: tuple[tuple[str, Callable[[Subject], Part]], ...] = (
    ("check the limits", verdict.part),
    ("score", scores.part),
    ("calibrate", calibration.part),
    ("look for mistakes", mistakes.part),
    ("count by layer", layers.part),
    ("lay out the memory", memory.part),
    ("split the flash", flash.part),
    ("compare the front end", front_end.part),
    ("draw a window", spectrogram.part),
    ("draw the training", training.part),
    ("name the origin", origin.part),
)


def write_report(request: Request, to: Path, watch: Callable[[str], Progress] | None = None) -> dict[str, str]:
    """Write the page of a model or a run, whole or not at all.

    Parameters
    ----------
    request
        What it shows.
    to
        HTML file to write.
    watch
        Called with the name of a target before it is evaluated; gives what is then called with (clips done, clips).

    Returns
    -------
    dict
        Of the parts of which something is missing, by name: what to do about it.

    Raises
    ------
    SceneletError
        There is no model, a file of the run is damaged, or what was asked for cannot be measured here.
    """
    subject = Subject(request, watch)
    _ = subject.evaluations  # a wrong split or target is told before minutes of measuring
    made = []
    for what, part in PARTS:
        tell(what)
        made.append(part(subject))
    info = subject.info
    title = f"{info.recipe} on {info.dataset}" if info and info.dataset else subject.model.name
    write_text(to, page(title, _lead(subject), made))
    return {part.name: part.missing for part in made if part.missing}


def _lead(subject: Subject) -> str:
    """What the model is, in a sentence."""
    info = subject.info
    if info is None:
        shapes = ", ".join(
            "×".join(map(str, subject.compiled.graph.tensors[n].shape)) for n in subject.compiled.graph.inputs
        )
        return f"{subject.model.name}: an INT8 network from elsewhere for tensors of {shapes}."
    front = info.frontend
    return (
        f"{subject.model.name}: an INT8 network for {len(info.labels)} classes of {front.clip_seconds:g}-s windows of "
        f"{front.sample_rate / 1000:g} kHz audio."
    )
