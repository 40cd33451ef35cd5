"""Hours of audio through a device over a line with injected bit errors: no byte lost, no score changed."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.recipe import FrontendConfig
from ..data.datasets.registry import Dataset
from ..errors import DatasetError, ParityError
from ..evaluation.evaluate import Progress
from ..frontend.capture import read_clip
from ..targets.board import require_model
from ..targets.host import HostTarget
from ..targets.serial.client import Decision, Device, audio_contents
from ..targets.serial.fault_injection import FaultyStream, Traffic
from ..targets.serial.framing import Input
from ..targets.serial.streams import ByteStream

# Windows that the host classifies at once for the comparison.
_BATCH = 50
# The device reports a damaged last frame only when the host polls it.
_ASK_SECONDS = 0.3


@dataclass(frozen=True)
class Soak:
    """Result of one session.

    Attributes
    ----------
    windows, audio_seconds, audio_bytes
        Audio that the device decided on.
    seconds
        Duration of the session on this computer's clock.
    mismatches
        Windows whose scores are not the host's.
    one_in, seed
        Rate and seed of the injected bit errors; see :func:`soak`.
    to_device, from_device
        Traffic of both directions.
    resent
        Frames sent more than once.
    complaints
        STATUS frames in which the device reported a damaged or missing frame.
    garbled
        Frames and lines of the device that failed their checksum on this computer.
    dropped_bytes
        Bytes that arrived while the device's receive ring was full.
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
        return asdict(self) | {"to_device": self.to_device.to_json(), "from_device": self.from_device.to_json()}

    def summary(self) -> list[tuple[str, str]]:
        """Rows of a table: quantity and value."""
        there, back = self.to_device, self.from_device
        return [
            ("audio", f"{self.audio_seconds:,.0f} s in {self.seconds:,.1f} s"),
            ("windows that differ", f"{self.mismatches:,} of {self.windows:,}"),
            ("frames to the device, corrupted", f"{there.chunks:,}, {there.corrupted:,}"),
            ("frames and lines from it, corrupted", f"{back.chunks:,}, {back.corrupted:,}"),
            ("frames sent again", f"{self.resent:,}"),
            ("bytes dropped, receive ring full", f"{self.dropped_bytes:,}"),
        ]

    def require(self, subject: object) -> None:
        """Raise a ParityError where a window's scores are not the host's."""
        if self.mismatches:
            problem = f"{self.mismatches:,} of {self.windows:,} windows differ from the host's"
            raise ParityError(subject, problem, "run `scenelet device selftest`")


def endless_windows(dataset: Dataset, split: str, config: FrontendConfig) -> Iterator[NDArray[np.int32]]:
    """All clips of a split, concatenated, cut into windows and repeated without end.

    Each round begins a third of a window later than the one before, so that its windows are others.

    Yields
    ------
    NDArray[np.int32]
        (clip samples,) integers of the front end's sample width.

    Raises
    ------
    DatasetError
        The split holds less than one window.
    """
    length = config.clip_samples
    for lap in itertools.count():
        rest = np.empty(0, np.int32)
        skip = lap * length // 3 % length
        any_window = False
        for clip in dataset.split(split):
            rest = np.concatenate([rest, read_clip(clip, config)[skip:]])
            skip = 0
            whole = len(rest) // length * length
            yield from rest[:whole].reshape(-1, length)
            any_window = any_window or whole > 0
            rest = rest[whole:]
        if not any_window:
            raise DatasetError(dataset.root, f"split '{split}' holds less than one window", "choose another split")


class _Comparison:
    """Compares a device's scores with the host's, a batch at a time; holds the windows that are not decided yet."""

    def __init__(self, host: HostTarget) -> None:
        self._host = host
        self._sent: deque[NDArray[np.int32]] = deque()
        self._scores: list[tuple[int, ...]] = []
        self.mismatches = 0

    def record(self, windows: Iterator[NDArray[np.int32]]) -> Iterator[NDArray[np.int32]]:
        for window in windows:
            self._sent.append(window)
            yield window

    def add(self, decision: Decision) -> None:
        self._scores.append(decision.scores)
        if len(self._scores) == _BATCH:
            self.compare()

    def compare(self) -> None:
        if not self._scores:
            return
        windows = np.stack([self._sent.popleft() for _ in self._scores])
        got = np.array(self._scores, np.int8)
        self.mismatches += int((self._host.classify(windows).reshape(got.shape) != got).any(axis=1).sum())
        self._scores.clear()


def _mismatches(
    device: Device, host: HostTarget, windows: Iterator[NDArray[np.int32]], report: Callable[[int], None]
) -> int:
    """Stream windows through a device; count those whose scores are not the host's."""
    comparison = _Comparison(host)
    config = host.tables.config
    contents = (next(audio_contents(window[None], config)) for window in comparison.record(windows))
    for decision in device.decide(contents, Input.AUDIO, host.compiled.identity.sha256, host.tables.sha256):
        comparison.add(decision)
        report(decision.window + 1)
    comparison.compare()
    return comparison.mismatches


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
    """Stream audio through a device in one session and compare every window's scores with the host's.

    Parameters
    ----------
    stream
        Serial line of the device, which has booted.
    audio_seconds
        Length of the audio in seconds, rounded to whole windows, at least one.
    one_in
        Mean number of frames and lines per flipped bit, in both directions; 0 flips none.
    seed
        Seed of the choice of frames and bits.
    silence
        Seconds of silence after which the device counts as dead.
    progress
        Called with (windows decided, windows in all).

    Raises
    ------
    ModelError
        The device holds another model or front end, or the model has none; names both hashes.
    ToolError
        The device stops answering.
    """
    with HostTarget(model) as host:
        dropped = _require(model, host, Device(stream, give_up_seconds=silence))
        faulty = FaultyStream(stream, one_in, seed)
        device = Device(faulty, ask_seconds=_ASK_SECONDS, give_up_seconds=silence)
        config = host.tables.config
        count = max(1, round(audio_seconds * config.sample_rate / config.clip_samples))
        windows = itertools.islice(endless_windows(dataset, split, config), count)
        began = time.monotonic()
        mismatches = _mismatches(device, host, windows, lambda done: progress(done, count) if progress else None)
        return Soak(
            windows=count,
            audio_seconds=count * config.clip_samples / config.sample_rate,
            audio_bytes=count * config.clip_samples * config.sample_bits // 8,
            seconds=time.monotonic() - began,
            mismatches=mismatches,
            one_in=one_in,
            seed=seed,
            to_device=faulty.to_device,
            from_device=faulty.from_device,
            resent=device.resent,
            complaints=device.complaints,
            garbled=device.garbled,
            dropped_bytes=int(Device(stream).info()["dropped_bytes"]) - dropped,
        )


def _require(model: Path, host: HostTarget, device: Device) -> int:
    """Raise unless the device holds this model; return the number of bytes that it has dropped so far."""
    held = device.info()
    require_model(held, host.compiled.identity.sha256, host.tables.sha256, model)
    return int(held["dropped_bytes"])
