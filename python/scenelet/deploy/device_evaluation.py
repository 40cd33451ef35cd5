"""A data set through a device: every window's scores held to the host's, resumable at any window."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..data.datasets.registry import Dataset
from ..errors import InputError, ParityError
from ..evaluation.evaluate import Evaluation, Progress, evaluate
from ..targets.board import SerialTarget
from ..targets.host import HostTarget
from ..tflite.metadata import ModelInfo

_FORMAT = 1
# Windows in one session: the most that an interruption can leave unsaid to the progress bar.
_BATCH = 16


class Journal:
    """Scores that a device has given, one JSON line a window, written as they come.

    A run that was interrupted goes on where it stopped; a last line that was cut off is dropped. Windows are known by
    their samples, so the order of the data does not matter.

    Parameters
    ----------
    path
        Made where it is missing.
    model_sha256, frontend_sha256
        Of what gave the scores.

    Raises
    ------
    InputError
        The file holds something else, or another model's scores; or cannot be written.
    """

    def __init__(self, path: Path, model_sha256: str, frontend_sha256: str) -> None:
        self._path = path
        header = {"device_scores": _FORMAT, "model_sha256": model_sha256, "frontend_sha256": frontend_sha256}
        self._known: dict[str, list[list[int]]] = defaultdict(list)
        try:
            kept = self._read(header) if path.exists() else b""
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+b" if path.exists() else "w+b")
            self._file.truncate(len(kept))
            self._file.seek(len(kept))
        except OSError as error:
            raise InputError(path, f"cannot be used: {error.strerror}", "choose another place") from None
        if not kept:
            self._append(header)

    def _read(self, header: dict[str, Any]) -> bytes:
        """Whole lines of the file; what they say is remembered."""
        content = self._path.read_bytes()
        content = content[: content.rfind(b"\n") + 1]
        lines = content.splitlines()
        try:
            found = json.loads(lines[0]) if lines else header
            if not isinstance(found, dict) or found.get("device_scores") != _FORMAT:
                raise ValueError
            for line in lines[1:]:
                row = json.loads(line)
                self._known[row["window"]].append([int(score) for score in row["scores"]])
        except (ValueError, KeyError, TypeError):
            raise InputError(self._path, "holds no device's scores", "name another file") from None
        if found != header:
            there, here = (
                f"model {one['model_sha256']}, front end {one['frontend_sha256']}" for one in (found, header)
            )
            raise InputError(self._path, f"holds scores of {there}, not of {here}", "name another file")
        return content

    def _append(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value).encode() + b"\n")
        self._file.flush()

    def take(self, window: NDArray[np.int32]) -> list[int] | None:
        """Scores of a window from an earlier run, each line once; None where there are none left."""
        rows = self._known.get(_digest(window))
        return rows.pop(0) if rows else None

    def add(self, window: NDArray[np.int32], scores: tuple[int, ...]) -> None:
        """Remember a window's scores."""
        self._append({"window": _digest(window), "scores": list(scores)})

    def close(self) -> None:
        """Bring everything to the disk."""
        os.fsync(self._file.fileno())
        self._file.close()


def _digest(window: NDArray[np.int32]) -> str:
    return hashlib.sha256(window.astype("<i4").tobytes()).hexdigest()[:32]


@dataclass
class Counts:
    """What happened on the way.

    Attributes
    ----------
    sent, known
        Windows that travelled to the device, and that an earlier run had.
    resent
        Frames that the line made the host send again.
    seconds
        Spent on windows that travelled.
    mismatches
        Windows whose scores are not the host's.
    first
        The first of them: position, the device's scores and the host's.
    """

    sent: int = 0
    known: int = 0
    resent: int = 0
    seconds: float = 0.0
    mismatches: int = 0
    first: tuple[int, list[int], list[int]] | None = field(default=None)


