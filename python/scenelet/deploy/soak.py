"""Hours of audio through a device over a line that is spoilt on purpose: no byte lost, no score changed."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data.datasets.registry import Dataset
from ..errors import DatasetError, ParityError
from ..evaluation.evaluate import Progress
from ..frontend.capture import read_capture
from ..targets.board import require_model
from ..targets.host import HostTarget
from ..targets.serial.client import Decision, Device, audio_contents
from ..targets.serial.fault_injection import SpoiltStream, Traffic
from ..targets.serial.framing import Input
from ..targets.serial.streams import ByteStream

# Windows held to the host's scores at once.
_BATCH = 50
# A damaged last frame is noticed by nobody but a host that asks.
_ASK_SECONDS = 0.3


@dataclass(frozen=True)
class Soak:
    """What went through a device, and what became of it.

    Attributes
    ----------
    windows, audio_seconds, audio_bytes
        That were decided, in one session.
    seconds
        It took, on this computer's clock.
    mismatches
        Windows whose scores are not the host's.
    one_in, seed
        Of the spoilt frames and lines; 0: none was spoilt.
    to_device, from_device
        Frames and lines, the spoilt among them, and bytes of both directions.
    resent
        Frames sent more than once.
    complaints
        Answers of the device that told of a damaged or missing frame.
    garbled
        Frames and lines of the device that failed their check here.
    dropped_bytes
        That found the device's receive ring full.
    """

    windows: int
    audio_seconds: float
    audio_bytes: int
    seconds: float
    mismatches: int
    one_in: int
    seed: int
    to_device: Traffic
    from_device: Traffic
    resent: int
    complaints: int
    garbled: int
    dropped_bytes: int

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)

    def summary(self) -> list[tuple[str, str]]:
        """What people want to know, and its value."""
        there, back = self.to_device, self.from_device
        return [
            ("audio", f"{self.audio_seconds:,.0f} s in {self.seconds:,.1f} s"),
            ("windows that differ", f"{self.mismatches:,} of {self.windows:,}"),
            ("frames to the device, spoilt", f"{there.chunks:,}, {there.spoilt:,}"),
            ("frames and lines from it, spoilt", f"{back.chunks:,}, {back.spoilt:,}"),
            ("frames sent again", f"{self.resent:,}"),
            ("bytes that found its ring full", f"{self.dropped_bytes:,}"),
        ]

    def require(self, subject: object) -> None:
        """Raise a ParityError where a window's scores are not the host's."""
        if self.mismatches:
            problem = f"{self.mismatches:,} of {self.windows:,} windows differ from the host's"
            raise ParityError(subject, problem, "run `scenelet device selftest`")


def endless_windows(dataset: Dataset, split: str, config: FrontendConfig) -> Iterator[NDArray[np.int32]]:
    """All clips of a split one behind the other, cut into windows, again and again.

    A round begins a third of a window further on than the one before, so that it brings other windows.

    Raises
    ------
    DatasetError
        The split holds less than a window.
    """
    length = config.clip_samples
    for turn in itertools.count():
        rest = np.empty(0, np.int32)
        skip = turn * length // 3 % length
        any_window = False
        for clip in dataset.split(split):
            rest = np.concatenate([rest, read_capture(clip.path, config)[skip:]])
            skip = 0
            whole = len(rest) // length * length
            yield from rest[:whole].reshape(-1, length)
            any_window = any_window or whole > 0
            rest = rest[whole:]
        if not any_window:
            raise DatasetError(dataset.root, f"split '{split}' holds less than a window", "choose another split")


class _Comparison:
    """Windows on their way to the device, and how many of its answers are not the host's."""

    def __init__(self, host: HostTarget) -> None:
        self._host = host
        self._sent: deque[NDArray[np.int32]] = deque()
        self._answers: list[tuple[int, ...]] = []
        self.mismatches = 0

    def remember(self, windows: Iterator[NDArray[np.int32]]) -> Iterator[NDArray[np.int32]]:
        for window in windows:
            self._sent.append(window)
            yield window

    def answer(self, decision: Decision) -> None:
        self._answers.append(decision.scores)
        if len(self._answers) == _BATCH:
            self.compare()

    def compare(self) -> None:
        if not self._answers:
            return
        windows = np.stack([self._sent.popleft() for _ in self._answers])
        got = np.array(self._answers, np.int8)
        self.mismatches += int((self._host.classify(windows).reshape(got.shape) != got).any(axis=1).sum())
        self._answers.clear()


def soak(
    model: Path,
    dataset: Dataset,
    split: str,
    stream: ByteStream,
    *,
    audio_seconds: float,
    one_in: int = 0,
    seed: int = 0,
    silence: float = 60.0,
    progress: Progress | None = None,
) -> Soak:
    """Stream audio through a device in one session and hold every window's scores to the host's.

    Parameters
    ----------
    stream
        The device's line; it listens.
    audio_seconds
        How much audio, in whole windows.
    one_in
        Of so many frames and lines, in both directions, one gets a flipped bit; 0: none.
    seed
        Chooses which.
    silence
        Seconds after which the device is taken for dead.
    progress
        Called with (windows decided, windows).

    Raises
    ------
    ModelError
        The device holds another model or front end, or the model has none; names both hashes.
    ToolError
        The device falls silent.
    """
    with HostTarget(model) as host:
        dropped = _require(model, host, Device(stream, give_up_seconds=silence))
        spoilt = SpoiltStream(stream, one_in, seed)
        device = Device(spoilt, ask_seconds=_ASK_SECONDS, give_up_seconds=silence)
        config = host.tables.config
        count = max(1, round(audio_seconds * config.sample_rate / config.clip_samples))
        comparison = _Comparison(host)
        windows = comparison.remember(itertools.islice(endless_windows(dataset, split, config), count))
        contents = (next(audio_contents(window[None], config)) for window in windows)
        began = time.monotonic()
        for decision in device.decide(contents, Input.AUDIO, host.compiled.identity.sha256, host.tables.sha256):
            comparison.answer(decision)
            if progress:
                progress(decision.window + 1, count)
        comparison.compare()
        seconds = time.monotonic() - began
        return Soak(
            windows=count,
            audio_seconds=count * config.clip_samples / config.sample_rate,
            audio_bytes=count * config.clip_samples * config.sample_bits // 8,
            seconds=seconds,
            mismatches=comparison.mismatches,
            one_in=one_in,
            seed=seed,
            to_device=spoilt.to_device,
            from_device=spoilt.from_device,
            resent=device.resent,
            complaints=device.complaints,
            garbled=device.garbled,
            dropped_bytes=int(Device(stream).info()["dropped_bytes"]) - dropped,
        )


def _require(model: Path, host: HostTarget, device: Device) -> int:
    """Raise unless the device holds this model; gives the bytes that it has dropped so far."""
    held = device.info()
    require_model(held, host.compiled.identity.sha256, host.tables.sha256, model)
    return int(held["dropped_bytes"])
