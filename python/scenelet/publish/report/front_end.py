"""Error of the board's integer front end against librosa in floating point, by level and band."""

from __future__ import annotations

from ...errors import ToolError
from ...frontend.accuracy import ErrorReport, error_report
from ..page.frame import Part
from ..page.rendering import rendered
from .subject import Subject

NONE = "The model's file names no front end: scenelet export --frontend FILE.toml matches one to it."


def part(subject: Subject) -> Part:
    """The part of the page."""
    if subject.info is None:
        return Part("front-end", "Front end", missing=NONE)
    try:
        found = error_report(subject.info.frontend)
    except ToolError as error:  # librosa is not installed
        return Part("front-end", "Front end", missing=str(error))
    source = "scenelet frontend compare FRONTEND.toml"
    return Part("front-end", "Front end", rendered(__package__, "front_end", _values(found)), source=source)


def _values(found: ErrorReport) -> dict[str, object]:
    groups = [
        ("peak level of the clip, dB of full scale", {f"{level}": one for level, one in found.by_level.items()}),
        ("mel bands, from the lowest", found.by_band),
        ("kind of signal", found.by_kind),
    ]
    return {"found": found, "groups": groups, "most": max(one.max for _, rows in groups for one in rows.values())}
