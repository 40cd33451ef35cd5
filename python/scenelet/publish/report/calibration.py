"""Calibration: whether windows of a confidence are right as often as it says."""

from __future__ import annotations

from ...evaluation.calibration import calibration_error, confidence_bins
from ...evaluation.decision import Rule, clips_of
from ..page.chart import Chart, Series, draw
from ..page.frame import Part
from ..page.rendering import rendered, word
from .scores import NAMES
from .subject import Subject


def part(subject: Subject) -> Part:
    """The part of the page: a reliability diagram of each network that was evaluated with its scores kept."""
    if not subject.evaluations:
        return Part("calibration", "Calibration", missing=subject.no_data)
    drawn = []
    for name, result in subject.evaluations.items():
        bins = confidence_bins(clips_of(result), Rule())
        error = calibration_error(bins)
        held = [one for one in bins if one.windows]
        points = tuple((one.confidence, one.accuracy) for one in held)
        title = f"{NAMES.get(name, name)}: calibration error {error:.3f}"
        chart = Chart(
            f"Reliability diagram, {title}", "confidence", "windows right", (Series("", points, dots=True),),
            x_range=(0, 1), y_range=(0, 1), diagonal=True, per_cent=True, x_per_cent=True,
        )  # fmt: skip
        drawn.append((title, draw(chart), held))
    source = f"scenelet device calibrate {word(subject.model)} --data DIR --accuracy 0.9"
    return Part("calibration", "Calibration", rendered(__package__, "calibration", {"drawn": drawn}), source=source)
