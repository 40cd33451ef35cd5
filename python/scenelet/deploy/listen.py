"""Streaming audio files to a device, which decides on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import audio
from ..errors import ModelError, ToolError
from ..frontend.capture import read_samples
from ..targets.serial.client import Device, samples_to_bytes
from ..targets.serial.framing import Input


@dataclass(frozen=True)
class WindowDecision:
    """One decision of a device on one window of a file.

    Attributes
    ----------
    file, window
        Name of the file; number of the window in it, from 0.
    label, scores
        Class with the highest score; the INT8 scores.
    heard
        Label that the device's rule over windows gave; None without a rule.
    silent
        Whether the device calls the window silent; the rule did not take it.
    """

    file: str
    window: int
    label: str
    scores: tuple[int, ...]
    heard: str | None
    silent: bool = False

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def listen(device: Device, files: Sequence[Path], subject: object) -> Iterator[WindowDecision]:
    """Stream files to a device; yield its decisions as they come.

    No model file is needed: the device's ``info`` gives the sample rate and width.

    Parameters
    ----------
    subject
        Name of the device in errors.

    Raises
    ------
    ModelError
        The device holds no front end.
    AudioError
        A file cannot be read.
    ToolError
        The device refuses the session, or stops answering.
    """
    held = device.info()
    if held.get("frontend_sha256", "none") == "none":
        raise ModelError(subject, "the device takes no audio: its model has no front end", "flash another model")
    try:
        rate, bits, length = (int(held[key]) for key in ("sample_rate", "sample_bits", "clip_samples"))
        capture = int(held["capture_rate"]) if "capture_rate" in held else None
    except (KeyError, ValueError):
        raise ToolError(subject, "info lacks the audio format", "flash the firmware of this scenelet") from None
    for path in files:
        windows: NDArray[np.int32] = audio.windows(read_samples(path, rate, bits, capture), length)
        contents = (samples_to_bytes(window, bits) for window in windows)
        for one in device.decide(contents, Input.AUDIO, held["model_sha256"], held["frontend_sha256"]):
            heard, silent = device.rule_labels.get(one.window), one.window in device.silent_windows
            yield WindowDecision(path.name, one.window, one.label, one.scores, heard, silent)
