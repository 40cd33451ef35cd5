"""Streaming audio files to a device, which decides on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import audio
from ..errors import ModelError, ToolError
from ..evaluation.clip_answers import SILENCE
from ..frontend.capture import read_samples
from ..targets.serial.client import Device, samples_to_bytes
from ..targets.serial.framing import Input


@dataclass(frozen=True)
class WindowDecision:
    """One decision on one window of a file or a microphone.

    Attributes
    ----------
    file, window
        Name of the file; number of the window in it, from 0.
    label, scores
        Class with the highest score; the INT8 scores. "" and none where the network did not run.
    heard
        Label that the rule over windows gave; None without a rule.
    silent
        Whether the window is silent by the model's level; the rule did not take it.
    """

    file: str
    window: int
    label: str
    scores: tuple[int, ...]
    heard: str | None
    silent: bool = False

    @property
    def said(self) -> str:
        """What is shown: the rule's label, else "silence", else the class with the highest score."""
        return self.heard or (SILENCE if self.silent else self.label)

    @property
    def line(self) -> str:
        """One line of text: file, window, what is said, scores."""
        scores = " ".join(f"{value:4d}" for value in self.scores)
        return f"{self.file} {self.window:5d} {self.said:24} {scores}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


@dataclass(frozen=True)
class AudioFormat:
    """What a device takes: Hz, bits per sample, samples of a window, and Hz of its microphone where that is another."""

    rate: int
    bits: int
    window_samples: int
    capture_rate: int | None

    @classmethod
    def of(cls, held: dict[str, str], subject: object) -> AudioFormat:
        """Read a device's ``info``.

        Raises
        ------
        ModelError
            The device holds no front end.
        ToolError
            Fields are missing.
        """
        if held.get("frontend_sha256", "none") == "none":
            raise ModelError(subject, "the device takes no audio: its model has no front end", "flash another model")
        try:
            rate, bits, length = (int(held[key]) for key in ("sample_rate", "sample_bits", "clip_samples"))
            capture = int(held["capture_rate"]) if "capture_rate" in held else None
        except (KeyError, ValueError):
            raise ToolError(subject, "info lacks the audio format", "flash the firmware of this scenelet") from None
        return cls(rate, bits, length, capture)

    def windows(self, path: Path) -> NDArray[np.int32]:
        """Read a file as consecutive windows, (n, window_samples).

        Raises
        ------
        AudioError
            The file cannot be read.
        """
        samples = read_samples(path, self.rate, self.bits, self.capture_rate)
        return audio.windows(samples, self.window_samples)


def listen(device: Device, files: Iterable[Path], subject: object) -> Iterator[WindowDecision]:
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
    for _, decision in listen_to_windows(device, files, subject):
        yield decision


def listen_to_windows(
    device: Device, files: Iterable[Path], subject: object
) -> Iterator[tuple[NDArray[np.int32], WindowDecision]]:
    """Stream files as :func:`listen` does; yield the samples of every window, (window samples,), with its decision."""
    held = device.info()
    form = AudioFormat.of(held, subject)
    for path in files:
        windows = form.windows(path)
        contents = (samples_to_bytes(window, form.bits) for window in windows)
        for one in device.decide(contents, Input.AUDIO, held["model_sha256"], held["frontend_sha256"]):
            heard, silent = device.rule_labels.get(one.window), one.window in device.silent_windows
            yield windows[one.window], WindowDecision(path.name, one.window, one.label, one.scores, heard, silent)