class CheckedDevice:
    """A device and the host's own C side by side; a :class:`scenelet.targets.base.Target` for audio.

    Parameters
    ----------
    device
        Holds the model.
    journal
        Where its scores go, and come from.
    """

    def __init__(self, device: SerialTarget, journal: Journal) -> None:
        self._device, self._journal = device, journal
        self._host = HostTarget(device.content)
        self.name = device.name
        self.counts = Counts()
        self._compared = 0

    def classify(self, windows: NDArray[np.int32]) -> NDArray[np.int8]:
        """Scores of audio, (n, clip samples) -> (n, classes): the device's; differences are counted."""
        found = [self._journal.take(window) for window in windows]
        missing = [position for position, scores in enumerate(found) if scores is None]
        for position, scores in zip(missing, self._ask(windows[missing]), strict=True):
            found[position] = scores
        result = np.array(found, np.int8)
        self._compare(result, self._host.classify(windows).reshape(result.shape))
        self.counts.known += len(windows) - len(missing)
        return result

    def _ask(self, windows: NDArray[np.int32]) -> Iterator[list[int]]:
        began, resent = time.monotonic(), self._device.resent
        for window, decision in zip(windows, self._device.decisions(windows) if len(windows) else (), strict=True):
            self._journal.add(window, decision.scores)
            self.counts.sent += 1
            yield list(decision.scores)
        self.counts.seconds += time.monotonic() - began
        self.counts.resent += self._device.resent - resent

    def _compare(self, got: NDArray[np.int8], expected: NDArray[np.int8]) -> None:
        for row in np.flatnonzero((got != expected).any(axis=1)):
            self.counts.mismatches += 1
            if self.counts.first is None:
                self.counts.first = (self._compared + int(row), got[row].tolist(), expected[row].tolist())
        self._compared += len(got)

    def run(self, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.run(inputs)

    def tensors(self, one: NDArray[np.int8]) -> dict[int, NDArray[np.int8]]:
        """See :class:`scenelet.targets.base.Target`."""
        return self._device.tensors(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()


@dataclass(frozen=True)
class DeviceEvaluation:
    """A data set's scores on a device, and what it took."""

    evaluation: Evaluation
    counts: Counts
    bytes_a_window: int

    def to_json(self) -> dict[str, Any]:
        """Everything but the rows."""
        counts, first = self.counts, self.counts.first
        return self.evaluation.to_json() | {
            "mismatches": counts.mismatches,
            "first_mismatch": {"window": first[0], "device": first[1], "host": first[2]} if first else None,
            "windows_sent": counts.sent,
            "windows_known": counts.known,
            "frames_resent": counts.resent,
            "seconds": round(counts.seconds, 3),
            "audio_bytes": counts.sent * self.bytes_a_window,
        }

    def require(self, subject: object) -> None:
        """Raise a ParityError where a window's scores are not the host's."""
        if self.counts.first:
            position, got, expected = self.counts.first
            problem = f"{self.counts.mismatches:,} of {self.evaluation.windows:,} windows differ from the host's"
            first = f"window {position}: device {got}, host {expected}"
            raise ParityError(subject, f"{problem}; {first}", "run `scenelet device selftest`")


def evaluate_device(
    model: Path,
    info: ModelInfo,
    dataset: Dataset,
    split: str,
    port: str,
    journal: Path,
    *,
    seconds: float = 60.0,
    progress: Progress | None = None,
) -> DeviceEvaluation:
    """Classify every window of a split on a device and compare each with the host's result.

    Parameters
    ----------
    port
        See :func:`scenelet.targets.board.open_port`.
    journal
        File of the scores so far; the same file goes on after an interruption.
    seconds
        Silence after which the device is taken for dead.
    progress
        Called with (clips done, clips).

    Raises
    ------
    ModelError
        The device holds another model or front end; names both hashes.
    ToolError
        Nobody answers at the port, or no longer.
    InputError
        The journal belongs to another model.
    """
    with SerialTarget(model, port, seconds) as device:
        record = Journal(journal, device.compiled.identity.sha256, device.tables.sha256)
        with CheckedDevice(device, record) as place:
            result = evaluate(model, info, dataset, split, place, progress=progress, batch=_BATCH)
            config = device.tables.config
            return DeviceEvaluation(result, place.counts, config.clip_samples * config.sample_bits // 8)
