"""Audio files streamed to a device that says itself what it hears."""

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
class Heard:
    """One decision of a device about one window of a file; ``heard`` is what its rule over windows says, if any."""

    file: str
    window: int
    label: str
    scores: tuple[int, ...]
    heard: str | None

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def listen(device: Device, files: Sequence[Path], subject: object) -> Iterator[Heard]:
    """Stream files to a device; yield its decisions as they come.

    No model is needed here: the device's own ``info`` says at which rate and width it hears.

    Parameters
    ----------
    subject
        Names the device in errors.

    Raises
    ------
    ModelError
        The device holds no front end.
    AudioError
        A file cannot be read.
    ToolError
        The device refuses, or falls silent.
    """
    held = device.info()
    if held.get("frontend_sha256", "none") == "none":
        raise ModelError(subject, "the device hears no audio: its model has no front end", "flash another model")
    try:
        rate, bits, length = (int(held[key]) for key in ("sample_rate", "sample_bits", "clip_samples"))
        capture = int(held["capture_rate"]) if "capture_rate" in held else None
    except (KeyError, ValueError):
        raise ToolError(subject, "does not say what it hears", "flash the firmware of this scenelet") from None
    for path in files:
        windows: NDArray[np.int32] = audio.windows(read_samples(path, rate, bits, capture), length)
        contents = (samples_to_bytes(window, bits) for window in windows)
        for one in device.decide(contents, Input.AUDIO, held["model_sha256"], held["frontend_sha256"]):
            yield Heard(path.name, one.window, one.label, one.scores, device.heard.get(one.window))
